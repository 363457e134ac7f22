"""Frames made of columns: `pd.DataFrame(...)` and `pd.concat([...], axis=1)`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.frames.assignment import NO_ROWS, numbered
from pipeline_lib.compiler.tracing.frames.frame import RecordedFrame
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function
from pipeline_lib.compiler.tracing.selection import Rows

INDEX = (
    "pandas aligns them by label, and production's labels are others",
    "give both the same index: pd.DataFrame(values, columns=[...], index=X.index)",
)


@function("pandas.DataFrame!", raw=True)
def make_plain_frame(call: Call, *args: Any, **options: Any) -> Any:
    """A frame without recorded values: a plain one, but for an empty one, which may get columns later."""
    made = pd.DataFrame(*args, **options)
    data = args[0] if args else options.get("data")
    if not (data is None or (isinstance(data, list | dict) and not data)) or made.shape[0] or "index" in options:
        return made
    recording = call.recording
    missing = [call.of(np.nan)] * made.shape[1]
    return RecordedFrame(recording, [made.copy() for _ in recording.shadows], missing, Rows(NO_ROWS))


@function("pandas.DataFrame", raw=True)
def make_frame(call: Call, data: Any = None, index: Any = None, columns: Any = None, dtype: Any = None) -> Any:
    """A frame of columns and constants (dict), of a Series or array, or of a frame's columns."""
    if index is not None and not isinstance(index, Recorded):
        refuse("a frame with an index of its own", "production has other rows", "write index=X.index")
    if dtype is not None or recorded_in(columns):
        refuse("pd.DataFrame with these arguments", "the recorder has no rule for it", "write .astype behind it")
    if isinstance(data, Recorded) and data._kind == "frame" and index is not None:
        refuse_index(data, index)
    options = {name: each for name, each in (("index", index), ("columns", columns)) if each is not None}
    rows = _rows_of(data, index)

    def real(number: int) -> Any:
        return pd.DataFrame(of_shadow(data, number), **of_shadow(options, number))

    def write(reals: list[Any]) -> list[Value]:
        if data is None:
            return []
        by_label = _by_label(call, data, rows, reals[0])
        return [by_label[label] for label in _known(reals[0].columns, by_label)]

    return call.recording.perform("pd.DataFrame", real, write, rows)


def refuse_index(data: Recorded, index: Recorded) -> None:
    """Refuse labels other than those of a frame or Series."""
    if not data._rows.same(index._rows):
        refuse(f"a {data._title} with another index", *INDEX)


def _known(labels: Any, by_label: dict[Any, Value]) -> Any:
    absent = [label for label in labels if label not in by_label]
    if absent:
        refuse(
            f"pd.DataFrame with columns that its data does not have: {absent}",
            "pandas makes them missing",
            "set them with frame['new'] = value",
        )
    return labels


def _rows_of(data: Any, index: Any) -> Rows:
    """The rows of a new frame: those of its index, of its Series, or numbered ones of its arrays."""
    parts = recorded_in(list(data.values()) if isinstance(data, dict) else data)
    labelled = [part for part in parts if part._kind in ("series", "frame")]
    leading = index if index is not None else next(iter([*labelled, *parts]), None)
    if leading is None:
        refuse("pd.DataFrame of constants", "how many rows it has depends on the batch", "write index=X.index")
    rows: Rows = leading._rows
    if index is None and not labelled:
        rows = numbered(rows)
    for part in parts:
        if not rows.same(part._rows, by_position=part._kind == "array"):
            refuse("pd.DataFrame of columns with other rows or another index", *INDEX)
    return rows


def _by_label(call: Call, data: Any, rows: Rows, result: Any) -> dict[Any, Value]:
    """The columns of a new frame by name."""
    if isinstance(data, dict):
        return {label: _one(call, label, each) for label, each in data.items()}
    if not isinstance(data, Recorded) or data._kind not in ("frame", "series", "array"):
        refuse(
            f"pd.DataFrame of a {type(data).__name__}",
            "its length is that of the training rows",
            "give a dict of columns: pd.DataFrame({'a': X['a'], ...}, index=X.index)",
        )
    labels = list(data._reals[0].columns) if data._kind == "frame" else list(result.columns)
    if len(labels) != len(data._values) or len(set(labels)) < len(labels):
        refuse("pd.DataFrame of columns of the same name", "the recorder has no rule for it", "rename them")
    return dict(zip(labels, data._values, strict=True))


def _one(call: Call, label: Any, value: Any) -> Value:
    if isinstance(value, Recorded):
        if len(value._values) != 1 or value._kind not in ("series", "array"):
            refuse(f"a {value._title} as column {label!r} of pd.DataFrame", "it must be one column", PLAN)
        return call.of(value, rows=value._rows)
    if not is_constant(value):
        refuse(
            f"a {type(value).__name__} as column {label!r} of pd.DataFrame",
            "its length is that of the training rows",
            "give a column or one constant",
        )
    return call.of(value)


_CONCAT: Any = pd.concat


@function("pandas.concat", raw=True)
def concat(
    call: Call, objs: Any, *, axis: Any = 0, ignore_index: bool = False, keys: Any = None, join: str = "outer"
) -> Any:
    """Columns of several frames and Series side by side."""
    if axis not in (1, "columns"):
        refuse(
            "pd.concat of rows (axis=0)",
            "production predicts each row that it gets",
            "write axis=1 for columns side by side, and add rows before the pipeline",
        )
    parts = [part for part in (objs.values() if isinstance(objs, dict) else objs) if part is not None]
    keys = list(objs) if isinstance(objs, dict) and keys is None else keys
    options: dict[str, Any] = {"axis": 1, "join": join, "ignore_index": ignore_index} | (
        {} if keys is None else {"keys": list(keys)}
    )
    if keys is not None and any(isinstance(part, Recorded) and part._kind != "series" for part in parts):
        refuse("pd.concat of frames with keys", "its columns have names of two parts", "write add_prefix instead")
    rows = side_by_side(parts, "pd.concat")

    def write(reals: list[Any]) -> list[Value]:
        return [value for part in parts for value in part._values]

    return call.recording.perform("pd.concat", lambda number: _CONCAT(of_shadow(parts, number), **options), write, rows)


@function("pandas.concat!", raw=True)
def concat_of_any(call: Call, objs: Any, *args: Any, **options: Any) -> Any:
    """The same of what a generator gives; of plain frames a plain one."""
    parts = objs if isinstance(objs, dict) else list(objs)
    return concat(call, parts, *args, **options) if recorded_in(parts) else _CONCAT(parts, *args, **options)


def side_by_side(parts: Sequence[Any], name: str) -> Rows:
    """The rows of frames and Series that stand side by side; all must have the same."""
    for part in parts:
        if not isinstance(part, Recorded) or part._kind not in ("frame", "series"):
            found = part._title if isinstance(part, Recorded) else type(part).__name__
            refuse(
                f"{name} with a {found}",
                "its rows are not those of the input",
                "give frames and Series made of the input; look fitted values up with merge or map",
            )
    rows: Rows = parts[0]._rows
    if not all(rows.same(part._rows) for part in parts):
        refuse(f"{name} of columns with other rows or another index", *INDEX)
    return rows
