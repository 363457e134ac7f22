"""Arrow tables to the columns of a plan and back, by their buffers: pandas is not needed, and little is copied."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import PlanColumn, concat_rows
from pipeline_lib.compiled.operations.list_columns import ListColumn, SharedListColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import MAX_EXACT_INTEGER

Part = TypeVar("Part")
_MICROSECONDS_A_DAY = 86_400_000_000


class Executor(Protocol):
    """What evaluates nodes of a plan for columns: NumPy's executor, or the core's."""

    def run(self, columns: Mapping[str, PlanColumn], rows: int, first: int = 0) -> list[PlanColumn]:
        """The nodes' columns for `rows` rows, numbered from `first`."""
        ...


def from_arrow(table: pa.Table) -> dict[str, PlanColumn]:
    """The columns of a conformed table as columns of a plan, by name."""
    return dict(zip(table.column_names, map(_column, map(_one_array, table.columns), table.schema), strict=True))


def plain_values(array: Any) -> Any:
    """An Arrow array of float64, int64, bool or datetimes as one of NumPy, with NaN and NaT for missing.

    None for missing integers and bools, and for datetimes but naive microseconds. `to_numpy` of Arrow imports pandas.
    """
    kind, missing, rows = type(array).__name__, array.null_count, len(array)
    validity, data = array.buffers()
    if kind == "BooleanArray":
        return None if missing else _bits(data, array.offset, rows)
    numbers = np.frombuffer(data, np.float64 if kind == "DoubleArray" else np.int64, rows, 8 * array.offset)
    if kind == "Int64Array":
        return None if missing else numbers
    if missing:
        numbers = numbers.copy()
        numbers[~_bits(validity, array.offset, rows)] = np.nan if kind == "DoubleArray" else NAT
    if kind == "DoubleArray":
        return numbers
    return numbers.view("datetime64[us]") if array.type == pa.timestamp("us") else None


def run_parts(executor: Executor, parts: Iterable[pa.Table]) -> list[PlanColumn]:
    """The executor's columns for conformed tables whose rows follow one another; memory holds two tables at a time."""
    results, first = [], 0
    for columns, rows in one_ahead((from_arrow(part), part.num_rows) for part in parts):
        results.append(executor.run(columns, rows, first))
        first += rows
    return [concat_rows(columns) for columns in zip(*results, strict=True)]


def one_ahead(parts: Iterator[Part]) -> Generator[Part, None, None]:
    """The parts in order; a thread makes the next one while the caller works on this one."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, parts, None)
        while (part := following.result()) is not None:
            following = pool.submit(next, parts, None)
            yield part


def _one_array(column: Any) -> Any:
    """A column's values in one Arrow array; in chunks where one array cannot hold them."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column


def _column(array: Any, field: pa.Field) -> PlanColumn:
    if isinstance(array, pa.ChunkedArray):  # text of more than 2 GiB stays in chunks
        return concat_rows([_column(part, field) for part in array.chunks])
    kind = array.type
    if pa.types.is_large_list(kind):
        return _lists(array, kind.value_field.with_name(field.name))
    if pa.types.is_dictionary(kind) and pa.types.is_large_list(kind.value_type):
        return _shared_lists(array, kind.value_type.value_field.with_name(field.name))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return _text(array)
    valid = _valid(array)
    if pa.types.is_boolean(kind):
        bits = _bits(array.buffers()[1], array.offset, len(array))
        return np.where(valid, bits, np.nan) if field.nullable else bits
    if pa.types.is_floating(kind):
        numbers = _buffer(array, np.float64)
        return np.where(valid, numbers, np.nan) if array.null_count else numbers
    if pa.types.is_integer(kind):
        integers = _buffer(array, np.int64)
        return _nullable_integers(integers, valid, field.name) if field.nullable else integers
    if pa.types.is_date(kind):
        integers = _buffer(array, np.int32).astype(np.int64) * _MICROSECONDS_A_DAY
    else:
        integers = _buffer(array, np.int64)
    return np.where(valid, integers, NAT) if array.null_count else integers


def _lists(array: Any, field: pa.Field) -> ListColumn:
    starts = _buffer(array.offsets, np.int64)
    first, last = int(starts[0]), int(starts[-1])
    return ListColumn(_column(array.values.slice(first, last - first), field), starts - first if first else starts)


