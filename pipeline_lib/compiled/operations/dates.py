"""Dates rounded to a unit of time, and dates as text."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.calendar import DAY, HOUR, MINUTE, SECOND, civil, days_from_civil, days_of
from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, SettingType, one_of, optional
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words
from pipeline_lib.errors import InputError

UNITS = {"day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND, "millisecond": 1000}
_COUNT = SettingType("int", "an integer above 0", lambda value: INTEGER.accepts(value) and value > 0)
Rounding = Callable[[Any, int], Any]


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
        unit = UNITS[settings["unit"]] * settings.get("count", 1)

        def rounded(dates: Any) -> Any:
            dates = np.asarray(dates, dtype=np.int64)
            return np.where(dates == NAT, NAT, compute(dates, unit))

        return rounded

    def row(settings: Settings) -> Callable[[int], int]:
        unit = UNITS[settings["unit"]] * settings.get("count", 1)
        return lambda date: NAT if date == NAT else int(compute(date, unit))

    operation(
        name,
        ("datetime|duration",),
        lambda settings, dtypes: dtypes[0],
        doc=doc,
        settings={"unit": one_of(tuple(UNITS)), "count": optional(_COUNT)},
        column=column,
        row=row,
        abs_max=lambda settings, maxima: maxima[0] + UNITS[settings["unit"]] * settings.get("count", 1),
    )


_rounding("date_floor", "The last multiple of `count` (default 1) units since 1970 that is not later.", _floor)
_rounding("date_ceil", "The first multiple of `count` (default 1) units since 1970 that is not earlier.", _ceil)
_rounding("date_round", "The nearest multiple of `count` (default 1) units since 1970; halves go to even.", _round)

_DIRECTIVES: dict[str, Callable[[int], str]] = {
    "Y": lambda date: f"{civil(days_of(date))[0]:04d}",
    "y": lambda date: f"{civil(days_of(date))[0] % 100:02d}",
    "m": lambda date: f"{civil(days_of(date))[1]:02d}",
    "d": lambda date: f"{civil(days_of(date))[2]:02d}",
    "j": lambda date: f"{days_of(date) - days_from_civil(civil(days_of(date))[0], 1, 1) + 1:03d}",
    "H": lambda date: f"{date // HOUR % 24:02d}",
    "M": lambda date: f"{date // MINUTE % 60:02d}",
    "S": lambda date: f"{date // SECOND % 60:02d}",
    "f": lambda date: f"{date % SECOND:06d}",
    "%": lambda date: "%",
}
_FIRST, _END = days_from_civil(1000, 1, 1) * DAY, days_from_civil(10_000, 1, 1) * DAY
_YEARS = "found a date outside of the years 1000 to 9999, whose text differs between systems; correct the row"


def _writer(form: str) -> Callable[[int], str]:
    """The function from a date's microseconds to its text."""
    literal, *parts = form.replace("%%", "%\0").split("%")
    written = [(_DIRECTIVES["%" if part[0] == "\0" else part[0]], part[1:]) for part in parts]
    return lambda date: literal + "".join(directive(date) + text for directive, text in written)


def _is_format(form: Any) -> bool:
    if not isinstance(form, str) or not form.isascii() or "\0" in form:
        return False
    _, *parts = form.replace("%%", "%\0").split("%")
    return all(part and (part[0] == "\0" or part[0] in _DIRECTIVES) for part in parts)


def _bind_text(settings: Settings) -> Callable[[Any], Any]:
    write = _writer(settings["format"])

    def texts(dates: Any) -> TextColumn:
        dates = np.atleast_1d(np.asarray(dates, dtype=np.int64))
        refuse(dates, (dates == NAT) | ((dates >= _FIRST) & (dates < _END)), lambda date: _YEARS)
        distinct, codes = np.unique(dates, return_inverse=True)
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
