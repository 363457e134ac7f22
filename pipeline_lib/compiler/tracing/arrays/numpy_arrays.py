"""Arrays that are made: `np.zeros(len(X))`, `np.asarray(X)`, `np.array([X["a"], X["b"]]).T`, `np.c_[a, b]`."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arrays.array import link
from pipeline_lib.compiler.tracing.arrays.columns import transposed
from pipeline_lib.compiler.tracing.arrays.dtypes import cast, dtype_of, kind_of, moved, set_item
from pipeline_lib.compiler.tracing.arrays.row_counts import count_in, counts_of, with_counts
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, refused

_ROWS = ("it makes other rows, and production predicts each row that it gets", "put columns side by side, with axis=1")
_UNFILLED = -7_777_777_777_777_777_777  # of integers: what np.empty holds is not known
_ARRAYS = ("array", "series", "frame")


def _made(call: Call, shape: Any, make: Callable[[Any], Any], value: Callable[[int, Any], Value]) -> Any:
    """An array of constants with the rows of a recorded object; a plain array where the shape has no row count."""
    counts = counts_of(shape)
    if counts is None:
        if count_in(shape) is not None:
            refuse(f"{call.name} with the number of rows inside its shape", "rows come first", "write (len(X), 3)")
        return make(shape)
    count, width = counts

    def write(reals: list[Any]) -> list[Value]:
        dtype = reals[0].dtype
        return [set_item(call, value(index, dtype), dtype) for index in range(width or 1)]

    return call.recording.perform(
        call.name.removesuffix("!"), lambda number: make(with_counts(shape, number)), write, count.rows
    )


def _number(call: Call, number: int) -> Callable[[int, Any], Value]:
    def value(index: int, dtype: Any) -> Value:
        kind = kind_of(dtype)
        if kind not in "fiub":
            refuse(
                f"{call.name.removesuffix('!')} with dtype {dtype}", "the recorder has no rule for it", "write np.full"
            )
        return call.of(bool(number) if kind == "b" else float(number) if kind == "f" else number)

    return value


@function("numpy.zeros!", "numpy.ones!", raw=True)
def zeros_or_ones(call: Call, shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """Columns of zeros or ones."""
    name = call.name.removesuffix("!").rsplit(".", 1)[1]
    return _made(call, shape, lambda size: getattr(np, name)(size, dtype), _number(call, int(name == "ones")))


@function("numpy.full!", raw=True)
def full(call: Call, shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> Any:
    """Columns of a constant, or of one constant for each column."""

    def value(index: int, dtype: Any) -> Value:
        return call.of(fill_value if is_constant(fill_value) else np.ravel(fill_value)[index])

    return _made(call, shape, lambda size: np.full(size, fill_value, dtype), value)


@function("numpy.empty!", raw=True)
def empty(call: Call, shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """Columns that own code fills; where it does not, the plan has values that no library has."""
    kind = np.dtype(dtype).kind
    if kind not in "fiO":
        refuse(f"np.empty with dtype {np.dtype(dtype)}", "what it holds is not known", "write np.zeros")
    filler = {"f": math.nan, "i": _UNFILLED, "O": None}[kind]
    return _made(call, shape, lambda size: np.full(size, filler, dtype), lambda index, dtype: call.of(filler))


@function("numpy.zeros_like", "numpy.ones_like", raw=True)
def zeros_or_ones_like(call: Call, a: Any, dtype: Any = None, order: str = "K", **options: Any) -> Any:
    """Columns of zeros or ones, in the dtype of others."""
    name = call.name.rsplit(".", 1)[1]
    return _like(call, a, lambda real: getattr(np, name)(real, dtype), _number(call, int(name == "ones_like")))


@function("numpy.full_like", raw=True)
def full_like(call: Call, a: Any, fill_value: Any, dtype: Any = None, order: str = "K", **options: Any) -> Any:
    """Columns of a constant, in the dtype of others."""
    if not is_constant(fill_value):
        refuse("np.full_like of something else than a constant", "the recorder has no rule for it", "give one value")
    return _like(call, a, lambda real: np.full_like(real, fill_value, dtype), lambda index, dtype: call.of(fill_value))


def _like(call: Call, a: Any, make: Callable[[Any], Any], value: Callable[[int, Any], Value]) -> Any:
    owner = _array_like(call, a)

    def write(reals: list[Any]) -> list[Value]:
        dtypes = [dtype_of(reals[0], index) for index in range(len(owner._values))]
        return [set_item(call, value(index, dtype), dtype) for index, dtype in enumerate(dtypes)]

    return call.recording.perform(call.name, lambda number: make(owner._reals[number]), write, owner._rows)


def _array_like(call: Call, a: Any) -> Recorded:
    if not isinstance(a, Recorded) or a._kind not in _ARRAYS:
        found = a._title if isinstance(a, Recorded) else type(a).__name__
        refuse(f"{call.name} of a {found}", "the recorder has no rule for it", PLAN)
    return a


@function("numpy.asarray", "numpy.array", "numpy.asanyarray", "numpy.ascontiguousarray", raw=True)
def as_array(call: Call, a: Any, dtype: Any = None, **options: Any) -> Any:
    """The columns of a frame, Series or array as an array; a list of columns as an array of them."""
    unknown = {key for key, value in options.items() if key not in ("copy", "order") and value is not None}
    if unknown:
        refuse(f"{call.name} with {', '.join(sorted(unknown))}", "the recorder has no rule for it", "leave it out")
    if isinstance(a, list | tuple):
        return rows_of_columns(call, list(a), lambda parts: np.array(parts, dtype))
    if isinstance(a, Recorded) and a._kind == "columns":
        return transposed(as_array(call, a._source, dtype, **options))
    name = call.name.rsplit(".", 1)[1]
    return cast_columns(call, _array_like(call, a), lambda real: getattr(np, name)(real, dtype, **options), dtype)


def cast_columns(call: Call, owner: Recorded, real: Callable[[Any], Any], dtype: Any) -> Any:
    """The columns of a frame, Series or array as an array, cast to the dtype that the library's result has."""

    def write(reals: list[Any]) -> list[Value]:
        target = reals[0].dtype if dtype is None or kind_of(reals[0].dtype) != "U" else np.dtype(dtype)
        sources = [dtype_of(owner._reals[0], index) for index in range(len(owner._values))]
        pairs = zip(owner._values, sources, strict=True)
        return [cast(call, value, source, target) for value, source in pairs]

    result = call.recording.perform(call.name, lambda number: real(owner._reals[number]), write, owner._rows)
    link(owner, result, list(range(len(result._values))))
    return result


