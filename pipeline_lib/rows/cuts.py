"""The columns of raw rows, cut into groups that a person can name: a category, a range, a weekday.

    text, whole numbers of few values, booleans     a group for each value
    other numbers, also as text; lengths of prose   four groups from one quartile to the next
    dates and times                                 year, month, weekday, part of the day
    a table that belongs to the row                 how many rows it has; of a looked-up one its columns

A missing value is a group of its own. Whole numbers that are all different name the rows, and are not cut. Sensitive
columns are never cut, unless they are declared protected.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

MISSING = "missing"
MOST_VALUES = 30
"""Distinct texts up to which a column is cut by value."""
_MOST_INTEGERS = 12  # distinct whole numbers up to which a column is cut by value
_LONG_TEXT = 40  # characters from which on half of the texts are prose, and are cut by their length
_NUMERIC_TEXT = 0.75  # share of texts that are numbers from which on a column of text is one of numbers
_NUMBER = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$"
_LONGEST_LABEL = 60
_QUARTILES = (0.25, 0.5, 0.75)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PARTS_OF_DAY = ("0 to 5 h", "6 to 11 h", "12 to 17 h", "18 to 23 h")

Codes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Cut:
    """The rows in groups by one column: a label for each group, and for each row the index of its group.

    `codes` is int64 (rows,), -1 for a row that is in no group. `protected` says that the column is declared so;
    `source` is the raw column's name.
    """

    column: str
    labels: tuple[str, ...]
    codes: Codes
    protected: bool = False
    source: str = ""

    @property
    def sizes(self) -> Codes:
        """How many rows each group has."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.labels)).astype(np.int64)


def cuts_of(rows: pa.Table, row: RowSchema) -> tuple[Cut, ...]:
    """Every column that can be cut into two groups or more; the entity and sensitive columns are not."""
    tables = {child.name: child for child in row.children}
    cuts: list[Cut] = []
    for name, column in row.by_name.items():
        if name not in rows.column_names or column.entity or (column.sensitive and not column.protected):
            continue
        child = tables.get(name.partition(".")[0]) if name not in {each.name for each in row.columns} else None
        if child is None or child.by:
            values = rows[name].combine_chunks() if child is None else _looked_up(rows[name])
            cuts += _of_column(name, column, values)
    cuts += (_of_lengths(f"rows of {each.name}", each, rows) for each in row.children if not each.by)
    return tuple(cut for cut in cuts if np.count_nonzero(cut.sizes) > 1)


def by_value(column: str, values: Sequence[Any], names: Sequence[Any], *, protected: bool = False) -> Cut:
    """The rows in groups by the values that `names` lists, in its order; a value that it lacks is in no group."""
    index = {name: number for number, name in enumerate(names)}
    codes = np.fromiter((index.get(value, -1) for value in values), np.int64, len(values))
    return Cut(column, tuple(label(name) for name in names), codes, protected)


def label(value: Any) -> str:
    """A value as a short label."""
    text = number_label(value) if isinstance(value, float) else str(value)
    text = text if text.strip() else repr(text)
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def number_label(value: float) -> str:
    """A number as people write it, with thousands separated from 10,000 on: a year stays 1950."""
    text = f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 10_000 else text


def _of_column(name: str, column: Column, values: pa.Array) -> Iterator[Cut]:
    if column.kind in ("datetime", "date"):
        yield from _calendar(name, column, values)
    elif column.kind == "string":
        yield from _of_text(name, column, values)
    elif column.kind == "boolean":
        yield _of_names(name, column, values, ["no", "yes"], values.cast(pa.int64()))
    elif column.kind == "integer" and len(distinct := pc.unique(values.drop_null())) <= _MOST_INTEGERS:
        names = sorted(distinct.to_pylist())
        yield _of_names(name, column, values, names, pc.index_in(values, pa.array(names, values.type)))
    elif column.kind != "integer" or pc.count_distinct(values).as_py() < len(values) - values.null_count:
        yield _of_numbers(name, column, values)


