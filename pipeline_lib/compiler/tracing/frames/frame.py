"""Recorded DataFrames: columns got, set, named, ordered and deleted; their structure comes from pandas itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount
from pipeline_lib.compiler.tracing.frames.arithmetic import operate_frame
from pipeline_lib.compiler.tracing.frames.assignment import ROWS, assign_frame, condition_rows, numbered, select_rows
from pipeline_lib.compiler.tracing.frames.structure import column, refuse_recorded, structure
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recorded_types import records
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.series.operators import Operators
from pipeline_lib.errors import InputError

_ROW_LABELS = (
    "production has other rows",
    "name columns, and drop rows before the pipeline, in `load` or `split`",
)


@records(lambda real: isinstance(real, pd.DataFrame))
class RecordedFrame(Operators):
    """A table: what a step's `transform` gets."""

    __slots__ = ()
    _kind = "frame"
    _title = "DataFrame"
    __len__ = None  # type: ignore[assignment]  # so that `list(X)` asks for no length; `len(X)` has a stand-in

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._reals[0].columns and not hasattr(pd.DataFrame, name):
            return self[name]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "columns":
            _in_place(self, lambda: set_labels(self, unwrap(value)))
        elif name == "index":
            _in_place(self, lambda: set_index_of(self, unwrap(value)))
        elif name in self._reals[0].columns and not hasattr(pd.DataFrame, name):
            self[name] = value
        else:
            self._stop(
                f"an attribute {name!r} set on a DataFrame",
                "pandas makes no column of it",
                f"write X[{name!r}] = value",
            )

    def __iter__(self) -> Iterator[Any]:
        return iter(self._reals[0].columns)

    def __contains__(self, key: object) -> bool:
        return key in self._reals[0].columns

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        if callable(key) and not isinstance(key, Recorded):
            key = unwrap(key(self))
        if isinstance(key, Recorded) and key._kind == "frame":
            return self.where(key)
        if isinstance(key, Recorded | slice):
            return select_rows(self, key)
        columns = self._reals[0].columns
        if type(key) is str and columns.nlevels == 1 and columns.is_unique and key in columns:
            value = self._values[columns.get_loc(key)]
            real = [None if each is None else each[key] for each in self._reals]
            return self._recording.hand_on("DataFrame[column]", real, [value], self._rows)
        return structure(self, "DataFrame[columns]", lambda frame: frame[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        assign_frame(self, unwrap(key), unwrap(value))

    def __delitem__(self, key: Any) -> None:
        self._replace(structure(self, "del DataFrame[column]", lambda frame: frame.drop(columns=[key])))

    def _operate(self, call: Call, name: str, other: Any, *, swapped: bool) -> Any:
        return operate_frame(self, call, name, other, swapped=swapped)

    def __matmul__(self, other: Any) -> Any:
        return self.dot(other)

    def _unary(self, name: str, write: Any) -> Any:
        parts = [column(self, index)._unary(name, write) for index in range(len(self._values))]
        return self._recording.perform(
            name,
            lambda number: getattr(self._reals[number], name)(),
            lambda reals: [part._values[0] for part in parts],
            self._rows,
        )


def _in_place(frame: Recorded, change: Any) -> None:
    try:
        frame._replace(change())
    except InputError as error:
        frame._recording.refused(error)


def set_labels(frame: Recorded, names: Any) -> Any:
    """The frame with other column names."""
    refuse_recorded("DataFrame.columns", names)
    return structure(frame, "DataFrame.columns = names", lambda table: table.set_axis(names, axis=1))


def set_index_of(frame: Recorded, index: Any) -> Any:
    """The frame with the index of another object of the same rows."""
    if not isinstance(index, Recorded) or not frame._rows.same(index._rows, by_position=True):
        refuse(
            "an index set to other labels",
            "production has other rows",
            "write frame.index = X.index, or frame.reset_index(drop=True)",
        )
    labels = index._reals if index._kind == "index" else [_index(real) for real in index._reals]
    return frame._recording.perform(
        "DataFrame.index = index",
        lambda number: frame._reals[number].set_axis(labels[number], axis=0),
        lambda reals: list(frame._values),
        index._rows,
    )


def replaced(call: Call, result: Any, inplace: Any) -> Any:
    """What a method returns: the result, or with `inplace` None once its owner has become the result."""
    if not inplace:
        return result
    call.owner._replace(result)
    return None


@rule("frame", "filter", "add_prefix", "add_suffix", raw=True)
def by_name(call: Call, *args: Any, **options: Any) -> Any:
    """Columns chosen or renamed by their names."""
    if options.get("axis") in (0, "index", "rows"):
        refuse(f"{call.name} of rows", *_ROW_LABELS)
    refuse_recorded(call.name, (args, options))
    name = call.name.rsplit(".", 1)[1]
    return structure(call.owner, call.name, lambda frame: getattr(frame, name)(*args, **options))


@rule("frame", "drop", "rename", raw=True)
def drop_or_rename(call: Call, *args: Any, inplace: bool = False, **options: Any) -> Any:
    """Columns dropped or renamed."""
    name = call.name.rsplit(".", 1)[1]
    of_columns = options.get("axis", 0) in (1, "columns") or ("columns" in options and not args)
    if not of_columns or options.get("index") is not None:
        refuse(f"{call.name} of rows", _ROW_LABELS[0], f"write {name}(columns=...), and drop rows before the pipeline")
    refuse_recorded(call.name, (args, options))
    result = structure(call.owner, call.name, lambda frame: getattr(frame, name)(*args, **options))
    return replaced(call, result, inplace)


@rule("frame", "sort_index", raw=True)
def sort_index(call: Call, *, axis: Any = 0, inplace: bool = False, **options: Any) -> Any:
    """Columns in the order of their names."""
    if axis not in (1, "columns"):
        refuse(f"{call.name} of rows", "their order depends on the batch", "leave it out, or write axis=1 for columns")
    result = structure(call.owner, call.name, lambda frame: frame.sort_index(axis=1, **options))
    return replaced(call, result, inplace)


@rule("frame", "set_axis", raw=True)
def set_axis(call: Call, labels: Any, axis: Any = 0) -> Any:
    """Other column names, or the index of another object."""
    return set_labels(call.owner, labels) if axis in (1, "columns") else set_index_of(call.owner, labels)


@rule("frame", "reindex", raw=True)
def reindex(call: Call, labels: Any = None, columns: Any = None, axis: Any = None, fill_value: Any = np.nan) -> Any:
    """Columns by name; those that the frame does not have are constant."""
    frame = call.owner
    if labels is not None and axis in (1, "columns"):
        columns = labels
    elif labels is not None or columns is None:
        refuse(f"{call.name} of rows", _ROW_LABELS[0], "write reindex(columns=...)")
    refuse_recorded(call.name, columns)
    options = {"columns": columns, "fill_value": fill_value}

    def write(reals: list[Any]) -> list[Value]:
        places = frame._reals[0].columns.get_indexer(reals[0].columns)
        return [call.of(fill_value) if place < 0 else frame._values[place] for place in places]

    return call.recording.perform(call.name, lambda number: frame._reals[number].reindex(**options), write, frame._rows)


@rule("frame", "get", raw=True)
def get(call: Call, key: Any, default: Any = None) -> Any:
    """A column or several, or the default."""
    labels = list(key) if isinstance(key, list | pd.Index | np.ndarray) else [key]
    known = all(label in call.owner for label in labels)
    return call.owner[key] if known else default


@rule("frame", "pop", raw=True)
def pop(call: Call, item: Any) -> Any:
    """A column, which is deleted from the frame."""
    taken = call.owner[item]
    del call.owner[item]
    return taken


@rule("frame", "copy", raw=True)
def copy_frame(call: Call, deep: bool = True) -> Any:
    """The same columns, of a frame of its own."""
    return structure(call.owner, call.name, lambda frame: frame.copy(deep=False))  # pandas copies what is written to


@rule("frame", "reset_index", raw=True)
def reset_index(call: Call, *, drop: bool = False, inplace: bool = False) -> Any:
    """The same columns under row numbers."""
    owner = call.owner
    if not drop:
        refuse(
            "reset_index() without drop=True",
            "it makes a column of labels, and production has other labels",
            "write reset_index(drop=True)",
        )
    result = call.recording.perform(
        call.name,
        lambda number: owner._reals[number].reset_index(drop=True),
        lambda reals: list(owner._values),
        numbered(owner._rows),
    )
    return replaced(call, result, inplace)


@rule("frame", "columns", attribute=True, raw=True)
def columns(call: Call) -> Any:
    """The names of the columns."""
    return call.owner._reals[0].columns


@rule("frame", "keys", raw=True)
def keys(call: Call) -> Any:
    """The names of the columns."""
    return call.owner._reals[0].columns


@rule("frame", "items", raw=True)
def items(call: Call) -> Any:
    """Each column with its name."""
    frame = call.owner
    return iter([(label, _one(frame, place)) for place, label in enumerate(frame._reals[0].columns)])


def _one(frame: Any, place: int) -> Any:
    return structure(frame, "DataFrame.items", lambda table: table.iloc[:, place])


@rule("frame", "shape", attribute=True, raw=True)
def shape(call: Call) -> Any:
    """The number of rows, and of columns."""
    return RowCount(call.owner), len(call.owner._values)


@rule("frame", "ndim", attribute=True, raw=True)
def ndim(call: Call) -> Any:
    """2."""
    return 2


@rule("frame", "empty", attribute=True, raw=True)
def empty(call: Call) -> Any:
    """Whether there is no column: a batch has at least one row."""
    if call.owner._rows.condition is not None:
        refuse("whether some of the rows are none", ONE_ROW, "leave it out; conditions may hold for no row")
    return not call.owner._values


@rule("frame", "index", attribute=True, raw=True)
def index(call: Call) -> Any:
    """The labels of the rows."""
    return index_of(call.owner)


def index_of(owner: Recorded) -> "RecordedIndex":
    """The labels of the rows of a frame or Series."""
    return RecordedIndex(owner._recording, [_index(real) for real in owner._reals], [], owner._rows)


def _index(real: Any) -> Any:
    return None if real is None else real.index


class RecordedIndex(Recorded):
    """The labels of the rows: only good for making columns with the same ones."""

    __slots__ = ()
    _kind = "index"
    _title = "index"

    def _as_values(self, *args: Any) -> Any:
        self._stop(
            "the labels of the rows used as values",
            "production has other rows under other labels",
            "make what the step needs a column of its own, in `load`",
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __floordiv__ = __mod__ = _as_values
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _as_values
    __hash__ = Recorded.__hash__

    def __getitem__(self, key: Any) -> Any:
        key, recording = unwrap(key), self._recording
        try:
            if not isinstance(key, Recorded):
                refuse("a label taken from an index", *ROWS)
            rows = condition_rows(self, key)
        except InputError as error:
            recording.refused(error)
        labels = recording.on_shadows("index[condition]", lambda number: self._reals[number][key._reals[number]])
        return RecordedIndex(recording, labels, [], rows)


@rule("index", "copy", raw=True)
def copy_index(call: Call) -> Any:
    """The same labels."""
    return call.owner
