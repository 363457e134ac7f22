"""Rows in order of time: what a context declares of them, whether rows keep to it, and the row that follows."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline_lib.compiled.plan import RawTable
from pipeline_lib.errors import InputError
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pyarrow as pa

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def declared_table(context: Context | int, row: RowSchema) -> RawTable:
    """The raw table that a context declares. Raises InputError where it contradicts the schema of raw rows."""
    if not isinstance(context, Context):
        return RawTable(context=context)
    columns = {column.name: column for column in row.columns}
    for option, name in (("time", context.time), ("feeds", context.feeds)):
        if name is not None and name not in columns:
            raise InputError(
                f"Context: found {option}={name!r}, expected a column of Row: {', '.join(columns)}; correct CONTEXT"
            )
    every: int | None = None
    if context.time is not None:
        time = columns[context.time]
        if time.kind not in ("date", "datetime", "integer") or time.nullable:
            kind = f"{time.kind} or missing" if time.nullable else time.kind
            raise InputError(
                f"{time.name}: found a column of times that is {kind}, expected a date, a datetime or an integer in "
                "every row; correct Row, or CONTEXT"
            )
        every = _plan_units(context.every, time.kind)
    if context.feeds is not None and columns[context.feeds].kind != "number":
        raise InputError(
            f"{context.feeds}: found feeds= of a column that is {columns[context.feeds].kind}, expected a number "
            "(float), as predictions are; correct Row, or CONTEXT"
        )
    return RawTable(time=context.time, context=context.rows, every=every, feeds=context.feeds)


def check_order(table: "pa.Table", earlier: int, declared: RawTable, *, hidden: bool = False) -> None:
    """Refuse rows that are not in order of time, duplicate, or not one step apart as far as the context reaches.

    The first `earlier` rows of `table` are the context, and messages count them backwards from -1. `hidden` keeps
    values out of messages.
    """
    if declared.time is None or table.num_rows < 2:
        return
    steps = np.diff(_timestamps(table.column(declared.time)))
    wrong = steps <= 0
    if declared.every is not None and not wrong.any():
        wrong = (steps != declared.every) & (np.arange(len(steps)) >= earlier - declared.context)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InputError(_describe(table, index, index - earlier, int(steps[index]), declared, hidden=hidden))


def _describe(table: "pa.Table", index: int, row: int, step: int, declared: RawTable, *, hidden: bool) -> str:
    """The message on the rows at `index` and after it, numbered `row` and `row + 1`, that are `step` apart."""
    before, after = (table.column(declared.time)[at].as_py() for at in (index, index + 1))
    shown, previous = ("a time (hidden: sensitive)",) * 2 if hidden else (str(after), str(before))
    where = f"{declared.time}: found {shown} in {_row_name(row + 1)}"
    if step == 0:
        return f"{where} and in {_row_name(row)}, expected each time once; keep one of the rows"
    if step < 0:
        return f"{where} after {previous}, expected rows in order of time; sort them by {declared.time!r}"
    every = declared.every or 0
    expected = "" if hidden else f"{_add(before, every)}, "
    return (
        f"{where} after {previous}, expected {expected}{_interval(before, every)} later; give every row once, as none "
        "is made up or left out"
    )


def following_row(row: Mapping[str, Any], prediction: Any, declared: RawTable) -> dict[str, Any]:
    """The row one step of time after `row`, whose fed column holds the prediction for `row`."""
    time = str(declared.time)
    return {time: _add(row[time], declared.every or 0), str(declared.feeds): prediction}


def check_forecastable(declared: RawTable, reads: Sequence[str], steps: Any) -> None:
    """Refuse a pipeline that reads more than the time and the column that its predictions feed, and no `steps`."""
    if declared.feeds is None:
        raise InputError(
            "found a pipeline that does not say what a prediction is in the next row, expected feeds= in its Context; "
            "declare it, or predict row by row with rows of your own"
        )
    unknown = [name for name in reads if name not in (declared.time, declared.feeds)]
    if unknown:
        raise InputError(
            f"found {', '.join(unknown)} among the columns that reach the output, expected {declared.time} and "
            f"{declared.feeds} alone, as nothing else is known of later rows; predict row by row with rows of your own"
        )
    if type(steps) is not int or steps < 1:
        raise InputError(f"found steps={steps!r}, expected a whole number from 1 on; say how many to forecast")


def check_known_rows(declared: RawTable, count: int) -> None:
    """Refuse fewer rows than a forecast begins with: the context, and the row after it."""
    if count <= declared.context:
        raise InputError(
            f"found {count:,} rows, expected at least {declared.context + 1:,}: the context and the latest row; pass "
            "the latest rows, in order of time"
        )


def _timestamps(column: "pa.ChunkedArray") -> np.ndarray[Any, Any]:
    """Times in units of the plan: integers as they are, dates and datetimes in microseconds."""
    import pyarrow as pa

    if pa.types.is_date32(column.type):
        column = column.cast(pa.timestamp("us"))
    return np.asarray(column.cast(pa.int64()).to_numpy())


def _plan_units(every: timedelta | int | None, kind: str) -> int | None:
    """The step of time in units of the plan, for a column of this kind."""
    if every is None:
        return None
    if isinstance(every, timedelta) == (kind == "integer"):
        expected = "an int, as its column holds integers" if kind == "integer" else "a timedelta"
        raise InputError(f"Context: found every={every!r}, expected {expected}; correct CONTEXT")
    if kind == "date" and every % _DAY:  # type: ignore[operator]  # a timedelta, as just checked
        raise InputError(f"Context: found every={every!r}, expected whole days between dates; correct CONTEXT")
    return every if isinstance(every, int) else every // _MICROSECOND


def _add(time: Any, every: int) -> Any:
    return time + (timedelta(microseconds=every) if isinstance(time, date) else every)


def _interval(time: Any, every: int) -> str:
    return str(timedelta(microseconds=every)).removesuffix(", 0:00:00") if isinstance(time, date) else str(every)


def _row_name(row: int) -> str:
    return f"row {row}" if row >= 0 else f"earlier row {row}"
