"""Dates rounded to a unit of time, and dates as text. Roundings that 64 bits do not hold are refused, as in pandas."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.calendar import DAY, HOUR, MINUTE, SECOND, civil, days_from_civil, days_of
from pipeline_lib.compiled.operations.durations import BEYOND
from pipeline_lib.compiled.operations.integers import INT
from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, SettingType, one_of, optional
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words
from pipeline_lib.errors import InputError

UNITS = {"day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND, "millisecond": 1000}
MOST_MICROSECONDS = 2**62
"""Of the unit of a rounding: 64 bits hold twice a remainder. These are 146,000 years."""
_COUNT = SettingType("int", "an integer above 0", lambda value: INTEGER.accepts(value) and value > 0)
Rounding = Callable[[Any, int], Any]


def unit_of(settings: Settings) -> int:
    """The microseconds to whose multiples dates are rounded."""
    return UNITS[settings["unit"]] * int(settings.get("count", 1))


def check_unit(settings: Settings) -> None:
    """Refuse a unit of so many microseconds that a remainder does not fit. Raises InputError."""
    if not 0 < unit_of(settings) <= MOST_MICROSECONDS:
        most = MOST_MICROSECONDS // UNITS[settings["unit"]]
        raise InputError(f"found count={settings['count']!r} of unit {settings['unit']!r}, expected from 1 to {most}")


def _floor(value: Any, unit: int) -> Any:
    return value - value % unit


def _ceil(value: Any, unit: int) -> Any:
    return value + -value % unit


def _round(value: Any, unit: int) -> Any:
    """The nearest multiple of a unit, of two equally near ones the even."""
    count, rest = value // unit, value % unit
    up = (2 * rest > unit) | ((2 * rest == unit) & (count % 2 == 1))
    return (count + up) * unit


def _rounding(name: str, doc: str, compute: Rounding) -> None:
    def column(settings: Settings) -> Callable[[Any], Any]:
        unit = unit_of(settings)

        def rounded(dates: Any) -> Any:
            dates = np.asarray(dates, dtype=np.int64)
            missing, result = dates == NAT, compute(dates, unit)
            # a result that wrapped around is off by 2**64, which float64 is exact enough to tell
            near = np.abs(result.astype(np.float64) - dates.astype(np.float64)) <= 2.0 * unit
            refuse(result, missing | (near & (result != NAT)), lambda value: BEYOND)
            return np.where(missing, NAT, result)

        return rounded

    def row(settings: Settings) -> Callable[[int], int]:
        unit = unit_of(settings)

        def rounded(date: int) -> int:
            if date == NAT:
                return NAT
            result = int(compute(date, unit))
            if not -INT < result < INT:
                raise InputError(BEYOND)
            return result

        return rounded

    operation(
        name,
        ("datetime|duration",),
        lambda settings, dtypes: dtypes[0],
        doc=doc,
        settings={"unit": one_of(tuple(UNITS)), "count": optional(_COUNT)},
        column=column,
        row=row,
        abs_max=lambda settings, maxima: maxima[0] + unit_of(settings),
        check=check_unit,
    )


ROUNDINGS = ("date_floor", "date_ceil", "date_round")
_rounding("date_floor", "The last multiple of `count` (default 1) units since 1970 that is not later.", _floor)
_rounding("date_ceil", "The first multiple of `count` (default 1) units since 1970 that is not earlier.", _ceil)
_rounding("date_round", "The nearest multiple of `count` (default 1) units since 1970; halves go to even.", _round)

_DIRECTIVES: dict[str, Callable[[int, tuple[int, int, int]], str]] = {  # of a date and its year, month and day
    "Y": lambda date, civil_date: f"{civil_date[0]:04d}",
    "y": lambda date, civil_date: f"{civil_date[0] % 100:02d}",
    "m": lambda date, civil_date: f"{civil_date[1]:02d}",
    "d": lambda date, civil_date: f"{civil_date[2]:02d}",
    "j": lambda date, civil_date: f"{days_of(date) - days_from_civil(civil_date[0], 1, 1) + 1:03d}",
    "H": lambda date, civil_date: f"{date // HOUR % 24:02d}",
    "M": lambda date, civil_date: f"{date // MINUTE % 60:02d}",
    "S": lambda date, civil_date: f"{date // SECOND % 60:02d}",
    "f": lambda date, civil_date: f"{date % SECOND:06d}",
    "%": lambda date, civil_date: "%",
}
_OF_DAYS = frozenset("Yymdj%")  # directives that the time of day does not change
_FIRST, _END = days_from_civil(1000, 1, 1) * DAY, days_from_civil(10_000, 1, 1) * DAY
_YEARS = "found a date outside of the years 1000 to 9999, whose text differs between systems; correct the row"


def _parts(form: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first directive, and each directive with the text behind it."""
    literal, *parts = form.replace("%%", "%\0").split("%")
    return literal, [("%" if part[0] == "\0" else part[0], part[1:]) for part in parts]


def _writer(form: str) -> Callable[[int], str]:
    """The function from a date's microseconds to its text."""
    literal, parts = _parts(form)
    written = [(_DIRECTIVES[directive], text) for directive, text in parts]

    def write(date: int) -> str:
        civil_date = civil(days_of(date))
        return literal + "".join([directive(date, civil_date) + text for directive, text in written])

    return write


def _is_format(form: Any) -> bool:
    if not isinstance(form, str) or not form.isascii() or "\0" in form:
        return False
    _, *parts = form.replace("%%", "%\0").split("%")
    return all(part and (part[0] == "\0" or part[0] in _DIRECTIVES) for part in parts)


def _bind_text(settings: Settings) -> Callable[[Any], Any]:
    write = _writer(settings["format"])
    days_only = all(directive in _OF_DAYS for directive, _ in _parts(settings["format"])[1])

    def texts(dates: Any) -> TextColumn:
        dates = np.atleast_1d(np.asarray(dates, dtype=np.int64))
        refuse(dates, (dates == NAT) | ((dates >= _FIRST) & (dates < _END)), lambda date: _YEARS)
        rounded = np.where(dates == NAT, NAT, _floor(dates, DAY)) if days_only else dates
        distinct, codes = np.unique(rounded, return_inverse=True)
        words = [None if date == NAT else write(date) for date in distinct.tolist()]
        return TextColumn(codes.astype(np.int32), Words([*words, None]))

    return texts


def _bind_text_row(settings: Settings) -> Callable[[int], str | None]:
    write = _writer(settings["format"])

    def text(date: int) -> str | None:
        if date != NAT and not _FIRST <= date < _END:
            raise InputError(_YEARS)
        return None if date == NAT else write(date)

    return text


operation(
    "date_text",
    ("datetime",),
    "str",
    doc="The date as text, by a strftime `format` of numbers; missing stays missing.",
    settings={"format": SettingType("str", f"ASCII text with the directives %{', %'.join(_DIRECTIVES)}", _is_format)},
    column=_bind_text,
    row=_bind_text_row,
)
