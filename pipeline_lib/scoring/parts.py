"""The answers of blocks, one file each, kept until the output is complete: an interrupted run continues from them.

A folder of parts belongs to one INPUT, one OUTPUT and one record; anything else begins a new one.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as pa_ipc

from pipeline_lib.errors import InputError
from pipeline_lib.system.files import canonical_json, sha256_bytes, write_atomic
from pipeline_lib.system.locks import locked

_REQUEST, _PART = "request.json", ".arrow"
_open = pa.OSFile if os.name == "nt" else pa.memory_map  # Windows removes no file whose bytes a table still maps


@contextmanager
def alone(folder: Path, output: str) -> Iterator[None]:
    """Make a folder, hold it inside the block, and remove it at the end; after an error it stays if it has parts.

    Raises InputError where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            before = folder.stat().st_ino
            held.enter_context(locked(folder))
            is_held = folder.stat().st_ino == before
        except (BlockingIOError, FileNotFoundError):
            is_held = False
        if not is_held:  # another process holds it, or has removed it just now
            raise InputError(
                f"{output}: found a process that writes it now, expected one at a time; wait for it, or name another "
                "output"
            )
        try:
            yield
        except BaseException:
            if any(folder.rglob(f"*{_PART}")):  # work goes on there
                raise
            _remove(folder)
            raise
        _remove(folder)


def clear(folder: Path) -> None:
    """Remove what is in a folder."""
    for path in folder.iterdir():
        if path.is_dir():
            _remove(path)
        else:
            path.unlink()


def _remove(folder: Path) -> None:
    clear(folder)
    folder.rmdir()


def work_folder(output: str, table: str | None) -> Path:
    """Where the parts of an output are kept: beside a local file, else in the user's cache."""
    if table is None and "://" not in output:
        target = Path(output).absolute()
        return target.with_name(f".{target.name}.scoring")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pipeline-lib" / "scoring" / sha256_bytes(f"{output}\n{table}".encode())[:16]


class Parts:
    """The parts of an output in a folder of their own, numbered from 0 without a gap."""

    def __init__(self, folder: Path, request: Mapping[str, Any]) -> None:
        self.folder = folder
        self._request = canonical_json(dict(request))

    def begin(self) -> int:
        """How many parts are there of this very request; those of another are removed first."""
        self.folder.mkdir(exist_ok=True)
        request = self.folder / _REQUEST
        if not request.is_file() or request.read_bytes() != self._request:
            clear(self.folder)
            write_atomic(request, self._request)
        number = 0
        while self._path(number).is_file():
            number += 1
        return number

    def add(self, number: int, part: pa.Table) -> None:
        """Keep a part; it is there as a whole or not at all."""
        sink = pa.BufferOutputStream()
        with pa_ipc.new_stream(sink, part.schema) as stream:
            stream.write_table(part)
        write_atomic(self._path(number), sink.getvalue())

    def read(self, count: int) -> Iterator[pa.Table]:
        """The parts in order."""
        for number in range(count):
            with _open(str(self._path(number))) as stream, pa_ipc.open_stream(stream) as reader:
                yield reader.read_all()

    def rows(self, count: int) -> int:
        """How many rows the first parts have."""
        return sum(part.num_rows for part in self.read(count))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}{_PART}"


def unified(schemas: Iterator[pa.Schema]) -> pa.Schema:
    """The schema of all parts: a column without a value in some has its type from the others.

    Raises InputError for a kept column whose type is another in some rows.
    """
    fields: dict[str, pa.Field] = {}
    for schema in schemas:
        for field in schema:
            known = fields.setdefault(field.name, field)
            if pa.types.is_null(known.type):
                fields[field.name] = field
            elif not pa.types.is_null(field.type) and field.type != known.type:
                raise InputError(
                    f"{field.name}: found {known.type} in some rows and {field.type} in others, expected one type to "
                    "keep; cast it where it comes from, or leave it out of --keep"
                )
    return pa.schema([field.with_nullable(True).remove_metadata() for field in fields.values()])


def with_schema(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """A part with the columns of all."""
    columns = [
        part[field.name].cast(field.type) if field.name in part.column_names else pa.nulls(part.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
