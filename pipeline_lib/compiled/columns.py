"""The column executor: a plan over whole tables, in blocks that stay in the processor's cache."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.compiled.operations import NAT, OPERATIONS, RefusedRows, Text, Words
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.errors import InputError
from pipeline_lib.rowvalues import EXACT

BLOCK_ROWS = 4096
Column = Any  # a NumPy array or Text, see `operations.table`


class ColumnExecutor:
    """Evaluates the nodes that some results of a plan rest upon, block by block."""

    def __init__(self, plan: Plan, roots: Sequence[int]) -> None:
        self.roots = list(roots)
        self.dtypes = [plan.nodes[root].dtype for root in self.roots]
        needed = plan.needed(roots)
        self._slots: list[Any] = [None] * len(plan.nodes)
        self._inputs: list[tuple[int, str]] = []
        self._work: list[tuple[int, Callable[..., Any], tuple[int, ...], tuple[int, ...]]] = []
        last = {taken: place for place in needed for taken in plan.nodes[place].inputs}
        for place in needed:
            node = plan.nodes[place]
            if node.operation == "constant":
                self._slots[place] = node.settings["value"]
            elif node.operation == "input":
                self._inputs.append((place, node.settings["column"]))
            else:
                done = tuple(
                    taken
                    for taken in set(node.inputs)
                    if last[taken] == place and taken not in self.roots and plan.nodes[taken].operation != "constant"
                )
                self._work.append((place, OPERATIONS[node.operation].column(node.settings), node.inputs, done))

    def run(self, columns: Mapping[str, Column], rows: int) -> list[Column]:
        """The roots' columns for `rows` rows of raw columns, in order of `roots`."""
        with np.errstate(all="ignore"):
            blocks = [
                self._block(columns, start, min(start + BLOCK_ROWS, rows)) for start in range(0, rows, BLOCK_ROWS)
            ]
            blocks = blocks or [self._block(columns, 0, 0)]
        return [joined(parts) for parts in zip(*blocks, strict=True)]

    def _block(self, columns: Mapping[str, Column], start: int, stop: int) -> list[Column]:
        slots = list(self._slots)
        for place, name in self._inputs:
            slots[place] = cut(columns[name], start, stop)
        try:
            for place, function, inputs, done in self._work:
                slots[place] = function(*[slots[taken] for taken in inputs])
                for taken in done:
                    slots[taken] = None
        except RefusedRows as refused:
            raise InputError(f"row {start + refused.row}: {refused}") from None
        return [whole(slots[root], dtype, stop - start) for root, dtype in zip(self.roots, self.dtypes, strict=True)]


def cut(column: Column, start: int, stop: int) -> Column:
    """Some rows of a column."""
    if isinstance(column, Text):
        return Text(column.codes[start:stop], column.words)
    return column[..., start:stop]


def whole(column: Column, dtype: str, rows: int) -> Column:
    """A column of as many rows: one that came of constants alone is spread over them."""
    if dtype == "bag":
        return column
    if dtype == "str":
        text = column if isinstance(column, Text) else Text.of([column])
        return Text(np.broadcast_to(text.codes, (rows,)), text.words) if len(text) != rows else text
    array = np.asarray(column)
    shape = (*array.shape[:-1], rows) if array.ndim else (rows,)
    return np.broadcast_to(array, shape) if array.shape != shape else array


def joined(parts: Sequence[Column]) -> Column:
    """Blocks of one column as one."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Text):
        if all(part.words is parts[0].words for part in parts):
            return Text(np.concatenate([part.codes for part in parts]), parts[0].words)
        return Text.of([word for part in parts for word in part.tolist()])
    if hasattr(parts[0], "joined"):
        return parts[0].joined(parts)
    return np.concatenate(parts, axis=-1)


def from_arrow(table: pa.Table) -> dict[str, Column]:
    """The columns of a conformed table as a plan takes them, by name."""
    return {field.name: _column(chunk(table.column(place)), field) for place, field in enumerate(table.schema)}


def chunk(column: Any) -> pa.Array:
    """A column's values in one Arrow array."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column


def _column(array: Any, field: pa.Field) -> Column:
    if isinstance(array, pa.ChunkedArray):  # text of more than 2 GiB stays in chunks
        return joined([_column(part, field) for part in array.chunks])
    kind = array.type
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
        integers = _buffer(array, np.int32).astype(np.int64) * 86_400_000_000
    else:
        integers = _buffer(array, np.int64)
    return np.where(valid, integers, NAT) if array.null_count else integers


def _nullable_integers(integers: NDArray[np.int64], valid: Any, name: str) -> NDArray[np.float64]:
    beyond = int(np.count_nonzero(valid & (np.abs(integers) > EXACT)))
    if beyond:
        raise InputError(
            f"{name}: found {beyond} integers beyond 2**53, expected integers that float64 holds exactly, as "
            "the column may be missing: declare it without `| None`, or as str"
        )
    return np.where(valid, integers.astype(np.float64), np.nan)


def _text(array: Any) -> Text:
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    indices = coded.indices
    codes = _buffer(indices, np.int32)
    if indices.null_count:
        codes = np.where(_valid(indices), codes, np.int32(-1))
    return Text(codes, Words([*coded.dictionary.to_pylist(), None]))


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


def to_arrow(column: Column, dtype: str) -> Any:
    """A plan's column as an Arrow array: NaN stays NaN, missing text and dates are null."""
    if dtype == "str":
        return _text_array(column)
    if dtype == "bool":
        buffers = [None, pa.py_buffer(np.packbits(column, bitorder="little"))]
        return pa.Array.from_buffers(pa.bool_(), len(column), buffers)
    if dtype == "datetime":
        valid = np.packbits(column != NAT, bitorder="little")
        return pa.Array.from_buffers(pa.timestamp("us"), len(column), [pa.py_buffer(valid), _data(column)])
    kind = pa.float64() if dtype == "float64" else pa.int64()
    return pa.Array.from_buffers(kind, len(column), [None, _data(column)])


def _data(column: NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(np.ascontiguousarray(column))


def _text_array(text: Text) -> Any:
    parts = [(word or "").encode() for word in text.words]
    ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    words = pa.Array.from_buffers(
        pa.large_string(), len(parts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(parts))]
    )
    valid = pa.py_buffer(np.packbits(~text.missing(), bitorder="little"))
    codes = np.where(text.codes < 0, len(parts) - 1, text.codes).astype(np.int32)
    places = pa.Array.from_buffers(pa.int32(), len(codes), [valid, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(places, words).dictionary_decode().cast(pa.string())
