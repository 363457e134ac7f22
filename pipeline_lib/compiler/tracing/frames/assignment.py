"""Columns and rows set in place, and rows chosen by a condition: `X["a"] = ...`, `X.loc[mask, "a"] = ...`, `X[mask]`.

Rows that a condition chooses keep that condition (`Rows.condition`): they may be computed with and set again where the
same condition holds, and come to nothing else, as production predicts each row that it gets.

Values that are set where a condition holds keep the dtype of the column, as in pandas 3:

    column      value set                            result
    int64       integer, 2.0                         int64
    int64       NaN, None                            float64
    int64       0.5                                  an error in pandas
    int64       a column of float64                  an error or not, by its values: refused
    float64     integer, float, NaN                  float64
    str         text, NaN                            str
    (new)       integer, float                       float64, missing elsewhere
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.constants import missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.recorded_types import recorded_type
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.errors import InputError

ROWS = (
    "which row is at that place depends on the batch",
    "learn it in `fit`, or choose rows by a condition, such as X[X['a'] > 0]",
)


def choose(build: Builder, condition: Value, then: Value, other: Value) -> Value:
    """`then` where the condition holds, else `other`; a missing constant takes the dtype of the other one."""
    if then.kind != other.kind:
        then = _as_missing(build, then, other.kind)
        other = _as_missing(build, other, then.kind)
    numbers = {"int64", "float64"}
    if then.kind != other.kind and not {then.kind, other.kind} <= numbers:
        refuse(
            f"values of {then.kind} and {other.kind} in one column",
            "a column of production has one dtype",
            "cast one of them",
        )
    return build.where(condition, then, other)


def _as_missing(build: Builder, value: Value, dtype: str) -> Value:
    return missing(build, dtype) if value.kind == "float64" and math.isnan(constant_of(build, value, 0.0)) else value


def constant_of(build: Builder, value: Value, otherwise: Any = None) -> Any:
    """The Python value of a constant of the plan."""
    node = build.nodes[value.node]
    return node.settings["value"] if node.operation == "constant" else otherwise


def put(build: Builder, condition: Value, new: Value, old: Value | None, before: Any, given: Any) -> Value:
    """A column with another value where a condition holds, by the rules of pandas 3; `old` is None for a new column.

    `before` is the library's dtype of the column, `given` that of a recorded value (None of a constant).
    """
    if old is None:
        if new.kind == "bool":
            refuse(
                "a new column of bools set where a condition holds",
                "pandas makes it a column of objects, with missing values",
                "set it for all rows first: X['new'] = False",
            )
        return choose(build, condition, new, missing(build, new.kind))
    narrow = str(before) not in ("int64", "float64", "bool", "str", "object") and not str(before).startswith("datetime")
    if narrow and given is not None and given != before:
        refuse(
            f"values of dtype {given} set in a column of dtype {before}",
            "pandas raises an error for values that do not fit",
            "cast the column first",
        )
    if old.kind == "int64" and new.kind == "float64":
        number = constant_of(build, new)
        if number is None or not (math.isnan(number) or float(number).is_integer()):
            refuse(
                "numbers with fractions set in a column of integers",
                "pandas raises an error for some of them",
                "cast the column first: X['a'] = X['a'].astype(float)",
            )
        if not math.isnan(number):
            new = build.value(int(number))
    return choose(build, condition, new, old)


def condition_rows(owner: Recorded, mask: Recorded) -> Rows:
    """The rows of an object in which a condition holds."""
    rows, recording = owner._rows, owner._recording
    if len(mask._values) != 1 or mask._values[0].kind != "bool":
        refuse("rows chosen by values that are no condition", "the recorder has no rule for it", "write X[X['a'] > 0]")
    if not rows.same(mask._rows, by_position=mask._kind != "series" or owner._kind == "array"):
        refuse(
            "rows chosen by a condition of other rows or another index",
            "pandas aligns it by label",
            "compute the condition from the same rows",
        )
    masks: list[Any] = [None] * len(recording.shadows)
    for number in recording.living():
        chosen = np.asarray(mask._reals[number]).astype(bool).ravel()
        if rows.condition is not None:
            whole = np.zeros(len(rows.masks[number]), dtype=bool)
            whole[np.flatnonzero(rows.masks[number])[chosen]] = True
            chosen = whole
        masks[number] = chosen
    condition = mask._values[0]
    if rows.condition is not None:
        condition = recording.build.logical_and(rows.condition, condition)
    return Rows(rows.index, condition, masks)


def numbered(rows: Rows) -> Rows:
    """The same rows under row numbers, as after `reset_index(drop=True)`; some rows are numbered from 0 on, too."""
    name = "range" if rows.condition is None else f"range of %{rows.condition.node}"
    return Rows(name, rows.condition, rows.masks)


def index_mask(owner: Recorded, index: Recorded) -> Recorded | None:
    """The labels of some rows as a condition: `X.loc[part.index]`; None where they are all rows."""
    rows = index._rows
    if rows.index != owner._rows.index or (owner._rows.condition is not None and not owner._rows.same(rows)):
        refuse("rows chosen by the index of other rows", "the recorder has no rule for it", "use a condition")
    if owner._rows.same(rows) or rows.condition is None:
        return None
    return make_recorded(owner, list(rows.masks), [rows.condition])


def make_recorded(owner: Recorded, reals: list[Any], values: list[Value]) -> Recorded:
    """A recorded object of the library's objects `reals`, with the rows of another one."""
    kind = recorded_type(reals[0])
    if kind is None:
        refuse(f"a {type(reals[0]).__name__}", "the recorder has no rule for it", PLAN)
    made: Recorded = kind(owner._recording, reals, values, owner._rows)
    return made


