"""Python values of one column as an Arrow array of exactly these values, or a `ColumnError`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.rows.arrow_arrays import ARROW_TYPES, arrow_array
from pipeline_lib.rows.column import MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.conform_errors import ColumnError, conversion_remedy, expected_values, refuse_rows

_PYTHON_NUMBERS = {"integer": int, "number": float}
_ACCEPTED_KINDS = {"integer": {"integer", "number"}, "number": {"integer", "number"}}


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


def conform_values(values: list[Any], column: Column) -> pa.Array:
    """Python values as an array of their column's type.

    Raises `ColumnError` for values that the column cannot hold exactly.
    """
    kinds = {kind: value_kind(kind) for kind in set(map(type, values))}
    if len(kinds) == 1 and _PYTHON_NUMBERS.get(column.kind) in kinds:
        numbers = _numbers_at_once(values, column.kind)
        if numbers is not None:
            return numbers
    if "number" in kinds.values() or np.datetime64 in kinds:
        values = [None if _is_nan(value) else value for value in values]
        kinds = {kind: value_kind(kind) for kind in set(map(type, values))}
    accepted = _ACCEPTED_KINDS.get(column.kind, {column.kind}) | {"missing"}
    wrong = {kind for kind, name in kinds.items() if name not in accepted}
    if wrong:
        names = " or ".join(sorted(kind.__name__ for kind in wrong))
        rows = _rows_where(values, lambda value: type(value) in wrong)
        raise ColumnError(expected_values(column), rows, names, conversion_remedy(column.kind, names))
    if "number" in kinds.values() and column.kind == "integer":
        inexact = _rows_where(values, lambda value: isinstance(value, float | np.floating) and not _is_exact(value))
        refuse_rows(inexact, expected_values(column))
    convert = _CONVERTERS[column.kind]
    try:
        return arrow_array(
            [None if kinds[type(value)] == "missing" else convert(value) for value in values], column.kind
        )
    except (_InexactError, OverflowError, UnicodeError):
        inexact = _rows_where(values, lambda value: not _is_convertible(value, column))
        zoned = any(getattr(values[row], "tzinfo", None) for row in inexact)
        refuse_rows(inexact, expected_values(column), conversion_remedy(column.kind, "zone" if zoned else ""))
        raise


def _numbers_at_once(values: list[Any], kind: str) -> pa.Array | None:
    """Values that are all `int`, or all `float`, without a loop in Python; None where one is beyond 64 bits."""
    try:
        numbers = np.array(values, dtype={"integer": np.int64, "number": np.float64}[kind])
    except OverflowError:
        return None
    bitmap = None
    if kind == "number" and (missing := np.isnan(numbers)).any():
        bitmap = pa.py_buffer(np.packbits(~missing, bitorder="little"))
        numbers = np.where(missing, 0.0, numbers)
    return pa.Array.from_buffers(ARROW_TYPES[kind], len(values), [bitmap, pa.py_buffer(numbers)])


class _InexactError(ValueError):
    """A Python value that its column cannot hold exactly."""


def _to_number(value: Any) -> float:
    if isinstance(value, int | np.integer) and abs(int(value)) > MAX_EXACT_INTEGER:
        raise _InexactError
    return float(value)


def _to_datetime(value: Any) -> datetime:
    if isinstance(value, np.datetime64):
        exact = value.astype("datetime64[us]")
        if exact != value or exact.astype(value.dtype).view(np.int64) != value.view(np.int64):  # the cast may wrap
            raise _InexactError
        value = exact.item()
    if not isinstance(value, datetime) or value.tzinfo is not None or getattr(value, "nanosecond", False):
        raise _InexactError
    return value


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "number": _to_number,
    "string": str.__str__,  # a member of a text Enum as its text
    "boolean": bool,
    "datetime": _to_datetime,
    "date": lambda value: value,
}


def _is_convertible(value: Any, column: Column) -> bool:
    if value_kind(type(value)) == "missing":
        return True
    try:
        arrow_array([_CONVERTERS[column.kind](value)], column.kind)
    except (_InexactError, OverflowError, UnicodeError):
        return False
    return True


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating | np.datetime64) and bool(value != value)


def _is_exact(value: Any) -> bool:
    return float(value).is_integer() and abs(value) <= MAX_EXACT_INTEGER


def _rows_where(values: Sequence[Any], is_wrong: Callable[[Any], bool]) -> list[int]:
    return [row for row, value in enumerate(values) if is_wrong(value)]
