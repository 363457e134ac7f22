"""KBinsDiscretizer, PolynomialFeatures, SplineTransformer: several columns from one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import check_condition, numeric_columns, refuse_sparse
from pipeline_lib.compiler.adapters.registry import Columns, transformer
from pipeline_lib.compiler.builder import Builder, Value


@transformer(
    "sklearn.preprocessing._discretization.KBinsDiscretizer",
    options="n_bins encode strategy quantile_method dtype subsample random_state",
)
def bins(step: Any, columns: Columns, build: Builder) -> Columns:
    """The count of inner edges up to the number, or one column of 0 and 1 for each bin.

    Source: sklearn/preprocessing/_discretization.py, `transform`.
    """
    refuse_sparse(step, columns)
    result: Columns = {}
    for (name, value), edges, count in zip(
        numeric_columns(step, columns, build).items(), step.bin_edges_, step.n_bins_, strict=True
    ):
        value = build.round32(value) if step.dtype == np.float32 else value
        index = build.search(value, edges=[float(edge) for edge in edges[1:-1]], side="right")
        if step.encode == "ordinal":
            result[name] = build.number(index)
        else:
            result |= {f"{name}_{number}": build.number(index.equals(number)) for number in range(int(count))}
    return result


@transformer(
    "sklearn.preprocessing._polynomial.PolynomialFeatures", options="degree interaction_only include_bias order"
)
def polynomial(step: Any, columns: Columns, build: Builder) -> Columns:
    """Products of columns, in the order of `powers_`; factors are multiplied from the last to the first.

    Source: sklearn/preprocessing/_polynomial.py, `PolynomialFeatures.transform`.
    """
    refuse_sparse(step, columns)
    values = list(numeric_columns(step, columns, build).values())
    result: Columns = {}
    for number, powers in enumerate(step.powers_):
        factors = [values[index] for index in reversed(range(len(values))) for _ in range(int(powers[index]))]
        product: Value = factors[0] if factors else build.value(1.0)
        for factor in factors[1:]:
            product = product * factor
        result[f"x{number}"] = product
    return result


@transformer(
    "sklearn.preprocessing._polynomial.SplineTransformer",
    options="n_knots degree knots extrapolation include_bias order handle_missing sparse_output",
)
def splines(step: Any, columns: Columns, build: Builder) -> Columns:
    """The B-splines of each column. Source: sklearn/preprocessing/_polynomial.py, `SplineTransformer.transform`."""
    refuse_sparse(step, columns)
    zeros = step.handle_missing == "zeros"
    result: Columns = {}
    values = numeric_columns(step, columns, build, missing=zeros)
    for index, ((name, value), spline) in enumerate(zip(values.items(), step.bsplines_, strict=True)):
        if step.extrapolation == "linear":
            parts = _tangents(value, spline, min(step.degree + index, max(step.degree, 2)), build)
        else:
            parts = _SPLINES[step.extrapolation](step, name, value, spline, build)
        if zeros:
            missing = value.missing()
            parts = [build.where(missing, 0.0, part) for part in parts]
        kept = parts if step.include_bias else parts[:-1]
        result |= {f"{name}_sp_{number}": part for number, part in enumerate(kept)}
    return result


def _inside(value: Value, spline: Any, build: Builder) -> list[Value]:
    knots, coefficients = np.array(spline.t), np.array(spline.c)
    return build.items(build.splines(value, knots=knots, coefficients=coefficients, degree=int(spline.k)))


def _continued(step: Any, name: str, value: Value, spline: Any, build: Builder) -> list[Value]:
    return _inside(value, spline, build)


def _refused(step: Any, name: str, value: Value, spline: Any, build: Builder) -> list[Value]:
    first, last = _ends(spline)
    within = (value >= first) & (value <= last)
    if step.handle_missing == "zeros":
        within = within | value.missing()
    return _inside(check_condition(value, within, name, step, f"a number from {first!r} to {last!r}"), spline, build)


def _periodic(step: Any, name: str, value: Value, spline: Any, build: Builder) -> list[Value]:
    first, last = _ends(spline)
    width = last - first
    inner = build.remainder(value - first, width) + first if width > 0 else value * 0.0
    return _inside(inner, spline, build)


def _bounded(step: Any, name: str, value: Value, spline: Any, build: Builder) -> list[Value]:
    """Beyond the knots the outer splines keep their value at the end; others are 0."""
    (first, last), outer = _ends(spline), step.degree
    if outer == 0:  # above the last knot the library raises
        value = check_condition(value, (value <= last) | value.missing(), name, step, f"a number up to {last!r}")
    heights, count = (spline(first), spline(last)), spline.c.shape[1]
    low = {number: float(heights[0][number]) for number in range(outer)}
    high = {number: float(heights[1][number]) for number in range(count - outer, count)}
    return _with_ends(value, (first, last), _inside(value, spline, build), low, high, build)


def _tangents(value: Value, spline: Any, degree: int, build: Builder) -> list[Value]:
    """Beyond the ends the outer splines follow their tangents; others are 0.

    scikit-learn 1.9 adds 1 to a degree below 2 once more at each column, and takes the ends from it: so do we.
    """
    first, last = float(spline.t[degree]), float(spline.t[-degree - 1])
    count, outer = spline.c.shape[1], degree + 1 if degree <= 1 else degree
    low = _tangent(value, spline, first, range(min(outer, count)))
    high = _tangent(value, spline, last, range(max(count - outer, 0), count))
    return _with_ends(value, (first, last), _inside(value, spline, build), low, high, build)


def _tangent(value: Value, spline: Any, end: float, numbers: range) -> dict[int, Value]:
    heights, slopes = spline(end), spline(end, nu=1)
    return {number: (value - end) * float(slopes[number]) + float(heights[number]) for number in numbers}


def _with_ends(
    value: Value,
    ends: tuple[float, float],
    inside: Sequence[Value],
    low: Mapping[int, Value | float],
    high: Mapping[int, Value | float],
    build: Builder,
) -> list[Value]:
    below, above = value < ends[0], value > ends[1]
    return [
        build.where(below, low.get(number, 0.0), build.where(above, high.get(number, 0.0), part))
        for number, part in enumerate(inside)
    ]


def _ends(spline: Any) -> tuple[float, float]:
    return float(spline.t[spline.k]), float(spline.t[-spline.k - 1])


_SPLINES = {
    "continue": _continued,
    "error": _refused,
    "periodic": _periodic,
    "constant": _bounded,
}
