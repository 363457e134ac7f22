"""Whole runs whose rows come from a query: repeated from the record's snapshot, without the database."""

import json
from pathlib import Path
from urllib.parse import unquote

import postgresql
import pytest
from depot import PIPELINE, QUERY, Depot, write_depot

from pipeline_lib.records.record import Record
from pipeline_lib.records.snapshots import snapshots_of

pytestmark = pytest.mark.slow
RUN = ("run", "params/trips.yml", "--no-parity", "--json")
NOWHERE = {"PIPELINE_LIB_URL_DEPOT": ""}


def run(depot: Depot, **variables: str) -> Record:
    ended = depot.command(*RUN, **variables)
    assert ended.returncode == 0, ended.stderr
    return Record(Path(json.loads(ended.stdout)["folder"]))


def test_a_run_is_repeated_when_its_database_has_changed_and_is_gone(tmp_path: Path) -> None:
    depot = write_depot(tmp_path)
    record = run(depot)
    (snapshot,) = snapshots_of(record)
    assert (snapshot.rows, snapshot.parameters) == (60, {"farthest": 1000.0})
    assert "depot: select distance, stops, minutes" in record.report.read_text()
    depot.write_rows(40)
    other = run(depot)
    assert other.id != record.id
    depot.database.unlink()

    repeated = depot.command("reproduce", record.reference, **NOWHERE)
    assert repeated.returncode == 0, repeated.stderr
    assert f"reads the snapshot of {snapshot.title}, as of {snapshot.as_of}" in repeated.stderr
    assert "identical" in repeated.stdout
    compared = depot.command("diff", record.reference, other.reference, **NOWHERE)
    assert "rows: 60 → 40" in compared.stdout
    failed = depot.command(*RUN[:-1], **NOWHERE)
    assert failed.returncode == 3
    assert "found no connection 'depot', expected one of: none; set PIPELINE_LIB_URL_DEPOT" in failed.stderr

    (record.folder / snapshot.file).write_bytes(b"")
    refused = depot.command("reproduce", record.reference, **NOWHERE)
    assert refused.returncode == 2
    assert f"{snapshot.file} ({snapshot.title}): found other bytes than the run read" in refused.stderr


def test_another_query_than_the_recorded_one_is_not_answered(tmp_path: Path) -> None:
    depot = write_depot(tmp_path)
    record = run(depot)
    source = PIPELINE.format(query=QUERY.replace("order by id", "order by id desc"))
    depot.write_notebook("pipelines/trips.ipynb", "#| default_exp pipelines.trips", source)
    assert depot.command("export").returncode == 0
    repeated = depot.command("reproduce", record.reference)
    assert repeated.returncode == 3
    assert f"{record.reference}: found no snapshot of depot: select distance" in repeated.stderr
    assert "go back to the query of that run" in repeated.stderr


@pytest.mark.skipif(postgresql.programs() is None, reason="found no PostgreSQL; install Debian's package postgresql")
def test_a_run_reads_postgresql_and_its_password_is_nowhere(tmp_path: Path) -> None:
    import pg8000.dbapi

    depot = write_depot(tmp_path)
    with postgresql.server() as url:
        socket = unquote(url.rpartition("unix_sock=")[2])
        database = pg8000.dbapi.connect("ada", password=postgresql.PASSWORD, database="postgres", unix_sock=socket)
        cursor = database.cursor()
        cursor.execute("create table trips (id int, distance double precision, stops int, minutes double precision)")
        cursor.execute(
            "insert into trips select n, 1.5 * n + 1, n % 7, 2.0 * n + 3 * (n % 7) + (n * 37 % 11) "
            "from generate_series(0, 59) n"
        )
        database.commit()
        database.close()
        ended = depot.command(*RUN, PIPELINE_LIB_URL_DEPOT=url)
    assert ended.returncode == 0, ended.stderr
    postgres = Record(Path(json.loads(ended.stdout)["folder"]))
    sqlite = run(depot)
    assert postgres.read_json("metrics.json") == sqlite.read_json("metrics.json")
    assert postgres.read_json("training.json") == sqlite.read_json("training.json")
    contents = [path.read_bytes() for path in depot.root.rglob("*") if path.is_file()]
    for secret in (postgresql.PASSWORD, postgresql.ENCODED):
        assert not any(
            secret.encode() in content for content in (*contents, ended.stdout.encode(), ended.stderr.encode())
        )
