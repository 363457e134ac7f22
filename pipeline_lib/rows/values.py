"""Python values against the kind of their column: an Arrow array of exactly these values, or a refusal."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.rows.arrow_types import ARROW
from pipeline_lib.rows.schema import EXACT, Column

_STRING_BYTES = 2**31 - 1  # what one chunk of an Arrow string column holds
_UNITS = {"datetime": "us", "date": "D"}
_PLAIN = {"integer": int, "number": float}
_ACCEPTED = {"integer": {"integer", "number"}, "number": {"integer", "number"}}


class Refused(Exception):  # noqa: N818  conform turns it into an InputError
    """Values that a column does not take: what was expected, in which rows (None: the whole column), what to do."""

    def __init__(
        self, expected: str, rows: "Sequence[int] | None" = None, found: str = "", remedy: str = "correct it, or Row"
    ) -> None:
        super().__init__(expected)
        self.expected, self.rows, self.found, self.remedy = expected, rows, found, remedy


def refuse_rows(rows: Sequence[int], expected: str, remedy: str = "correct it, or Row") -> None:
    """Raise `Refused` if there are such rows."""
    if rows:
        raise Refused(expected, rows, remedy=remedy)


def value_kind(kind: type) -> str | None:
    """The kind of column that Python values of a type belong to, `missing`, or None."""
    if kind is type(None) or kind.__name__ in ("NAType", "NaTType"):  # pandas may not be installed
        return "missing"
    if issubclass(kind, np.timedelta64) or (issubclass(kind, np.longdouble) and kind is not np.float64):
        return None
    families: list[tuple[tuple[type, ...], str]] = [
        ((bool, np.bool_), "boolean"),
        ((int, np.integer), "integer"),
        ((float, np.floating), "number"),
        ((str,), "string"),
        ((datetime, np.datetime64), "datetime"),
        ((date,), "date"),
    ]
    return next((name for types, name in families if issubclass(kind, types)), None)


def from_python(values: list[Any], column: Column) -> pa.Array:
    """Return Python values as their column; raise `Refused` for what it cannot hold exactly."""
    kinds = {kind: value_kind(kind) for kind in set(map(type, values))}
    if len(kinds) == 1 and _PLAIN.get(column.kind) in kinds and (plain := _plain(values, column.kind)) is not None:
        return plain
    if "number" in kinds.values() or np.datetime64 in kinds:
        values = [None if _nan(value) else value for value in values]
        kinds = {kind: value_kind(kind) for kind in set(map(type, values))}
    accepted = _ACCEPTED.get(column.kind, {column.kind}) | {"missing"}
    wrong = {kind for kind, name in kinds.items() if name not in accepted}
    if wrong:
        names = " or ".join(sorted(kind.__name__ for kind in wrong))
        rows = _where(values, lambda value: type(value) in wrong)
        raise Refused(demand(column), rows, names, conversion(column.kind, names))
    if "number" in kinds.values() and column.kind == "integer":
        fractional = _where(values, lambda value: isinstance(value, float | np.floating) and not _whole(value))
        refuse_rows(fractional, demand(column))
    make = _MAKERS[column.kind]
    try:
        return built([None if kinds[type(value)] == "missing" else make(value) for value in values], column.kind)
    except (_InexactError, OverflowError, UnicodeError):
        inexact = _where(values, lambda value: not _makes(value, column))
        zoned = any(getattr(values[row], "tzinfo", None) for row in inexact)
        refuse_rows(inexact, demand(column), conversion(column.kind, "zone" if zoned else ""))
        raise


def _plain(values: list[Any], kind: str) -> pa.Array | None:
    """Values of one Python type, all at once; None where one is beyond 64 bits."""
    try:
        numbers = np.array(values, dtype={"integer": np.int64, "number": np.float64}[kind])
    except OverflowError:
        return None
    bitmap = None
    if kind == "number" and (missing := np.isnan(numbers)).any():
        bitmap = pa.py_buffer(np.packbits(~missing, bitorder="little"))
        numbers = np.where(missing, 0.0, numbers)
    return pa.Array.from_buffers(ARROW[kind], len(values), [bitmap, pa.py_buffer(numbers)])


def built(values: list[Any], kind: str) -> Any:
    """Return an Arrow array, or a chunked one, of values of a kind's own Python type; None is null."""
    # From buffers: pa.array, pa.scalar and np.asarray(array) import pandas wherever it is installed.
    valid = np.array([value is not None for value in values], dtype=bool)
    bitmap = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    if kind == "string":
        parts = [b"" if value is None else value.encode() for value in values]
        ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        if ends[-1] > _STRING_BYTES:
            middle = len(values) // 2
            return pa.chunked_array([built(values[:middle], kind), built(values[middle:], kind)])
        data = [pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(parts))]
    elif kind in _UNITS:
        dates = np.array([value or "NaT" for value in values], dtype=f"datetime64[{_UNITS[kind]}]").view(np.int64)
        data = [pa.py_buffer(dates.astype(np.int32) if kind == "date" else dates)]
    else:
        dtype = {"integer": np.int64, "number": np.float64, "boolean": bool}[kind]
        plain = np.array([0 if value is None else value for value in values], dtype=dtype)
        data = [pa.py_buffer(np.packbits(plain, bitorder="little") if kind == "boolean" else plain)]
    return pa.Array.from_buffers(ARROW[kind], len(values), [bitmap, *data])


