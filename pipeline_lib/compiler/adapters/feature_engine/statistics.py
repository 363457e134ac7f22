"""Statistics over the columns of one row, as pandas computes them; used by MathFeatures and WindowFeatures.

Source: pandas/core/nanops.py, DataFrame._reduce_axis1. Missing numbers are skipped. Integer statistics of integer
columns stay int64; everything else is float64. Sums go from left to right; pandas adds block by block, which the
error bound of a sum allows.
"""

import math
from collections.abc import Callable, Sequence

from pipeline_lib.compiler.builder import Builder, Value


def _missing(value: Value) -> Value | None:
    """Whether the value is missing; None where it never is."""
    return value.missing() if value.dtype == "float64" and not math.isfinite(value.abs_max) else None


def _filled(values: Sequence[Value], filler: float, build: Builder) -> list[Value]:
    result = []
    for value in values:
        missing = _missing(value)
        result.append(build.number(value) if missing is None else build.where(missing, filler, value))
    return result


def _all_integers(values: Sequence[Value]) -> bool:
    return all(value.dtype == "int64" for value in values)


def _fold(values: Sequence[Value], join: Callable[[Value, Value], Value]) -> Value:
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def _sum(values: Sequence[Value], build: Builder) -> Value:
    if _all_integers(values):
        return _fold(values, lambda total, value: total + value)
    return build.sum(_filled(values, 0.0, build))


def _product(values: Sequence[Value], build: Builder) -> Value:
    if _all_integers(values):
        return _fold(values, lambda total, value: total * value)
    result = _fold(_filled(values, 1.0, build), lambda total, value: total * value)
    # each order of factors rounds n - 1 times by half an ULP: two orders differ by n - 1 ULPs, here twice that
    return build.allow_ulps(result, 2.0 * (len(values) - 1)) if len(values) > 2 else result


def _count(values: Sequence[Value], build: Builder) -> Value:
    """The count of present values (int64)."""
    total = build.value(sum(_missing(value) is None for value in values))
    for missing in map(_missing, values):
        if missing is not None:
            total = total + build.integer(~missing)
    return total


def _mean(values: Sequence[Value], build: Builder) -> Value:
    return build.sum(_filled(values, 0.0, build)) / _count(values, build)


def _variance(values: Sequence[Value], build: Builder, ddof: int = 1) -> Value:
    """The variance in two passes, as in pandas' nanvar; missing where at most `ddof` values are present."""
    count, mean = _count(values, build), _mean(values, build)
    squares = []
    for value, filled in zip(values, _filled(values, 0.0, build), strict=True):
        square = (mean - filled) * (mean - filled)
        missing = _missing(value)
        squares.append(square if missing is None else build.where(missing, 0.0, square))
    return build.where(count > ddof, build.sum(squares) / (count - ddof), math.nan)


def _deviation(values: Sequence[Value], build: Builder, ddof: int = 1) -> Value:
    return build.sqrt(_variance(values, build, ddof))


def _standard_error(values: Sequence[Value], build: Builder) -> Value:
    return _deviation(values, build) / build.sqrt(build.number(_count(values, build)))


def _extreme(values: Sequence[Value], build: Builder, further: Callable[[Value, Value], Value]) -> Value:
    values = values if _all_integers(values) else [build.number(value) for value in values]

    def join(best: Value, value: Value) -> Value:
        missing = _missing(best)
        better = further(value, best)
        return build.where(better if missing is None else missing | better, value, best)

    return _fold(values, join)


def _median(values: Sequence[Value], build: Builder, *, plain: bool = False) -> Value:
    return build.median(*(build.number(value) for value in values), plain=plain)


def _distinct(values: Sequence[Value], build: Builder) -> Value:
    values = values if _all_integers(values) else [build.number(value) for value in values]
    return build.distinct(*values)


def _true(value: Value) -> Value:
    """Whether a number is not 0; missing is neither true nor false."""
    missing = _missing(value)
    return ~value.equals(0) if missing is None else ~value.equals(0) & ~missing


def _any(values: Sequence[Value], build: Builder) -> Value:
    return _fold([_true(value) for value in values], lambda left, right: left | right)


def _all(values: Sequence[Value], build: Builder) -> Value:
    return ~_fold([value.equals(0) for value in values], lambda left, right: left | right)


# By their names in `DataFrame.agg`; `numpy_…` are NumPy's functions where these differ.
STATISTICS: dict[str, Callable[[Sequence[Value], Builder], Value]] = {
    "sum": _sum,
    "prod": _product,
    "product": _product,
    "mean": _mean,
    "median": _median,
    "min": lambda values, build: _extreme(values, build, lambda value, best: value < best),
    "max": lambda values, build: _extreme(values, build, lambda value, best: value > best),
    "std": _deviation,
    "var": _variance,
    "sem": _standard_error,
    "count": _count,
    "size": lambda values, build: build.value(len(values)),
    "nunique": _distinct,
    "any": _any,
    "all": _all,
    "numpy_median": lambda values, build: _median(values, build, plain=True),
    "numpy_std": lambda values, build: _deviation(values, build, 0),
    "numpy_var": lambda values, build: _variance(values, build, 0),
}
