"""Columns of numbers or dates in which some values are none: which these are, where the first is, and what to do.

One word makes a column of numbers text. What is silently text, or left out, costs more than the word.
"""

import csv
import io
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline_lib.project.drafting.dates import LIKELY_DATE, date_format
from pipeline_lib.project.drafting.text_format import TextFormat, opened
from pipeline_lib.project.params_errors import shorten

_MOSTLY = 0.5  # with fewer numbers than this a column is text in which some values happen to be numbers
_NAMED = 3
_TRIED = 200


@dataclass(frozen=True)
class OddValues:
    """The values of a column of numbers that are none: how many of the known ones, and the different ones in order.

    `what` the other values are: numbers, or dates in one format. `position` is the row of the first odd one, from 0,
    and `place` the same in words; `kind` is that of the raw data. `marks` is what to write where all are numbers, some
    of them with the other decimal mark than the file's.
    """

    count: int
    known: int
    texts: tuple[str, ...]
    position: int
    what: str = "numbers"
    marks: str = ""
    place: str = ""
    kind: str = "csv"

    def found(self, *, hidden: bool) -> str:
        """What was found; `hidden` leaves the value of a sensitive column out."""
        first = self.place if hidden else f"{shorten(repr(self.texts[0]), 40)}, {self.place}"
        if self.marks:
            return f"{self.count} of {self.known} values have another decimal mark than the file (the first: {first})"
        return f"{self.count} of {self.known} values are not {self.what} (the first: {first})"

    def remedy(self, *, hidden: bool, again: str = "add") -> str:
        """What to do about it; `again` is how the command is to be repeated."""
        if self.marks:
            return f"write {self.marks} in the file"
        where = {"sql": "the query"}.get(self.kind, "the file")
        if self.kind not in ("csv", "excel"):
            return f"make them {self.what} or missing in {where}"
        named = () if hidden or len(self.texts) > _NAMED else self.texts
        options = " ".join(f"--missing {shlex.quote(text)}" for text in named) or "--missing TEXT for each"
        return f"correct them in {where}, or take them as missing: {again} {options}"


def number_pattern(text: TextFormat) -> str:
    """The regular expression of a number in a CSV file."""
    mark = re.escape(text.decimal)
    whole = rf"(?:\d+|\d{{1,3}}(?:{re.escape(text.thousands)}\d{{3}})+)" if text.thousands else r"\d+"
    return rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"


def leading_zeros(values: pd.Series) -> bool:
    """Whether some texts are codes such as 007."""
    return bool(values.str.match(r"[+-]?0\d").any())


def odd_texts(known: pd.Series, text: TextFormat) -> OddValues | None:
    """The odd values of a column of texts without missing ones; None where most are no numbers, or all are."""
    stripped = known.str.strip()
    numbers = stripped.str.fullmatch(number_pattern(text))
    other = stripped.str.fullmatch(number_pattern(_other(text))) & ~numbers
    if leading_zeros(stripped) or numbers.all() or (numbers | other).mean() <= _MOSTLY:
        return None
    odd = _odd(known, ~numbers)
    marks = f"decimal {'points' if text.decimal == '.' else 'commas'} alone"
    return replace(odd, marks=marks) if (numbers | other).all() else odd


def odd_dates(known: pd.Series) -> OddValues | None:
    """The odd values of a column of texts of which most are dates in the format of the first one that is a date."""
    likely = known[known.str.match(LIKELY_DATE)]
    found = date_format(likely.iloc[:_TRIED]) or date_format(likely.iloc[:1])
    if not found or len(likely) <= _MOSTLY * len(known):
        return None
    dates = pd.to_datetime(known, format=found.format, errors="coerce", utc=True).notna()
    return replace(_odd(known, ~dates), what=f"dates as {found.format}") if _MOSTLY < dates.mean() < 1 else None


def odd_cells(known: pd.Series) -> OddValues | None:
    """The odd values of a column of Python values without missing ones."""
    numbers = known.map(lambda value: isinstance(value, int | float) and not isinstance(value, bool)).astype(bool)
    return _odd(known, ~numbers) if _MOSTLY < numbers.mean() < 1 else None


def _odd(known: pd.Series, chosen: pd.Series) -> OddValues:
    odd = known[chosen]
    return OddValues(len(odd), len(known), tuple(map(str, odd.unique())), int(odd.index[0]))


def _other(text: TextFormat) -> TextFormat:
    """The format with the other decimal mark."""
    return TextFormat(decimal="," if text.decimal == "." else ".")


def csv_line(path: Path, text: TextFormat, position: int) -> int:
    """The line, from 1, on which a row of a CSV file begins; a field in quotes may go over several."""
    begins, rows = 1, -1  # the header is no row
    with opened(path) as file, io.TextIOWrapper(file, encoding=text.encoding, errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=text.sep)
        for fields in reader:
            rows += any(field.strip() for field in fields) or len(fields) > 1
            if rows > position:
                break
            begins = reader.line_num + 1
    return begins
