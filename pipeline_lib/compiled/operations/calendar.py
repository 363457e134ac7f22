"""Dates: fields of the proleptic Gregorian calendar, and time elapsed, in integers only.

A datetime is int64 microseconds since 1970-01-01. Every formula is the same for arrays and for Python integers. The
fields of a missing date have no meaning: a plan tests for missing first.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import divide
from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBER, TEXT, one_of
from pipeline_lib.errors import InputError

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
EPOCH_ORDINAL = 719_163  # day number of 1970-01-01 where 0001-01-01 is day 1, as datetime.toordinal
_MARCH = 719_468  # days from 0000-03-01 to 1970-01-01: years that begin in March end with the leap day
_FOUR_CENTURIES = 146_097  # days of 400 years
_LONGEST = 2**63 // 1000  # microseconds that fit in 64 bits as nanoseconds
_MOST_OF_ANY_FIELD = 110_000_000.0  # 64 bits of microseconds reach 292,471 years: 106,751,991 days, the ordinal
Integers = Any  # an array of int64, or int


def days_of(timestamp: Integers) -> Integers:
    """Whole days since 1970-01-01."""
    return timestamp // DAY


def civil(days: Integers) -> tuple[Integers, Integers, Integers]:
    """Year, month and day of a day number.

    In a cycle of 400 years that begin in March, the leap day is the last day of a year: day // 1460, 36_524 and
    146_096 count the leap days before a day. The months' days from March on, 31 30 31 30 31, repeat; the days before
    month m are floor((153 m + 2) / 5).

        >>> civil(0), civil(11_016)
        ((1970, 1, 1), (2000, 2, 29))
    """
    cycle, day = divmod(days + _MARCH, _FOUR_CENTURIES)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day = day - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    day = day - (153 * month + 2) // 5 + 1
    early = month >= 10  # January and February are months 10 and 11 and belong to the next year
    return 400 * cycle + year + early, month + 3 - 12 * early, day


def days_from_civil(year: Integers, month: Integers, day: Integers) -> Integers:
    """The day number of a date: the inverse of `civil`; a day past the month's end runs into the next month."""
    early = month <= 2
    year, month = year - early, month - 3 + 12 * early
    cycle, year = divmod(year, 400)
    return 146_097 * cycle + 365 * year + year // 4 - year // 100 + (153 * month + 2) // 5 + day - 1 - _MARCH


def is_leap(year: Integers) -> Integers:
    """Whether a year has 366 days."""
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def days_in_month(year: Integers, month: Integers) -> Integers:
    """How many days a month has: 31 and 30 in turn, starting again in August; February has 28 or 29."""
    return 30 + (month + month // 8) % 2 - (month == 2) * (2 - is_leap(year))


def _day_of_year(days: Integers) -> Integers:
    year, _, _ = civil(days)
    return days - days_from_civil(year, 1, 1) + 1


def _weekday(days: Integers) -> Integers:
    return (days + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday


def _week(days: Integers) -> Integers:
    """ISO 8601: a week belongs to the year of its Thursday."""
    return (_day_of_year(days - _weekday(days) + 3) - 1) // 7 + 1


def _iso_year(days: Integers) -> Integers:
    return civil(days - _weekday(days) + 3)[0]


def _start(days: Integers, months: int) -> Integers:
    _, month, day = civil(days)
    return (day == 1) & ((month - 1) % months == 0)


def _end(days: Integers, months: int) -> Integers:
    year, month, day = civil(days)
    return (day == days_in_month(year, month)) & (month % months == 0)


FIELDS: dict[str, Callable[[Integers], Integers]] = {
    "year": lambda timestamp: civil(days_of(timestamp))[0],
    "month": lambda timestamp: civil(days_of(timestamp))[1],
    "day_of_month": lambda timestamp: civil(days_of(timestamp))[2],
    "quarter": lambda timestamp: (civil(days_of(timestamp))[1] + 2) // 3,
    "semester": lambda timestamp: (civil(days_of(timestamp))[1] + 5) // 6,
    "day_of_week": lambda timestamp: _weekday(days_of(timestamp)),
    "day_of_year": lambda timestamp: _day_of_year(days_of(timestamp)),
    "week": lambda timestamp: _week(days_of(timestamp)),
    "weekend": lambda timestamp: _weekday(days_of(timestamp)) // 5,
    "month_start": lambda timestamp: _start(days_of(timestamp), 1),
    "month_end": lambda timestamp: _end(days_of(timestamp), 1),
    "quarter_start": lambda timestamp: _start(days_of(timestamp), 3),
    "quarter_end": lambda timestamp: _end(days_of(timestamp), 3),
    "year_start": lambda timestamp: _start(days_of(timestamp), 12),
    "year_end": lambda timestamp: _end(days_of(timestamp), 12),
    "leap_year": lambda timestamp: is_leap(civil(days_of(timestamp))[0]),
    "days_in_month": lambda timestamp: days_in_month(*civil(days_of(timestamp))[:2]),
    "hour": lambda timestamp: timestamp // HOUR % 24,
    "minute": lambda timestamp: timestamp // MINUTE % 60,
    "second": lambda timestamp: timestamp // SECOND % 60,
    "microsecond": lambda timestamp: timestamp % SECOND,
    "iso_year": lambda timestamp: _iso_year(days_of(timestamp)),
    "ordinal": lambda timestamp: days_of(timestamp) + EPOCH_ORDINAL,
}


def _bind_field(settings: Settings) -> Callable[[Any], Any]:
    field = FIELDS[settings["field"]]
    return lambda timestamps: np.asarray(field(timestamps)).astype(np.int64)


def _bind_field_row(settings: Settings) -> Callable[[Any], Any]:
    field = FIELDS[settings["field"]]
    return lambda timestamp: int(field(timestamp))


operation(
    "calendar",
    ("datetime",),
    "int64",
    doc="A field of a date, by feature-engine's names; `week`, `iso_year` as in ISO 8601, `ordinal` as toordinal.",
    settings={"field": one_of(tuple(FIELDS))},
    column=_bind_field,
    row=_bind_field_row,
    abs_max=lambda settings, maxima: _MOST_OF_ANY_FIELD,
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
        whole = np.abs(np.subtract(left, right, dtype=np.float64)) < float(2 * _LONGEST)  # else it may wrap around
        refuse(apart, missing | (whole & (apart < _LONGEST) & (apart > -_LONGEST)), lambda value: _beyond(settings))
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


operation(
    "elapsed",
    ("datetime", "datetime"),
    "float64",
    doc="The time from `right` to `left` in units of `unit` nanoseconds; NaN where a date is missing.",
    settings={"unit": NUMBER, "name": TEXT, "where": TEXT},
    column=_bind_elapsed,
    row=_bind_elapsed_row,
)
