"""Attributes and methods of arrays, and the NumPy functions that arrange the same columns: reshape, ravel, copy."""

from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arrays.array import link
from pipeline_lib.compiler.tracing.arrays.assignment import set_items
from pipeline_lib.compiler.tracing.arrays.columns import transposed
from pipeline_lib.compiler.tracing.arrays.dtypes import cast, dtype_of, kind_of, moved
from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount, count_in
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, refused, rule
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of

_ORDER = "which rows stand before and after a row depends on the batch"
_FIT = "learn it in `fit` and keep it on `self`"


@rule("array", "shape", attribute=True, raw=True)
def shape(call: Call) -> Any:
    """The number of rows, and of columns of a two-dimensional array."""
    count = RowCount(call.owner)
    return (count, len(call.values)) if call.owner._dimensions == 2 else (count,)


@rule("array", "ndim", attribute=True, raw=True)
def ndim(call: Call) -> Any:
    """1 or 2."""
    return call.owner._dimensions


@rule("array", "dtype", attribute=True, raw=True)
def dtype(call: Call) -> Any:
    """NumPy's dtype; it must be the same for any rows."""
    dtypes = dtypes_of(call.owner)
    if len(dtypes) > 1 and len({kind_of(each) for each in dtypes}) > 1:
        call.stop(
            f"the dtype of an array that is {' or '.join(sorted(map(str, dtypes)))}, by its rows",
            "it depends on the batch",
            "cast it first",
        )
    return call.owner._reals[0].dtype


@rule("array", "T", attribute=True, raw=True)
def transpose_attribute(call: Call) -> Any:
    """The columns as rows."""
    return _transpose(call.owner)


@rule("array", "transpose", raw=True)
def transpose_method(call: Call) -> Any:
    """The columns as rows."""
    return _transpose(call.owner)


@function("numpy.transpose", raw=True)
def transpose_function(call: Call, a: Any, axes: Any = None) -> Any:
    """The columns as rows, or rows that are columns side by side."""
    if not isinstance(a, Recorded) or a._kind not in ("array", "columns") or axes is not None:
        refuse("np.transpose of something else than an array", "rows become columns", "name the columns: X['a']")
    return a.T


def _transpose(array: Any) -> Any:
    return array if array._dimensions == 1 else transposed(array[:])


@rule("array", "copy", raw=True)
def copy_array(call: Call, order: str = "C") -> Any:
    """The same columns, in memory of their own."""
    return arranged(call, call.owner, np.copy)


@rule("array", "flatten", raw=True)
def flatten(call: Call, order: str = "C") -> Any:
    """The column of an array as one dimension, a copy."""
    return arranged(call, call.owner, lambda real: real.flatten(order))


def arranged(call: Call, owner: Recorded, change: Any) -> Any:
    """The same columns in another shape or memory; what is a view of the owner stays one."""

    def write(reals: list[Any]) -> list[Value]:
        if reals[0].shape[0] != owner._reals[0].shape[0]:
            refuse(f"{call.name} of several columns", "each row would give several", "take one column: X[:, 0]")
        return [moved(call, value, dtype_of(reals[0])) for value in owner._values]

    result = call.recording.perform(
        call.name, lambda number: change(owner._reals[number]), write, owner._rows, trusted=owner._values
    )
    link(owner, result, list(range(len(result._values))))
    return result


@rule("array", "ravel", raw=True)
def ravel_method(call: Call, order: str = "C") -> Any:
    """The column of an array as one dimension."""
    return arranged(call, call.owner, lambda real: real.ravel(order))


@function("numpy.ravel", raw=True)
def ravel_function(call: Call, a: Any, order: Any = "C") -> Any:
    """The column of an array or Series as one dimension."""
    return arranged(call, _one(call, a), lambda real: np.ravel(real, order))


@function("numpy.copy", raw=True)
def copy_function(call: Call, a: Any, order: str = "K", subok: bool = False) -> Any:
    """The same columns as an array in memory of its own."""
    return arranged(call, _one(call, a), np.copy)


@function("numpy.atleast_1d", "numpy.atleast_2d", raw=True)
def at_least(call: Call, a: Any) -> Any:
    """The same array; one dimension is never made two, since the rows would become columns."""
    return arranged(call, _one(call, a), getattr(np, call.name.rsplit(".", 1)[1]))


