"""Methods of a DataFrame that work value by value, or that make, move and convert columns.

Those that pandas does column by column are written by the rules of a Series: `X.fillna(0)` is that of each column.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.linear_calls import weighted
from pipeline_lib.compiler.tracing.frames.arithmetic import by_column
from pipeline_lib.compiler.tracing.frames.frame import replaced
from pipeline_lib.compiler.tracing.frames.structure import column, column_call
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, apply_rule, is_constant, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, refuse
from pipeline_lib.compiler.tracing.registry import RULES, rule

NUMBERS = ("int64", "float64")
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def written_by_series(call: Call, index: int, name: str, *args: Any, **options: Any) -> Value:
    """One column of a result, by the rule of the Series' method of that name."""
    part = column_call(call, index)
    entry = RULES.get(("series", name))
    if entry is None:
        refuse(f"{call.name}", "the recorder has no rule for it", PLAN)
    written = apply_rule(entry, part, args, options)
    if isinstance(written, Value):
        return written
    value: Value = written._values[0] if isinstance(written, Recorded) else written[0]
    return value


def columnwise(call: Call, options: dict[str, Any], arguments: Callable[[int], Arguments | None]) -> Any:
    """A frame of the same columns, each written by the rule of the Series' method of the same name.

    `options` are the arguments of the library's call; `arguments` gives those of each column's, None for a column that
    stays as it is.
    """
    frame, name = call.owner, call.name.rsplit(".", 1)[1]

    def write(reals: list[Any]) -> list[Value]:
        call.reals = reals
        written = []
        for index, value in enumerate(frame._values):
            given = arguments(index)
            written.append(value if given is None else written_by_series(call, index, name, *given[0], **given[1]))
        return written

    return call.recording.perform(
        call.name, lambda number: getattr(frame._reals[number], name)(**of_shadow(options, number)), write, frame._rows
    )


def same_for_all(*args: Any, **options: Any) -> Callable[[int], Arguments]:
    """The same arguments for each column."""
    return lambda index: (args, options)


def _labels(call: Call) -> list[Any]:
    return list(call.owner._reals[0].columns)


@rule("frame", "isna", "isnull")
def isna(call: Call) -> list[Value]:
    """Whether each value is missing."""
    return [value.missing() for value in call.values]


@rule("frame", "notna", "notnull")
def notna(call: Call) -> list[Value]:
    """Whether each value is present."""
    return [call.build.logical_not(value.missing()) for value in call.values]


@rule("frame", "abs", raw=True)
def absolute(call: Call) -> Any:
    """The absolute value of each number."""
    return columnwise(call, {}, same_for_all())


@rule("frame", "fillna", raw=True)
def fillna(call: Call, value: Any, *, axis: Any = None, inplace: bool = False) -> Any:
    """Each value, another where it is missing: a constant, or one for each column by name."""
    if axis in (1, "columns"):
        refuse("fillna(axis=1)", "the recorder has no rule for it", PLAN)
    labels = _labels(call)
    if isinstance(value, Recorded) and value._kind != "frame":
        refuse(
            f"fillna of a DataFrame with a {value._title}",
            "pandas takes its labels as the columns' names",
            "fill column by column: X['a'] = X['a'].fillna(column)",
        )
    if isinstance(value, Recorded):
        fillers = dict(zip(list(value._reals[0].columns), _columns_of(value), strict=True))
    elif isinstance(value, dict | pd.Series):
        fillers = {label: value[label] for label in value.keys() if label in labels}  # noqa: SIM118  of a Series
    elif is_constant(value):
        fillers = dict.fromkeys(labels, value)
    else:
        refuse(f"fillna with a {type(value).__name__}", "the recorder has no rule for it", "give a dict by column")

    def arguments(index: int) -> Arguments | None:
        return ((fillers[labels[index]],), {}) if labels[index] in fillers else None

    return replaced(call, columnwise(call, {"value": value}, arguments), inplace)


def _columns_of(frame: Recorded) -> list[Any]:
    return [column(frame, index) for index in range(len(frame._values))]