def select_rows(owner: Recorded, key: Any) -> Any:
    """`owner[condition]`: the rows in which a condition holds."""
    key, recording = unwrap(key), owner._recording
    try:
        if not isinstance(key, Recorded) or key._kind not in ("series", "array") or len(key._values) != 1:
            refuse(f"a row taken from a {owner._title} by {type(key).__name__}", *ROWS)
        rows = condition_rows(owner, key)
    except InputError as error:
        recording.refused(error)
    return recording.perform(
        f"{owner._title}[condition]",
        lambda number: owner._reals[number][key._reals[number]],
        lambda reals: list(owner._values),
        rows,
    )


def assign_frame(frame: Recorded, key: Any, value: Any) -> None:
    """`frame[key] = value`: a column, several columns, or every column where a condition holds."""
    recording = frame._recording
    if frame._rows.index == NO_ROWS:
        take_rows_of(frame, value)
    call = Call(recording, frame, "DataFrame[column] = value", [])

    def real(number: int) -> Any:
        changed = frame._reals[number].copy(deep=False)
        changed[of_shadow(key, number)] = of_shadow(value, number)
        return changed

    def write(reals: list[Any]) -> list[Value]:
        if isinstance(key, Recorded):
            if key._kind == "value":
                refuse(
                    "a column named by a value of the rows",
                    "production needs the same columns for any rows",
                    "loop over values that `fit` kept: for word in self.words_",
                )
            return _where_condition(call, frame, key, value)
        if isinstance(key, slice):
            refuse("rows set by a slice", *ROWS)
        several = isinstance(key, list) or type(key).__name__ in ("Index", "ndarray")
        labels = list(key) if several else [key]
        return set_columns(frame, labels, column_values(call, value, len(labels), several=several), reals[0])

    frame._replace(recording.perform(call.name, real, write, frame._rows, trusted=frame._values))


NO_ROWS = "none yet"
"""The index of an empty frame, `pd.DataFrame()`, until its first column is set."""


def take_rows_of(frame: Recorded, value: Any) -> None:
    """Give an empty frame the rows of its first column."""
    try:
        if not isinstance(value, Recorded) or value._kind not in ("series", "frame", "array"):
            refuse(
                "a constant set in a frame without rows",
                "pandas makes a column without rows",
                "set a column of X first, or write pd.DataFrame(index=X.index)",
            )
    except InputError as error:
        frame._recording.refused(error)
    rows = value._rows
    object.__setattr__(frame, "_rows", rows if value._kind != "array" else numbered(rows))


def set_columns(frame: Recorded, labels: list[Any], values: Sequence[Value], result: Any) -> list[Value]:
    """The columns of a frame, of which some are new or set; `result` is the library's frame."""
    known = list(frame._reals[0].columns)
    if len(set(known)) < len(known) or len(set(labels)) < len(labels):
        refuse("a column set among columns of the same name", "the recorder has no rule for it", "rename them")
    by_label = dict(zip(known, frame._values, strict=True)) | dict(zip(labels, values, strict=True))
    return [by_label[label] for label in result.columns]


