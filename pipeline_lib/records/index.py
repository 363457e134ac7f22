"""Summaries of all runs in one SQLite file, so that thousands are listed at once. The run folders are the truth.

The index can be deleted at any time. A row is used only if its stamp matches the record's manifest and checks, and its
checksum the row itself; other records are read from their folders. Only sealed records have rows: the status of a run
that is not sealed is determined at each look.
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
from pipeline_lib.records.forgotten import FORGOTTEN, forgotten_in
from pipeline_lib.records.layout import CACHE_ENTRY, CHECKS, INDEX, MANIFEST, METRICS, PARAMETERS, PARITY
from pipeline_lib.records.record import DAMAGED, ID, SEALED, Record, checks_folder
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import files_below, read_json, sha256_file

_VERSION = 4
"""The table's version; an index of another version is made again."""
_TABLE = """create table if not exists runs
(name text primary key, stamp text, asked text, request text, summary text, checksum integer) without rowid"""
_TIMEOUT = 2.0
"""Seconds to wait for another process that writes the index; after that the folders are read."""


class Entry(NamedTuple):
    """A row of the index: `summary` is JSON, `requested` and `key` are digests of the record's cache entry."""

    stamp: str
    requested: str
    key: str
    summary: str

    def checksum(self, name: str) -> int:
        """CRC-32 of the row of this name."""
        return zlib.crc32("\n".join((name, *self)).encode())


def entries(runs: Path, pipeline: str | None = None, *, check: bool = False) -> dict[str, Entry]:
    """Every run below a folder, or those of one pipeline, by name (`houses/20261123T074512-8f3a2c`), oldest first.

    Missing rows are added to the index, unless the folder cannot be written. With `check` no row is used, and every
    byte of a sealed record is read: a record that is not as it was sealed is damaged, now and at later looks.
    """
    rows = {} if check else _read(runs, pipeline)
    stamps = dict(_stamps(runs, pipeline))
    valid = {name: rows[name] for name, stamp in stamps.items() if name in rows and rows[name].stamp == stamp}
    new = {name: _entry(runs, name, stamp, check=check) for name, stamp in stamps.items() if name not in valid}
    removed = [name for name in rows if name not in stamps]
    final = (*SEALED, DAMAGED) if check else SEALED
    sealed = {name: entry for name, entry in new.items() if entry and json.loads(entry.summary)["status"] in final}
    if sealed or removed:
        _write(runs, sealed, removed)
    everything = valid | {name: entry for name, entry in new.items() if entry}
    return {name: everything[name] for name in sorted(everything, key=lambda name: name.partition("/")[::-2])}


def summaries(runs: Path, pipeline: str | None = None, *, check: bool = False) -> list[dict[str, Any]]:
    """The summary of each run, oldest first: `reference`, `pipeline`, `status`, `parity`, `started` (UTC), `seconds`,
    `peak_memory` (of the kernel, bytes), `bytes` (of the record's files), `parameters`, `metrics`, `metric` (METRIC as
    `name` and `direction`), `value` (`unit`, `mean`, `total`, `rows`), `baseline` (the best one by METRIC and by
    value), `threshold` (of a classifier), `error`, `folder`. `check` as in `entries`.
    """
    rows = entries(runs, pipeline, check=check)
    result: list[dict[str, Any]] = json.loads(f"[{','.join(entry.summary for entry in rows.values())}]")
    for name, summary in zip(rows, result, strict=True):
        summary["folder"] = f"{runs}{os.sep}{name}"
    return result