_NOTHING = object()  # no value


@rule("frame", "replace", raw=True)
def replace(
    call: Call, to_replace: Any = None, value: Any = _NOTHING, *args: Any, inplace: bool = False, **options: Any
) -> Any:
    """Values replaced by others: in all columns, or by column with a dict of dicts."""
    labels = _labels(call)
    given = {"to_replace": to_replace} | ({} if value is _NOTHING else {"value": value}) | options
    if args or recorded_in((to_replace, value, options)):
        refuse("replace with columns", "the recorder has no rule for it", "write where or mask")
    nested = isinstance(to_replace, dict) and any(isinstance(each, dict) for each in to_replace.values())
    if nested and not all(isinstance(each, dict) for each in to_replace.values()):
        refuse("a dict of dicts and other values in replace", "pandas refuses it, too", "give a dict for each column")

    def arguments(index: int) -> Arguments | None:
        label = labels[index]
        if call.values[index].kind in ("datetime", "duration") and _numbers(to_replace):
            return None  # dates hold no numbers
        if nested:
            return ((), {"to_replace": to_replace[label], **options}) if label in to_replace else None
        if value is _NOTHING:
            return (), given
        old = to_replace.get(label, _NOTHING) if isinstance(to_replace, dict) else to_replace
        new = value.get(label, _NOTHING) if isinstance(value, dict) else value
        return None if old is _NOTHING or new is _NOTHING else ((), {"to_replace": old, "value": new, **options})

    return replaced(call, columnwise(call, given, arguments), inplace)


def _numbers(values: Any) -> bool:
    """Whether a value, or each of a list, is a number that is not missing."""
    each = values if isinstance(values, list | tuple) else [values]
    return all(isinstance(one, int | float) and one == one for one in each)


@rule("frame", "where", "mask", raw=True)
def where(call: Call, cond: Any, other: Any = np.nan, *, inplace: bool = False, axis: Any = None) -> Any:
    """Each value where a condition holds (`mask`: does not), else another."""
    frame = call.owner
    cond, other = (unwrap(each(frame)) if _is_function(each) else each for each in (cond, other))
    conditions = _beside(frame, cond, 0)
    others = _beside(frame, other, axis)

    def arguments(index: int) -> Arguments:
        return (conditions[index], others[index]), {}

    options = {"cond": cond, "other": other} | ({} if axis is None else {"axis": axis})
    return replaced(call, columnwise(call, options, arguments), inplace)


def _is_function(thing: Any) -> bool:
    return callable(thing) and not isinstance(thing, Recorded)


def _beside(frame: Recorded, other: Any, axis: Any) -> list[Any]:
    """A condition or another value for each column; without an axis only constants and frames."""
    if axis is None and isinstance(other, Recorded) and other._kind == "series":
        refuse("values of a Series without axis=0", "pandas refuses it, too", "write axis=0")
    return by_column(frame, other, 1 if axis is None else axis)


@rule("frame", "clip", raw=True)
def clip(call: Call, lower: Any = None, upper: Any = None, *, axis: Any = None, inplace: bool = False) -> Any:
    """Each number within limits: constants, fitted ones by column with `axis=1`, or columns with `axis=0`."""
    frame = call.owner
    lows, highs = ([None] * len(frame._values) if end is None else _beside(frame, end, axis) for end in (lower, upper))

    def arguments(index: int) -> Arguments:
        return (), {"lower": lows[index], "upper": highs[index]}

    options = {"lower": lower, "upper": upper} | ({} if axis is None else {"axis": axis})
    return replaced(call, columnwise(call, options, arguments), inplace)


@rule("frame", "round", raw=True)
def round_(call: Call, decimals: Any = 0) -> Any:
    """Numbers rounded to decimals, for all columns or by name."""
    labels = _labels(call)

    def arguments(index: int) -> Arguments | None:
        each = decimals.get(labels[index]) if isinstance(decimals, dict | pd.Series) else decimals
        return None if each is None or call.values[index].kind not in NUMBERS else ((each,), {})

    return columnwise(call, {"decimals": decimals}, arguments)


