"""Rows of a query and predictions in a table, with SQLite and PostgreSQL themselves."""

import math
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import postgresql
import pytest
import scored
from example import ROOT
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.scoring.parts import Parts

VALUES = [85.5, 0.1 + 0.2, 5e-324, -1.7976931348623157e308, 1 / 3, 2**53 - 1.0, -0.0, 123456789.12345678]
ROWS = [scored.row(code=f"c{number}", size=size, rooms=number) for number, size in enumerate(VALUES)]
ROWS += [scored.row(code=code, rooms=9) for code in ("007", "", "None", "Ω 'quoted' \"too\"\n", "%s :x ?")]
ROWS += [scored.row(code=None, size=None, sold=None, day=None, rooms=10)]
EXPECTED = scored.echo().predict_table(ROWS).to_pylist()
DATE = ["--run-date", "2026-11-30"]
CREATE = """create table houses (size double precision, rooms bigint, code text, heated boolean, sold timestamp,
day date, unread text, place integer)"""
SELECT = "select size, rooms, code, heated, sold, day, unread from houses order by place"


@dataclass(frozen=True)
class Database:
    """A database of the tests, which the connection `depot` names."""

    kind: str
    url: str

    def run(self, statement: str, *values: dict[str, Any]) -> list[Any]:
        """The rows of a statement, in a transaction of its own."""
        with create_engine(self.url, poolclass=NullPool).begin() as database:
            result = database.execute(text(statement), list(values) or None)
            return [tuple(row) for row in result] if result.returns_rows else []

    def codes(self, table: str = "predictions") -> dict[str, list[Any]]:
        """The predicted codes of each date, sorted."""
        found: dict[str, list[Any]] = {}
        for day, code in self.run(f'select run_date, "prediction[code]" from {table}'):  # noqa: S608
            found.setdefault(str(day), []).append(code)
        return {day: sorted(codes, key=str) for day, codes in found.items()}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=pytest.mark.skipif(postgresql.programs() is None, reason="found no PostgreSQL")
        ),
    ]
)
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An empty database. Files of work are kept apart from the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "sqlite":
        database = Database("sqlite", f"sqlite:///{tmp_path}/depot.db")
        (tmp_path / "depot.db").touch()
    else:
        database = Database("postgresql", request.getfixturevalue("server"))
        database.run("drop schema public cascade")
        database.run("create schema public")
    monkeypatch.setenv("PIPELINE_LIB_URL_DEPOT", database.url)
    return database


def fill(database: Database, rows: list[dict[str, Any]] = ROWS) -> None:
    database.run(CREATE)
    names = [*rows[0], "place"]
    values = [{**row, "place": number} for number, row in enumerate(rows)]
    if database.kind == "sqlite":  # which has no dates of its own
        values = [{n: v.isoformat(" ") if isinstance(v, datetime) else v for n, v in row.items()} for row in values]
        values = [{n: v.isoformat() if isinstance(v, date) else v for n, v in row.items()} for row in values]
    database.run(f"insert into houses ({', '.join(names)}) values (:{', :'.join(names)})", *values)  # noqa: S608


def write(record: Record, given: Path, *options: object) -> str:
    return scored.done(record, given, "depot", "--table", "predictions", *DATE, *options)


def bits(value: Any) -> Any:
    return struct.pack("<d", value) if isinstance(value, float) and value == value else (str(type(value)), str(value))


def expected_bits(database: Database, *, is_table: bool = False) -> list[list[Any]]:
    """The predictions; SQLite has no -0.0, and in a table neither NaN nor booleans."""
    rows = [list(row.values()) for row in EXPECTED]
    if database.kind == "sqlite":
        rows = [[0.0 if type(value) is float and value == 0 else value for value in row] for row in rows]
    if database.kind == "sqlite" and is_table:
        rows = [[None if value != value else value for value in row] for row in rows]
        rows = [[int(value) if type(value) is bool else value for value in row] for row in rows]
    return [[bits(value) for value in row] for row in rows]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    return scored.write_rows(tmp_path / "rows.csv", ROWS)