def _shared_lists(array: Any, field: pa.Field) -> PlanColumn:
    try:
        return SharedListColumn(_buffer(array.indices, np.int32), _lists(array.dictionary, field))
    except InputError:  # a list is refused that no row may have: refuse it in the rows' own lists
        return _lists(array.dictionary.take(array.indices), field)


def _nullable_integers(integers: NDArray[np.int64], valid: Any, name: str) -> NDArray[np.float64]:
    beyond = int(np.count_nonzero(valid & ((integers > MAX_EXACT_INTEGER) | (integers < -MAX_EXACT_INTEGER))))
    if beyond:
        raise InputError(
            f"{name}: found {beyond} integers beyond 2**53, expected integers that float64 holds exactly, as "
            "the column may be missing: declare it without `| None`, or as str"
        )
    return np.where(valid, integers.astype(np.float64), np.nan)


def _text(array: Any) -> TextColumn:
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array):
        array = array.dictionary_decode()  # a part of a longer table: fewer words occur than the table has
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    indices = coded.indices
    codes = _buffer(indices, np.int32)
    if indices.null_count:
        codes = np.where(_valid(indices), codes, np.int32(-1))
    return TextColumn(codes, Words([*coded.dictionary.to_pylist(), None]))


def _valid(array: Any) -> Any:
    bitmap = array.buffers()[0]
    return True if bitmap is None or not array.null_count else _bits(bitmap, array.offset, len(array))


def _bits(buffer: Any, offset: int, length: int) -> NDArray[np.bool_]:
    if buffer is None:
        return np.zeros(0, dtype=np.bool_)
    packed = np.frombuffer(buffer, dtype=np.uint8)
    return np.unpackbits(packed, count=offset + length, bitorder="little")[offset:].astype(np.bool_)


def _buffer(array: Any, dtype: Any) -> Any:
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), dtype=dtype)
    return np.frombuffer(buffer, dtype=dtype, count=array.offset + len(array))[array.offset :]


def to_arrow(column: PlanColumn, dtype: str) -> Any:
    """A plan's column as an Arrow array: NaN stays NaN, missing text, datetimes and durations are null."""
    if dtype == "str":
        return _text_array(column)
    if dtype == "bool":
        buffers = [None, pa.py_buffer(np.packbits(column, bitorder="little"))]
        return pa.Array.from_buffers(pa.bool_(), len(column), buffers)
    if dtype in ("datetime", "duration"):
        valid = np.packbits(column != NAT, bitorder="little")
        kind = pa.timestamp("us") if dtype == "datetime" else pa.duration("us")
        return pa.Array.from_buffers(kind, len(column), [pa.py_buffer(valid), _data(column)])
    kind = pa.float64() if dtype == "float64" else pa.int64()
    return pa.Array.from_buffers(kind, len(column), [None, _data(column)])


def to_table(columns: Mapping[str, tuple[PlanColumn, str]]) -> pa.Table:
    """Named columns, each with its dtype, as a table.

    A vector becomes a column for each of its numbers (`name[0]`, ...), a sparse column two columns of lists: the
    indices of each row's values (`name[places]`) and the values (`name[values]`).
    """
    arrays: dict[str, Any] = {}
    for name, (column, dtype) in columns.items():
        if dtype == "bag":
            arrays |= {f"{name}[{part}]": array for part, array in _sparse_arrays(column).items()}
        elif dtype == "vector":
            arrays |= {f"{name}[{index}]": to_arrow(numbers, "float64") for index, numbers in enumerate(column)}
        else:
            arrays[name] = to_arrow(column, dtype)
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


def _sparse_arrays(column: SparseColumn) -> dict[str, Any]:
    """A sparse column as two lists a row; the keys are names in records."""
    ends = pa.Array.from_buffers(pa.int64(), len(column.indptr), [None, _data(column.indptr.astype(np.int64))])
    parts = {"places": to_arrow(column.indices, "int64"), "values": to_arrow(column.values, "float64")}
    return {name: pa.LargeListArray.from_arrays(ends, part) for name, part in parts.items()}


def _data(column: NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(np.ascontiguousarray(column))


def _text_array(text: TextColumn) -> Any:
    encoded = [(word or "").encode() for word in text.words]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    words = pa.Array.from_buffers(
        pa.large_string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    )
    valid = pa.py_buffer(np.packbits(~text.missing(), bitorder="little"))
    codes = np.where(text.codes < 0, len(encoded) - 1, text.codes).astype(np.int32)
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [valid, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, words).dictionary_decode().cast(pa.string())
