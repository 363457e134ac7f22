"""Columns and rows set in place, and rows chosen by a condition: `X["a"] = ...`, `X.loc[mask, "a"] = ...`, `X["a"][mask]`.

Rows that a condition chooses keep that condition (`Rows.condition`): they may be computed with and set again where the
same condition holds, and come to nothing else, as production predicts each row that it gets.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow, unwrap
from pipeline_lib.compiler.tracing.recording import PLAN, Rows
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.errors import InputError


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
    node = build.nodes[value.node]
    if node.operation == "constant" and value.kind == "float64" and node.settings["value"] != node.settings["value"]:
        return missing(build, dtype)
    return value


def condition_rows(owner: Recorded, mask: Recorded) -> Rows:
    """The rows of an object in which a condition holds."""
    rows, recording = owner._rows, owner._recording
    if len(mask._values) != 1 or mask._values[0].kind != "bool":
        refuse("rows chosen by values that are no condition", "the recorder has no rule for it", "write X[X['a'] > 0]")
    if not rows.same(mask._rows, by_position=mask._kind != "series" or owner._kind == "array"):
        refuse("rows chosen by a condition of other rows", "the recorder has no rule for it", PLAN)
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


ROWS = (
    "which row stands there depends on the batch",
    "learn it in `fit`, or choose rows by a condition, such as X[X['a'] > 0]",
)


def assign_frame(frame: Recorded, key: Any, value: Any) -> None:
    """`frame[key] = value`: a column, several columns, or every column where a condition holds."""
    recording = frame._recording
    call = Call(recording, frame, "frame[column] = value", [])

    def real(number: int) -> Any:
        changed = frame._reals[number].copy()
        changed[of_shadow(key, number)] = of_shadow(value, number)
        return changed

    def write(reals: list[Any]) -> list[Value]:
        if isinstance(key, Recorded):
            return _where_condition(call, frame, key, value)
        labels = list(key) if isinstance(key, list) or type(key).__name__ in ("Index", "ndarray") else [key]
        values = column_values(call, value, len(labels))
        by_label = dict(zip(frame._reals[0].columns, frame._values, strict=True))
        by_label |= dict(zip(labels, values, strict=True))
        return [by_label[label] for label in reals[0].columns]

    frame._replace(recording.perform(call.name, real, write, frame._rows))


def column_values(call: Call, value: Any, count: int) -> list[Value]:
    """A value that is set in `count` columns, as one for each of them."""
    if isinstance(value, Recorded) and len(value._values) == count:
        by_position = value._kind == "array"
        if not call.owner._rows.same(value._rows, by_position=by_position):
            call.of(value)  # says why
            refuse("columns of other rows", "pandas aligns them by label", "give both the same index")
        return list(value._values)
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1:
        if count != len(value) or count == 1:
            refuse("a list set as a column", "its length is that of the training rows", "set one value for all rows")
        return [call.of(each) for each in value]
    return [call.of(value)] * count


def _where_condition(call: Call, frame: Recorded, key: Recorded, value: Any) -> list[Value]:
    """`frame[condition] = value`, for a condition of rows, or of every value."""
    if any(each.kind != "bool" for each in key._values):
        refuse("a value set where something is no condition", "the recorder has no rule for it", PLAN)
    conditions = key._values if key._kind == "frame" else [key._values[0]] * len(frame._values)
    if len(conditions) != len(frame._values):
        refuse("a condition of other columns", "pandas aligns them by name", "give both the same columns")
    filler = call.of(value)
    pairs = zip(conditions, frame._values, strict=True)
    return [choose(call.build, condition, filler, old) for condition, old in pairs]


def assign_series(series: Recorded, key: Any, value: Any) -> None:
    """`series[condition] = value`, of a column of its own."""
    recording, key, value = series._recording, unwrap(key), unwrap(value)
    call = Call(recording, series, "Series[condition] = value", [])

    def real(number: int) -> Any:
        changed = series._reals[number].copy()
        changed[of_shadow(key, number)] = of_shadow(value, number)
        return changed

    def write(reals: list[Any]) -> Value:
        if not isinstance(key, Recorded):
            refuse(f"a value set in a Series at {key!r}", *ROWS)
        rows = condition_rows(series, key)
        return choose(call.build, key._values[0], masked_value(call, value, rows, 1)[0], series._values[0])

    series._replace(recording.perform(call.name, real, write, series._rows))


def masked_value(call: Call, value: Any, rows: Rows, count: int) -> Sequence[Value]:
    """A value that is set in the rows of a condition: a constant, a column of all rows, or one of just these rows."""
    if isinstance(value, Recorded):
        whole = value._kind == "series" and call.owner._rows.same(value._rows)
        if not whole and not rows.same(value._rows, by_position=value._kind != "series"):
            refuse(
                "values of other rows set where a condition holds",
                "pandas aligns them by label or position",
                "choose both sides by the same condition",
            )
        if len(value._values) not in (1, count):
            refuse(f"{len(value._values)} columns set in {count}", "the recorder has no rule for it", PLAN)
        return list(value._values) * (count if len(value._values) == 1 else 1)
    return column_values(call, value, count)
