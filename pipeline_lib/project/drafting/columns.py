"""What each raw column holds: its kind, its values with their types, and how `load` reads them."""

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.dates import DateFormat, date_format, parsed
from pipeline_lib.project.drafting.odd_values import (
    OddValues,
    leading_zeros,
    number_pattern,
    odd_cells,
    odd_dates,
    odd_texts,
)
from pipeline_lib.project.drafting.raw_data import RawData
from pipeline_lib.project.drafting.text_format import TextFormat

MISSING_WORDS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>", "#N/A")
"""Words that mean missing in every column of a CSV file."""
_MISSING_MARKS = {"", *MISSING_WORDS, "None", "none", "-", "--", "?", ".", "NaT", "#VALUE!", "#DIV/0!"}
"""Marks that mean missing where all other values of a column are numbers or dates."""
_BOOLEANS = {"True", "False", "TRUE", "FALSE", "true", "false"}
_MAX_INTEGER = 2**53  # float64 holds every integer up to here
_DATE_NAME = re.compile(r"date|datum|day|tag\b|fecha|jour", re.IGNORECASE)
_UNNAMED = re.compile(r"Unnamed: \d+")


@dataclass(frozen=True)
class Column:
    """One raw column: its kind, its values (missing ones are NaN or NaT), and what to decide about it.

    `odd` are the values for which a column of numbers is one of text.
    """

    name: str
    kind: str  # integer, number, boolean, text, date, empty
    values: pd.Series
    date: DateFormat | None = None
    nullable: bool = False
    notes: tuple[str, ...] = ()
    problem: str = ""
    odd: OddValues | None = None

    @property
    def known(self) -> pd.Series:
        """The values that are not missing."""
        return self.values.dropna()

    @property
    def distinct(self) -> int:
        """Number of different values."""
        return int(self.values.nunique())

    @property
    def unit(self) -> str:
        """The resolution of a date column; a `Row` has microseconds."""
        return str(self.values.dtype).partition("[")[2][:-1] if self.kind == "date" else ""

    @property
    def dtype(self) -> str:
        """The dtype that `load` gives the column; dates are read as text and parsed."""
        return {"integer": "int64", "number": "float64", "boolean": "bool"}.get(self.kind, "str")


@dataclass(frozen=True)
class Profile:
    """All columns of the profiled rows, and the marks of missing values in a CSV."""

    columns: dict[str, Column]
    missing: list[str] = field(default_factory=list)


def profile(raw: RawData, missing_words: Collection[str] = ()) -> Profile:
    """The columns of raw data, in order; where not all rows were read, any column may have missing values.

    `missing_words` mean missing in every column. Raises InputError for one that occurs nowhere.
    """
    _check_occur(raw, missing_words)
    if raw.kind == "csv":
        missing = _missing_marks(raw, missing_words)
        columns = [_text_column(str(name), raw.frame[name], missing, raw.text) for name in raw.frame]
    elif raw.kind == "excel":
        missing = _missing_marks(raw, missing_words)
        columns = [_excel_column(str(name), raw.frame[name], missing) for name in raw.frame]
    else:
        missing = []
        columns = [_typed_column(str(name), raw.frame[name]) for name in raw.frame]
    return Profile({column.name: _placed(_with_missing(column, raw.whole), raw) for column in columns}, missing)


