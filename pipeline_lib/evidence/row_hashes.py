"""Keyed 64-bit hashes of raw values: the same value has the same hash whatever kind its column has in two records.

A value is first written as canonical bytes, then hashed by pandas' SipHash under the project's key:

    integer, number, boolean    the float64 that equals it (0.0 for -0.0), little-endian, without zero bytes at its end;
                                an integer that no float64 equals: its 8 bytes and b"\\x01"
    datetime, date              microseconds since 1970, int64, in the same way
    string                      UTF-8
    missing                     one mark, which is no UTF-8 and longer than a number

Columns are comparable only within a class: numbers, times, text. A row's hash follows from its columns' hashes.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CLASSES = {
    "integer": "number",
    "number": "number",
    "boolean": "number",
    "datetime": "time",
    "date": "time",
    "string": "text",
}
"""The class of each kind of column."""
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_MISSING = b"\xff is missing"
_MICROSECONDS_A_DAY = 86_400_000_000
_EXACT = 2**53  # float64 holds every integer up to here


def hashes_of_column(column: pa.ChunkedArray, kind: str, key: str) -> Hashes:
    """A hash of each value (uint64) of a raw column of a kind; `key` has 16 characters of ASCII.

    >>> import pyarrow as pa
    >>> whole, floats = pa.chunked_array([[1, None]]), pa.chunked_array([[1.0, float("nan")]])
    >>> key = "abcdefghijklmnop"
    >>> (hashes_of_column(whole, "integer", key) == hashes_of_column(floats, "number", key)).tolist()
    [True, True]
    """
    if kind == "string":
        return _hashes_of_text(column, key)
    valid = column.is_valid().to_numpy()
    if kind == "number":
        values = pc.fill_null(column, np.nan).to_numpy()
        valid &= ~np.isnan(values)
        content = _bytes(values + 0.0)  # -0.0 + 0.0 is 0.0
    elif kind in ("datetime", "date"):
        content = _bytes(_microseconds(column, kind))
    else:
        content = _bytes_of_integers(pc.fill_null(column.cast(pa.int64()), 0).to_numpy())
    hashes = _hashes(content.astype(object), key)
    hashes[~valid] = _hash_of_missing(key)
    return hashes


def hashes_of_rows(columns: dict[str, Hashes]) -> Hashes:
    """A hash of each row (uint64) from the hashes of its columns, whatever their order."""
    import pandas as pd

    frame = pd.DataFrame({name: columns[name] for name in sorted(columns)})
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().view(np.uint64)


def _hashes_of_text(column: pa.ChunkedArray, key: str) -> Hashes:
    """Text repeats: each distinct value is hashed once."""
    one = column.cast(pa.large_string()).combine_chunks()  # before it is encoded: older pyarrow joins no dictionaries
    array = (one.chunk(0) if isinstance(one, pa.ChunkedArray) else one).dictionary_encode()
    distinct = array.dictionary.to_numpy(zero_copy_only=False).astype(object)
    hashes = np.append(_hashes(distinct, key), _hash_of_missing(key))
    codes: np.ndarray[Any, Any] = pc.fill_null(array.indices, len(distinct)).to_numpy()
    result: Hashes = hashes[codes]
    return result


def _microseconds(column: pa.ChunkedArray, kind: str) -> np.ndarray[Any, Any]:
    numbers = column.cast(pa.int32() if kind == "date" else pa.int64()).cast(pa.int64())
    values: np.ndarray[Any, Any] = pc.fill_null(numbers, 0).to_numpy()
    return values * _MICROSECONDS_A_DAY if kind == "date" else values


def _bytes(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The 8 bytes of each number, little-endian, without zero bytes at their end."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).view("S8")


def _bytes_of_integers(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    floats = values.astype(np.float64)
    if not len(values) or (values.max() <= _EXACT and values.min() >= -_EXACT):
        return _bytes(floats)
    in_range = floats < 2.0**63
    exact = in_range & (np.where(in_range, floats, 0.0).astype(np.int64) == values)
    content = np.zeros((len(values), 9), np.uint8)
    bits = np.where(exact, floats.astype("<f8").view("<i8"), values.astype("<i8"))
    content[:, :8] = bits.view(np.uint8).reshape(-1, 8)
    content[:, 8] = ~exact
    return content.view("S9").ravel()


def _hashes(objects: np.ndarray[Any, Any], key: str) -> Hashes:
    import pandas as pd

    return pd.util.hash_array(objects, hash_key=key, categorize=False)


def _hash_of_missing(key: str) -> np.uint64:
    return np.uint64(_hashes(np.array([_MISSING], dtype=object), key)[0])
