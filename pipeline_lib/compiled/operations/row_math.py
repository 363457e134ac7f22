"""Several numbers of a row combined: median, distinct values, whole quotients, powers of integers."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import INT, divide, wrap
from pipeline_lib.compiled.operations.registry import Settings, formula, operation


def _sorted(columns: Sequence[Any]) -> Any:
    return np.sort(np.array(np.broadcast_arrays(*columns)), axis=0)  # NaN last


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


# The middle number, or the mean of the middle two. Missing ones are passed over, and an odd count's middle is added
# to itself and halved, as in np.nanmedian; with `plain` as in np.median: one missing makes it missing.
operation(
    "median",
    ("float64", "..."),
    "float64",
    column=_bind_median,
    row=_bind_median_row,
    abs_max=lambda _, maxima: math.inf,
)


def _distinct(*columns: Any) -> Any:
    ordered = _sorted(columns)
    present = ordered == ordered
    new = (ordered[1:] != ordered[:-1]) & present[1:]
    return present[0].astype(np.int64) + new.sum(axis=0, dtype=np.int64)


# How many different numbers there are, missing ones not counted.
formula(
    "distinct",
    ("float64|int64", "..."),
    "int64",
    _distinct,
    lambda *numbers: len({number for number in numbers if number == number}),
    abs_max=lambda maxima: float(len(maxima)),
)


def floor_divide(a: float, b: float) -> float:
    """`a // b` as NumPy has it: by zero as in division."""
    return a // b if b != 0 and math.isfinite(a) else divide(a, b) if b == 0 else math.nan


formula("floor_divide", ("float64", "float64"), "float64", np.floor_divide, floor_divide)


# An integer to the power of another, as 64 bits hold it; below 0 the power counts as 0.
formula(
    "power_int",
    ("int64", "int64"),
    "int64",
    lambda base, exponent: np.power(base, np.maximum(exponent, 0)),
    lambda base, exponent: wrap(pow(base, max(exponent, 0), 2 * INT)),
    abs_max=lambda maxima: INT,
)
