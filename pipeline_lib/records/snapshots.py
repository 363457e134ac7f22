"""Snapshots: what a query or an address returned to a run, kept in its record, so that the run can be repeated.

A snapshot is a file `snapshots/DIGEST.parquet` of the record (of an address the bytes as they came, with its suffix),
and an entry in the manifest: source, query, parameters, as of when, rows, digest. The seal covers the file, so `verify`
names one that is gone or was changed, and `push`, `pull` and `prune` treat it as they treat every file of a record.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.forgotten import check_rows
from pipeline_lib.records.record import Record
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file, write_atomic

FOLDER = "snapshots"
LIST = "snapshots.json"
"""What a kernel has written so far; the manifest takes its content before the seal."""
QUERY, ADDRESS = "query", "address"


@dataclass(frozen=True)
class Snapshot:
    """One result that a run read.

    `source` is a connection's name or an address without user and password, `place` what the name stood for; `as_of` is
    the time before it was asked (UTC); `rows` is None for an address. `file` is relative to the record's folder.
    """

    kind: str
    source: str
    digest: str
    file: str
    as_of: str
    place: str = ""
    query: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None

    @property
    def request(self) -> tuple[str, str, str, bytes]:
        """What was asked: equal for two results of one query with the same parameters."""
        query = "\n".join(line.rstrip() for line in self.query.strip().splitlines())
        return self.kind, self.source, query, canonical_json(dict(self.parameters))

    @property
    def title(self) -> str:
        """The source and the beginning of the query, as messages show them."""
        words = " ".join(self.query.split())
        short = words if len(words) <= 60 else f"{words[:59]}…"
        given = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.source}{f': {short}' if short else ''}{f' ({given})' if given else ''}"


def snapshots_of(record: Record) -> list[Snapshot]:
    """The snapshots that a record's manifest names, in the order in which they were read."""
    return [Snapshot(**entry) for entry in record.manifest().get("snapshots") or ()]


def take_list(folder: Path) -> list[dict[str, Any]]:
    """The entries that a kernel has written into a record's folder, for its manifest; their list is removed."""
    lines = (folder / LIST).read_text(encoding="utf-8").splitlines() if (folder / LIST).is_file() else []
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    (folder / LIST).unlink(missing_ok=True)
    return entries


def keep(folder: Path, content: bytes, suffix: str) -> tuple[str, str]:
    """Write a result into a record's folder under its digest; the digest, and the name of the file."""
    digest = sha256_bytes(content)
    name = f"{FOLDER}/{digest}{suffix}"
    (folder / FOLDER).mkdir(exist_ok=True)
    if not (folder / name).exists():
        write_atomic(folder / name, content, durable=False)  # the seal makes it durable
    return digest, name


def add_to_list(folder: Path, snapshot: Snapshot) -> None:
    """Add an entry to the list of a record that is being written, as a line: several threads may ask at once."""
    line = json.dumps(asdict(snapshot), ensure_ascii=True, default=str).encode() + b"\n"
    with (folder / LIST).open("ab", buffering=0) as stream:
        stream.write(line)


def checked_file(record: Record, snapshot: Snapshot) -> Path:
    """The path of a snapshot's file. Raises InputError for one that is gone or was changed."""
    check_rows(record, f"in the snapshot of {snapshot.title}")
    path = record.folder / snapshot.file
    problem = "no such file" if not path.is_file() else ""
    if not problem and sha256_file(path) != snapshot.digest:
        problem = "other bytes than the run read"
    if problem:
        raise InputError(
            f"{record.reference}: {snapshot.file} ({snapshot.title}): found {problem}, expected the snapshot that the "
            f"run read; move the record away and `pipeline-lib pull {record.reference} URL`"
        )
    return path


def parquet_bytes(table: Any) -> bytes:
    """A table as the bytes of a Parquet file: equal tables give equal bytes under one version of Arrow."""
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(table.combine_chunks(), stream, compression="zstd")
    return stream.getvalue()


def read_parquet(content: bytes) -> Any:
    """The table of a Parquet file's bytes, with the types that it was written with."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(content)).read()