def similar_runs(
    runs: Path, pipeline: str, requested: str, parameters: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """Names and cache keys of a pipeline's runs with the same request, newest first.

    With `parameters` also those that had these, however they were requested. Rows are not compared with their records:
    the caller verifies the record that it uses.
    """
    names = {f"{pipeline}/{entry.name}" for entry in _scan(runs / pipeline) if ID.fullmatch(entry.name)}
    rows = _select(runs, f"name, asked, request, {'null' if parameters is None else 'summary'}", pipeline)
    if not names <= {row[0] for row in rows}:
        rows = [(name, one.requested, one.key, one.summary) for name, one in entries(runs, pipeline).items()]
    similar = (row for row in rows if row[1] == requested or _has_parameters(row[3], parameters))
    return sorted(((row[0], row[2]) for row in similar if row[0] in names), reverse=True)


def _has_parameters(summary: Any, parameters: Mapping[str, Any] | None) -> bool:
    try:
        return parameters is not None and bool(json.loads(summary)["parameters"] == parameters)
    except (ValueError, TypeError, KeyError):  # a damaged row
        return False


def reindex(runs: Path) -> None:
    """Delete the index; the next look makes it again from the folders. OSError where it cannot be removed."""
    for path in (runs / INDEX, runs / f"{INDEX}-journal"):
        path.unlink(missing_ok=True)


def read_parity(record: Record) -> dict[str, Any] | None:
    """The result of a record's last parity check; None where there is none, or none that can be read."""
    try:
        return as_parity(read_json(checks_folder(record) / PARITY))
    except (InputError, OSError):
        return None


def as_parity(parity: Any) -> dict[str, Any] | None:
    """The content of a parity result; None where it is none."""
    complete = isinstance(parity, dict) and isinstance(parity.get("exact"), bool) and "text" in parity
    return parity if complete else None


def _stamps(runs: Path, pipeline: str | None) -> Iterator[tuple[str, str]]:
    """Names of the records, each with a stamp that changes when its manifest, its summary or its checks do."""
    pipelines = [pipeline] if pipeline else [entry.name for entry in _scan(runs) if entry.name[0] != "."]
    for name in pipelines:
        checks: dict[str, str] = {}
        for check in _scan(runs / name / CHECKS):
            record = check.name.rpartition("-")[0]
            checks[record] = f"{checks.get(record, '')} {check.name} {_stamp(f'{check.path}/{PARITY}')}"
        for entry in _scan(runs / name):
            if ID.fullmatch(entry.name) and not entry.is_symlink() and (stamp := _stamp(f"{entry.path}/{MANIFEST}")):
                others = " ".join(_stamp(f"{entry.path}/{file}") for file in (PARAMETERS, METRICS))
                yield f"{name}/{entry.name}", f"{stamp} {others}{checks.get(entry.name, '')}"


def _scan(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries_of_folder:
            return list(entries_of_folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _stamp(path: str) -> str:
    try:
        stat = os.stat(path)  # noqa: PTH116 (ten thousand of them: no path objects)
    except OSError:
        return ""
    return f"{stat.st_mtime_ns}.{stat.st_ctime_ns}.{stat.st_size}.{stat.st_ino}"


def _entry(runs: Path, name: str, stamp: str, *, check: bool) -> Entry | None:
    """The row of a record, read from its folder; None when the folder was removed since it was listed.

    A sealed record is damaged where a file of its summary is not as it was sealed, with `check` where any byte is not.
    """
    record = Record(runs / name)
    try:
        status, manifest = record.status(), record.manifest()
        parameters, metrics, cache_entry = (record.read_json(file) for file in (PARAMETERS, METRICS, CACHE_ENTRY))
        if status in SEALED and (verify(record) if check else not _as_sealed(record, manifest)):
            status = DAMAGED
    except (InputError, OSError):
        status, manifest, parameters, metrics, cache_entry = DAMAGED, {}, None, None, None
    if not record.folder.is_dir():
        return None
    size = size_of(record) if status in SEALED else None
    parity = read_parity(record)
    summary = summarise(record, status, manifest, parity, parameters=parameters, metrics=metrics, size=size)
    text, key = json.dumps(summary, ensure_ascii=False), _mapping(cache_entry)
    return Entry(stamp, str(key.get("asked", "")), str(key.get("request", "")), text)


def size_of(record: Record) -> int | None:
    """The bytes of a record's files, without its checks; None where they cannot be read."""
    try:
        return sum(path.stat().st_size for path in files_below(record.folder))
    except OSError:
        return None


def summarise(
    record: Record,
    status: str,
    manifest: Mapping[str, Any],
    parity: Any,
    *,
    parameters: Any,
    metrics: Any,
    size: int | None = None,
) -> dict[str, Any]:
    """The summary of a record from the content of its files, whatever they hold; without `folder`."""
    peak = manifest.get("peak_memory")
    times, error, metric = (_mapping(manifest.get(name)) for name in ("times", "error", "metric"))
    checked = parity and ("exact" if parity["exact"] else "different")
    return {
        "reference": record.reference,
        "pipeline": record.pipeline,
        "status": status,
        "parity": FORGOTTEN if forgotten_in(manifest) else checked,
        "started": times.get("started"),
        "seconds": times.get("seconds"),
        "peak_memory": peak if isinstance(peak, int) else None,
        "bytes": size,
        "parameters": _mapping(parameters),
        "metrics": _mapping(metrics),
        "metric": dict(metric) or None,
        "value": dict(_mapping(manifest.get("value"))) or None,
        "baseline": manifest.get("baseline"),
        "threshold": manifest.get("threshold"),
        "error": error.get("message"),
    }


def _as_sealed(record: Record, manifest: Mapping[str, Any]) -> bool:
    """Whether the files that a summary is made from have the digests that the manifest lists."""
    files = _mapping(manifest.get("files"))
    paths = ((record.folder / file, files.get(file)) for file in (PARAMETERS, METRICS, CACHE_ENTRY))
    return all((sha256_file(path) if path.is_file() else None) == digest for path, digest in paths)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(runs: Path, pipeline: str | None) -> dict[str, Entry]:
    """The rows of the index by name; where one of them is damaged, none, and the index is removed."""
    rows = _select(runs, "name, stamp, asked, request, summary, checksum", pipeline)
    try:
        by_name = {row[0]: Entry(*row[1:5]) for row in rows}
        intact = all(by_name[row[0]].checksum(row[0]) == row[5] for row in rows)
    except TypeError:  # a number where text should be
        by_name, intact = {}, False
    if intact:
        return by_name
    _remove_index(runs)
    return {}


def _select(runs: Path, columns: str, pipeline: str | None) -> list[tuple[Any, ...]]:
    """Columns of all rows, or of one pipeline's; none where there is no index, or one of another version."""
    path = runs / INDEX
    if not path.is_file():
        return []
    between = (f"{pipeline}/", f"{pipeline}0") if pipeline else ("", "\U0010ffff")  # 0 comes after /
    query = f"select {columns} from runs where name >= ? and name < ?"  # noqa: S608 (our own words)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT)) as database:
            database.text_factory = partial(str, encoding="utf-8", errors="replace")
            version = database.execute("pragma user_version").fetchone()
            return database.execute(query, between).fetchall() if version == (_VERSION,) else []
    except sqlite3.OperationalError:  # locked, or just being made by another process
        return []
    except sqlite3.DatabaseError:
        _remove_index(runs)
        return []


def _remove_index(runs: Path) -> None:
    with suppress(OSError):  # in a read-only folder it stays
        reindex(runs)


def _write(runs: Path, sealed: Mapping[str, Entry], removed: Iterable[str]) -> None:
    """Add and remove rows; an index that is damaged is deleted, one that cannot be written is left as it is."""
    try:
        with closing(sqlite3.connect(runs / INDEX, timeout=_TIMEOUT)) as database, database:
            intact = database.execute("pragma quick_check(1)").fetchone() == ("ok",)
            if intact:
                _replace(database, sealed, removed)
    except sqlite3.OperationalError:  # locked, read-only, a full disk
        return
    except sqlite3.DatabaseError:  # the file is no database
        intact = False
    if not intact:
        _remove_index(runs)


def _replace(database: sqlite3.Connection, sealed: Mapping[str, Entry], removed: Iterable[str]) -> None:
    if database.execute("pragma user_version").fetchone() != (_VERSION,):
        database.execute("drop table if exists runs")
        database.execute(f"pragma user_version = {_VERSION}")
    database.execute("pragma synchronous = off")  # a lost index is made again from the folders
    database.execute(_TABLE)
    rows = [(name, *entry, entry.checksum(name)) for name, entry in sealed.items()]
    database.executemany("insert or replace into runs values (?, ?, ?, ?, ?, ?)", rows)
    database.executemany("delete from runs where name = ?", [(name,) for name in removed])
