"""Dates: fields of the proleptic Gregorian calendar, and time elapsed, in integers only.

A datetime is int64 microseconds since 1970-01-01; every formula is the same for arrays and for Python integers.
What they make of a missing date has no meaning: whoever takes it asks for missing first.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import divide
from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.errors import InputError

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
EPOCH_ORDINAL = 719_163  # of 1970-01-01 where 0001-01-01 is day 1
_MARCH = 719_468  # days from 0000-03-01 to 1970-01-01: years that begin in March end with the leap day
_FOUR_CENTURIES = 146_097  # days
_LONGEST = 2**63 // 1000  # microseconds that fit in 64 bits as nanoseconds
Integers = Any  # an array of int64, or int


def days_of(moment: Integers) -> Integers:
    """Whole days since 1970-01-01."""
    return moment // DAY


def civil(days: Integers) -> tuple[Integers, Integers, Integers]:
    """Year, month and day of a day number.

    In a cycle of 400 years that begin in March, a year has 365 days, but for one in 4, less one in 100, plus one in
    400, at its end; and the months' days from March on, 31 30 31 30 31, repeat, as in floor((153 m + 2) / 5).
    """
    cycle, day = divmod(days + _MARCH, _FOUR_CENTURIES)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day = day - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    day = day - (153 * month + 2) // 5 + 1
    early = month >= 10  # January and February belong to the year that follows
    return 400 * cycle + year + early, month + 3 - 12 * early, day


def days_from_civil(year: Integers, month: Integers, day: Integers) -> Integers:
    """The day number of a date: the inverse of `civil`; a day past the month's end counts on."""
    early = month <= 2
    year, month = year - early, month - 3 + 12 * early
    cycle, year = divmod(year, 400)
    return 146_097 * cycle + 365 * year + year // 4 - year // 100 + (153 * month + 2) // 5 + day - 1 - _MARCH


def is_leap(year: Integers) -> Integers:
    """Whether a year has 366 days."""
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def days_in_month(year: Integers, month: Integers) -> Integers:
    """How many days a month has: 31 and 30 in turn, again from August on, but February."""
    return 30 + (month + month // 8) % 2 - (month == 2) * (2 - is_leap(year))


def _day_of_year(days: Integers) -> Integers:
    year, _, _ = civil(days)
    return days - days_from_civil(year, 1, 1) + 1


def _weekday(days: Integers) -> Integers:
    return (days + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday


def _week(days: Integers) -> Integers:
    """ISO 8601: a week belongs to the year of its Thursday."""
    return (_day_of_year(days - _weekday(days) + 3) - 1) // 7 + 1


def _start(days: Integers, months: int) -> Integers:
    _, month, day = civil(days)
    return (day == 1) & ((month - 1) % months == 0)


def _end(days: Integers, months: int) -> Integers:
    year, month, day = civil(days)
    return (day == days_in_month(year, month)) & (month % months == 0)


FIELDS: dict[str, Callable[[Integers], Integers]] = {
    "year": lambda moment: civil(days_of(moment))[0],
    "month": lambda moment: civil(days_of(moment))[1],
    "day_of_month": lambda moment: civil(days_of(moment))[2],
    "quarter": lambda moment: (civil(days_of(moment))[1] + 2) // 3,
    "semester": lambda moment: (civil(days_of(moment))[1] + 5) // 6,
    "day_of_week": lambda moment: _weekday(days_of(moment)),
    "day_of_year": lambda moment: _day_of_year(days_of(moment)),
    "week": lambda moment: _week(days_of(moment)),
    "weekend": lambda moment: _weekday(days_of(moment)) // 5,
    "month_start": lambda moment: _start(days_of(moment), 1),
    "month_end": lambda moment: _end(days_of(moment), 1),
    "quarter_start": lambda moment: _start(days_of(moment), 3),
    "quarter_end": lambda moment: _end(days_of(moment), 3),
    "year_start": lambda moment: _start(days_of(moment), 12),
    "year_end": lambda moment: _end(days_of(moment), 12),
    "leap_year": lambda moment: is_leap(civil(days_of(moment))[0]),
    "days_in_month": lambda moment: days_in_month(*civil(days_of(moment))[:2]),
    "hour": lambda moment: moment // HOUR % 24,
    "minute": lambda moment: moment // MINUTE % 60,
    "second": lambda moment: moment // SECOND % 60,
    "ordinal": lambda moment: days_of(moment) + EPOCH_ORDINAL,
}


def _bind_field(settings: Settings) -> Callable[[Any], Any]:
    field = FIELDS[settings["field"]]
    return lambda moments: np.asarray(field(moments)).astype(np.int64)


def _bind_field_row(settings: Settings) -> Callable[[Any], Any]:
    field = FIELDS[settings["field"]]
    return lambda moment: int(field(moment))


# A field of a date, by the names that feature-engine has for them; `ordinal` counts days from 0001-01-01, day 1.
operation(
    "calendar",
    ("datetime",),
    "int64",
    column=_bind_field,
    row=_bind_field_row,
    abs_max=lambda settings, maxima: 110_000_000.0,
)


def _beyond(settings: Settings) -> str:
    return (
        f"{settings['where']}: found dates more than 292 years apart for column {settings['name']!r}, expected a "
        "difference that 64 bits hold in nanoseconds, which the library wraps around; correct the row"
    )


def _bind_elapsed(settings: Settings) -> Callable[[Any, Any], Any]:
    unit = float(settings["unit"])

    def elapsed(left: Any, right: Any) -> Any:
        missing = (left == NAT) | (right == NAT)
        apart = np.where(missing, 0, left - right)
        refuse(apart, (apart < _LONGEST) & (apart > -_LONGEST), lambda found: _beyond(settings))
        return np.where(missing, np.nan, (apart * 1000).astype(np.float64) / unit)

    return elapsed


def _bind_elapsed_row(settings: Settings) -> Callable[[Any, Any], Any]:
    unit = float(settings["unit"])

    def elapsed(left: int, right: int) -> float:
        if NAT in (left, right):
            return float("nan")
        if abs(left - right) >= _LONGEST:
            raise InputError(_beyond(settings))
        return divide(float((left - right) * 1000), unit)

    return elapsed


# Time from the second date to the first, in units of so many nanoseconds; NaN where one is missing.
operation(
    "elapsed",
    ("datetime", "datetime"),
    "float64",
    column=_bind_elapsed,
    row=_bind_elapsed_row,
)
