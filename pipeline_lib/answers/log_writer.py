"""Appends answers to a log, in a thread of its own: no request waits for it, and none fails because of it.

What cannot be written, as the disk is full or the queue is, is dropped and counted.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pq

from pipeline_lib.answers.log_format import DESCRIPTION, FORMAT, FULL, ID, OPEN, OUTPUTS, ROW, TIME, whole_batches
from pipeline_lib.answers.waiting import Waiting
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.file_locks import lock_file
from pipeline_lib.system.files import canonical_json, write_atomic

_LOG = logging.getLogger("uvicorn.error")
_MOST_WAITING = 200_000
"""Rows that wait to be written; more are dropped."""
_SECONDS = 1.0
"""How often what waits is written."""
_AT_ONCE = 10_000
_RETRY = 10.0
"""Seconds without an attempt after one that failed."""
_DAY = 86_400
_RENAMES_OPEN_FILES = os.name != "nt"
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""The mark of the end of an Arrow stream."""


@dataclass(frozen=True)
class Limits:
    """When a file is full (bytes, seconds), how much a log may take (bytes), and for how many days it is kept."""

    file_bytes: int = 64 << 20
    file_seconds: float = 3600.0
    total_bytes: int = 10 << 30
    days: float = 30.0


class LogWriter:
    """The log of one record's answers by this process.

    `row` are the raw columns that are kept, already without sensitive ones; None keeps answers alone. `outputs` are all
    outputs of the model, of which an answer may have some. `on_dropped` gets the number of answers that are not kept.
    """

    def __init__(
        self,
        folder: Path,
        row: RowSchema | None,
        outputs: pa.Schema,
        description: Mapping[str, Any],
        limits: Limits = Limits(),
        on_dropped: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.folder, self.limits, self.dropped, self.written = folder, limits, 0, 0
        self._row, self._outputs, self._on_dropped = row, outputs, on_dropped
        self._description = {"format": FORMAT, **description, "row": row.to_json() if row is not None else None}
        self._waiting: Waiting[tuple[str, int, Sequence[Any] | pa.Table | None, Any]] = Waiting(_MOST_WAITING)
        self._lock = threading.Lock()
        self._wake, self._stop = threading.Event(), False
        self._file: _OpenFile | None = None
        self._failed = 0.0
        self._told = False
        with suppress(OSError):  # tried again with the first answers
            self._make_folder()
        self._clean()
        self._thread = threading.Thread(target=self._work, name="answer log", daemon=True)
        self._thread.start()

    def add(self, answer: str, rows: Sequence[Any] | pa.Table, outputs: pa.Table) -> None:
        """Log the answers to rows, all under one ID; returns at once."""
        count = outputs.num_rows
        kept = rows if self._row is not None else None
        if not self._waiting.put((answer, time.time_ns() // 1000, kept, outputs), count):
            self._drop(count)
        elif self._waiting.rows >= _AT_ONCE:
            self._wake.set()

    def close(self) -> None:
        """Write what waits, and end."""
        self._stop = True
        self._wake.set()
        self._thread.join(timeout=10)

    def flush(self) -> None:
        """Write what waits now."""
        while (part := self._waiting.take(_AT_ONCE))[0]:
            self._write(*part)

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / DESCRIPTION).is_file():
            write_atomic(self.folder / DESCRIPTION, canonical_json(self._description))

    def _drop(self, count: int) -> None:
        with self._lock:
            self.dropped += count
        self._on_dropped(count)

    def _work(self) -> None:
        while not self._stop:
            self._wake.wait(_SECONDS)
            self._wake.clear()
            self.flush()
            self._rotate()
        self.flush()
        self._end_file()

    def _write(self, taken: Sequence[Any], count: int) -> None:
        if time.monotonic() < self._failed:
            self._drop(count)
            return
        try:
            batch = self._batch(taken)
            if self._file is not None and self._file.is_removed():
                self._file.close()
                self._file = None
            if self._file is None:
                self._make_folder()
                self._file = _OpenFile(self.folder, batch.schema)
            self._file.append(batch)
            self.written += count
        except Exception as error:  # a full disk, a folder that was removed: requests go on
            self._drop(count)
            self._failed = time.monotonic() + _RETRY
            if not self._told:
                _LOG.error("the log in %s takes no answers (%s); they are dropped and counted", self.folder, error)
            self._told = True

    def _batch(self, taken: Sequence[Any]) -> pa.RecordBatch:
        ids, times, outputs = [], [], []
        for answer, moment, _, answers in taken:
            count = answers.num_rows
            ids += [answer] if count == 1 else [f"{answer}/{number}" for number in range(count)]
            times += [moment] * count
            outputs.append(_with_all(answers, self._outputs))
        columns = {ID: pa.array(ids, pa.string()), TIME: pa.array(times, pa.timestamp("us", "UTC"))}
        if self._row is not None:
            columns[ROW] = _struct(_conformed([rows for _, _, rows, _ in taken], self._row))
        columns[OUTPUTS] = _struct(pa.concat_tables(outputs))
        return pa.RecordBatch.from_pydict(columns)

    def _rotate(self) -> None:
        if self._file is None or not self._file.is_full(self.limits):
            return
        self._end_file()
        self._clean()

    def _end_file(self) -> None:
        if self._file is not None:
            path = self._file.path
            self._file.close()
            self._file = None
            with suppress(OSError, pa.ArrowException):
                to_parquet(path)

    def _clean(self) -> None:
        """Close files of processes that are gone, remove those that are too old, and the oldest beyond the limit."""
        with suppress(OSError):
            for path in self.folder.glob(f"*{OPEN}"):
                with suppress(OSError, pa.ArrowException), path.open("rb") as stream:
                    lock_file(stream.fileno())  # fails for a process that still appends
                    to_parquet(path)
            files = sorted(self.folder.glob(f"*{FULL}"))
            sizes = {path: path.stat() for path in files}
            total = sum(stat.st_size for stat in sizes.values())
            for path in files:
                old = time.time() - sizes[path].st_mtime > self.limits.days * _DAY
                if old or total > self.limits.total_bytes:
                    path.unlink()
                    total -= sizes[path].st_size


class _OpenFile:
    """A stream that this process appends to, and holds locked as long as it does.

    It has its name only once it is locked, and its bytes are whole batches always: one that fails is cut off.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.path = folder / f"{now}-{os.getpid():x}{secrets.token_hex(2)}{OPEN}"
        self._began = time.monotonic()
        self._size = 0
        self._schema = schema
        sink = pa.BufferOutputStream()
        with pa_ipc.new_stream(sink, schema):
            pass
        part = self.path.with_suffix(".part") if _RENAMES_OPEN_FILES else self.path
        self._file = part.open("xb", buffering=0)
        try:
            lock_file(self._file.fileno())
            self._put(sink.getvalue().to_pybytes()[: -len(_END)])
            part.replace(self.path)
        except BaseException:
            self._file.close()
            part.unlink(missing_ok=True)
            raise

    def append(self, batch: pa.RecordBatch) -> None:
        if batch.schema != self._schema:
            raise InputError("found answers of another form, expected those of one model")
        self._put(batch.serialize().to_pybytes())

    def _put(self, content: bytes) -> None:
        view = memoryview(content)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            os.truncate(self._file.fileno(), self._size)
            os.lseek(self._file.fileno(), self._size, os.SEEK_SET)
            raise
        self._size += len(content)

    def is_removed(self) -> bool:
        return os.fstat(self._file.fileno()).st_nlink == 0

    def is_full(self, limits: Limits) -> bool:
        return self._size > limits.file_bytes or time.monotonic() - self._began > limits.file_seconds

    def close(self) -> None:
        with suppress(OSError):
            self._put(_END)
        self._file.close()


def to_parquet(path: Path) -> None:
    """Replace a stream by a Parquet file with its whole batches; one without any is removed."""
    target = path.with_suffix(FULL)
    part = path.with_name(f".{target.name}.part")
    try:
        batches = list(whole_batches(path))
        if batches:  # in one row group, as each has the statistics of every column
            pq.write_table(pa.Table.from_batches(batches), part, compression="zstd", write_page_checksum=True)
            part.replace(target)
        path.unlink()
    finally:
        part.unlink(missing_ok=True)


def _conformed(rows: Sequence[Any], schema: RowSchema) -> pa.Table:
    """Rows of requests as one table; those that came as lists are converted at once."""
    tables = []
    for are_lists, group in groupby(rows, lambda each: isinstance(each, list)):
        parts = list(group)
        if are_lists:
            parts = [list(chain.from_iterable(parts))]
        tables += [conform(part, schema) for part in parts]
    return pa.concat_tables(tables)


def _with_all(answers: pa.Table, outputs: pa.Schema) -> pa.Table:
    """Answers with every output: those that were not asked for are missing."""
    columns = [
        answers[field.name].cast(field.type)
        if field.name in answers.column_names
        else pa.nulls(answers.num_rows, field.type)
        for field in outputs
    ]
    return pa.table(columns, schema=outputs)


def _struct(table: pa.Table) -> pa.StructArray:
    table = table.combine_chunks()
    arrays = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in table.columns]
    return pa.StructArray.from_arrays(arrays, fields=list(table.schema))
