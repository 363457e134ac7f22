"""Recorded DataFrames: columns got, set and deleted, structure by pandas itself."""

from typing import Any

import pandas as pd

from pipeline_lib.compiler.tracing.assignment import assign_frame, select_rows
from pipeline_lib.compiler.tracing.frame_arithmetic import operate_frame
from pipeline_lib.compiler.tracing.operators import Operators
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, rule, unwrap
from pipeline_lib.compiler.tracing.recording import records
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.row_counts import RowCount
from pipeline_lib.compiler.tracing.structure import structure
from pipeline_lib.errors import InputError


@records(lambda real: isinstance(real, pd.DataFrame))
class RecordedFrame(Operators):
    """A table: what a step's `transform` gets."""

    __slots__ = ()
    _kind = "frame"
    _title = "DataFrame"

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._reals[0].columns and not hasattr(pd.DataFrame, name):
            return self[name]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "columns":
            rename_columns(self, unwrap(value))
        elif name in self._reals[0].columns:
            self[name] = value
        else:
            super().__setattr__(name, value)

    def __iter__(self) -> Any:
        return iter(self._reals[0].columns)

    def __contains__(self, key: object) -> bool:
        return key in self._reals[0].columns

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        if isinstance(key, Recorded):
            return select_rows(self, key)
        return structure(self, "frame[columns]", lambda frame: frame[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        assign_frame(self, unwrap(key), unwrap(value))

    def __delitem__(self, key: Any) -> None:
        self._replace(structure(self, "del frame[column]", lambda frame: frame.drop(columns=[key])))

    def _operate(self, call: Call, name: str, other: Any, *, swapped: bool) -> Any:
        return operate_frame(self, call, name, other, swapped=swapped)


def structural(name: str, *, inplace: bool = False) -> None:
    """Register a method that only chooses, orders or names columns."""

    @rule("frame", name, raw=True)
    def method(call: Call, *args: Any, **options: Any) -> Any:
        changed = options.pop("inplace", False) if inplace else False
        result = structure(call.owner, f"DataFrame.{name}", lambda frame: getattr(frame, name)(*args, **options))
        if not changed:
            return result
        call.owner._replace(result)
        return None


for _name in ("filter", "reindex", "add_prefix", "add_suffix", "set_axis", "pop_column"):
    structural(_name)


def _columns_only(call: Call, name: str, args: Any, options: dict[str, Any]) -> None:
    """Refuse `drop` and `rename` of rows."""
    axis = options.get("axis", args[1] if len(args) > 1 else 0)
    if "columns" in options and not args and "index" not in options:
        return
    if axis in (1, "columns") and "index" not in options:
        return
    refuse(
        f"{call.name} of rows",
        "production predicts each row that it gets",
        f"write {name}(columns=...), and drop rows before the pipeline",
    )


@rule("frame", "drop", "rename", raw=True)
def drop_or_rename(call: Call, *args: Any, **options: Any) -> Any:
    """Columns dropped or renamed."""
    name = call.name.rsplit(".", 1)[1]
    _columns_only(call, name, args, options)
    inplace = options.pop("inplace", False)
    result = structure(call.owner, call.name, lambda frame: getattr(frame, name)(*args, **options))
    if not inplace:
        return result
    call.owner._replace(result)
    return None


@rule("frame", "copy")
def copy_frame(call: Call, deep: bool = True) -> Any:
    """The same columns."""
    return call.values


@rule("frame", "columns", attribute=True, raw=True)
def columns(call: Call) -> Any:
    """The names of the columns."""
    return call.owner._reals[0].columns


@rule("frame", "shape", attribute=True, raw=True)
def shape(call: Call) -> Any:
    """The number of rows, and of columns."""
    return RowCount(call.owner), len(call.owner._values)


@rule("frame", "index", attribute=True, raw=True)
def index(call: Call) -> Any:
    """The labels of the rows."""
    return RecordedIndex(call.recording, [_index(real) for real in call.owner._reals], [], call.owner._rows)


def _index(real: Any) -> Any:
    return None if real is None else real.index


class RecordedIndex(Recorded):
    """The labels of the rows: only good for making columns with the same ones."""

    __slots__ = ()
    _kind = "index"
    _title = "index"


def rename_columns(frame: RecordedFrame, names: Any) -> None:
    """`frame.columns = names`."""
    try:
        frame._replace(structure(frame, "frame.columns = names", lambda table: table.set_axis(names, axis=1)))
    except InputError as error:
        frame._recording.refused(error)
