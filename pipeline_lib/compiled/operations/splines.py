"""Curves over one number: interpolation between points, B-spline bases."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation


def _bind_interpolate(settings: Settings) -> Callable[[Any], Any]:
    x, y, slopes = _line(settings)
    last = len(x) - 1

    def interpolate(values: Any) -> Any:
        place = np.minimum(np.maximum(np.searchsorted(x, values, side="right") - 1, 0), last)
        inner = slopes[place] * (values - x[place]) + y[place]
        found = np.where((x[place] == values) | (place == last) | (values < x[0]), y[place], inner)
        return np.where(values != values, values, found)

    return interpolate


def _bind_interpolate_row(settings: Settings) -> Callable[[float], float]:
    x, y, slopes = (part.tolist() for part in _line(settings))
    last = len(x) - 1

    def interpolate(value: float) -> float:
        if value != value:
            return value
        place = min(max(bisect_right(x, value) - 1, 0), last)
        if x[place] == value or place == last or value < x[0]:
            return float(y[place])
        return float(slopes[place] * (value - x[place]) + y[place])

    return interpolate


def _line(settings: Settings) -> tuple[Any, Any, Any]:
    x, y = np.asarray(settings["x"], dtype=np.float64), np.asarray(settings["y"], dtype=np.float64)
    with np.errstate(all="ignore"):  # equal points have no slope, and none is asked for
        slopes = (y[1:] - y[:-1]) / (x[1:] - x[:-1])
    return x, y, np.append(slopes, 0.0)


# The height of the line through points (ascending `x`), beyond them that of the first and last; of `x` that are
# equal the last counts. The formula of numpy.interp.
operation("interpolate", ("float64",), "float64", column=_bind_interpolate, row=_bind_interpolate_row)


def _bind_splines(settings: Settings) -> Callable[[Any], Any]:
    knots = np.asarray(settings["knots"], dtype=np.float64)
    coefficients, degree = np.asarray(settings["coefficients"], dtype=np.float64), int(settings["degree"])

    def splines(values: Any) -> Any:
        values = np.atleast_1d(values)
        most = len(knots) - degree - 2
        place = np.minimum(np.maximum(np.searchsorted(knots, values, side="right") - 1, degree), most)
        basis = _basis(knots, degree, place, values)
        made = np.zeros((coefficients.shape[1], len(values)))
        for order in range(degree + 1):
            made += coefficients[place + order - degree].T * basis[order]
        return np.where(values != values, np.nan, made)

    return splines


def _basis(knots: Any, degree: int, place: Any, values: Any) -> list[Any]:
    """The B-splines that are not 0 between a knot and the next, by de Boor's recurrence.

    Source of the order of operations: scipy/interpolate/src/__fitpack.cc, `_deBoor_D`.
    """
    basis = [np.ones(len(values))]
    for step in range(1, degree + 1):
        before, basis = basis, [np.zeros(len(values)) for _ in range(step + 1)]
        for order in range(1, step + 1):
            above, below = knots[place + order], knots[place + order - step]
            there = above != below
            weight = np.where(there, before[order - 1] / np.where(there, above - below, 1.0), 0.0)
            basis[order - 1] = np.where(there, basis[order - 1] + weight * (above - values), basis[order - 1])
            basis[order] = np.where(there, weight * (values - below), 0.0)
    return basis


# B-splines at a number: `coefficients` (knots - degree - 1, splines) of the bases of `degree` over `knots`; the
# outer ones go on beyond the knots.
operation(
    "splines",
    ("float64",),
    "vector",
    column=_bind_splines,
    error_bound=lambda settings, inputs, bounds, result: _splines_error_bound(settings, inputs[0], bounds[0], result),
    width=lambda settings, widths: int(np.shape(settings["coefficients"])[1]),
)


def _splines_error_bound(settings: Settings, values: Any, bound: Any, result: Any) -> Any:
    splines = _bind_splines(settings)
    moved = np.maximum(np.abs(splines(values + bound) - result), np.abs(splines(values - bound) - result))
    terms = np.abs(result).sum(axis=0)  # a bound, not a result: any order will do
    return np.where(np.isnan(moved), 0.0, moved) + 8 * (settings["degree"] + 1) * 2.0**-53 * terms