def _check_occur(raw: RawData, words: Collection[str]) -> None:
    """Raise InputError for a word of `--missing` that no cell holds, and for data whose missing values are no words."""
    if words and raw.kind not in ("csv", "excel"):
        raise InputError(
            "--missing: found a file or a query with missing values of its own, expected CSV or Excel; make the values "
            "missing there"
        )
    cells = {value for name in raw.frame for value in raw.frame[name].unique()} if words else set()
    texts = {value.strip() for value in cells if isinstance(value, str)}
    for word in words:
        if raw.whole and word.strip() not in texts:
            near = difflib.get_close_matches(word, texts, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "correct it"
            raise InputError(f"--missing: found no cell that holds {word!r}, expected one at least; {hint}")


def _placed(column: Column, raw: RawData) -> Column:
    """The column with words for where the first of its odd values is."""
    if column.odd is None:
        return column
    return replace(column, odd=replace(column.odd, place=raw.place(column.odd.position), kind=raw.kind))


def _with_missing(column: Column, whole: bool) -> Column:
    """An integer column with missing values is one of numbers, a boolean one is text, as pandas reads them."""
    gaps = bool(column.values.isna().any())
    nullable = gaps or (not whole and column.kind != "boolean")
    kind, values = column.kind, column.values
    if nullable and kind == "integer":
        kind, values = "number", values.astype("float64")
    if gaps and kind == "boolean":
        kind, values = "text", values.astype("object").where(values.notna(), None).astype("str")
    unnamed = ("the file has no name for this column; this is what pandas calls it",)
    notes = column.notes + (unnamed if _UNNAMED.fullmatch(column.name) else ())
    return replace(column, kind=kind, values=values, nullable=nullable, notes=notes)


def _missing_marks(raw: RawData, more: Iterable[str]) -> list[str]:
    """The marks of missing values that occur: words in any column, other marks among numbers and dates."""
    known_words = {"", *MISSING_WORDS, *(word.strip() for word in more)}
    marks: set[str] = set()
    for name in raw.frame:
        values = raw.frame[name]
        texts = pd.Series([v for v in values.unique() if isinstance(v, str)], dtype="str")
        if texts.empty:
            continue
        stripped = texts.str.strip()
        words = stripped.isin(sorted(known_words))
        marks |= set(texts[words])
        rest = stripped.isin(sorted(_MISSING_MARKS | known_words))
        others = texts[~rest].str.strip()
        typed = raw.kind == "excel" and any(not isinstance(v, str) for v in values.unique())
        if rest.any() and ((typed and others.empty) or _is_numbers(others, raw.text) or date_format(others)):
            marks |= set(texts[rest])
    return sorted(marks | {""})


def _is_numbers(values: pd.Series, text: TextFormat) -> bool:
    return len(values) > 0 and bool(values.str.fullmatch(number_pattern(text)).all()) and not leading_zeros(values)


def _text_column(name: str, cells: pd.Series, missing: Iterable[str], text: TextFormat) -> Column:
    """A column of a CSV file, whose cells are text."""
    values = cells.where(~cells.isin([*missing]), None).astype("str")
    known = values.dropna()
    stripped = known.str.strip()
    if known.empty:
        return Column(name, "empty", values)
    if _is_numbers(stripped, text):
        numbers = stripped.str.replace(text.thousands, "", regex=False) if text.thousands else stripped
        numbers = pd.to_numeric(numbers.str.replace(text.decimal, ".", regex=False)).reindex(values.index)
        if not stripped.str.fullmatch(_whole_pattern(text)).all():
            return Column(name, "number", numbers.astype("float64"))
        found = _day_numbers(name, stripped)
        if found:
            return Column(name, "date", parsed(known, found).reindex(values.index), found)
        if float(numbers.abs().max()) < _MAX_INTEGER:
            return Column(name, "integer", numbers if numbers.isna().any() else numbers.astype("int64"))
        return Column(name, "text", values, notes=("its whole numbers are too large for a float: text",))
    if set(known.unique()) <= _BOOLEANS:
        truth = known.str.lower().map({"true": True, "false": False})
        return Column(name, "boolean", truth.reindex(values.index) if len(truth) < len(values) else truth.astype(bool))
    return _worded_column(name, values, text)


def _whole_pattern(text: TextFormat) -> str:
    groups = rf"|\d{{1,3}}(?:{re.escape(text.thousands)}\d{{3}})+" if text.thousands else ""
    return rf"[+-]?(?:\d+{groups})"


def _day_numbers(name: str, values: pd.Series) -> DateFormat | None:
    """Days written as eight digits, where the column's name says that they are days."""
    if not _DATE_NAME.search(name) or not values.str.fullmatch(r"(19|20)\d{6}").all():
        return None
    try:
        pd.to_datetime(values, format="%Y%m%d")
    except ValueError:
        return None
    return DateFormat("%Y%m%d")


def _worded_column(name: str, values: pd.Series, text: TextFormat) -> Column:
    """Text that is neither a number nor a boolean: dates in one format, or text."""
    known = values.dropna()
    if known.empty:
        return Column(name, "empty", values)
    found = date_format(known, day_first=text.decimal == ",")
    if found:
        notes = (f"its dates are read as {found.format}; {found.other} reads them, too",) if found.other else ()
        return Column(name, "date", parsed(known, found).reindex(values.index), found, notes=notes)
    odd = odd_texts(known, text) or odd_dates(known)
    if odd is None and _is_numbers(known.str.strip(), text):
        return Column(name, "text", values, notes=("its numbers are text",))
    notes = (f"{odd.count} of {odd.known} values are not {odd.what}, so it is text",) if odd else ()
    return Column(name, "text", values, notes=notes, odd=odd)


def _excel_column(name: str, cells: pd.Series, missing: Iterable[str]) -> Column:
    """A column of a sheet, whose cells are Python values: numbers, booleans, text, datetimes."""
    marks = set(missing)
    values = cells.map(lambda value: None if (isinstance(value, str) and value in marks) or value is pd.NaT else value)
    known = values.dropna()
    types = {type(value) for value in known}
    if not types:
        return Column(name, "empty", values)
    if types == {str}:
        return _worded_column(name, values.astype("str"), TextFormat())
    if types == {bool}:
        return Column(name, "boolean", values if values.isna().any() else values.astype(bool))
    if types <= {int, float}:
        return _typed_column(name, pd.to_numeric(known).reindex(values.index))
    if all(hasattr(value, "isoformat") and hasattr(value, "year") for value in known):
        return _typed_column(name, pd.to_datetime(values))
    note = f"it mixes {' and '.join(sorted(kind.__name__ for kind in types))}, so it is text"
    return Column(name, "text", values.astype("str"), notes=(note,), odd=odd_cells(known))


def _typed_column(name: str, values: pd.Series) -> Column:
    """A column of a format with types."""
    values = _without_extension(values)
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values = values.astype(dtype.categories.dtype if dtype.categories.dtype.kind not in "iub" else "object")
        dtype = values.dtype
    known = values.dropna()
    if known.empty:
        return Column(name, "empty", values)
    if isinstance(dtype, pd.DatetimeTZDtype):
        dates = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        return Column(name, "date", dates, DateFormat("", zoned=True))
    if dtype.kind == "M":
        cut = known.dt.nanosecond.any()
        return Column(name, "date", values, DateFormat(""), notes=("its nanoseconds are cut off",) if cut else ())
    if dtype.kind == "b":
        return Column(name, "boolean", values)
    if dtype.kind in "iu":
        large = known.abs().max() >= _MAX_INTEGER if dtype.kind == "i" else known.max() >= _MAX_INTEGER
        if large:
            return Column(name, "text", values.astype("str"), notes=("its whole numbers are too large: text",))
        return Column(name, "integer", values.astype("int64"))
    if dtype.kind == "f":
        return _float_column(name, values.astype("float64"))
    return _object_column(name, values)


def _without_extension(values: pd.Series) -> pd.Series:
    """Whole numbers and booleans with missing values, which a query returns, as Parquet's reader gives them."""
    if values.dtype == "Int64":
        return values.astype("float64" if values.isna().any() else "int64")
    return values.astype("object").where(values.notna(), None) if values.dtype == "boolean" else values


def _float_column(name: str, values: pd.Series) -> Column:
    known = values.dropna()
    problem = "it holds infinite values" if np.isinf(known).any() else ""
    whole = not problem and bool((known % 1 == 0).all()) and len(known) < len(values)
    return Column(name, "integer" if whole else "number", values, problem=problem)


def _object_column(name: str, values: pd.Series) -> Column:
    known = values.dropna()
    types = {type(value).__name__ for value in known}
    if types == {"bool"}:
        return Column(name, "boolean", values)
    if types == {"Decimal"}:
        return Column(name, "number", values.astype("float64"), notes=("its decimals become floats",))
    if types == {"date"}:
        return Column(name, "date", pd.to_datetime(values), DateFormat(""))
    if types <= {"int", "float"}:
        return _float_column(name, values.astype("float64"))
    if types & {"time", "bytes", "list", "dict", "ndarray", "Timedelta"}:
        return Column(name, "text", values, problem=f"no Row can declare values of type {' and '.join(sorted(types))}")
    if types == {"str"}:
        return _worded_column(name, values.astype("str"), TextFormat())
    note = f"it mixes {' and '.join(sorted(types))}: text"
    return Column(name, "text", values.astype("str"), notes=(note,), odd=odd_cells(known))
