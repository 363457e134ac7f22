"""`sql` and `fetch`: what they return in a notebook, keep in a run, and read again when a run is repeated."""

import base64
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project import data_path as data_path_module
from pipeline_lib.project.data_path import named_paths
from pipeline_lib.records.record import RECORD_VARIABLE, Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.records.snapshots import Snapshot, snapshots_of, take_list
from pipeline_lib.runner import queries
from pipeline_lib.runner.cache.asked_sources import asked_count, asked_since
from pipeline_lib.runner.queries import fetch, replaying, sql
from pipeline_lib.runner.shared_answers import shared_answers

QUERY = "select name, length from boats where length > :least order by name"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No run, no connection, nothing answered or named yet."""
    monkeypatch.delenv(RECORD_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setattr(queries, "_answered", {})
    monkeypatch.setattr(data_path_module, "_named", {})


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An SQLite file that the connection `harbour` leads to."""
    path = tmp_path / "harbour.sqlite"
    write_boats(path, [("Ada", 1.5), ("Bo", 2.5), ("Cy", 3.5)])
    monkeypatch.setenv("PIPELINE_LIB_URL_HARBOUR", f"sqlite:///{path}")
    return path


def write_boats(path: Path, boats: list[tuple[str, float]]) -> None:
    with sqlite3.connect(path) as opened:
        opened.execute("drop table if exists boats")
        opened.execute("create table boats (name text, length real)")
        opened.executemany("insert into boats values (?, ?)", boats)
    opened.close()


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """The record of a run that goes on."""
    record = create_record(tmp_path / "runs", "boats")
    monkeypatch.setenv(RECORD_VARIABLE, str(record.folder))
    return record


def sealed(record: Record) -> Record:
    seal(record, {"status": "finished", "reference": record.reference, "snapshots": take_list(record.folder)})
    return record


def again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """The record of the run that repeats another one."""
    record = create_record(tmp_path / "again", "boats")
    monkeypatch.setenv(RECORD_VARIABLE, str(record.folder))
    return record