def column_values(call: Call, value: Any, count: int, *, several: bool = False) -> list[Value]:
    """A value that is set in `count` columns, as one for each of them; `several` if they are a list.

    A Series of some of the rows is missing in the others.
    """
    if isinstance(value, Recorded) and len(value._values) == count:
        rows, mine = value._rows, call.owner._rows
        if (
            value._kind == "series"
            and rows.index == mine.index
            and rows.condition is not None
            and mine.condition is None
        ):
            return [put(call.build, rows.condition, each, None, None, None) for each in value._values]
        if not mine.same(rows, by_position=value._kind == "array"):
            call.of(value)  # says why
            refuse(
                "columns of other rows or another index",
                "pandas aligns them by label, and production's labels are others",
                "give both the same index, or write .values",
            )
        return list(value._values)
    if isinstance(value, pd.Series | pd.DataFrame | pd.Index):
        refuse(
            f"a {type(value).__name__} of fitted values set as a column",
            "pandas aligns it by label, or takes it by position, and production has other rows",
            "look values up with X['a'].map(values), or set one constant",
        )
    if isinstance(value, list | tuple | np.ndarray) and not recorded_in(value) and np.ndim(value) == 1:
        if count != len(value) or not several:
            refuse(
                "a list set as a column",
                "its length is that of the training rows",
                "set one value for all rows, or look values up with X['a'].map(...)",
            )
        return [call.of(each) for each in value]
    return [call.of(value)] * count


def _where_condition(call: Call, frame: Recorded, key: Recorded, value: Any) -> list[Value]:
    """`frame[condition] = value`, for a condition of rows, or of every value."""
    build, dtypes = call.build, list(frame._reals[0].dtypes)
    if key._kind != "frame":
        rows = condition_rows(frame, key)
        values = masked_value(call, value, rows, frame)
        given = given_dtypes(value, len(values))
        parts = zip(values, frame._values, dtypes, given, strict=True)
        return [put(build, key._values[0], new, old, before, dtype) for new, old, before, dtype in parts]
    if any(each.kind != "bool" for each in key._values):
        refuse("a value set where something is no condition", "the recorder has no rule for it", PLAN)
    if list(key._reals[0].columns) != list(frame._reals[0].columns) or not frame._rows.same(key._rows):
        refuse("a condition of other columns or rows", "pandas aligns them by name", "give both the same columns")
    if isinstance(value, Recorded) and value._kind == "frame":
        values = masked_value(call, value, frame._rows, frame)
    else:
        values = [call.of(value)] * len(frame._values)
    given = given_dtypes(value, len(values))
    columns = zip(key._values, values, frame._values, dtypes, given, strict=True)
    return [put(build, condition, new, old, before, dtype) for condition, new, old, before, dtype in columns]


def assign_series(series: Recorded, key: Any, value: Any) -> None:
    """`series[condition] = value`, of a column of its own."""
    recording, key, value = series._recording, unwrap(key), unwrap(value)
    call = Call(recording, series, "Series[condition] = value", [])

    def real(number: int) -> Any:
        changed = series._reals[number].copy(deep=False)
        changed[of_shadow(key, number)] = of_shadow(value, number)
        return changed

    def write(reals: list[Any]) -> Value:
        if not isinstance(key, Recorded):
            refuse(f"a value set in a Series at {key!r}", *ROWS)
        rows = condition_rows(series, key)
        new = masked_value(call, value, rows, 1)[0]
        before, given = series._reals[0].dtype, given_dtypes(value, 1)[0]
        return put(call.build, key._values[0], new, series._values[0], before, given)

    series._replace(recording.perform(call.name, real, write, series._rows))


def given_dtypes(value: Any, count: int) -> list[Any]:
    """The library's dtypes of a value that is set in `count` columns; None of constants."""
    if not isinstance(value, Recorded):
        return [None] * count
    real = value._reals[0]
    dtypes = list(real.dtypes) if value._kind == "frame" else [real.dtype]
    return dtypes if len(dtypes) == count else dtypes[:1] * count


def masked_value(call: Call, value: Any, rows: Rows, target: Any) -> Sequence[Value]:
    """A value that is set in the rows of a condition: a constant, a column of all rows, or one of just these rows.

    `target` is the frame or the labels of the columns that are set, or their number.
    """
    labels = list(target._reals[0].columns) if isinstance(target, Recorded) else target
    count = labels if isinstance(labels, int) else len(labels)
    if not isinstance(value, Recorded):
        return column_values(call, value, count, several=True)
    whole = value._kind in ("series", "frame") and call.owner._rows.same(value._rows)
    if not whole and not rows.same(value._rows, by_position=value._kind == "array"):
        refuse(
            "values of other rows set where a condition holds",
            "pandas aligns them by label or position",
            "choose both sides by the same condition",
        )
    if value._kind == "frame" and not isinstance(labels, int) and list(value._reals[0].columns) != labels:
        refuse(
            "a frame of other columns set by a location",
            "pandas aligns its columns by name and makes missing values",
            "name its columns alike: value.set_axis(['a', 'b'], axis=1)",
        )
    if len(value._values) not in (1, count):
        refuse(f"{len(value._values)} columns set in {count}", "the recorder has no rule for it", PLAN)
    return list(value._values) * (count if len(value._values) == 1 else 1)