def _one(call: Call, a: Any) -> Recorded:
    if not isinstance(a, Recorded) or a._kind not in ("array", "series", "frame"):
        refuse(f"{call.name} of something else than an array, Series or DataFrame", "the recorder has no rule", PLAN)
    return a


@rule("array", "reshape", raw=True)
def reshape_method(call: Call, *shape: Any, order: str = "C", copy: Any = None) -> Any:
    """The same rows in one or two dimensions: `reshape(-1, 1)`, `reshape(len(X), 2)`."""
    return _reshaped(call, call.owner, shape[0] if len(shape) == 1 else shape, order)


@function("numpy.reshape", raw=True)
def reshape_function(call: Call, a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    """The same rows in one or two dimensions."""
    return _reshaped(call, _one(call, a), shape, order)


def _reshaped(call: Call, owner: Recorded, shape: Any, order: str) -> Any:
    if order != "C":
        refuse(f"{call.name} with order={order!r}", "the recorder has no rule for it", "leave it out")
    parts = list(shape) if isinstance(shape, tuple | list) else [shape]
    if type(parts[0]) is int and parts[0] > 0:
        refuse(f"{call.name} to {parts[0]} rows", "production predicts each row that it gets", "write reshape(-1, 1)")
    count = count_in(parts)
    if count is not None and not owner._rows.same(count.rows, by_position=True):
        refuse(f"{call.name} to the number of other rows", "the recorder has no rule for it", "write reshape(-1, 1)")
    return arranged(call, owner, lambda real: np.reshape(real, tuple(_size(each, real) for each in parts)))


def _size(part: Any, real: Any) -> Any:
    return real.shape[0] if type(part) is RowCount else part


@rule("array", "squeeze", raw=True)
def squeeze_method(call: Call, axis: Any = None) -> Any:
    """An array of one column as one dimension."""
    return _squeezed(call, call.owner, axis)


@function("numpy.squeeze", raw=True)
def squeeze_function(call: Call, a: Any, axis: Any = None) -> Any:
    """An array of one column as one dimension."""
    return _squeezed(call, _one(call, a), axis)


def _squeezed(call: Call, owner: Recorded, axis: Any) -> Any:
    if axis not in (1, -1):
        refuse(f"{call.name} without axis=1", "a single row would lose its dimension, too", "write ravel()")
    return arranged(call, owner, lambda real: np.squeeze(np.asarray(real), axis=axis))


@function("numpy.expand_dims", raw=True)
def expand_dims(call: Call, a: Any, axis: Any) -> Any:
    """A column as an array of two dimensions."""
    if axis not in (1, -1):
        refuse(f"np.expand_dims with axis={axis!r}", "the rows would become columns", "write axis=1")
    return arranged(call, _one(call, a), lambda real: np.expand_dims(np.asarray(real), axis))


@rule("array", "astype", raw=True)
def astype(
    call: Call, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    """The columns cast to another dtype."""
    owner = call.owner

    def write(reals: list[Any]) -> list[Value]:
        return [cast(call, value, owner._reals[0].dtype, np.dtype(dtype)) for value in owner._values]

    result = call.recording.perform(
        call.name, lambda number: owner._reals[number].astype(dtype, casting=casting, copy=copy), write, owner._rows
    )
    if not copy:
        link(owner, result, list(range(len(result._values))))
    return result


@rule("array", "fill", raw=True)
def fill(call: Call, value: Any) -> None:
    """Every value set to one."""
    set_items(call.owner, slice(None), value)


@rule("array", "take", raw=True)
def take_columns(call: Call, indices: Any, axis: Any = None) -> Any:
    """Columns by their numbers."""
    if axis not in (1, -1) or call.owner._dimensions == 1:
        refuse("rows taken from an array by their numbers", _ORDER, "write axis=1 for columns")
    return call.owner[:, np.asarray(indices)]


refused("array", "item tolist tobytes tofile dump dumps", ONE_ROW, "work on whole columns: X[:, 0]")
refused("array", "sort argsort partition argpartition cumsum cumprod searchsorted", _ORDER, _FIT)
refused("array", "nonzero", _ORDER, "write X[condition] or np.where(condition, then, other)")
refused("array", "size nbytes", ONE_ROW, "use X.shape[1] for the number of columns")
refused("array", "repeat resize compress choose put diagonal trace", "it makes other rows", "work on columns: X[:, 0]")
refused("array", "view data flags base strides ctypes", "it is about memory, not values", "write astype or copy")
refused("array", "flat", "a plan works on whole columns", "write it with columns: X[:, 0]")
