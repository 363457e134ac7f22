"""The comparison of tables: length, column names, dtypes, then bits. Never a tolerance.

Columns are Arrow columns. Two values are the same when both are missing, or their bits are the same;
all NaNs are the same whatever their payload, and -0.0 is not 0.0.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.errors import InputError

_LONG = 60  # characters of a text that messages show
_BYTES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)
_UINT = {2: np.uint16, 4: np.uint32, 8: np.uint64}


@dataclass(frozen=True)
class Difference:
    """The first difference between two tables.

    `what` is `rows`, `columns`, `dtype` or `value`; `row` counts from 0; `rows` is the number of rows that differ in
    `column`, `columns` the number of columns that differ; `ulps` is the distance of two finite float64 numbers in
    units in the last place.
    """

    what: str
    expected: str
    found: str
    column: str | None = None
    row: int | None = None
    rows: int = 0
    columns: int = 0
    ulps: int | None = None

    def __str__(self) -> str:
        if self.what != "value":
            where = f" of column {self.column!r}" if self.column is not None else ""
            return f"{self.what}{where}: expected {self.expected}, found {self.found}"
        distance = f", {self.ulps:,} ULP apart" if self.ulps is not None else ""
        return (
            f"column {self.column!r}, row {self.row}: expected {self.expected}, found {self.found}{distance}; "
            f"differing rows of this column: {self.rows:,}; differing columns: {self.columns:,}"
        )


def first_difference(expected: pa.Table, found: pa.Table) -> Difference | None:
    """Compare two Arrow tables bit for bit; None when they are the same.

    Returns the first difference in the order rows, column names (with their order), dtypes, values. Raises InputError
    for a type whose values have no defined bits.

    >>> first_difference(pa.table({"x": [1.0, 0.0]}), pa.table({"x": [1.0, -0.0]})).row
    1
    """
    if expected.num_rows != found.num_rows:
        return Difference("rows", f"{expected.num_rows:,}", f"{found.num_rows:,}")
    if expected.column_names != found.column_names:
        return Difference("columns", _names(expected, found), _names(found, expected))
    for field, other in zip(expected.schema, found.schema, strict=True):
        if field.type != other.type:
            return Difference("dtype", str(field.type), str(other.type), column=field.name)
    return _first_value(expected, found)


def differing_rows(expected: pa.Table, found: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each row differs in any column (bool, one per row), of two tables with the same schema and length."""
    masks = list(_masks(expected, found))
    return np.any(masks, axis=0) if masks else np.zeros(expected.num_rows, dtype=np.bool_)


def digest(table: pa.Table) -> str:
    """SHA-256 of a table's schema and values; chunks make no difference. Raises InputError as `first_difference`."""
    total = hashlib.sha256()
    for field, column in zip(table.schema, table.columns, strict=True):
        total.update(f"{field.name}\0{field.type}\0{table.num_rows}\n".encode())
        try:
            for part in _canonical(_decoded(column)):
                total.update(part)
        except pa.ArrowNotImplementedError as error:
            raise _incomparable(field.name, field.type) from error
    return total.hexdigest()


def _names(table: pa.Table, other: pa.Table) -> str:
    """Up to eight names, from the last one before the two lists differ."""
    ours, theirs = table.column_names, other.column_names
    same = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    start = max(0, same - 1)
    shown = ", ".join(map(repr, ours[start : start + 8])) or "none"
    return f"{'…, ' if start else ''}{shown}{', …' if len(ours) > start + 8 else ''}"


def _first_value(expected: pa.Table, found: pa.Table) -> Difference | None:
    differing = [(index, mask) for index, mask in enumerate(_masks(expected, found)) if mask.any()]
    if not differing:
        return None
    index, mask = differing[0]
    row = int(np.argmax(mask))
    left, right = expected.column(index)[row], found.column(index)[row]
    shown_left, shown_right = _shown(_python(left), _python(right)), _shown(_python(right), _python(left))
    if shown_left == shown_right:  # timestamps that differ by less than Python shows
        shown_left, shown_right = (f"{shown_left} ({scalar.cast(pa.int64())})" for scalar in (left, right))
    return Difference(
        "value",
        shown_left,
        shown_right,
        column=expected.column_names[index],
        row=row,
        rows=int(mask.sum()),
        columns=len(differing),
        ulps=_ulps(left.as_py(), right.as_py()) if pa.types.is_float64(left.type) else None,
    )


def _masks(expected: pa.Table, found: pa.Table) -> Iterator[np.ndarray[Any, np.dtype[np.bool_]]]:
    for name, left, right in zip(expected.column_names, expected.columns, found.columns, strict=True):
        try:
            yield _differs(_decoded(left), _decoded(right))
        except pa.ArrowNotImplementedError as error:
            raise _incomparable(name, left.type) from error


def _incomparable(name: str, kind: pa.DataType) -> InputError:
    return InputError(
        f"column {name!r}: found type {kind}, whose values cannot be compared bit for bit, expected numbers, text, "
        "bytes, booleans, dates or times; keep such a column out of the table"
    )


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as its values: no dictionary codes, no string views."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    return column.cast(pa.large_string()) if pa.types.is_string_view(kind) else column


