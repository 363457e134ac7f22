"""Dates and durations of one row: `value.year`, `value.weekday()`, `(a - b).days`."""

import collections
import datetime
from collections.abc import Callable
from typing import Any

import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.rows.values import make_value

_FIELDS = {
    "year": "year",
    "month": "month",
    "day": "day_of_month",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "quarter": "quarter",
    "dayofweek": "day_of_week",
    "day_of_week": "day_of_week",
    "dayofyear": "day_of_year",
    "day_of_year": "day_of_year",
    "week": "week",
    "weekofyear": "week",
    "days_in_month": "days_in_month",
    "daysinmonth": "days_in_month",
    "microsecond": "microsecond",
}
_CONDITIONS = {
    f"is_{name}": name
    for name in ("month_start", "month_end", "quarter_start", "quarter_end", "year_start", "year_end")
} | {"is_leap_year": "leap_year"}
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
_MONTHS += ["November", "December"]
_MOST = 10_000.0


def _attribute(name: str, write: Callable[[Builder, Value], Value], *, method: bool = False) -> None:
    @rule("value datetime", name, attribute=not method, raw=True)
    def field(call: Call) -> Any:
        return make_value(call.recording, write(call.build, call.value), bound=_MOST)


def _calendar(field: str, *, condition: bool = False) -> Callable[[Builder, Value], Value]:
    """A field of a date; a condition is 1 where it holds."""

    def write(build: Builder, value: Value) -> Value:
        found = build.apply("calendar", value, field=field)
        return found == 1 if condition else found

    return write


for _name, _field in _FIELDS.items():
    _attribute(_name, _calendar(_field))
for _name, _field in _CONDITIONS.items():
    _attribute(_name, _calendar(_field, condition=True))
_attribute("weekday", lambda build, value: build.calendar(value, field="day_of_week"), method=True)
_attribute("isoweekday", lambda build, value: build.calendar(value, field="day_of_week") + 1, method=True)
_attribute("toordinal", lambda build, value: build.calendar(value, field="ordinal"), method=True)
_attribute(
    "day_name",
    lambda build, value: build.choose(build.calendar(value, field="day_of_week"), _DAYS, "str"),
    method=True,
)
_attribute(
    "month_name",
    lambda build, value: build.choose(build.calendar(value, field="month") - 1, _MONTHS, "str"),
    method=True,
)


IsoDate = collections.namedtuple("IsoDate", "year week weekday")


@rule("value datetime", "isocalendar", raw=True)
def isocalendar(call: Call) -> Any:
    """The ISO year, week and weekday."""
    build, value = call.build, call.value
    year, week = build.calendar(value, field="iso_year"), build.calendar(value, field="week")
    day = build.calendar(value, field="day_of_week")
    return IsoDate(*(make_value(call.recording, each, bound=_MOST) for each in (year, week, day + 1)))


@rule("value datetime", "date", raw=True)
def date(call: Call) -> Any:
    """The date without its time."""
    value = call.build.date_floor(call.value, unit="day")
    return make_value(call.recording, value, sample=datetime.date(2000, 1, 1))


@rule("value datetime", "normalize", raw=True)
def normalize(call: Call) -> Any:
    """The Timestamp of midnight."""
    return make_value(call.recording, call.build.date_floor(call.value, unit="day"))


@rule("value datetime", "strftime", raw=True)
def strftime(call: Call, format: Any) -> Any:
    """The date as text."""
    if not isinstance(format, str):
        call.stop("strftime of a row's format", "a plan takes a constant", "give a constant text")
    return make_value(call.recording, call.build.date_text(call.value, format=format))


@rule("value datetime", "to_pydatetime", raw=True)
def to_pydatetime(call: Call) -> Any:
    """The same date."""
    return make_value(call.recording, call.value, sample=pd.Timestamp(2000, 1, 1))


@rule("value duration", "days", "seconds", "microseconds", attribute=True, raw=True)
def part(call: Call) -> Any:
    """Whole days, or the seconds or microseconds beside them."""
    name = call.name.rsplit(".", 1)[-1]
    value = call.build.truncate_int(call.build.apply("duration_part", call.value, part=name))
    return make_value(call.recording, value, bound=2.0**40)


@rule("value duration", "total_seconds", raw=True)
def total_seconds(call: Call) -> Any:
    """All of it in seconds."""
    return make_value(call.recording, call.build.duration_seconds(call.value))


refused("value datetime", "timestamp value replace", "the recorder has no rule for it", "subtract a pd.Timestamp")
refused("value datetime", "time", "the recorder has no rule for it", "write value.hour, value.week")
refused("value datetime", "floor ceil round", "the recorder has no rule for it", "write column.dt.floor(...) before")
