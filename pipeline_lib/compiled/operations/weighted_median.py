"""The weighted median of the numbers of a vector."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBERS


def _bind_weighted_median(settings: Settings) -> Callable[[Any], Any]:
    """The first number, from the smallest on, at which the running sum of `weights` reaches half of their sum."""
    weights = np.asarray(settings["weights"], dtype=np.float64)

    def median(vector: Any) -> Any:
        order, sums = _running_sums(vector, weights)
        rank = np.argmax(sums >= 0.5 * sums[-1], axis=0)
        rows = np.arange(vector.shape[1])
        return vector[order[rank, rows], rows]

    return median


def _running_sums(vector: Any, weights: Any) -> tuple[Any, Any]:
    """Each row's indices sorted by number, equal ones in their order, NaN last, and the running sums of weights."""
    order = np.argsort(vector, axis=0, kind="stable")
    sums = weights[order]
    for rank in range(1, len(sums)):
        sums[rank] += sums[rank - 1]
    return order, sums


def _bind_weighted_median_row(settings: Settings) -> Callable[[Any], float]:
    weights = np.asarray(settings["weights"], dtype=np.float64).tolist()

    def median(vector: Any) -> float:
        numbers = vector.tolist()
        order = sorted(range(len(numbers)), key=lambda index: (numbers[index] != numbers[index], numbers[index]))
        sums: list[float] = []
        total = 0.0
        for index in order:
            total = total + weights[index] if sums else weights[index]
            sums.append(total)
        half = 0.5 * total
        return float(next(numbers[index] for index, so_far in zip(order, sums, strict=True) if so_far >= half))

    return median


def _error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    """At most the inputs' own; infinite where rounding decides at which number the half is reached."""
    weights = np.asarray(settings["weights"], dtype=np.float64)
    vector = np.asarray(inputs[0])
    order, sums = _running_sums(vector, weights)
    moved = np.broadcast_to(bounds[0], vector.shape)
    sorted_numbers = np.take_along_axis(vector, order, axis=0)
    ends = np.ones(sums.shape, dtype=np.bool_)  # within equal numbers the order does not matter
    ends[:-1] = sorted_numbers[:-1] != sorted_numbers[1:]
    close = np.abs(sums - 0.5 * sums[-1]) <= 2 * len(weights) * HALF_ULP * sums[-1]
    return np.where((close & ends).any(axis=0), np.inf, moved.max(axis=0))


operation(
    "weighted_median",
    ("vector",),
    "float64",
    doc="The weighted median: the smallest number whose running sum of `weights` reaches half.",
    parameters=("vector",),
    settings={"weights": NUMBERS},
    column=_bind_weighted_median,
    row=_bind_weighted_median_row,
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=_error_bound,
)