def _same_bytes(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    """Whether two columns of numbers have the same memory: a fast path; False means unknown."""
    kind = left.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)) or left.null_count or right.null_count:
        return False
    width = kind.bit_width // 8
    return left.num_chunks == right.num_chunks and all(
        len(ours) == len(theirs) and _memory(ours, width).equals(_memory(theirs, width))
        for ours, theirs in zip(left.chunks, right.chunks, strict=True)
    )


def _memory(chunk: pa.Array, width: int) -> pa.Buffer:
    return chunk.buffers()[1].slice(chunk.offset * width, len(chunk) * width) if len(chunk) else pa.py_buffer(b"")


def _differs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if _same_bytes(left, right):
        return np.zeros(len(left), dtype=np.bool_)
    nulls_left, nulls_right = _numpy(pc.is_null(left)), _numpy(pc.is_null(right))
    if pa.types.is_null(left.type):
        unlike = np.zeros(len(left), dtype=np.bool_)
    elif pa.types.is_floating(left.type):
        a, b = _numpy(left), _numpy(right)
        bits = _UINT[a.dtype.itemsize]
        unlike = (a.view(bits) != b.view(bits)) & ~(np.isnan(a) & np.isnan(b))
    elif _is_list(left.type):
        unlike = _lists_differ(left, right)
    else:
        unlike = _numpy(pc.fill_null(pc.not_equal(left, right), False))
    different: np.ndarray[Any, np.dtype[np.bool_]] = (nulls_left != nulls_right) | (unlike & ~nulls_left & ~nulls_right)
    return different


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _lengths(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    return _numpy(pc.fill_null(pc.list_value_length(column), 0))


def _lists_differ(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    lengths = _lengths(left)
    unlike: np.ndarray[Any, np.dtype[np.bool_]] = lengths != _lengths(right)
    alike = pa.array(~unlike)
    values = [pa.chunked_array([pc.list_flatten(column.filter(alike).combine_chunks())]) for column in (left, right)]
    rows = np.repeat(np.flatnonzero(~unlike), lengths[~unlike])
    unlike[rows[_differs(*values)]] = True
    return unlike


def _numpy(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(column.to_numpy())


def _canonical(column: pa.ChunkedArray) -> Iterator[bytes]:
    yield _numpy(pc.is_null(column)).tobytes()
    kind = column.type
    if pa.types.is_null(kind):
        return
    if _is_list(kind):
        yield _lengths(column).astype(np.int64).tobytes()
        yield from _canonical(pa.chunked_array([pc.list_flatten(column.combine_chunks())]))
        return
    if pa.types.is_decimal(kind):  # at one scale, its digits are its value
        column, kind = column.cast(pa.string()), pa.string()
    if any(is_kind(kind) for is_kind in _BYTES):
        content = pc.fill_null(column.cast(pa.large_binary()), b"")
        yield _numpy(pc.binary_length(content)).astype(np.int64).tobytes()
        yield b"".join(content.to_pylist())
    else:
        numbers = (
            column.cast(pa.int32() if kind.bit_width == 32 else pa.int64()) if pa.types.is_temporal(kind) else column
        )
        zero = pa.scalar(0, pa.int64()).cast(numbers.type)
        values = _numpy(pc.fill_null(numbers, zero))
        if pa.types.is_floating(kind):  # one NaN for all payloads, as in the comparison
            values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
        yield values.tobytes()


def _python(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):  # a date beyond Python's range, text that is not UTF-8
        number = pa.types.is_temporal(scalar.type)
        return scalar.cast(pa.int64() if number else pa.binary()).as_py()


def _shown(value: object, other: object) -> str:
    """A value as messages show it; of long text and of lists, the part where it begins to differ from another."""
    if isinstance(value, list) and isinstance(other, list):
        for index, (mine, its) in enumerate(zip(value, other, strict=False)):
            if not (mine == its or (mine != mine and its != its)) or str(mine) != str(its):
                return f"{_shown(mine, its)} at {index} of {len(value):,}"
        return f"{len(value):,} values"
    if isinstance(value, float):
        return f"{value!r} ({value.hex()})"
    if isinstance(value, str | bytes) and isinstance(other, type(value)) and len(value) > _LONG:
        differs = (i for i, (a, b) in enumerate(zip(value, other, strict=False)) if a != b)
        start = max(0, next(differs, min(len(value), len(other))) - 10)
        part = value[start : start + _LONG]
        return f"{'…' if start else ''}{part!r}{'…' if start + _LONG < len(value) else ''} (length {len(value):,})"
    return repr(value) if not isinstance(value, str | bytes) or len(value) <= _LONG else f"{value[:_LONG]!r}…"


def _ulps(left: object, right: object) -> int | None:
    if not (isinstance(left, float) and isinstance(right, float)):
        return None
    if not (np.isfinite(left) and np.isfinite(right)):
        return None
    return abs(_ordinal(left) - _ordinal(right))


def _ordinal(value: float) -> int:
    """The rank of a float64 among all; neighbours are 1 apart, 0.0 is 0 and -0.0 is -1."""
    bits = int(np.float64(value).view(np.int64))
    return bits if bits >= 0 else -(bits + 2**63) - 1
