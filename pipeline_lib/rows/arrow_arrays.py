"""Arrow arrays: the type of each kind of column, and conversions from and to Python values and NumPy.

Arrays are built from buffers and read from them: `pa.array`, `pa.scalar` and `np.asarray(array)` import pandas wherever
it is installed, which takes longer than most predictions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ARROW_TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "datetime": pa.timestamp("us"),
    "date": pa.date32(),
}
_MAX_STRING_BYTES = 2**31 - 1  # offsets of `pa.string()` are int32
_DATE_UNITS = {"datetime": "us", "date": "D"}


def arrow_array(values: list[Any], kind: str) -> Any:
    """An Arrow array, or a chunked one, of values of a kind's own Python type; None is null."""
    valid = np.array([value is not None for value in values], dtype=bool)
    bitmap = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    if kind == "string":
        parts = [b"" if value is None else value.encode() for value in values]
        ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        if ends[-1] > _MAX_STRING_BYTES:
            middle = len(values) // 2
            return pa.chunked_array([arrow_array(values[:middle], kind), arrow_array(values[middle:], kind)])
        data = [pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(parts))]
    elif kind in _DATE_UNITS:
        dates = np.array([value or "NaT" for value in values], dtype=f"datetime64[{_DATE_UNITS[kind]}]").view(np.int64)
        data = [pa.py_buffer(dates.astype(np.int32) if kind == "date" else dates)]
    else:
        dtype = {"integer": np.int64, "number": np.float64, "boolean": bool}[kind]
        filled = np.array([0 if value is None else value for value in values], dtype=dtype)
        data = [pa.py_buffer(np.packbits(filled, bitorder="little") if kind == "boolean" else filled)]
    return pa.Array.from_buffers(ARROW_TYPES[kind], len(values), [bitmap, *data])


def arrow_scalar(value: Any, kind: str = "integer") -> Any:
    """One value as an Arrow scalar."""
    return arrow_array([value], kind)[0]


def int64_array(numbers: "NDArray[Any] | Sequence[int]") -> pa.Array:
    """Integers as an Arrow array of int64."""
    contiguous = np.ascontiguousarray(numbers, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(contiguous), [None, pa.py_buffer(contiguous)])


def to_numpy(array: pa.Array, dtype: Any) -> NDArray[Any]:
    """An Arrow array of integers without missing values as NumPy, without a copy where the dtype is the same."""
    buffer = array.buffers()[1]
    stored = np.dtype(f"i{array.type.bit_width // 8}")
    if buffer is None:
        return np.zeros(0, dtype=dtype)
    return np.frombuffer(buffer, stored, array.offset + len(array))[array.offset :].astype(dtype, copy=False)


def column_array(table: pa.Table, name: str) -> pa.Array:
    """A column as one array, encoded as it is stored."""
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def decoded_array(table: pa.Table, name: str) -> pa.Array:
    """A column as one array, never dictionary-encoded."""
    values = column_array(table, name)
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def to_table(arrays: Sequence[Any], fields: pa.Schema, *, keep_types: bool) -> pa.Table:
    """A table with these fields; with `keep_types` each has the type of its array instead of the field's."""
    if keep_types:
        fields = pa.schema([field.with_type(array.type) for field, array in zip(fields, arrays, strict=True)])
    return pa.Table.from_arrays(arrays, schema=fields)
