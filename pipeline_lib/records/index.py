"""What run folders say, kept in one file so that thousands are listed at once. The folders are the truth.

The index can be deleted at any time. A row counts only while its stamp is that of the record's manifest and of its
checks, and its checksum that of its bytes; whatever has no such row is read from its folder. Only sealed records
have rows: what else became of a run is found out anew each time.
"""

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import CACHE_ENTRY, CHECKS, INDEX, MANIFEST, METRICS, PARAMETERS, PARITY
from pipeline_lib.records.record import DAMAGED, ID, SEALED, Record, checks_folder
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import read_json, sha256_file

_VERSION = 1
_TABLE = """create table if not exists runs
(name text primary key, stamp text, asked text, request text, summary text, checksum integer) without rowid"""
_PATIENCE = 2.0
"""Seconds to wait for another process that writes the index, before doing without."""


class Entry(NamedTuple):
    """A run as the index has it: `summary` is JSON, `asked` and `request` are digests of its memory."""

    stamp: str
    asked: str
    request: str
    summary: str

    def checksum(self, name: str) -> int:
        """CRC-32 of the row of this name."""
        return zlib.crc32("\n".join((name, *self)).encode())


def entries(runs: Path, pipeline: str | None = None, *, check: bool = False) -> dict[str, Entry]:
    """Every run below a folder, or those of one pipeline, by name (`houses/20261123T074512-8f3a2c`), oldest first.

    What the index did not know is added to it, unless the folder cannot be written. With `check` nothing is taken
    from it, and every byte of a sealed record is read: what is not as it was sealed is damaged, now and later.
    """
    kept = {} if check else _read(runs, pipeline)
    stamps = dict(_stamps(runs, pipeline))
    found = {name: kept[name] for name, stamp in stamps.items() if name in kept and kept[name].stamp == stamp}
    new = {name: _entry(runs, name, stamp, check=check) for name, stamp in stamps.items() if name not in found}
    gone = [name for name in kept if name not in stamps]
    lasting = (*SEALED, DAMAGED) if check else SEALED
    sealed = {name: entry for name, entry in new.items() if entry and json.loads(entry.summary)["status"] in lasting}
    if sealed or gone:
        _write(runs, sealed, gone)
    everything = found | {name: entry for name, entry in new.items() if entry}
    return {name: everything[name] for name in sorted(everything, key=lambda name: name.partition("/")[::-2])}


def summaries(runs: Path, pipeline: str | None = None, *, check: bool = False) -> list[dict[str, Any]]:
    """What is told of each run, oldest first: `reference`, `pipeline`, `status`, `parity`, `started` (UTC),
    `seconds`, `parameters`, `metrics`, `error`, `folder`. `check` as in `entries`.
    """
    found = entries(runs, pipeline, check=check)
    told: list[dict[str, Any]] = json.loads(f"[{','.join(entry.summary for entry in found.values())}]")
    for name, summary in zip(found, told, strict=True):
        summary["folder"] = f"{runs}{os.sep}{name}"
    return told


def alike(runs: Path, pipeline: str, asked: str) -> list[tuple[str, str]]:
    """Names and requests of a pipeline's runs that were asked the same, newest first.

    Rows are taken without a look at their records: who chooses one looks at it himself.
    """
    there = {f"{pipeline}/{entry.name}" for entry in _entries_of(runs / pipeline) if ID.fullmatch(entry.name)}
    rows = _select(runs, "name, asked, request", pipeline)
    if not there <= {row[0] for row in rows}:
        rows = [(name, entry.asked, entry.request) for name, entry in entries(runs, pipeline).items()]
    return sorted(((row[0], row[2]) for row in rows if row[1] == asked and row[0] in there), reverse=True)


def reindex(runs: Path) -> None:
    """Forget the index; the next look makes it anew from the folders. OSError where it cannot be removed."""
    for path in (runs / INDEX, runs / f"{INDEX}-journal"):
        path.unlink(missing_ok=True)


def read_parity(record: Record) -> dict[str, Any] | None:
    """What a record's last parity check left beside it; None where there is none that can be read."""
    try:
        parity = read_json(checks_folder(record) / PARITY)
    except (InputError, OSError):
        return None
    whole = isinstance(parity, dict) and isinstance(parity.get("exact"), bool) and "text" in parity
    return parity if whole else None


def _stamps(runs: Path, pipeline: str | None) -> Iterator[tuple[str, str]]:
    """Names of the records, each with what shows that its manifest or its checks have changed."""
    names = [pipeline] if pipeline else [entry.name for entry in _entries_of(runs) if entry.name[0] != "."]
    for name in names:
        checks: dict[str, str] = {}
        for check in _entries_of(runs / name / CHECKS):
            record = check.name.rpartition("-")[0]
            checks[record] = f"{checks.get(record, '')} {check.name} {_stamp(f'{check.path}/{PARITY}')}"
        for entry in _entries_of(runs / name):
            if ID.fullmatch(entry.name) and not entry.is_symlink() and (stamp := _stamp(f"{entry.path}/{MANIFEST}")):
                told = " ".join(_stamp(f"{entry.path}/{file}") for file in (PARAMETERS, METRICS))
                yield f"{name}/{entry.name}", f"{stamp} {told}{checks.get(entry.name, '')}"


