"""Weighted sums of columns: `X @ self.coef_`, `np.average(X, axis=1, weights=w)`, `np.linalg.norm(X, axis=1)`."""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.dtypes import as_kind, computed, dtype_of, kind_of
from pipeline_lib.compiler.tracing.frames.row_reductions import Numbers
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, rule

_MOST_OUTPUTS = 4  # from here on one matrix is written, not a sum for each output


@function("numpy.dot", "numpy.matmul", raw=True)
def dot(call: Call, a: Any, b: Any, **options: Any) -> Any:
    """The sums of columns times fitted weights."""
    if any(value is not None for value in options.values()):
        refuse(f"{call.name} with {', '.join(options)}", "it sets values in place", "assign the result")
    name = call.name.rsplit(".", 1)[1]
    if not isinstance(a, Recorded) or recorded_in(b):
        refuse(
            f"{call.name} of rows with rows",
            ONE_ROW,
            "give columns on the left and fitted weights on the right: X @ self.coef_",
        )
    return weighted(call, a, b, lambda number: getattr(np, name)(a._reals[number], b))


@rule("array", "dot", raw=True)
def dot_method(call: Call, b: Any) -> Any:
    """The sums of columns times fitted weights."""
    if recorded_in(b):
        refuse("dot of rows with rows", ONE_ROW, "give fitted weights: X.dot(self.coef_)")
    return weighted(call, call.owner, b, lambda number: call.owner._reals[number].dot(b))


@function("sklearn.utils.safe_sparse_dot", raw=True)
def safe_sparse_dot(call: Call, a: Any, b: Any, *, dense_output: bool = False) -> Any:
    """The same of dense columns."""
    if not isinstance(a, Recorded) or recorded_in(b):
        refuse("safe_sparse_dot of rows with rows", ONE_ROW, "give columns on the left, and fitted weights")
    return weighted(call, a, b, lambda number: a._reals[number] @ b)


def weighted(call: Call, a: Recorded, b: Any, real: Any) -> Any:
    """The recorded result of columns times a vector or matrix of weights."""
    weights = np.asarray(b)
    if a._kind not in ("array", "frame") or a._reals[0].ndim != 2 or weights.ndim not in (1, 2):
        refuse(f"{call.name} of a column and weights", "it is a sum over rows", "write column * weight")
    if a._kind == "frame" and hasattr(b, "index") and list(b.index) != list(a._reals[0].columns):
        refuse(f"{call.name} of weights with other labels", "pandas aligns them by name", "write .to_numpy()")
    if weights.shape[0] != len(a._values) or weights.dtype.kind not in "fiub":
        refuse(f"{call.name} of {len(a._values)} columns and weights of shape {weights.shape}", "they differ", PLAN)

    def write(reals: list[Any]) -> list[Value]:
        dtype = dtype_of(reals[0])
        if kind_of(dtype) not in "fi" or any(kind_of(dtype_of(a._reals[0], i)) == "O" for i in range(len(a._values))):
            refuse(f"{call.name} with a result of {dtype}", "a plan computes in float64", "write astype(float) first")
        matrix = weights.reshape(len(a._values), -1).T
        sums = _integer_sums if kind_of(dtype) == "i" else sums_of
        return [computed(call, value, dtype) for value in sums(call.build, a._values, matrix)]

    return call.recording.perform(call.name, real, write, a._rows)


def _integer_sums(build: Builder, values: Sequence[Value], matrix: Any) -> list[Value]:
    numbers = [build.integer(value) for value in values]
    return [
        reduce(lambda total, term: total + term, [v * int(w) for v, w in zip(numbers, row, strict=True)])
        for row in matrix
    ]


def sums_of(build: Builder, values: Sequence[Value], matrix: Any) -> list[Value]:
    """For each row of a matrix the sum of values times its weights.

    A plan leaves out terms of weight 0; NumPy's are missing where the value is missing or infinite.
    """
    numbers = [build.number(value) for value in values]
    matrix = np.asarray(matrix, dtype=np.float64)
    if len(matrix) < _MOST_OUTPUTS:
        sums = [build.dot(numbers, row.tolist(), 0.0) for row in matrix]  # never -0.0, as NumPy's
    else:
        sums = build.items(build.affine(build.stack(numbers), matrix=matrix, offset=None))
    may_gap = np.array([math.isinf(number.abs_max) for number in numbers])
    left_out = (matrix == 0) & may_gap
    if not left_out.any():
        return sums
    if len(matrix) < _MOST_OUTPUTS:
        places = [np.flatnonzero(row) for row in left_out]
        return [
            reduce(lambda total, place: total + numbers[place] * 0.0, row, total)
            for total, row in zip(sums, places, strict=True)
        ]
    gaps = build.stack([number * 0.0 for number in numbers])  # 0.0, and missing for what is missing or infinite
    missing = build.items(build.affine(gaps, matrix=left_out.astype(np.float64), offset=None))
    return [total + gap for total, gap in zip(sums, missing, strict=True)]