def test_a_query_returns_rows_and_outside_of_a_run_keeps_nothing(database: Path, tmp_path: Path) -> None:
    found = sql("harbour", QUERY, params={"least": 2})
    pd.testing.assert_frame_equal(found, pd.DataFrame({"name": ["Bo", "Cy"], "length": [2.5, 3.5]}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["harbour.sqlite"]


def test_a_run_keeps_what_it_read_and_another_reads_it_again(
    database: Path, recording: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sql("harbour", QUERY, params={"least": np.float64(2)})
    record = sealed(recording)
    (snapshot,) = snapshots_of(record)
    assert (snapshot.rows, snapshot.parameters, snapshot.query) == (2, {"least": 2.0}, QUERY)
    assert snapshot.place == f"sqlite:///{database}"
    database.unlink()
    monkeypatch.delenv("PIPELINE_LIB_URL_HARBOUR")
    repeated = again(tmp_path, monkeypatch)
    with replaying(record):
        pd.testing.assert_frame_equal(sql("harbour", QUERY, params={"least": 2.0}), first)
    assert snapshots_of(sealed(repeated)) == [snapshot]
    with pytest.raises(InputError, match="found no connection 'harbour'"):
        sql("harbour", QUERY, params={"least": 2.0})


def test_each_of_two_answers_to_one_query_is_read_again(
    database: Path, recording: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []
    for boats in ([("Ada", 5.0)], [("Ada", 6.0)]):
        write_boats(database, boats)
        lengths += sql("harbour", QUERY, {"least": 1})["length"].tolist()
    record = sealed(recording)
    again(tmp_path, monkeypatch)
    with replaying(record):
        repeated = [sql("harbour", QUERY, {"least": 1})["length"].tolist()[0] for _ in range(2)]
    assert repeated == lengths == [5.0, 6.0]


@pytest.mark.parametrize("changed", [{"query": f"{QUERY} desc"}, {"params": {"least": 3}}, {"source": "port"}])
def test_a_query_that_the_record_does_not_have_is_refused(
    database: Path, recording: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    given = {"source": "harbour", "query": QUERY, "params": {"least": 2}}
    sql(**given)  # type: ignore[arg-type]
    record = sealed(recording)
    again(tmp_path, monkeypatch)
    message = rf"{record.reference}: found no snapshot of .*, expected one of: harbour: select name.*least=2.*go back"
    with replaying(record), pytest.raises(InputError, match=message):
        sql(**{**given, **changed})  # type: ignore[arg-type]


def test_a_damaged_snapshot_is_named_before_a_run_begins(database: Path, recording: Record) -> None:
    sql("harbour", QUERY, {"least": 2})
    record = sealed(recording)
    (record.folder / snapshots_of(record)[0].file).write_bytes(b"")
    with pytest.raises(InputError, match="found other bytes than the run read"), replaying(record):
        raise AssertionError


def test_what_was_asked_is_known_to_the_cache(database: Path) -> None:
    before = asked_count()
    for _ in range(2):
        sql("harbour", QUERY, {"least": 2})
    assert asked_since(before) == ["queried harbour"]


def test_a_file_of_the_project_is_raw_data_by_its_path(database: Path, recording: Record, tmp_path: Path) -> None:
    before = asked_count()
    assert len(sql(database, QUERY, {"least": 2})) == 2
    with duckdb.connect(str(tmp_path / "x.duckdb")) as opened:
        opened.execute("create table boats as select 'Ada' as name, 7.5 as length")
    assert sql(tmp_path / "x.duckdb", QUERY, {"least": 2})["name"].tolist() == ["Ada"]
    assert named_paths() == [database, tmp_path / "x.duckdb"]
    assert asked_since(before) == []
    assert take_list(recording.folder) == []


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match=r"x\.csv, which is no SQLite or DuckDB file, expected one"):
        sql(tmp_path / "x.csv", QUERY)
    with pytest.raises(InputError, match=r"No such file.*expected an SQLite or DuckDB file"):
        sql(tmp_path / "y.db", QUERY)


@pytest.mark.parametrize("value", [[1], np.array([1, 2]), float("nan"), object()])
def test_a_parameter_is_one_plain_value(database: Path, value: object) -> None:
    with pytest.raises(InputError, match="sql: least: found"):
        sql("harbour", QUERY, {"least": value})


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        wanted = f"Basic {base64.b64encode(b'ada:tulip bulb').decode()}"
        if self.path == "/secret.csv" and self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return
        if self.path == "/none.csv":
            self.send_error(404)
            return
        content = b"price\n1.5\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) + (5 if self.path == "/short.csv" else 0)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """A web server of this test."""
    server = HTTPServer(("127.0.0.1", 0), _Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_kept_and_read_again(
    address: str, recording: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetch(f"{address}/prices.csv")
    assert pd.read_csv(path)["price"].tolist() == [1.5]
    assert path.is_relative_to(recording.folder / "snapshots")
    record = sealed(recording)
    (snapshot,) = snapshots_of(record)
    assert (snapshot.kind, snapshot.source, snapshot.rows) == ("address", f"{address}/prices.csv", None)
    repeated = again(tmp_path, monkeypatch)
    monkeypatch.setattr(queries, "download", lambda url: pytest.fail("asked again"))
    with replaying(record):
        path = fetch(f"{address}/prices.csv")
    assert path.read_bytes() == b"price\n1.5\n"
    assert path.is_relative_to(repeated.folder)


def test_outside_of_a_run_a_file_is_temporary(address: str) -> None:
    path = fetch(f"{address}/prices.csv")
    assert path.suffix == ".csv"
    assert path.read_bytes() == b"price\n1.5\n"


def test_a_login_comes_from_a_connection(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{address}/secret.csv".replace("//", "//ada:tulip%20bulb@")
    monkeypatch.setenv("PIPELINE_LIB_URL_SHOP", url)
    assert fetch("shop").read_bytes() == b"price\n1.5\n"
    with pytest.raises(InputError, match="with a password, expected a connection's name") as caught:
        fetch(url)
    assert "tulip" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{}/none.csv", "HTTPError: HTTP Error 404.*expected its content"),
        ("{}/short.csv", "IncompleteRead"),
        ("http://127.0.0.1:1/x", "URLError.*refused"),
        ("file:///etc/hosts", "found the file .*, expected an address"),
        ("oddscheme://h/x", "found the scheme 'oddscheme'"),
        ("data/x.csv", "expected an address with its scheme"),
    ],
)
def test_an_address_that_does_not_answer_is_refused(address: str, path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fetch(path.format(address))


def test_a_snapshot_has_the_names_of_its_fields_in_old_manifests() -> None:
    """Renaming a field would leave sealed records unreadable."""
    names = ["kind", "source", "digest", "file", "as_of", "place", "query", "parameters", "rows"]
    assert list(Snapshot.__dataclass_fields__) == names


def test_kernels_that_share_answers_ask_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lengths() -> list[float]:
        """What a new kernel reads by the same query twice."""
        monkeypatch.setattr(queries, "_answered", {})
        return [sql("harbour", QUERY, {"least": 1})["length"].tolist()[0] for _ in range(2)]

    with shared_answers():
        write_boats(database, [("Ada", 5.0)])
        first = lengths()
        write_boats(database, [("Ada", 6.0)])
        assert lengths() == first == [5.0, 5.0]
        assert sql("harbour", QUERY, {"least": 2})["length"].tolist() == [6.0]  # another request
    assert lengths() == [6.0, 6.0]


def test_a_request_that_failed_is_asked_again(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with shared_answers():
        url = str(database)
        monkeypatch.setenv("PIPELINE_LIB_URL_HARBOUR", "sqlite:////nowhere/x.sqlite")
        with pytest.raises(InputError):
            sql("harbour", QUERY, {"least": 1})
        monkeypatch.setattr(queries, "_answered", {})
        monkeypatch.setenv("PIPELINE_LIB_URL_HARBOUR", f"sqlite:///{url}")
        assert len(sql("harbour", QUERY, {"least": 1})) == 3