def _entries_of(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)  # noqa: PTH116 (ten thousand of them: no path objects)
    except OSError:
        return ""
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_size}.{found.st_ino}"


def _entry(runs: Path, name: str, stamp: str, *, check: bool) -> Entry | None:
    """What a record's folder says; None when the folder has gone meanwhile.

    A sealed record is damaged where what is told of it is not as it was sealed, with `check` where any byte is not.
    """
    record = Record(runs / name)
    try:
        status, manifest = record.status(), record.manifest()
        parameters, metrics, memory = (record.read_json(file) for file in (PARAMETERS, METRICS, CACHE_ENTRY))
        if status in SEALED and (verify(record) if check else not _as_sealed(record, manifest)):
            status = DAMAGED
    except (InputError, OSError):
        status, manifest, parameters, metrics, memory = DAMAGED, {}, None, None, None
    if not record.folder.is_dir():
        return None
    parity = read_parity(record)
    times, error, memory = (_mapping(value) for value in (manifest.get("times"), manifest.get("error"), memory))
    summary = {
        "reference": record.reference,
        "pipeline": record.pipeline,
        "status": status,
        "parity": parity and ("exact" if parity["exact"] else "different"),
        "started": times.get("started"),
        "seconds": times.get("seconds"),
        "parameters": _mapping(parameters),
        "metrics": _mapping(metrics),
        "error": error.get("message"),
    }
    text = json.dumps(summary, ensure_ascii=False)
    return Entry(stamp, str(memory.get("asked", "")), str(memory.get("request", "")), text)


def _as_sealed(record: Record, manifest: Mapping[str, Any]) -> bool:
    """Whether the files that a summary tells of are there, with the bytes that the manifest lists."""
    files = _mapping(manifest.get("files"))
    paths = ((record.folder / file, files.get(file)) for file in (PARAMETERS, METRICS, CACHE_ENTRY))
    return all((sha256_file(path) if path.is_file() else None) == digest for path, digest in paths)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(runs: Path, pipeline: str | None) -> dict[str, Entry]:
    """The rows of the index by name; none where one of them is damaged, and the index with it removed."""
    rows = _select(runs, "name, stamp, asked, request, summary, checksum", pipeline)
    try:
        kept = {row[0]: Entry(*row[1:5]) for row in rows}
        whole = all(kept[row[0]].checksum(row[0]) == row[5] for row in rows)
    except TypeError:  # a number where text should be
        kept, whole = {}, False
    if whole:
        return kept
    _forget(runs)
    return {}


def _select(runs: Path, columns: str, pipeline: str | None) -> list[tuple[Any, ...]]:
    """Columns of all rows or of one pipeline's; none where there is no index, or one of another version."""
    path = runs / INDEX
    if not path.is_file():
        return []
    between = (f"{pipeline}/", f"{pipeline}0") if pipeline else ("", "\U0010ffff")  # 0 comes after /
    query = f"select {columns} from runs where name >= ? and name < ?"  # noqa: S608 (our own words)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as database:
            database.text_factory = partial(str, encoding="utf-8", errors="replace")
            version = database.execute("pragma user_version").fetchone()
            return database.execute(query, between).fetchall() if version == (_VERSION,) else []
    except sqlite3.OperationalError:  # locked, or begun by another process this moment
        return []
    except sqlite3.DatabaseError:
        _forget(runs)
        return []


def _forget(runs: Path) -> None:
    with suppress(OSError):  # in a folder that cannot be written it stays, and is read each time
        reindex(runs)


def _write(runs: Path, sealed: Mapping[str, Entry], gone: Iterable[str]) -> None:
    """Add and remove rows; an index that is damaged is removed, one that cannot be written is left alone."""
    try:
        with closing(sqlite3.connect(runs / INDEX, timeout=_PATIENCE)) as database, database:
            whole = database.execute("pragma quick_check(1)").fetchone() == ("ok",)
            if whole:
                _replace(database, sealed, gone)
    except sqlite3.OperationalError:  # locked, read-only, a full disk
        return
    except sqlite3.DatabaseError:  # no database any more
        whole = False
    if not whole:
        _forget(runs)


def _replace(database: sqlite3.Connection, sealed: Mapping[str, Entry], gone: Iterable[str]) -> None:
    if database.execute("pragma user_version").fetchone() != (_VERSION,):
        database.execute("drop table if exists runs")
        database.execute(f"pragma user_version = {_VERSION}")
    database.execute("pragma synchronous = off")  # a lost index costs a second look, no data
    database.execute(_TABLE)
    rows = [(name, *entry, entry.checksum(name)) for name, entry in sealed.items()]
    database.executemany("insert or replace into runs values (?, ?, ?, ?, ?, ?)", rows)
    database.executemany("delete from runs where name = ?", [(name,) for name in gone])