@function("numpy.average", raw=True)
def average(call: Call, a: Any, axis: Any = None, weights: Any = None, **options: Any) -> Any:
    """The weighted mean of each row."""
    if axis not in (1, -1) or not isinstance(a, Recorded) or a._reals[0].ndim != 2 or any(options.values()):
        refuse("np.average over rows", ONE_ROW, "write axis=1 for a mean of each row")
    if weights is None or recorded_in(weights) or np.shape(weights) != (len(a._values),):
        refuse("np.average without one weight for each column", "the recorder has no rule for it", "write np.mean")
    factors = np.asarray(weights, dtype=np.float64).tolist()
    scale = np.asarray(weights).sum()

    def write(reals: list[Any]) -> Value:
        numbers = Numbers(call.build, a._values, skipna=False)
        terms = [value * factor for value, factor in zip(numbers.filled(0.0), factors, strict=True)]
        return computed(call, numbers.total(terms) / float(scale), dtype_of(reals[0]))

    return call.recording.perform(
        call.name, lambda number: np.average(a._reals[number], axis=axis, weights=weights), write, a._rows
    )


@function("numpy.cumsum", "numpy.cumprod", raw=True)
def cumulated(call: Call, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The sums or products of each row up to each column."""
    product = call.name.endswith("prod")
    function_ = np.cumprod if product else np.cumsum

    def columns(values: list[Value]) -> list[Value]:
        join = (lambda total, value: total * value) if product else (lambda total, value: total + value)
        return list(accumulate(values, join))

    return _from_left(call, a, axis, columns, lambda real: function_(real, axis=axis))


@function("numpy.diff", raw=True)
def differences(call: Call, a: Any, n: int = 1, axis: Any = -1) -> Any:
    """The difference of each column and the one before."""
    if n != 1:
        refuse("np.diff with n", "the recorder has no rule for it", "call it twice")

    def columns(values: list[Value]) -> list[Value]:
        return [value - before for before, value in pairwise(values)]

    return _from_left(call, a, axis, columns, lambda real: np.diff(real, axis=axis))


def _from_left(
    call: Call, a: Any, axis: Any, columns: Callable[[list[Value]], list[Value]], real: Callable[[Any], Any]
) -> Any:
    if not isinstance(a, Recorded) or a._reals[0].ndim != 2 or axis not in (1, -1):
        refuse(
            f"{call.name} over rows",
            "which rows stand before a row depends on the batch",
            "make such columns in `load`, where the order is known; write axis=1 for the columns of each row",
        )

    def write(reals: list[Any]) -> list[Value]:
        dtype = dtype_of(reals[0])
        if kind_of(dtype) not in "fi" or any(kind_of(dtype_of(a._reals[0], i)) == "O" for i in range(len(a._values))):
            refuse(f"{call.name} with a result of {dtype}", "a plan computes in float64", "write astype(float) first")
        values = [as_kind(call, value, kind_of(dtype)) for value in a._values]
        return [computed(call, value, dtype_of(reals[0], index)) for index, value in enumerate(columns(values))]

    return call.recording.perform(call.name, lambda number: real(a._reals[number]), write, a._rows)


@function("numpy.norm", raw=True)
def norm(call: Call, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The length of each row."""
    if axis not in (1, -1) or not isinstance(x, Recorded) or x._reals[0].ndim != 2 or ord not in (None, 1, 2):
        refuse("np.linalg.norm over rows, or of another order than 1 and 2", ONE_ROW, "write axis=1")

    def write(reals: list[Any]) -> Value:
        numbers = Numbers(call.build, x._values, skipna=False)
        terms = numbers.filled(0.0)
        total = numbers.total([abs(term) if ord == 1 else term * term for term in terms])
        return computed(call, total if ord == 1 else call.build.sqrt(total), dtype_of(reals[0]))

    return call.recording.perform(
        call.name,
        lambda number: np.linalg.norm(of_shadow(x, number), ord=ord, axis=axis, keepdims=keepdims),
        write,
        x._rows,
    )
