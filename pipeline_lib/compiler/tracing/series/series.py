"""Recorded Series: operators, attributes, and methods that hand the column on."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.array import share
from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount
from pipeline_lib.compiler.tracing.frames.assignment import assign_series, numbered, select_rows
from pipeline_lib.compiler.tracing.frames.frame import index_of, set_index_of
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, perform
from pipeline_lib.compiler.tracing.recorded_types import records
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN
from pipeline_lib.compiler.tracing.registry import Entry, rule
from pipeline_lib.compiler.tracing.series.arithmetic import LOGIC, operate
from pipeline_lib.compiler.tracing.series.dtype_rules import check_operands, dtypes_of, guard, is_object, zone_of
from pipeline_lib.compiler.tracing.series.operators import Operators
from pipeline_lib.compiler.tracing.series.times import plain_operand


@records(lambda real: isinstance(real, pd.Series) and zone_of(real.dtype) is None)
class RecordedSeries(Operators):
    """A column with an index: what `X["age"]` gives own code."""

    __slots__ = ()
    _kind = "series"
    _title = "Series"

    def _operate(self, call: Call, name: str, other: Any, *, swapped: bool) -> Any:
        return operate_series(self, call, name, other, swapped=swapped)

    def __setitem__(self, key: Any, value: Any) -> None:
        assign_series(self, key, value)

    def __setattr__(self, name: str, value: Any) -> None:
        value = unwrap(value)
        if name == "name" and is_constant(value):
            self._replace(perform(self, "rename", Entry(rename), (value,), {}))
        elif name == "index":
            self._replace(set_index_of(self, value))
        else:
            super().__setattr__(name, value)

    def __getitem__(self, key: Any) -> Any:
        return select_rows(self, key)


def operate_series(series: Recorded, call: Call, name: str, other: Any, *, swapped: bool) -> Value:
    """The column of `series OPERATOR other`; `call.reals` are the library's results."""
    other = other if type(other) is date and is_object(series) else plain_operand(other)
    mine, theirs = series._values[0], call.of(other, rows=series._rows)
    check_operands(name, (series, other))
    return operate_values(series, call, name, (mine, theirs), other, swapped=swapped)


def operate_values(
    series: Recorded, call: Call, name: str, values: tuple[Value, Value], other: Any, *, swapped: bool
) -> Value:
    """The same on two values of the plan, the series' and the other side's."""
    mine, theirs = values
    if name not in LOGIC and any(isinstance(each, Recorded) and is_object(each) for each in (series, other)):
        mine, theirs = (call.build.integer(each) if each.kind == "bool" else each for each in values)
    left, right = (theirs, mine) if swapped else (mine, theirs)
    return guard(call.recording, name, (series, other), call.reals, operate(call, name, left, right))


def method(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the rule of a method that may also change the Series itself, with `inplace=True`.

    In pandas 3 such a call never changes the frame that the column was taken from.
    """

    def register(write: Callable[..., Any]) -> Callable[..., Any]:
        def written(call: Call, *args: Any, **options: Any) -> Any:
            inplace = options.pop("inplace", False)
            result = perform(call.owner, call.name.rsplit(".", 1)[1], Entry(write), args, options)
            if not inplace:
                return result
            call.owner._replace(result)
            return call.owner

        rule("series", *names, raw=True)(written)
        return write

    return register


@rule("series", "name", attribute=True, raw=True)
def name(call: Call) -> Any:
    """The column's name."""
    return call.owner._reals[0].name


@rule("series", "dtype", "dtypes", attribute=True, raw=True)
def dtype(call: Call) -> Any:
    """The library's dtype; it must be the same for any rows."""
    names = sorted(map(str, dtypes_of(call.owner)))
    if len(names) > 1:
        call.stop(
            f"the dtype of a column that is {' or '.join(names)}, by its rows",
            "it depends on the batch",
            "cast it first",
        )
    return call.owner._reals[0].dtype


@rule("series", "index", attribute=True, raw=True)
def index(call: Call) -> Any:
    """The labels of the rows."""
    return index_of(call.owner)


@rule("series", "shape", attribute=True, raw=True)
def shape(call: Call) -> Any:
    """The number of rows."""
    return (RowCount(call.owner),)


@rule("series", "size", attribute=True, raw=True)
def size(call: Call) -> Any:
    """The number of rows."""
    return RowCount(call.owner)


@rule("series", "ndim", attribute=True, raw=True)
def ndim(call: Call) -> Any:
    """1."""
    return 1


@rule("series", "empty", attribute=True, raw=True)
def empty(call: Call) -> Any:
    """False: a batch has at least one row."""
    if call.owner._rows.condition is not None:
        call.stop("whether some of the rows are none", ONE_ROW, "leave it out; conditions may hold for no row")
    return False


@rule("series", "copy")
def copy_series(call: Call, deep: bool = True) -> Any:
    """The same column."""
    return call.value


@rule("series", "T", attribute=True)
def transposed(call: Call) -> Any:
    """The same column."""
    return call.value


@rule("series", "transpose", "infer_objects", raw=True)
def handed_on(call: Call, *args: Any, **options: Any) -> Any:
    """The same column."""
    if args or (options and set(options) != {"copy"}):
        call.stop(f"arguments of {call.name}", "the recorder has no rule for it", PLAN)
    return perform(call.owner, "copy", Entry(copy_series), (), {})


@rule("series", "to_frame")
def to_frame(call: Call, name: Any = None) -> Any:
    """A DataFrame of one column."""
    return call.value


@method("rename")
def rename(call: Call, index: Any = None, *, axis: Any = None, copy: Any = None) -> Any:
    """The same column under another name."""
    if not is_constant(index) or callable(index):
        call.stop("rename of a Series' labels", "production's labels are others", "leave it out, or give a name")
    return call.value


@rule("series", "reset_index", raw=True)
def reset_index(call: Call, level: Any = None, *, drop: bool = False, inplace: bool = False) -> Any:
    """The same column under the labels 0, 1, 2, ..."""
    owner = call.owner
    if not drop or level is not None:
        call.stop("reset_index that makes a column of the labels", "production's labels are others", "write drop=True")
    result = call.recording.perform(
        call.name,
        lambda number: owner._reals[number].reset_index(drop=True),
        lambda reals: call.value,
        numbered(owner._rows),
    )
    if inplace:
        owner._replace(result)
        return None
    return result


@rule("series", "values", attribute=True, raw=True)
def values(call: Call) -> Any:
    """The column as an array, which pandas makes read-only."""
    return _array(call, perform(call.owner, "values", Entry(_column, attribute=True), (), {}))


@rule("series", "to_numpy", raw=True)
def to_numpy(call: Call, dtype: Any = None, copy: bool = False) -> Any:
    """The column as an array."""
    owner = call.owner if dtype is None else call.owner.astype(dtype)
    result = perform(owner, "to_numpy", Entry(_column), (), {} if dtype is None else {"dtype": dtype})
    return result if copy else _array(call, result)


def _column(call: Call, dtype: Any = None) -> Value:
    return call.value


def _array(call: Call, result: Any) -> Any:
    share(call.owner, result)
    return result


@rule("series", "pipe", raw=True)
def pipe(call: Call, func: Any, *args: Any, **kwargs: Any) -> Any:
    """What a function makes of the column."""
    if isinstance(func, tuple):
        call.stop("pipe with a tuple", "the recorder has no rule for it", "call the function itself")
    return func(call.owner, *args, **kwargs)
