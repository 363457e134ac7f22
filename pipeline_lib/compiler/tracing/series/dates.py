"""Recorded `.dt` accessor of a Series of dates or durations.

In pandas the fields of a date are int32 where no row is missing, and float64 with NaN where one is; the plan has
float64 with NaN unless the column is never missing. Dates with a time zone are in `zones`.
"""

from typing import Any

import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.rows.checks import checked
from pipeline_lib.compiler.tracing.series.accessors import Accessor, access
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of

_FIELDS = {
    **{name: name for name in ("year", "month", "hour", "minute", "second", "microsecond", "quarter", "day_of_year")},
    "day": "day_of_month",
    "dayofyear": "day_of_year",
    **dict.fromkeys(("dayofweek", "weekday", "day_of_week"), "day_of_week"),
    **dict.fromkeys(("days_in_month", "daysinmonth"), "days_in_month"),
}
_FLAGS = {
    **{f"is_{part}_{end}": f"{part}_{end}" for part in ("month", "quarter", "year") for end in ("start", "end")},
    "is_leap_year": "leap_year",
}
FIELDS = (*_FIELDS, *_FLAGS)
"""Names of the fields of a date."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_UNITS = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000, "millisecond": 1_000}


class RecordedDates(Accessor):
    """The `.dt` of a Series."""

    __slots__ = ()
    _kind = "dates"
    _title = "Series.dt"
    _library_name = "Series.dt"


@rule("series", "dt", attribute=True, raw=True)
def accessor(call: Call) -> Any:
    """The fields and methods of dates and durations."""
    durations = [dtype for dtype in dtypes_of(call.owner) if getattr(dtype, "kind", "") == "m"]
    if durations and call.value.kind != "duration":  # a raw column that is a placeholder
        call.stop(
            f"a raw column of {durations[0]}",
            "raw rows hold numbers, text, bools, dates and datetimes",
            "make it a number of seconds in `load`",
        )
    if call.value.kind in ("datetime", "duration") and any(str(each) == "object" for each in dtypes_of(call.owner)):
        call.stop(
            "`.dt` of a column of Python's dates",
            "pandas has it for its own dates only",
            "write pd.to_datetime(column)",
        )
    return access(call, RecordedDates, "dt")


def _as_integer(call: Call, number: Value) -> Value:
    """A field of a date or duration: NaN where that is missing, an integer where it never is."""
    build, missing = call.build, call.value.missing()
    if build.nodes[missing.node].operation == "constant":
        return number if number.kind == "int64" else build.truncate_int(number)
    return build.where(missing, float("nan"), build.number(number))


def _field(name: str, field: str) -> None:
    @rule("dates", name, attribute=True)
    def read(call: Call) -> Value:
        return _as_integer(call, call.build.apply("calendar", call.value, field=field))


def _flag(name: str, field: str) -> None:
    @rule("dates", name, attribute=True)
    def read(call: Call) -> Value:
        build = call.build
        holds = build.apply("calendar", call.value, field=field) == 1
        return build.logical_and(build.logical_not(call.value.missing()), holds)


for _name, _plan_name in _FIELDS.items():
    _field(_name, _plan_name)
for _name, _plan_name in _FLAGS.items():
    _flag(_name, _plan_name)


@rule("dates", "isocalendar")
def isocalendar(call: Call) -> list[Value]:
    """The year, week and day of ISO 8601, as a DataFrame."""
    build, date = call.build, call.value
    day = build.calendar(date, field="day_of_week") + 1
    fields = (build.apply("calendar", date, field="iso_year"), build.calendar(date, field="week"), day)
    return [_as_integer(call, field) for field in fields]


def _name_of(call: Call, field: str, names: tuple[str, ...], first: int, locale: Any) -> Value:
    if locale is not None:
        call.stop(f"{call.name} in a locale", "production may not have it", "map the numbers with a dict")
    build = call.build
    number = build.apply("calendar", call.value, field=field)
    table = {first + place: word for place, word in enumerate(names)}
    return build.where(call.value.missing(), build.missing("str"), build.lookup(number, table, "str"))


@rule("dates", "day_name")
def day_name(call: Call, locale: Any = None) -> Value:
    """Monday, Tuesday, ..."""
    return _name_of(call, "day_of_week", _DAYS, 0, locale)


@rule("dates", "month_name")
def month_name(call: Call, locale: Any = None) -> Value:
    """January, February, ..."""
    return _name_of(call, "month", _MONTHS, 1, locale)


@rule("dates", "normalize")
def normalize(call: Call) -> Value:
    """The date at midnight."""
    return call.build.date_floor(call.value, unit="day")


@rule("dates", "date", attribute=True)
def python_date(call: Call) -> Value:
    """Python's dates, which can be compared with each other; they end in the year 9999."""
    build, value = call.build, call.value
    if build.nodes[value.node].operation != "input":
        last = build.date("9999-12-31T23:59:59.999999")
        inside = build.logical_and(
            build.date_less_equal(build.date("0001-01-01"), value), build.date_less_equal(value, last)
        )
        inside = build.logical_or(value.missing(), inside)
        value = checked(call.recording, value, inside, "a date from the year 1 to 9999, as Python's dates are")
    return build.date_floor(value, unit="day")


