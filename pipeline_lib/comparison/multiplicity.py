"""Several challengers against one champion: the chance of one false alarm among all of them stays at 5 %."""

from collections.abc import Sequence

from pipeline_lib.errors import InputError


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values adjusted by Holm's step-down procedure, in the order given (Scandinavian J. Statistics 6, 1979).

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise InputError(f"found p-values {list(p_values)}, expected each from 0 to 1")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda position: p_values[position])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)