def scalar(value: Any, kind: str = "integer") -> Any:
    """Return one value as an Arrow scalar."""
    return built([value], kind)[0]


class _InexactError(ValueError):
    """A Python value that its column cannot hold exactly."""


def _number(value: Any) -> float:
    if isinstance(value, int | np.integer) and abs(int(value)) > EXACT:
        raise _InexactError
    return float(value)


def _datetime(value: Any) -> datetime:
    if isinstance(value, np.datetime64):
        exact = value.astype("datetime64[us]")
        if exact != value or exact.astype(value.dtype).view(np.int64) != value.view(np.int64):  # the cast may wrap
            raise _InexactError
        value = exact.item()
    if not isinstance(value, datetime) or value.tzinfo is not None or getattr(value, "nanosecond", False):
        raise _InexactError
    return value


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "number": _number,
    "string": str.__str__,  # the text itself, also of a member of an Enum of text
    "boolean": bool,
    "datetime": _datetime,
    "date": lambda value: value,
}


def _makes(value: Any, column: Column) -> bool:
    if value_kind(type(value)) == "missing":
        return True
    try:
        built([_MAKERS[column.kind](value)], column.kind)
    except (_InexactError, OverflowError, UnicodeError):
        return False
    return True


def _nan(value: Any) -> bool:
    return isinstance(value, float | np.floating | np.datetime64) and bool(value != value)


def _whole(value: Any) -> bool:
    return float(value).is_integer() and abs(value) <= EXACT


def _where(values: Sequence[Any], wrong: Callable[[Any], bool]) -> list[int]:
    return [i for i, value in enumerate(values) if wrong(value)]


def demand(column: Column) -> str:
    """What a column of this kind holds, for a message."""
    return {
        "integer": "a whole number of 64 bits (as a float at most 2**53)",
        "number": "a number (an integer at most 2**53)",
        "string": "text",
        "boolean": "True or False",
        "datetime": "a naive datetime in whole microseconds",
        "date": "a date",
    }[column.kind]


def conversion(kind: str, found: str) -> str:
    """What to do about values of another type, named in `found`."""
    if kind not in ("datetime", "date"):
        return "convert the column first"
    if "zone" in found or "tz=" in found:
        return "bring it to one time zone and drop the zone: value.astimezone(UTC).replace(tzinfo=None)"
    return f"convert it first: {kind}.fromisoformat(text), or pandas.to_datetime(column)"