def _of_text(name: str, column: Column, values: pa.Array) -> Iterator[Cut]:
    names = sorted(pc.unique(values.drop_null()).to_pylist()) if len(values) else []
    if len(names) <= MOST_VALUES:
        yield _of_names(name, column, values, names, pc.index_in(values, pa.array(names, values.type)))
        return
    numeric = pc.match_substring_regex(values, _NUMBER)
    if (pc.sum(numeric).as_py() or 0) >= _NUMERIC_TEXT * (len(values) - values.null_count):
        texts = pc.utf8_trim_whitespace(pc.if_else(numeric, values, None))
        yield _of_numbers(name, column, texts.cast(pa.float64()), "no number")
        return
    lengths = pc.utf8_length(values)
    if (pc.quantile(lengths, 0.5)[0].as_py() or 0) >= _LONG_TEXT:
        yield _of_numbers(f"length of {name}", column, lengths)


def _of_names(name: str, column: Column, values: pa.Array, names: Sequence[Any], codes: pa.Array) -> Cut:
    """Groups by value, and one for what is missing."""
    labels = [label(each) for each in names]
    missing = np.asarray(values.is_null())
    index = np.asarray(codes.fill_null(-1)).astype(np.int64)
    index[missing] = len(labels)
    shown = (*labels, MISSING) if missing.any() else tuple(labels)
    return Cut(name, shown, index, column.protected, column.name)


def _of_numbers(name: str, column: Column, values: pa.Array, absent: str = MISSING) -> Cut:
    """Groups from one quartile to the next; equal quartiles leave fewer groups."""
    numbers = np.asarray(values.cast(pa.float64()).fill_null(np.nan), np.float64)
    present = numbers[~np.isnan(numbers)]
    whole = pa.types.is_integer(values.type)
    found = np.quantile(present, _QUARTILES, method="inverted_cdf") if present.size else np.array([])
    edges = [float(edge) for edge in np.unique(found) if edge > present.min()]
    if not edges and present.size and present.max() > present.min():  # more than three quarters have the least value
        edges = [float(present[present > present.min()].min())]
    labels = _ranges(edges, whole=whole)
    codes = np.searchsorted(edges, numbers, side="right").astype(np.int64)
    codes[np.isnan(numbers)] = len(labels)
    shown = (*labels, absent) if present.size < numbers.size else tuple(labels)
    return Cut(name, shown, codes, column.protected, column.name)


def _ranges(edges: Sequence[float], *, whole: bool) -> list[str]:
    """The names of the ranges between edges; each range begins with its lower edge and ends below its upper one."""
    if not edges:
        return ["any"]
    inner = []
    for low, high in pairwise(edges):
        last = high - 1 if whole else high
        inner.append(number_label(low) if whole and last == low else f"{number_label(low)} to {number_label(last)}")
    return [f"below {number_label(edges[0])}", *inner, f"{number_label(edges[-1])} or more"]


def _calendar(name: str, column: Column, values: pa.Array) -> Iterator[Cut]:
    years = pc.year(values)
    names = sorted(pc.unique(years.drop_null()).to_pylist())
    if len(names) <= MOST_VALUES:
        yield _of_names(f"year of {name}", column, values, names, pc.index_in(years, pa.array(names, pa.int64())))
    months = pc.subtract(pc.month(values), 1)
    yield _of_names(f"month of {name}", column, values, _MONTHS, months)
    yield _of_names(f"weekday of {name}", column, values, _WEEKDAYS, pc.day_of_week(values))
    if column.kind == "datetime":
        part = pc.divide(pc.hour(values), 6)
        yield _of_names(f"time of {name}", column, values, _PARTS_OF_DAY, part)


def _looked_up(values: pa.ChunkedArray) -> pa.Array:
    """The value of each row's only item, missing where the row has none."""
    lists = values.combine_chunks()
    first = np.asarray(lists.offsets)[:-1]
    return lists.values.take(pa.array(first, mask=np.asarray(pc.list_value_length(lists)) == 0))


def _of_lengths(name: str, child: RowSchema, rows: pa.Table) -> Cut:
    own = [f"{child.name}.{column.name}" for column in child.own if f"{child.name}.{column.name}" in rows.column_names]
    counts = pc.list_value_length(rows[own[0]].combine_chunks()) if own else pa.array([], pa.int64())
    return _of_numbers(name, Column(name, "integer"), counts)