@rule("frame", "astype", raw=True)
def astype(call: Call, dtype: Any, copy: Any = None) -> Any:
    """Columns in other dtypes, all of them or by name."""
    labels = _labels(call)

    def arguments(index: int) -> Arguments | None:
        each = dtype.get(labels[index]) if isinstance(dtype, dict | pd.Series) else dtype
        return None if each is None else ((each,), {})

    return columnwise(call, {"dtype": dtype}, arguments)


@rule("frame", "dot", raw=True)
def dot(call: Call, other: Any) -> Any:
    """The sum of the columns times fitted weights: `X[columns] @ self.coef_`."""
    if recorded_in(other):
        refuse("dot of rows with rows", ONE_ROW, "give fitted weights: X[columns] @ self.coef_")
    weights = np.asarray(other) if isinstance(other, list | tuple) else other
    return weighted(call, call.owner, weights, lambda number: call.owner._reals[number].dot(other))


@rule("frame", "bfill", "ffill", raw=True)
def fill_along(call: Call, *, axis: Any = 0) -> Any:
    """Each value, with `axis=1` the next (or last) one in its row where it is missing."""
    if axis not in (1, "columns"):
        refuse(
            call.name,
            "which rows stand before and after a row depends on the batch",
            "fill with values that `fit` learned, or make such columns in `load`",
        )
    frame, backwards = call.owner, call.name.endswith("bfill")

    def write(reals: list[Any]) -> list[Value]:
        if len({value.kind for value in frame._values}) > 1:
            refuse(f"{call.name}(axis=1) of columns of several dtypes", "pandas makes objects of them", "cast them")
        written: list[Value] = []
        for value in reversed(frame._values) if backwards else frame._values:
            written.append(call.build.where(value.missing(), written[-1], value) if written else value)
        return written[::-1] if backwards else written

    name = call.name.rsplit(".", 1)[1]
    return call.recording.perform(
        call.name, lambda number: getattr(frame._reals[number], name)(axis=1), write, frame._rows
    )


@rule("frame", "isin", raw=True)
def isin(call: Call, values: Any) -> Any:
    """Whether each value is one of some, for all columns or by name."""
    labels = _labels(call)
    if recorded_in(values) or isinstance(values, pd.Series | pd.DataFrame):
        refuse("isin with values by row", "pandas aligns them by label", "give a list, or a dict by column")

    def arguments(index: int) -> Arguments:
        return ((values.get(labels[index], []) if isinstance(values, dict) else values,), {})

    return columnwise(call, {"values": values}, arguments)


@rule("frame", "infer_objects")
def infer_objects(call: Call, copy: Any = None) -> list[Value]:
    """The same columns."""
    return call.values


@rule("frame", "assign", raw=True)
def assign(call: Call, **kwargs: Any) -> Any:
    """A copy with columns set; functions are called with it."""
    changed = call.owner.copy()
    for name, value in kwargs.items():
        changed[name] = value(changed) if callable(value) and not isinstance(value, Recorded) else value
    return changed


@rule("frame", "insert", raw=True)
def insert(call: Call, loc: int, column: Any, value: Any, allow_duplicates: bool = False) -> None:
    """A new column at a place."""
    frame = call.owner
    if column in frame:
        refuse(f"a column {column!r} inserted twice", "pandas refuses it, too", "give it another name")
    labels = _labels(call)
    if not 0 <= loc <= len(labels):
        refuse(f"a column inserted at {loc}", "pandas refuses it, too", "give a number from 0 to that of the columns")
    labels.insert(loc, column)
    changed = frame.copy()
    changed[column] = value
    frame._replace(changed[labels])


@rule("frame", "pipe", raw=True)
def pipe(call: Call, func: Any, *args: Any, **kwargs: Any) -> Any:
    """What a function makes of the frame."""
    if isinstance(func, tuple):
        func, keyword = func
        return func(*args, **kwargs, **{keyword: call.owner})
    return func(call.owner, *args, **kwargs)
