"""`sql` and `fetch`: raw data from a database or an address, kept as a snapshot in the record of the run.

Under `pipeline-lib reproduce` nothing is asked: the snapshots of the record that is repeated are read again.
"""

import math
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import Connection, connection, passwords, without_credentials
from pipeline_lib.project.data_path import remember
from pipeline_lib.project.query import run_query
from pipeline_lib.project.query_columns import frame_of
from pipeline_lib.project.redaction import check_length
from pipeline_lib.records.record import RECORD_VARIABLE, Record
from pipeline_lib.records.snapshots import (
    ADDRESS,
    QUERY,
    Snapshot,
    add_to_list,
    checked_file,
    keep,
    parquet_bytes,
    read_parquet,
    snapshots_of,
)
from pipeline_lib.runner.addresses import checked_source, download
from pipeline_lib.runner.cache.asked_sources import note_asked
from pipeline_lib.runner.shared_answers import Answer, asked_once
from pipeline_lib.system.environment import environment_variable
from pipeline_lib.system.files import sha256_bytes

if TYPE_CHECKING:
    import pandas as pd

REPLAY_VARIABLE = "PIPELINE_LIB_REPLAY"
"""Environment variable with the folder of the record whose snapshots a kernel reads in place of their sources."""
_HEADERS = {0: (b"SQLite format 3\0", "sqlite"), 8: (b"DUCK", "duckdb")}
"""The bytes at some position of a database's file, and the scheme of its address."""
_Asked = tuple[bytes, str, str, int | None]
"""A result's bytes, the suffix of its file, the place that was asked, and the number of rows."""
Ask = Callable[[], _Asked]
_ANSWERING = threading.Lock()
_answered: dict[tuple[str, tuple[str, str, str, bytes]], int] = {}


def sql(source: str | Path, query: str, params: Mapping[str, Any] | None = None) -> "pd.DataFrame":
    """The rows of a query: a DataFrame with a RangeIndex, whose dtypes are those of the database's columns.

    `source` is the name of a connection, whose address is in the environment (`PIPELINE_LIB_URL_WAREHOUSE`) or in the
    user's connections file; or the path of an SQLite or DuckDB file, as `data_path` returns it. `params` are values
    for each `:name` in the query. The query may only read. In a run, what a connection returned is kept in the record.

    Raises InputError for an unknown connection, a query that the database refuses, and a column of several types.

        >>> from pipeline_lib import data_path, sql
        >>> query = "select week, barrels from gasoline where week < :end order by week"
        >>> sql(data_path("data/us_gasoline.sqlite"), query, {"end": "1991 W08"})
               week  barrels
        0  1991 W06    6.621
        1  1991 W07    6.433
    """
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"sql: found {query!r}, expected the text of a query")
    parameters = {str(name): _plain(name, value) for name, value in (params or {}).items()}
    if isinstance(source, os.PathLike):
        path = Path(source).absolute()
        url = f"{_scheme(path)}:///{quote(str(path))}"
        remember([path])
        return frame_of(run_query(Connection(path.name, url), query, parameters))
    texts = {
        name: value if isinstance(value, int | float | str | None) else str(value) for name, value in parameters.items()
    }
    wanted = Snapshot(QUERY, str(source), "", "", "", query=query, parameters=texts)

    def ask() -> _Asked:
        opened = connection(source)
        table = run_query(opened, query, parameters)
        return parquet_bytes(table), ".parquet", opened.shown, table.num_rows

    content, _ = _answer(wanted, ask)
    return frame_of(read_parquet(content))