def _rounding(name: str) -> None:
    @rule("dates", name)
    def rounded(call: Call, freq: Any, ambiguous: Any = "raise", nonexistent: Any = "raise") -> Value:
        step = _microseconds(call, freq)
        if any(str(dtype).endswith("[ns]") for dtype in dtypes_of(call.owner._series)):
            call.stop(f"{call.name} of nanoseconds", "a plan counts microseconds", "cast with astype('datetime64[us]')")
        unit = next((unit for unit, size in _UNITS.items() if step % size == 0), None)
        if step == 1:
            return call.value
        if unit is None:
            call.stop(f"{call.name} to {freq!r}", "the recorder has no rule for it", "round to milliseconds or more")
        return call.build.apply(f"date_{name}", call.value, unit=unit, count=step // _UNITS[unit])


for _name in ("floor", "ceil", "round"):
    _rounding(_name)


def _microseconds(call: Call, freq: Any) -> int:
    """The length of a fixed frequency, such as "h", "15min", "D"."""
    offset = pd.tseries.frequencies.to_offset(freq)
    if isinstance(offset, pd.offsets.Day):
        return int(offset.n) * _UNITS["day"]
    if not isinstance(offset, pd.offsets.Tick) or pd.Timedelta(offset).nanoseconds:
        call.stop(f"{call.name} to {freq!r}", "its length is not fixed to whole microseconds", PLAN)
    return int(pd.Timedelta(offset) // pd.Timedelta(1, "us"))


@rule("dates", "strftime")
def strftime(call: Call, date_format: str) -> Value:
    """The date as text."""
    return call.build.date_text(call.value, format=date_format)


@rule("dates", "as_unit")
def as_unit(call: Call, unit: str) -> Value:
    """The same date, rounded down to the unit."""
    if unit == "us":
        return call.value
    if unit not in ("s", "ms") or call.value.kind != "datetime":
        call.stop(f"{call.name}({unit!r})", "the recorder has no rule for it", "leave it out")
    return call.build.date_floor(call.value, unit="second" if unit == "s" else "millisecond")


@rule("dates", "unit", attribute=True, raw=True)
def unit(call: Call) -> Any:
    """The unit of the dates."""
    units = {call.owner._reals[number].unit for number in call.recording.living()}
    if len(units) > 1:
        call.stop("the unit of dates", "it depends on the batch", "write .dt.as_unit('us')")
    return units.pop()


@rule("dates", "tz", attribute=True, raw=True)
def time_zone(call: Call) -> Any:
    """The time zone, None for dates without."""
    return call.owner._reals[0].tz


@rule("dates", "total_seconds")
def total_seconds(call: Call) -> Value:
    """The duration in seconds."""
    return call.build.duration_seconds(call.value)


def _part(name: str) -> None:
    @rule("dates", name, attribute=True)
    def read(call: Call) -> Value:
        return _as_integer(call, call.build.apply("duration_part", call.value, part=name))


for _name in ("days", "seconds", "microseconds"):
    _part(_name)

refused("dates", "time timetz", "a plan has no times of day", "write .dt.hour * 60 + .dt.minute")
refused(
    "dates", "to_period", "a plan has no periods", "write .dt.year * 12 + .dt.month, or .dt.strftime('%Y-%m') for text"
)
refused("dates", "tz_convert", "the dates have no time zone", 'write .dt.tz_localize("UTC") before it')
refused(
    "dates",
    "to_pydatetime to_pytimedelta components",
    "it makes Python's objects",
    "read the fields: .dt.year, .dt.days",
)
refused("dates", "freq", f"it is read from the rows at hand: {ONE_ROW}", "leave it out")
refused("dates", "nanosecond nanoseconds", "a plan counts microseconds", "leave it out: it is 0")