def rows_of_columns(call: Call, parts: list[Any], make: Callable[[list[Any]], Any]) -> Any:
    """`np.array([X["a"], X["b"]])`: an array whose rows are columns."""
    columns = [each for each in parts if isinstance(each, Recorded) and each._kind in ("series", "array")]
    if len(columns) < len(parts) or any(each._reals[0].ndim != 1 for each in columns):
        refuse(
            f"{call.name} of a list of other things than columns",
            "the recorder has no rule for it",
            "write np.column_stack([X['a'], X['b']])",
        )
    return transposed(side_by_side(call, parts, lambda reals: make(reals).T))


def side_by_side(call: Call, parts: Sequence[Any], make: Callable[[list[Any]], Any]) -> Any:
    """Columns of several objects in one array."""
    owner = next(each for each in parts if isinstance(each, Recorded))
    for each in parts:
        if not isinstance(each, Recorded) or each._kind not in _ARRAYS:
            found = each._title if isinstance(each, Recorded) else type(each).__name__
            refuse(
                f"{call.name} of columns and a {found}",
                "it has the rows of the training data, or none",
                "make columns of it: np.full((len(X), 1), value)",
            )
        if not owner._rows.same(each._rows, by_position=True):
            refuse(f"{call.name} of columns of other rows", "NumPy matches them by position", PLAN)

    def write(reals: list[Any]) -> list[Value]:
        values = [value for each in parts for value in each._values]
        return [moved(call, value, reals[0].dtype) for value in values]

    return call.recording.perform(call.name, lambda number: make(of_shadow(list(parts), number)), write, owner._rows)


def _dimensions(parts: Sequence[Any]) -> set[int]:
    return {each._reals[0].ndim for each in parts if isinstance(each, Recorded)}