def test_the_rows_of_a_query_have_the_bits_of_predict(database: Database, echo_record: Record, tmp_path: Path) -> None:
    fill(database)
    output = tmp_path / "out.parquet"
    for rows in (3, 100):
        scored.done(echo_record, "depot", output, "--query", SELECT, "--keep", "code", "--block-rows", rows)
        found = scored.read_back(output)
        assert [[bits(row[name]) for name in EXPECTED[0]] for row in found] == expected_bits(database)
        assert [row["code"] for row in found] == [row["code"] for row in ROWS]


def test_a_query_takes_parameters_and_a_file(database: Database, tmp_path: Path) -> None:
    record = scored.proven(tmp_path / "runs", scored.classifier("no", "yes"))
    fill(database)
    query = tmp_path / "rows.sql"
    query.write_text("select size from houses\nwhere size is not null and code = :code")
    output = tmp_path / "out.parquet"
    scored.done(record, "depot", output, "--query", f"@{query}", "--param", "code=c4", "--keep", "size")
    assert [(row["size"], row["prediction"]) for row in scored.read_back(output)] == [(1 / 3, "yes")]
    for options, message in [
        (["--query", f"@{query}"], "found no value for :code"),
        (["--query", f"@{query}", "--param", "code"], "--param: found 'code', expected NAME=VALUE"),
        (["--query", "@nothing.sql"], "--query: found"),
        (["--query", "select size fro houses"], "depot: found"),
        (["--query", "select size from houses", "--keep", "code"], "depot: found no column code to keep"),
        (["--query", "select 1 as size where 1 = 2"], ""),
    ]:
        if message:
            assert message in scored.refusal(record, "depot", tmp_path / "no.csv", *options)
        else:
            assert "0 rows by" in scored.done(record, "depot", tmp_path / "no.csv", *options)


