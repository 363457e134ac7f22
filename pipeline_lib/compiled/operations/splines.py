"""Functions of one number given by points: linear interpolation, B-spline bases."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, MATRIX, NUMBERS


def _bind_interpolate(settings: Settings) -> Callable[[Any], Any]:
    x, y, slopes = line_of(settings)
    last = len(x) - 1

    def interpolate(values: Any) -> Any:
        left = np.minimum(np.maximum(np.searchsorted(x, values, side="right") - 1, 0), last)
        between = slopes[left] * (values - x[left]) + y[left]
        height = np.where((x[left] == values) | (left == last) | (values < x[0]), y[left], between)
        return np.where(values != values, values, height)

    return interpolate


def _bind_interpolate_row(settings: Settings) -> Callable[[float], float]:
    x, y, slopes = (part.tolist() for part in line_of(settings))
    last = len(x) - 1

    def interpolate(value: float) -> float:
        if value != value:
            return value
        left = min(max(bisect_right(x, value) - 1, 0), last)
        if x[left] == value or left == last or value < x[0]:
            return float(y[left])
        return float(slopes[left] * (value - x[left]) + y[left])

    return interpolate


def line_of(settings: Settings) -> tuple[Any, Any, Any]:
    """The points' x and y, and the slope from each one to the next; 0 after the last."""
    x, y = np.asarray(settings["x"], dtype=np.float64), np.asarray(settings["y"], dtype=np.float64)
    with np.errstate(all="ignore"):  # the slope between equal points is never used
        slopes = (y[1:] - y[:-1]) / (x[1:] - x[:-1])
    return x, y, np.append(slopes, 0.0)


# The formula of numpy.interp; of points with equal `x` the last one counts.
operation(
    "interpolate",
    ("float64",),
    "float64",
    doc="The height of the line through points of ascending `x`; constant beyond the first and last.",
    settings={"x": NUMBERS, "y": NUMBERS},
    column=_bind_interpolate,
    row=_bind_interpolate_row,
)


def _bind_splines(settings: Settings) -> Callable[[Any], Any]:
    knots = np.asarray(settings["knots"], dtype=np.float64)
    coefficients, degree = np.asarray(settings["coefficients"], dtype=np.float64), int(settings["degree"])

    def splines(values: Any) -> Any:
        values = np.atleast_1d(values)
        last = len(knots) - degree - 2
        interval = np.minimum(np.maximum(np.searchsorted(knots, values, side="right") - 1, degree), last)
        basis = _basis(knots, degree, interval, values)
        total = np.zeros((coefficients.shape[1], len(values)))
        for order in range(degree + 1):
            total += coefficients[interval + order - degree].T * basis[order]
        return np.where(values != values, np.nan, total)

    return splines


def _basis(knots: Any, degree: int, interval: Any, values: Any) -> list[Any]:
    """The B-splines that are not 0 between knot number `interval` and the next, by de Boor's recurrence.

    Source of the order of operations: scipy/interpolate/src/__fitpack.cc, `_deBoor_D`.
    """
    basis = [np.ones(len(values))]
    for step in range(1, degree + 1):
        before, basis = basis, [np.zeros(len(values)) for _ in range(step + 1)]
        for order in range(1, step + 1):
            above, below = knots[interval + order], knots[interval + order - step]
            apart = above != below
            weight = np.where(apart, before[order - 1] / np.where(apart, above - below, 1.0), 0.0)
            basis[order - 1] = np.where(apart, basis[order - 1] + weight * (above - values), basis[order - 1])
            basis[order] = np.where(apart, weight * (values - below), 0.0)
    return basis


operation(
    "splines",
    ("float64",),
    "vector",
    doc="B-splines of `degree` over `knots`, by `coefficients` (bases x splines); the outer ones extrapolate.",
    settings={"knots": NUMBERS, "coefficients": MATRIX, "degree": INTEGER},
    column=_bind_splines,
    error_bound=lambda settings, inputs, bounds, result: _splines_error_bound(settings, inputs[0], bounds[0], result),
    width=lambda settings, widths: int(np.shape(settings["coefficients"])[1]),
)


def _splines_error_bound(settings: Settings, values: Any, bound: Any, result: Any) -> Any:
    splines = _bind_splines(settings)
    moved = np.maximum(np.abs(splines(values + bound) - result), np.abs(splines(values - bound) - result))
    terms = np.abs(result).sum(axis=0)  # a bound, not a result: the order of the sum does not matter
    return np.where(np.isnan(moved), 0.0, moved) + 8 * (settings["degree"] + 1) * HALF_ULP * terms