@function("numpy.c_", raw=True)
def columns_by_index(call: Call, *parts: Any) -> Any:
    """`np.c_[X, X[:, 0] / X[:, 1]]`: columns side by side."""
    return side_by_side(call, parts, lambda reals: np.c_[tuple(reals)])


@function("numpy.r_", raw=True)
def rows_by_index(call: Call, *parts: Any) -> Any:
    """Refused: rows of several objects."""
    refuse("np.r_ of columns", _ROWS[0], "write np.c_[a, b]")


@function("numpy.column_stack", raw=True)
def column_stack(call: Call, tup: Any) -> Any:
    """Columns side by side."""
    return side_by_side(call, list(tup), np.column_stack)


@function("numpy.hstack", raw=True)
def hstack(call: Call, tup: Any, **options: Any) -> Any:
    """Arrays of two dimensions side by side."""
    if _dimensions(tup) != {2}:
        refuse("np.hstack of arrays of one dimension", _ROWS[0], "write np.column_stack([a, b])")
    return side_by_side(call, list(tup), lambda reals: np.hstack(reals, **options))


@function("numpy.concatenate", raw=True)
def concatenate(call: Call, arrays: Any, axis: Any = 0, **options: Any) -> Any:
    """Arrays of two dimensions side by side."""
    if axis not in (1, -1) or _dimensions(arrays) != {2}:
        refuse("np.concatenate of rows", *_ROWS)
    return side_by_side(call, list(arrays), lambda reals: np.concatenate(reals, axis=axis, **options))


@function("numpy.append", raw=True)
def append(call: Call, arr: Any, values: Any, axis: Any = None) -> Any:
    """Two arrays of two dimensions side by side."""
    if axis not in (1, -1) or _dimensions([arr, values]) != {2}:
        refuse("np.append of rows", *_ROWS)
    return side_by_side(call, [arr, values], lambda reals: np.append(reals[0], reals[1], axis=axis))


@function("numpy.stack", raw=True)
def stack(call: Call, arrays: Any, axis: Any = 0, **options: Any) -> Any:
    """Columns side by side (axis=1), or as the rows of an array."""
    if _dimensions(arrays) != {1} or axis not in (0, 1, -1):
        refuse("np.stack of arrays of two dimensions", "the recorder has no rule for it", "write np.hstack([a, b])")
    if axis == 0:
        return rows_of_columns(call, list(arrays), lambda parts: np.stack(parts, **options))
    return side_by_side(call, list(arrays), lambda reals: np.stack(reals, axis=axis, **options))


@function("numpy.vstack", raw=True)
def vstack(call: Call, tup: Any, **options: Any) -> Any:
    """Columns as the rows of an array; arrays of rows are refused."""
    if _dimensions(tup) != {1}:
        refuse("np.vstack of rows", *_ROWS)
    return rows_of_columns(call, list(tup), lambda parts: np.vstack(parts, **options))


@function("numpy.delete", raw=True)
def delete(call: Call, arr: Any, obj: Any, axis: Any = None) -> Any:
    """An array without some columns."""
    owner: Any = _array_like(call, arr)
    if axis not in (1, -1) or recorded_in(obj) or owner._kind != "array":
        refuse("np.delete of rows", "production predicts each row that it gets", "write axis=1 for columns")
    return owner[:, np.delete(np.arange(len(owner._values)), obj)]


@function("numpy.insert", raw=True)
def insert(call: Call, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """An array with one more column of a constant."""
    owner = _array_like(call, arr)
    if axis not in (1, -1) or not isinstance(obj, int) or not is_constant(values) or owner._kind != "array":
        refuse("np.insert of something else than one constant column", "the recorder has no rule for it", "use np.c_")

    def write(reals: list[Any]) -> list[Value]:
        columns = list(owner._values)
        columns.insert(obj, set_item(call, call.of(values), reals[0].dtype))
        return columns

    return call.recording.perform(
        call.name, lambda number: np.insert(owner._reals[number], obj, values, axis=axis), write, owner._rows
    )


refused("function", "numpy.dstack numpy.block numpy.bmat numpy.row_stack numpy.meshgrid numpy.outer", *_ROWS)
refused("function", "numpy.empty_like", "what it holds is not known", "write np.zeros_like")
