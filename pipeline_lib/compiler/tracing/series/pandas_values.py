"""pandas' functions of a column: `pd.to_datetime`, `to_timedelta`, `to_numeric`, `isna`, `notna`, `Series`."""

import re
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiled.operations.text_features import DATE_DIRECTIVES
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.frames.assignment import numbered
from pipeline_lib.compiler.tracing.frames.frame import index_of
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, refused
from pipeline_lib.compiler.tracing.rows.checks import checked, input_names
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.compiler.tracing.series.casts import cast
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of, is_object
from pipeline_lib.compiler.tracing.series.series import RecordedSeries

_MICROSECONDS = {
    "W": 604_800_000_000,
    "D": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
    "days": 86_400_000_000,
    "day": 86_400_000_000,
    "hours": 3_600_000_000,
    "hour": 3_600_000_000,
    "minutes": 60_000_000,
    "minute": 60_000_000,
    "seconds": 1_000_000,
    "second": 1_000_000,
}


@function("pandas.isna", "pandas.isnull")
def isna(call: Call, obj: Recorded) -> list[Value]:
    """Whether each value is missing."""
    return [value.missing() for value in obj._values]


@function("pandas.notna", "pandas.notnull")
def notna(call: Call, obj: Recorded) -> list[Value]:
    """Whether each value is present."""
    return [call.build.logical_not(value.missing()) for value in obj._values]


def _column(call: Call, thing: Any) -> Recorded:
    """The Series of a call; other things are refused."""
    if isinstance(thing, Recorded) and thing._kind == "frame" and call.name == "pandas.to_datetime":
        call.stop(
            "pd.to_datetime of a frame of years, months and days",
            "the recorder has no rule for it",
            "write text: pd.to_datetime(X['year'].astype(str) + '-' + X['month'].astype(str).str.zfill(2) + ..., "
            "format='%Y-%m-%d')",
        )
    if not isinstance(thing, RecordedSeries):
        title = thing._title if isinstance(thing, Recorded) else type(thing).__name__
        call.stop(f"{call.name} of a {title}", "the recorder has a rule for a Series", "give one column, X['a']")
    call.owner = thing
    return thing


def _place(call: Call) -> dict[str, str]:
    line = call.recording.line()
    names = ", ".join(input_names(call.recording, call.value)) or "a column"
    return {"name": names, "where": str(line) if line else "own code"}


@function("pandas.to_datetime")
def to_datetime(
    call: Call,
    arg: Any,
    errors: str = "raise",
    dayfirst: bool = False,
    yearfirst: bool = False,
    utc: bool = False,
    format: str | None = None,
    exact: bool = True,
    unit: str | None = None,
    origin: Any = "unix",
    cache: bool = True,
) -> Value:
    """Dates of text in a given format, of Python's dates, of dates, or of a count of units since 1970.

    With `utc` they are read as UTC, which moves none of them.
    """
    _column(call, arg)
    build, value = call.build, call.value
    if not exact or origin != "unix" or errors not in ("raise", "coerce"):
        call.stop("pd.to_datetime with exact, origin or errors", "the recorder has no rule for it", PLAN)
    if value.kind == "datetime":
        return value
    if value.kind == "int64" and unit is not None and format is None:
        return build.add_duration(build.date(0), build.scale_duration(_unit(call, unit), value))
    if value.kind == "int64" and unit is None and format is not None:
        value = build.text_of_number(value, how="pandas")
    if value.kind == "str" and format is not None:
        if format in ("ISO8601", "mixed"):
            call.stop(f"pd.to_datetime with format={format!r}", "it reads many formats", "give one: format='%Y-%m-%d'")
        unknown = set(re.findall("%(.)", format)) - DATE_DIRECTIVES - {"%"}
        if unknown:
            call.stop(
                f"pd.to_datetime with the directive %{min(unknown)}",
                "the recorder has no exact rule for it",
                f"give a format of {', '.join('%' + each for each in sorted(DATE_DIRECTIVES))}, or parse it in `load`",
            )
        lenient = {"errors": "missing"} if errors == "coerce" else {}
        return build.apply("parse_date", value, format=format, **_place(call), **lenient)
    if value.kind == "str":
        call.stop(
            "pd.to_datetime of text without a format",
            "pandas guesses the format from the first row of each batch",
            "give it: pd.to_datetime(column, format='%Y-%m-%d')",
        )
    return call.stop(
        f"pd.to_datetime of a column of {'/'.join(map(str, dtypes_of(arg)))}",
        "the recorder has no exact rule for it",
        "give text and a format, or integers and a unit of 's' or longer",
    )


def _unit(call: Call, unit: str | None) -> Value:
    if unit not in _MICROSECONDS:
        call.stop(f"{call.name} with unit={unit!r}", "a plan counts microseconds", "give unit='s', 'D' or another")
    return call.build.duration(_MICROSECONDS[unit])


@function("pandas.to_timedelta")
def to_timedelta(call: Call, arg: Any, unit: str | None = None, errors: str = "raise") -> Value:
    """Durations of integers in a unit."""
    _column(call, arg)
    if call.value.kind == "duration":
        return call.value
    if call.value.kind != "int64" or errors != "raise":
        call.stop(
            f"pd.to_timedelta of a column of {call.value.kind}",
            "pandas counts nanoseconds of it, and rounds",
            "give integers: pd.to_timedelta(column.fillna(0).astype(int), unit='D')",
        )
    return call.build.scale_duration(_unit(call, unit), call.value)


