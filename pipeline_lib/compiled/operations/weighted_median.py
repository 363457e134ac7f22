"""The weighted median of several numbers a row."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation


def _bind_weighted_median(settings: Settings) -> Callable[[Any], Any]:
    """The first number, in order, at which the sum of `weights` from the smallest on reaches half of all."""
    weights = np.asarray(settings["weights"], dtype=np.float64)

    def median(vector: Any) -> Any:
        order, sums = _cumulated(vector, weights)
        place = np.argmax(sums >= 0.5 * sums[-1], axis=0)
        rows = np.arange(vector.shape[1])
        return vector[order[place, rows], rows]

    return median


def _cumulated(vector: Any, weights: Any) -> tuple[Any, Any]:
    """Each row's places in order of their numbers, equal ones as they come, and the sums of weights so far."""
    order = np.argsort(vector, axis=0, kind="stable")
    sums = weights[order]
    for place in range(1, len(sums)):
        sums[place] += sums[place - 1]
    return order, sums


def _bind_weighted_median_row(settings: Settings) -> Callable[[Any], float]:
    weights = np.asarray(settings["weights"], dtype=np.float64).tolist()

    def median(vector: Any) -> float:
        numbers = vector.tolist()
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        sums: list[float] = []
        total = 0.0
        for place in order:
            total = total + weights[place] if sums else weights[place]
            sums.append(total)
        half = 0.5 * total
        return float(next((numbers[place] for place, so_far in zip(order, sums, strict=True) if so_far >= half)))

    return median


def _error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    """At most the inputs' own; infinite where the half is reached within rounding, in whatever order one adds."""
    weights = np.asarray(settings["weights"], dtype=np.float64)
    vector = np.asarray(inputs[0])
    order, sums = _cumulated(vector, weights)
    moved = np.broadcast_to(bounds[0], vector.shape)
    sorted_numbers = np.take_along_axis(vector, order, axis=0)
    ends = np.ones(sums.shape, dtype=np.bool_)  # within equal numbers the order does not matter
    ends[:-1] = sorted_numbers[:-1] != sorted_numbers[1:]
    close = np.abs(sums - 0.5 * sums[-1]) <= 2 * len(weights) * 2.0**-53 * sums[-1]
    return np.where((close & ends).any(axis=0), np.inf, moved.max(axis=0))


operation(
    "weighted_median",
    ("vector",),
    "float64",
    column=_bind_weighted_median,
    row=_bind_weighted_median_row,
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=_error_bound,
)
