"""What a record keeps of queries and addresses: listed in its manifest, sealed, checked before it is read."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.records.snapshots import (
    LIST,
    QUERY,
    Snapshot,
    add_to_list,
    checked_file,
    keep,
    parquet_bytes,
    read_parquet,
    snapshots_of,
    take_list,
)
from pipeline_lib.records.transfer import pull, push

TABLE = pa.table(
    {
        "whole": pa.array([1, None], pa.int64()),
        "price": pa.array([Decimal("1.50"), None], pa.decimal128(38, 2)),
        "large": pa.array([Decimal(10) ** 50, None], pa.decimal256(76, 0)),
        "at": pa.array([0, None], pa.timestamp("us", "UTC")),
        "took": pa.array([5, None], pa.duration("us")),
        "time": pa.array([5, None], pa.time64("us")),
        "day": pa.array([5, None], pa.date32()),
        "nothing": pa.nulls(2),
        "bytes": pa.array([b"\x00", None]),
    }
)


def kept_snapshot(folder: Path, query: str = "select 1", **facts: object) -> Snapshot:
    """A snapshot of TABLE in a record's folder and list."""
    digest, name = keep(folder, parquet_bytes(TABLE), ".parquet")
    entry = {"parameters": {"day": "2026-11-23"}, "rows": 2, **facts}
    snapshot = Snapshot(QUERY, "depot", digest, name, "2026-11-23T10:00:00+00:00", query=query, **entry)  # type: ignore[arg-type]
    add_to_list(folder, snapshot)
    return snapshot


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A sealed record with two snapshots of one result."""
    record = create_record(tmp_path / "runs", "boats")
    for query in ("select 1", "select\n 2"):
        kept_snapshot(record.folder, query)
    seal(record, {"status": "finished", "reference": record.reference, "snapshots": take_list(record.folder)})
    return record


def test_a_table_comes_back_with_its_types() -> None:
    assert read_parquet(parquet_bytes(TABLE)).equals(TABLE)
    assert read_parquet(parquet_bytes(TABLE)).schema.equals(TABLE.schema)


def test_equal_rows_are_one_file_whatever_their_chunks() -> None:
    halves = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    assert parquet_bytes(halves) == parquet_bytes(TABLE)


def test_a_record_lists_what_it_read(record: Record) -> None:
    first, second = snapshots_of(record)
    assert (first.source, first.query, first.parameters, first.rows) == ("depot", "select 1", {"day": "2026-11-23"}, 2)
    assert second.title == "depot: select 2 (day=2026-11-23)"
    assert first.file == second.file == f"snapshots/{first.digest}.parquet"
    assert verify(record) == []
    assert not (record.folder / LIST).exists()
    assert read_parquet(checked_file(record, first).read_bytes()).equals(TABLE)


def test_a_changed_or_missing_snapshot_is_named(record: Record) -> None:
    snapshot = snapshots_of(record)[0]
    path = record.folder / snapshot.file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"snapshots/.*\(depot: select 1 .*found other bytes than the run read"):
        checked_file(record, snapshot)
    assert f"{snapshot.file}: found other bytes" in verify(record)[0]
    path.unlink()
    with pytest.raises(InputError, match="found no such file, expected the snapshot that the run read"):
        checked_file(record, snapshot)
    assert any(f"{snapshot.file}: found no such file" in problem for problem in verify(record))


def test_push_and_pull_carry_it(record: Record, tmp_path: Path) -> None:
    push(record, str(tmp_path / "store"))
    copy = pull(record.reference, str(tmp_path / "store"), tmp_path / "other")
    assert checked_file(copy, snapshots_of(copy)[0]).read_bytes() == parquet_bytes(TABLE)


def test_requests_are_equal_for_one_query_with_the_same_parameters(tmp_path: Path) -> None:
    first = kept_snapshot(tmp_path, "select 1  \n from x")
    assert first.request == kept_snapshot(tmp_path, "\nselect 1\n from x\n").request
    assert first.request != kept_snapshot(tmp_path, "select 1\n from y").request
    assert first.request != kept_snapshot(tmp_path, "select 1  \n from x", parameters={"day": "2026-11-24"}).request
    assert len(take_list(tmp_path)) == 4
    assert take_list(tmp_path) == []


def test_an_entry_is_plain_json(tmp_path: Path) -> None:
    snapshot = kept_snapshot(tmp_path)
    assert take_list(tmp_path) == [asdict(snapshot)]
    assert Snapshot(**asdict(snapshot)) == snapshot


def test_several_threads_lose_no_entry(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        wanted = list(pool.map(lambda number: kept_snapshot(tmp_path, f"select {number}"), range(60)))
    entries = take_list(tmp_path)
    assert sorted(entry["query"] for entry in entries) == sorted(snapshot.query for snapshot in wanted)
