"""The format of dates that are written as text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

_DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y",
    "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y",
)  # fmt: skip
_TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p")
_ZONES = ("", "%z", " %z")
ISO = "ISO8601"
"""pandas' name for any mixture of ISO 8601 dates and times."""
LIKELY_DATE = re.compile(r"\d{1,4}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4}")
_ZONE = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
_TRIED_FIRST = 200
_ORDERS = {"%m/%d": "%d/%m", "%m-%d": "%d-%m", "%d/%m": "%m/%d", "%d-%m": "%m-%d"}


@dataclass(frozen=True)
class DateFormat:
    """A `format` of `pandas.to_datetime`; `other` is a second one that reads every value, too: day and month swap."""

    format: str
    zoned: bool = False
    other: str = ""


def date_format(values: pd.Series, *, day_first: bool = False) -> DateFormat | None:
    """The format of text values without missing ones; None where not every value is a date in one format.

    Where both orders of day and month are possible, `day_first` says which is taken.
    """
    first = values.iloc[:_TRIED_FIRST]
    if not len(values) or not first.str.match(LIKELY_DATE).all():
        return None
    zoned = bool(first.str.contains(_ZONE).all() and first.str.contains(":", regex=False).all())
    found = [text for text in _candidates(zoned) if _reads(first, text) and _reads(values, text)]
    if not found:
        return DateFormat(ISO, zoned) if _reads(values, ISO) else None
    if len(found) > 1 and day_first:
        found.sort(key=lambda text: not text.startswith("%d"))
    other = next((text for text in found[1:] if text == _swapped(found[0])), "")
    return DateFormat(found[0], zoned, other)


def parsed(values: pd.Series, found: DateFormat) -> pd.Series:
    """Text as datetimes without a zone: in UTC where the text has a zone."""
    dates = pd.to_datetime(values, format=found.format, utc=found.zoned)
    return dates.dt.tz_localize(None) if found.zoned else dates


def _candidates(zoned: bool) -> Iterator[str]:
    for time in _TIMES:
        for zone in _ZONES:
            if bool(zone) == zoned and (time or not zone):
                yield from (f"{day}{time}{zone}" for day in _DAYS)


def _swapped(text: str) -> str:
    return next((text.replace(order, other) for order, other in _ORDERS.items() if text.startswith(order)), "")


def _reads(values: pd.Series, text: str) -> bool:
    try:
        pd.to_datetime(values, format=text, utc=bool(values.str.contains(_ZONE).any()))
    except (ValueError, OverflowError):
        return False
    return True