@function("pandas.to_numeric")
def to_numeric(call: Call, arg: Any, errors: str = "raise", downcast: Any = None) -> Value:
    """Numbers of text, and numbers as they are."""
    _column(call, arg)
    build, value = call.build, call.value
    if downcast is not None or errors not in ("raise", "coerce"):
        call.stop("pd.to_numeric with downcast or errors", "the dtype would depend on the rows at hand", "leave it out")
    if value.kind == "str" and not is_object(arg):
        number = build.number_of_text(value, how="pandas")
        if errors == "coerce":
            return number
        absent = build.logical_or(value.missing(), build.text_equal(value, ""))
        present = build.logical_or(build.logical_not(number.missing()), absent)
        return checked(call.recording, number, present, "a number, as pd.to_numeric raises an error for other text")
    if value.kind in ("int64", "float64", "bool") and not is_object(arg):
        return value
    return call.stop(
        f"pd.to_numeric of a column of {'/'.join(map(str, dtypes_of(arg)))}",
        "the recorder has no exact rule for it",
        f"cast it with astype({'str' if value.kind == 'str' else 'float'}), or write .dt.total_seconds() of durations",
    )


@function("pandas.Series", raw=True)
def make_series(
    call: Call, data: Any = None, index: Any = None, dtype: Any = None, name: Any = None, copy: Any = None
) -> Any:
    """A Series of a column, an array of one dimension, or a constant for each row of an index."""
    if isinstance(data, Recorded) and len(data._values) != 1:
        refuse(f"pd.Series of a {data._title} of several columns", "the recorder has no rule for it", "select one")
    if index is not None and not isinstance(index, Recorded):
        refuse("a Series with an index of its own", "production has other rows", "write index=X.index")
    if not isinstance(data, Recorded) and not is_constant(data):
        refuse(
            f"pd.Series of a {type(data).__name__}",
            "its length is that of the training rows",
            "give a column or a constant",
        )
    rows = _rows(data, index)
    options = {key: each for key, each in (("dtype", dtype), ("name", name)) if each is not None}
    if dtype is not None and isinstance(data, Recorded):
        del options["dtype"]

    def real(number: int) -> Any:
        given = {} if index is None else {"index": _index(index, number)}
        return pd.Series(of_shadow(data, number), **given, **options)

    def write(reals: list[Any]) -> Value:
        if isinstance(data, Recorded):
            return data._values[0]
        value = call.of(np.nan if data is None else data)
        return call.build.number(value) if dtype is not None and reals[0].dtype == np.float64 else value

    made = call.recording.perform("pd.Series", real, write, rows)
    if dtype is None or not isinstance(data, Recorded):
        return made
    return call.recording.perform(
        "pd.Series",
        lambda number: made._reals[number].astype(dtype),
        lambda reals: cast(Call(call.recording, made, "pd.Series", reals), pd.api.types.pandas_dtype(dtype)),
        rows,
    )


def _rows(data: Any, index: Any) -> Rows:
    """The rows of a new Series: those of its index; without one, numbered from 0."""
    if index is None:
        if not isinstance(data, Recorded):
            refuse("pd.Series of a constant without an index", "it has one row", "write index=X.index")
        return data._rows if data._kind == "series" else numbered(data._rows)
    rows: Rows = index._rows
    if isinstance(data, Recorded) and not rows.same(data._rows, by_position=data._kind != "series"):
        refuse(
            f"a {data._title} with the index of other rows",
            "pandas aligns them by label, and production's labels are others",
            "give both the same rows",
        )
    return rows


def _index(index: Recorded, number: int) -> Any:
    return index._reals[number] if index._kind == "index" else index_of(index)._reals[number]


refused(
    "function",
    "pandas.factorize",
    "the numbers depend on the rows at hand: for one row it would answer otherwise than for many",
    "learn a dict in `fit`: self.codes_ = {word: i for i, word in enumerate(sorted(X['a'].unique()))}, and map it",
)
refused(
    "function",
    "pandas.DatetimeIndex",
    "an index has no rows to compute with",
    "write pd.to_datetime(column, format=...) and .dt: X['date'].dt.month",
)
refused(
    "function",
    "pandas.Categorical",
    "its categories may depend on the rows at hand",
    "write X['a'].astype(pd.CategoricalDtype(self.words_)), and .cat.codes for numbers",
)
refused(
    "function",
    "pandas.unique pandas.value_counts",
    "it depends on the rows at hand: for one row it would answer otherwise than for many",
    "learn it in `fit` and keep it on `self`",
)


def _dtype_question(name: str) -> None:
    @function(f"pandas.{name}", raw=True)
    def answer(call: Call, arr_or_dtype: Any) -> Any:
        if not isinstance(arr_or_dtype, RecordedSeries):
            call.stop(f"{call.name} of a {arr_or_dtype._title}", "the recorder has a rule for a Series", "give X['a']")
        asked = getattr(pd.api.types, name)
        answers = {asked(arr_or_dtype._reals[number]) for number in call.recording.living()}
        if len(answers) > 1:
            call.stop(f"{call.name} of a column whose dtype depends on the batch", ONE_ROW, "cast it first")
        return answers.pop()


for _name in ("numeric", "string", "object", "bool", "integer", "float", "datetime64", "datetime64_any", "timedelta64"):
    _dtype_question(f"is_{_name}_dtype")
