"""Text as values of a raw column: what a file without types says, read as `Row` declares it and never guessed.

kind        text                                        not
number      12, -0.5, +1e6, .5, inf, -Infinity          1,5  1_000  1e999  $5
integer     12, -3, +4, 007; 5.0 (a whole number)       0x1F  5.5
boolean     true, false in any case, 1, 0               yes  t
datetime    2024-03-01, 2024-03-01 12:30[:15[.5]], T    a zone, more than six decimals
date        2024-03-01                                  03/01/2024
string      itself, with its spaces: 007, None, NA

Spaces around any but strings are left out. `nan` in any case is a missing number.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.rows.arrow_arrays import ARROW_TYPES
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform_errors import HIDDEN, Problem

_NOT_FINITE = r"^[+-]?(?i:inf|infinity|nan)$"
_PATTERNS = {  # of numbers Arrow takes what Python's float does, but for spaces and 1_000, and nan(1)
    "integer": r"^[+-]?[0-9]+(\.0*)?$",
    "boolean": r"^(?i:true|false|1|0)$",
    "datetime": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
}
_EXPECTED = {
    "number": "a number with a decimal point, such as 12.5 or 1e6, within the range of 64 bits",
    "integer": "a whole number of 64 bits",
    "boolean": "true, false, 1 or 0",
    "datetime": "a date or time without a zone, such as 2024-03-01 or 2024-03-01 12:30:15",
    "date": "a date such as 2024-03-01",
}
_REMEDY = "correct it there; --missing TEXT names a text that means missing"
_SHOWN = 60


def values_of_text(texts: pa.Array, column: Column) -> tuple[pa.Array, list[Problem]]:
    """The values of a column's texts, null where a text is missing or none of its kind; a problem for each of the last.

    `texts` is a string array. Equal texts have one problem. What else `Row` says of the column, such as bounds, is not
    looked at.
    """
    if column.kind == "string":
        return texts, []
    values = _cast_at_once(texts, column.kind)
    if values is not None:
        return values, []
    trimmed = pc.utf8_trim(texts, " \t\r\n")
    values = _cast(trimmed, column.kind)
    if values is not None:
        return values, []
    good = {text for text in pc.unique(trimmed).to_pylist() if text is None or _is_one(text, column.kind)}
    bad = [row for row, text in enumerate(trimmed.to_pylist()) if text not in good]
    cleared = pc.replace_with_mask(trimmed, _mask(bad, len(trimmed)), pa.nulls(len(bad), trimmed.type))
    values = _cast(cleared, column.kind)
    if values is None:
        raise AssertionError(f"{column.name}: texts that are each of kind {column.kind} are not together")
    return values, _problems(texts, bad, column)


def _cast_at_once(texts: pa.Array, kind: str) -> pa.Array | None:
    """What `_cast` gives, in a third of the time; None also for some texts that have values."""
    if kind not in ("number", "integer"):
        return None
    try:
        values = texts.cast(ARROW_TYPES[kind])
    except pa.ArrowException:
        return None
    if kind == "number":
        return values if _are_numbers(texts, values) else None
    is_hexadecimal = pc.or_(pc.match_substring(texts, "x"), pc.match_substring(texts, "X"))
    return None if pc.any(is_hexadecimal).as_py() else values


def _cast(texts: pa.Array, kind: str) -> pa.Array | None:
    """All texts as values, None where one has none."""
    if kind in _PATTERNS and not _all(pc.match_substring_regex(texts, _PATTERNS[kind])):
        return None
    if kind == "integer":
        texts = pc.replace_substring_regex(texts, r"^\+|\.0*$", "")
    try:
        values = texts.cast(ARROW_TYPES[kind])
    except pa.ArrowException:  # a number beyond 64 bits, a day that no month has
        return None
    if kind == "number" and not _are_numbers(texts, values):
        return None
    return values


def _are_numbers(texts: pa.Array, values: pa.Array) -> bool:
    """Whether what is not finite was written as such: 1e999 is beyond a float, and nan(1) is no number."""
    others = pc.invert(pc.is_finite(values))
    if not pc.any(others).as_py():
        return True
    return _all(pc.match_substring_regex(texts.filter(others), _NOT_FINITE))


def _all(mask: pa.Array) -> bool:
    return pc.all(mask).as_py() is not False


def _is_one(text: str, kind: str) -> bool:
    return _cast(pa.array([text], pa.string()), kind) is not None


def _mask(rows: Sequence[int], length: int) -> pa.Array:
    chosen = set(rows)
    return pa.array([row in chosen for row in range(length)])


def _problems(texts: pa.Array, rows: Sequence[int], column: Column) -> list[Problem]:
    by_text: dict[str, list[int]] = {}
    for row in rows:
        text = HIDDEN if column.sensitive else repr(texts[row].as_py())
        by_text.setdefault(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…", []).append(row)
    return [
        Problem(column.name, tuple(same), shown, "", _EXPECTED[column.kind], _REMEDY) for shown, same in by_text.items()
    ]
