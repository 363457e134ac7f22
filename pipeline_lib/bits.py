"""The one comparison: length, column names, dtypes, then bits. Never a tolerance.

Columns are Arrow columns. Two values are the same when both are missing, or their bits are the same;
a NaN is a NaN whatever its payload, and -0.0 is not 0.0.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_UINT = {2: np.uint16, 4: np.uint32, 8: np.uint64}


@dataclass(frozen=True)
class Difference:
    """The first thing in which a table is not as expected.

    `what` is `rows`, `columns`, `dtype` or `value`; `row` counts from 0; `rows` is the number of rows
    that differ in `column`; `ulps` is the distance of two finite floats in units in the last place.
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
            f"{self.rows:,} rows of this column differ, {self.columns:,} columns do"
        )


def first_difference(expected: pa.Table, found: pa.Table) -> Difference | None:
    """Compare two Arrow tables bit for bit; None when they are the same.

    Returns the first difference in the order rows, column names (with their order), dtypes, values.
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
    """Which rows differ in any column (bool, one per row) of two tables of the same rows and schema."""
    masks = [mask for _, mask in _masks(expected, found)]
    return np.any(masks, axis=0) if masks else np.zeros(expected.num_rows, dtype=np.bool_)


def digest(table: pa.Table) -> str:
    """SHA-256 of a table's schema and values, the same for every chunking of the same rows."""
    total = hashlib.sha256()
    for field, column in zip(table.schema, table.columns, strict=True):
        total.update(f"{field.name}\0{field.type}\0{table.num_rows}\n".encode())
        for part in _canonical(column):
            total.update(part)
    return total.hexdigest()


def _names(table: pa.Table, other: pa.Table) -> str:
    missing = [name for name in table.column_names if name not in set(other.column_names)]
    shown = missing or table.column_names
    return f"{', '.join(map(repr, shown[:8]))}{', …' if len(shown) > 8 else ''}"


def _first_value(expected: pa.Table, found: pa.Table) -> Difference | None:
    differing = [(name, mask) for name, mask in _masks(expected, found) if mask.any()]
    if not differing:
        return None
    name, mask = differing[0]
    row = int(np.argmax(mask))
    left, right = expected.column(name)[row].as_py(), found.column(name)[row].as_py()
    return Difference(
        "value",
        _shown(left),
        _shown(right),
        column=name,
        row=row,
        rows=int(mask.sum()),
        columns=len(differing),
        ulps=_ulps(left, right) if pa.types.is_float64(expected.schema.field(name).type) else None,
    )


def _masks(expected: pa.Table, found: pa.Table) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]]:
    for name, left, right in zip(expected.column_names, expected.columns, found.columns, strict=True):
        yield name, _differs(left, right)


def _differs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    nulls_left, nulls_right = _numpy(pc.is_null(left)), _numpy(pc.is_null(right))
    if pa.types.is_floating(left.type):
        a, b = _numpy(left), _numpy(right)
        whole = _UINT[a.dtype.itemsize]
        unlike = (a.view(whole) != b.view(whole)) & ~(np.isnan(a) & np.isnan(b))
    else:
        unlike = _numpy(pc.fill_null(pc.not_equal(left, right), False))
    different: np.ndarray[Any, np.dtype[np.bool_]] = (nulls_left != nulls_right) | (unlike & ~nulls_left & ~nulls_right)
    return different


def _numpy(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(column.to_numpy())


def _canonical(column: pa.ChunkedArray) -> Iterator[bytes]:
    yield _numpy(pc.is_null(column)).tobytes()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        text = pc.fill_null(column.cast(pa.large_string()), "")
        yield _numpy(pc.binary_length(text)).astype(np.int64).tobytes()
        yield "".join(text.to_pylist()).encode()
    elif pa.types.is_null(kind):
        yield b""
    else:
        plain = column.cast(pa.int64()) if pa.types.is_temporal(kind) and kind.bit_width == 64 else column
        plain = plain.cast(pa.int32()) if pa.types.is_date32(kind) else plain
        zero = pa.scalar(0, pa.int64()).cast(plain.type)
        values = _numpy(pc.fill_null(plain, zero))
        if pa.types.is_floating(kind):  # one NaN, whatever its payload: as in the comparison
            values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
        yield values.tobytes()


def _shown(value: object) -> str:
    return f"{value!r} ({value.hex()})" if isinstance(value, float) else repr(value)


def _ulps(left: object, right: object) -> int | None:
    if not (isinstance(left, float) and isinstance(right, float)):
        return None
    if not (np.isfinite(left) and np.isfinite(right)):
        return None
    return abs(_ordinal(left) - _ordinal(right))


def _ordinal(value: float) -> int:
    """Where a double stands among all doubles; neighbours are 1 apart, and both zeros are 0 and -1."""
    bits = int(np.float64(value).view(np.int64))
    return bits if bits >= 0 else -(bits + 2**63) - 1