def test_a_query_is_asked_again_after_a_refused_row_and_not_after_an_interruption(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = scored.proven(tmp_path / "runs", scored.classifier("no", "yes"))
    fill(database)
    options = ["--query", "select size from houses order by place", "--block-rows", 4]
    output = tmp_path / "out.csv"
    message = scored.refusal(record, "depot", output, *options)
    assert "depot: row 13 of the query: size: found None, expected a number" in message
    database.run("delete from houses where size is null")
    with monkeypatch.context() as patch:
        add = Parts.add

        def interrupted(self: Parts, number: int, part: Any) -> None:
            add(self, number, part)
            if self.folder.name == "parts" and number == 1:
                raise KeyboardInterrupt

        patch.setattr(Parts, "add", interrupted)
        scored.predict(record, "depot", output, *options)
    database.run("delete from houses")
    assert "13 rows (8 were there from before)" in scored.done(record, "depot", output, *options)
    assert "0 rows by" in scored.done(record, "depot", output, *options)


def test_a_date_repeated_leaves_one_set_of_rows(database: Database, echo_record: Record, given: Path) -> None:
    expected = sorted([row["code"] for row in ROWS], key=str)
    for _ in range(3):
        write(echo_record, given, "--block-rows", 4)
        assert database.codes() == {"2026-11-30": expected}
    scored.done(echo_record, given, "depot", "--table", "predictions", "--run-date", "2026-12-01")
    scored.write_rows(given, ROWS[:2])
    write(echo_record, given)
    assert database.codes() == {"2026-11-30": ["c0", "c1"], "2026-12-01": expected}
    assert database.run("select distinct record from predictions") == [(echo_record.reference,)]


def test_what_a_table_holds_has_the_bits_of_predict(database: Database, echo_record: Record, given: Path) -> None:
    write(echo_record, given, "--keep", "size,unread")
    names = [f'"{name}"' for name in EXPECTED[0]]
    found = database.run(f"select {', '.join(names)} from predictions")  # noqa: S608
    assert len(found) == len(EXPECTED)
    expected = expected_bits(database, is_table=True)
    assert sorted([[bits(value) for value in row] for row in found], key=str) == sorted(expected, key=str)
    assert math.isnan(EXPECTED[-1]["prediction[size]"])


def test_a_table_without_a_column_is_refused_with_a_statement_that_adds_it(
    database: Database, echo_record: Record, given: Path
) -> None:
    write(echo_record, given)
    options = ["--table", "predictions", *DATE, "--errors", "column", "--keep", "day"]
    message = str(scored.predict(echo_record, given, "depot", *options).exception)
    assert "table predictions: found no column day, error, expected one for each of the output" in message
    for statement in re.findall(r"`(alter table [^`]+)`", message):
        for each in statement.split("; "):
            database.run(each)
    write(echo_record, given, "--errors", "column", "--keep", "day")
    assert len(database.run("select error from predictions")) == len(ROWS)


def test_rows_of_another_pipeline_are_not_replaced(
    database: Database, echo_record: Record, given: Path, tmp_path: Path
) -> None:
    write(echo_record, given)
    other = scored.proven(tmp_path / "runs", scored.echo(), "others")
    result = scored.predict(other, given, "depot", "--table", "predictions", *DATE)
    assert isinstance(result.exception, InputError)
    message = str(result.exception)
    assert "table predictions: found rows of 2026-11-30 by echo, expected those of others alone" in message
    assert database.run("select distinct record from predictions") == [(echo_record.reference,)]
    again = scored.proven(tmp_path / "runs", scored.echo())
    write(again, given)
    assert database.run("select distinct record from predictions") == [(again.reference,)]


_KILLED = """
import os, sys
from pipeline_lib.cli.main import main
from pipeline_lib.scoring import table_output

real = table_output._in_slices
table_output._AT_ONCE = 2

def slices(part):
    for number, rows in enumerate(real(part)):
        if number == 3:
            os.kill(os.getpid(), 9)
        yield rows

if sys.argv.pop(1) == "kill":
    table_output._in_slices = slices
main()
"""


def begin(record: Record, given: Path, how: str, folder: Path) -> "subprocess.Popen[bytes]":
    """The command in a process of its own, as on another machine."""
    words = ["predict", record.folder, given, "depot", "--table", "predictions", *DATE, "--block-rows", 100]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    return subprocess.Popen(  # noqa: S603 (this library's own program)
        [sys.executable, "-c", _KILLED, how, *map(str, words)], cwd=ROOT, env=environment
    )


def test_a_command_that_is_killed_inside_the_transaction_leaves_the_rows_before(
    database: Database, echo_record: Record, given: Path, tmp_path: Path
) -> None:
    write(echo_record, given)
    before = database.codes()
    scored.write_rows(given, [scored.row(code=f"new{number}") for number in range(20)])
    assert begin(echo_record, given, "kill", tmp_path / "other").wait() == -9
    assert database.codes() == before
    assert begin(echo_record, given, "write", tmp_path / "other").wait() == 0
    assert {code[:3] for code in database.codes()["2026-11-30"]} == {"new"}


def test_two_writers_of_one_date_leave_one_set_of_rows(
    database: Database, echo_record: Record, given: Path, tmp_path: Path
) -> None:
    write(echo_record, scored.write_rows(given, [scored.row(code=f"c{number:03}") for number in range(300)]))
    writers = [begin(echo_record, given, "write", tmp_path / f"machine{number}") for number in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert database.codes() == {"2026-11-30": [f"c{number:03}" for number in range(300)]}


def test_a_table_of_a_schema(database: Database, echo_record: Record, given: Path) -> None:
    if database.kind == "sqlite":
        result = scored.predict(echo_record, given, "depot", "--table", "nowhere.predictions", *DATE)
        assert isinstance(result.exception, InputError)
        return
    database.run('create schema if not exists "Scores"')
    database.run('drop table if exists "Scores".predictions')
    for _ in range(2):
        scored.done(echo_record, given, "depot", "--table", "Scores.predictions", *DATE)
    assert len(database.codes('"Scores".predictions')["2026-11-30"]) == len(ROWS)


def test_an_unknown_connection_and_a_database_that_is_away_are_refused(
    database: Database, echo_record: Record, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_LIB_URL_AWAY", "postgresql+pg8000://ada:geheimnis@127.0.0.1:9/x")
    for name, message in (("nothing", "found no connection 'nothing'"), ("away", "away: found ")):
        result = scored.predict(echo_record, given, name, "--table", "predictions", *DATE)
        assert isinstance(result.exception, InputError)
        assert message in str(result.exception)
        assert "geheimnis" not in str(result.exception)
