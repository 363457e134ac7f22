"""Statistics over several numbers of one row: the median, and how many differ."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, formula, operation
from pipeline_lib.compiled.operations.setting_types import FLAG


def _sorted(columns: Sequence[Any]) -> Any:
    """Each row's numbers from the smallest on, equal ones in their order: 0.0 and -0.0 are equal; NaN last."""
    return np.sort(np.array(np.broadcast_arrays(*columns)), axis=0, kind="stable")


def _bind_median(settings: Settings) -> Callable[..., Any]:
    plain = settings["plain"]

    def median(*columns: Any) -> Any:
        ordered = _sorted(columns)
        count = len(ordered) - np.isnan(ordered).sum(axis=0)
        if plain and len(ordered) % 2:
            return np.where(count < len(ordered), np.nan, ordered[len(ordered) // 2])
        low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
        high = np.take_along_axis(ordered, np.minimum(count // 2, len(ordered) - 1)[None], axis=0)[0]
        return np.where((count == 0) | (plain & (count < len(ordered))), np.nan, (low + high) / 2)

    return median


def _bind_median_row(settings: Settings) -> Callable[..., float]:
    plain = settings["plain"]

    def median(*numbers: float) -> float:
        ordered = sorted([number for number in numbers if number == number])
        count = len(ordered)
        if not count or (plain and count < len(numbers)):
            return math.nan
        if plain and count % 2:
            return ordered[count // 2]
        return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2

    return median


# Without `plain`, an odd count's middle is added to itself and halved, as in np.nanmedian.
operation(
    "median",
    ("float64", "..."),
    "float64",
    doc="The median of a row's numbers without the missing ones; with `plain`, one missing makes it missing.",
    settings={"plain": FLAG},
    column=_bind_median,
    row=_bind_median_row,
)


def _distinct(*columns: Any) -> Any:
    ordered = _sorted(columns)
    present = ordered == ordered
    new = (ordered[1:] != ordered[:-1]) & present[1:]
    return present[0].astype(np.int64) + new.sum(axis=0, dtype=np.int64)


def _distinct_of_row(*numbers: float) -> int:
    """Integers among floats count as floats, as in an array of both."""
    if any(isinstance(number, float) for number in numbers):
        numbers = tuple(map(float, numbers))
    return len({number for number in numbers if number == number})


formula(
    "distinct",
    ("float64|int64", "..."),
    "int64",
    _distinct,
    _distinct_of_row,
    "How many different numbers a row has; missing ones are not counted.",
    abs_max=lambda maxima: float(len(maxima)),
)
