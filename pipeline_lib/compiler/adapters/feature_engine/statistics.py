"""Statistics over columns of one row, as pandas computes them. Source: pandas/core/nanops.py, DataFrame._reduce_axis1.

Missing numbers are passed over. Statistics of integers alone that are integers stay int64; in all else integers
count as float64. Sums are left to right here; pandas adds block by block, which the bound of a sum allows.
"""

import math
from collections.abc import Callable, Sequence

from pipeline_lib.compiler.builder import Builder, Value


def _gone(value: Value) -> Value | None:
    """Whether the value is missing; None where it never is."""
    return value.missing() if value.dtype == "float64" and not math.isfinite(value.abs_max) else None


def _filled(values: Sequence[Value], filler: float, build: Builder) -> list[Value]:
    made = []
    for value in values:
        gone = _gone(value)
        made.append(build.number(value) if gone is None else build.where(gone, filler, value))
    return made


def _whole(values: Sequence[Value]) -> bool:
    return all(value.dtype == "int64" for value in values)


def _chain(values: Sequence[Value], join: Callable[[Value, Value], Value]) -> Value:
    made = values[0]
    for value in values[1:]:
        made = join(made, value)
    return made


def _sum(values: Sequence[Value], build: Builder) -> Value:
    if _whole(values):
        return _chain(values, lambda total, value: total + value)
    return build.sum(_filled(values, 0.0, build))


def _product(values: Sequence[Value], build: Builder) -> Value:
    if _whole(values):
        return _chain(values, lambda total, value: total * value)
    made = _chain(_filled(values, 1.0, build), lambda total, value: total * value)
    # each of two orders rounds n - 1 times, by half an ULP; two factors have one order
    return build.allow_ulps(made, 2.0 * (len(values) - 1)) if len(values) > 2 else made


def _count(values: Sequence[Value], build: Builder) -> Value:
    """How many are present (int64)."""
    total = build.value(sum(_gone(value) is None for value in values))
    for gone in map(_gone, values):
        if gone is not None:
            total = total + build.integer(~gone)
    return total


def _mean(values: Sequence[Value], build: Builder) -> Value:
    return build.sum(_filled(values, 0.0, build)) / _count(values, build)


def _variance(values: Sequence[Value], build: Builder, ddof: int = 1) -> Value:
    """In two passes, as pandas' nanvar; missing where no more than `ddof` are present."""
    count, mean = _count(values, build), _mean(values, build)
    squares = []
    for value, filled in zip(values, _filled(values, 0.0, build), strict=True):
        square = (mean - filled) * (mean - filled)
        gone = _gone(value)
        squares.append(square if gone is None else build.where(gone, 0.0, square))
    return build.where(count > ddof, build.sum(squares) / (count - ddof), math.nan)


def _deviation(values: Sequence[Value], build: Builder, ddof: int = 1) -> Value:
    return build.apply("sqrt", _variance(values, build, ddof))


def _standard_error(values: Sequence[Value], build: Builder) -> Value:
    return _deviation(values, build) / build.apply("sqrt", build.number(_count(values, build)))


def _extreme(values: Sequence[Value], build: Builder, further: Callable[[Value, Value], Value]) -> Value:
    values = values if _whole(values) else [build.number(value) for value in values]

    def join(best: Value, value: Value) -> Value:
        gone = _gone(best)
        better = further(value, best)
        return build.where(better if gone is None else gone | better, value, best)

    return _chain(values, join)


def _median(values: Sequence[Value], build: Builder, *, plain: bool = False) -> Value:
    return build.apply("median", *(build.number(value) for value in values), plain=plain)


def _distinct(values: Sequence[Value], build: Builder) -> Value:
    values = values if _whole(values) else [build.number(value) for value in values]
    return build.apply("distinct", *values)


def _true(value: Value) -> Value:
    """Whether a number is not 0; missing is neither true nor false."""
    gone = _gone(value)
    return ~value.equals(0) if gone is None else ~value.equals(0) & ~gone


def _any(values: Sequence[Value], build: Builder) -> Value:
    return _chain([_true(value) for value in values], lambda left, right: left | right)


def _all(values: Sequence[Value], build: Builder) -> Value:
    return ~_chain([value.equals(0) for value in values], lambda left, right: left | right)


# By the names that `DataFrame.agg` has for them; `numpy_…` are NumPy's functions where they differ.
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