def fetch(source: str) -> Path:
    """The path of a file with what an address returned, for any reader: `pd.read_csv(fetch("https://…/prices.csv"))`.

    `source` is an address without a password (http, https, or what fsspec reaches), or the name of a connection that
    has one. In a run the file is kept in the record; elsewhere it is a temporary file.

    Raises InputError for an address that does not answer, that has a password, or that is a file, and for a path.
    """
    source = checked_source(source)
    named = "://" not in source
    if not named and list(passwords(source)):
        raise InputError(
            f"fetch: found the address {without_credentials(source)!r} with a password, expected a connection's name; "
            "put the address into PIPELINE_LIB_URL_NAME and call fetch('name')"
        )
    wanted = Snapshot(ADDRESS, source, "", "", "")

    def ask() -> _Asked:
        url = connection(source).url if named else source
        for secret in passwords(url):
            check_length(secret, f"connection {source}")
        content, suffix = download(url)
        return content, suffix, without_credentials(url), None

    content, path = _answer(wanted, ask)
    if path.is_absolute():
        return path
    path = Path(_temporary_folder().name) / path.name
    path.write_bytes(content)
    return path


@contextmanager
def replaying(record: Record) -> Iterator[None]:
    """Inside this context kernels that start read the snapshots of a record. Raises InputError for a damaged one."""
    for snapshot in snapshots_of(record):
        checked_file(record, snapshot)
    with environment_variable(REPLAY_VARIABLE, str(record.folder)):
        yield


def _answer(wanted: Snapshot, ask: Ask) -> tuple[bytes, Path]:
    """The result of a request, from its source or from the record that is repeated; kept where a run is recorded.

    The path is absolute where the result is kept, else the name that its file would have.
    """
    recording, repeated = os.environ.get(RECORD_VARIABLE), os.environ.get(REPLAY_VARIABLE)
    note_asked(f"queried {wanted.source}" if wanted.kind == QUERY else f"fetched {wanted.source}")

    def ask_now() -> Answer:
        as_of = datetime.now(UTC).isoformat(timespec="seconds")
        content, suffix, place, rows = ask()
        return replace(wanted, as_of=as_of, place=place, rows=rows), content, suffix

    if repeated:
        record = Record(Path(repeated))
        found = _recorded(record, wanted)
        content, suffix = checked_file(record, found).read_bytes(), Path(found.file).suffix
    else:
        found, content, suffix = asked_once(wanted, _asked_before(wanted), ask_now)
    if not recording:
        return content, Path(f"{sha256_bytes(content)}{suffix}")
    folder = Path(recording).absolute()
    digest, name = keep(folder, content, suffix)
    add_to_list(folder, replace(found, digest=digest, file=name))
    return content, folder / name


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """The folder of what is fetched outside of a run; it is removed when this process ends."""
    return tempfile.TemporaryDirectory(prefix="fetched-")


def _recorded(record: Record, wanted: Snapshot) -> Snapshot:
    """The snapshot of a request: of several of one request the next one, and after the last the last."""
    known = snapshots_of(record)
    same = [snapshot for snapshot in known if snapshot.request == wanted.request]
    if not same:
        titles = "; ".join(snapshot.title for snapshot in known) or "none"
        raise InputError(
            f"{record.reference}: found no snapshot of {wanted.title}, expected one of: {titles}; go back to the "
            "query of that run, or make another run"
        )
    return same[min(_asked_before(wanted), len(same) - 1)]


def _asked_before(wanted: Snapshot) -> int:
    """How often this process has asked the same before, of the same record or of the source."""
    asked = os.environ.get(REPLAY_VARIABLE, ""), wanted.request
    with _ANSWERING:
        number = _answered.get(asked, 0)
        _answered[asked] = number + 1
    return number


def _scheme(path: Path) -> str:
    """The scheme of a database's file, by its first bytes."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        raise InputError(
            f"sql: found {error}, expected an SQLite or DuckDB file; write data_path('data/x.db')"
        ) from error
    for start, (header, scheme) in _HEADERS.items():
        if head[start : start + len(header)] == header:
            return scheme
    raise InputError(f"sql: found {path}, which is no SQLite or DuckDB file, expected one; read it with pandas")


def _plain(name: object, value: Any) -> Any:
    """A parameter's value, as drivers and the record take it; NumPy's scalars as Python's."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"sql: {name}: found {value}, expected a finite number or None")
    if value is None or isinstance(value, bool | int | float | str | date | Decimal):
        return value
    raise InputError(f"sql: {name}: found {type(value).__name__}, expected a number, text or date; pass one value each")
