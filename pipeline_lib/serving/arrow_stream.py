"""Arrow IPC streams: what is sent is checked before Arrow takes memory for it, and before anything reads its values.

Arrow finds offsets and codes that lead out of a buffer only where it is asked to (`validate`). Three kinds of stream
would take far more memory than their own size, so they are refused by the headers of their messages, or by lengths:

    compressed buffers     a thousand times their size
    rows without buffers   columns of type null say any number of rows
    texts that many rows   dictionaries and views point to one long text from every row
    point to
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.serving.http import HttpError

MAX_ROWS = 1_000_000
"""Rows of one request."""
_MAX_HEAD = 4 << 20  # bytes of a message's header: tens of thousands of columns
_MAX_TEXT = 256 << 20  # bytes of the texts of a column of a batch
_MAX_TEXT = 256 << 20  # bytes of the texts of a column of a batch
_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2  # MessageHeader of Arrow's format/Message.fbs


def read_stream(body: bytes, columns: Sequence[str]) -> pa.Table:
    """The rows of a stream, of these columns those that it has. Raises HttpError."""
    try:
        _check_messages(body)
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            names = reader.schema.names
        included = [number for number, name in enumerate(names) if name in columns]
        if not included:  # which Arrow would take for all of them
            raise HttpError(422, f"found none of the columns, expected {', '.join(columns)}")
        options = pa.ipc.IpcReadOptions(included_fields=included, use_threads=False)
        with pa.ipc.open_stream(pa.py_buffer(body), options=options) as reader:
            batches = [_checked(batch) for batch in reader]
            return pa.Table.from_batches(batches, reader.schema)
    except (pa.ArrowException, OSError, ValueError, struct.error) as error:
        found = f"no Arrow stream that can be read ({type(error).__name__})"
        raise HttpError(400, f"found {found}, expected one; write it again") from None


def _check_messages(body: bytes) -> None:
    rows = 0
    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(body)):
        head = memoryview(message.metadata)
        if len(head) > _MAX_HEAD:
            raise HttpError(413, f"found a header of more than {_MAX_HEAD:,} bytes, expected fewer columns")
        table = _Table(head, *struct.unpack_from("<I", head, 0))
        kind = table.number(1, "<B")
        if kind not in (_RECORD_BATCH, _DICTIONARY_BATCH):
            continue
        batch = table.child(2)
        if kind == _DICTIONARY_BATCH:
            batch = batch.child(1)
        if batch.has(3):
            raise HttpError(415, "found compressed buffers, expected them as they are; write with compression=None")
        rows += batch.number(0, "<q") if kind == _RECORD_BATCH else 0
        if rows > MAX_ROWS:
            raise HttpError(413, f"found more than {MAX_ROWS:,} rows, expected fewer; send them in parts")


class _Table:
    """A table of a flatbuffer, which Arrow has verified: its fields by their number, in the order of the schema."""

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position
        self._fields = position - struct.unpack_from("<i", data, position)[0]
        self._size = struct.unpack_from("<H", data, self._fields)[0]

    def has(self, field: int) -> bool:
        """Whether a field is there."""
        return self._offset(field) != 0

    def number(self, field: int, form: str) -> int:
        """A number; 0 where it is left out."""
        offset = self._offset(field)
        return int(struct.unpack_from(form, self._data, self._position + offset)[0]) if offset else 0

    def child(self, field: int) -> "_Table":
        """A table inside this one."""
        if not self.has(field):
            raise ValueError(field)
        place = self._position + self._offset(field)
        return _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def _offset(self, field: int) -> int:
        place = 4 + 2 * field
        return int(struct.unpack_from("<H", self._data, self._fields + place)[0]) if place < self._size else 0


def _checked(batch: Any) -> Any:
    batch.validate(full=True)
    for column in batch.columns:
        if _text_bytes(column) > _MAX_TEXT:
            raise HttpError(413, f"found more than {_MAX_TEXT:,} bytes of text, expected fewer; send it in parts")
    return batch


def _text_bytes(column: Any) -> int:
    """Bytes of a column's texts, each counted for every row that has it."""
    if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
        lengths = pc.binary_length(column.dictionary.cast(pa.large_string())).take(column.indices)
    elif pa.types.is_string_view(column.type):
        views = np.frombuffer(column.buffers()[1] or b"", np.int32).reshape(-1, 4)  # the first is the length
        return int(np.maximum(views[column.offset : column.offset + len(column), 0], 0).sum(dtype=np.int64))
    else:
        return 0
    return pc.sum(lengths).as_py() or 0


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def write_stream(table: pa.Table, facts: dict[str, str]) -> bytes:
    """A table as an Arrow IPC stream whose schema names these facts."""
    sink = pa.BufferOutputStream()
    described = table.replace_schema_metadata(facts)
    with pa.ipc.new_stream(sink, described.schema) as stream:
        stream.write_table(described)
    return bytes(sink.getvalue())


def unreadable_types(schema: pa.Schema) -> Iterator[tuple[str, str]]:
    """The columns whose type no column of `Row` can have, each with the type's first word."""
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(is_one(kind) for is_one in _READABLE):
            yield field.name, str(kind).partition("<")[0].partition("[")[0]


_READABLE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_timestamp,
    pa.types.is_date,
    _is_text,
)
