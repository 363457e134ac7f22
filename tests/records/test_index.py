"""The list of runs: always what the folders contain, whatever happens to the index."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from example import ROOT
from small_records import index_rows, sealed_run

from pipeline_lib.records.index import entries, reindex, summaries
from pipeline_lib.records.layout import INDEX
from pipeline_lib.records.query import select
from pipeline_lib.records.record import Record, all_records, checks_folder, create_record, write_manifest
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json
from pipeline_lib.system.locks import locked


def listed(runs: Path) -> list[str]:
    return [f"{summary['reference']} {summary['status']}" for summary in summaries(runs)]


def in_folders(runs: Path) -> list[str]:
    return [f"{record.reference} {record.status()}" for record in all_records(runs)]


def test_the_second_look_reads_no_record(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = summaries(runs)
    assert (len(first), index_rows(runs)) == (5, 5)
    monkeypatch.setattr(Record, "manifest", lambda self: pytest.fail("it read a record"))
    assert summaries(runs) == first


def test_a_summary_has_the_facts_of_a_run(runs: Path) -> None:
    summary = summaries(runs)[3]
    assert summary["folder"] == str(runs / summary["reference"])
    assert {key: summary[key] for key in ("pipeline", "status", "parity", "seconds", "error", "metrics")} == {
        "pipeline": "boats",
        "status": "failed",
        "parity": None,
        "seconds": 2.5,
        "error": "too windy",
        "metrics": {},
    }
    assert summary["parameters"]["estimator"] == {"alpha": 0.5}


def damage(path: Path, kind: str) -> None:
    """Damage the index."""
    if kind == "no database":
        path.write_bytes(b"no database" * 1000)
    elif kind == "cut short":
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "missing":
        path.unlink()
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    else:
        statements = {
            "another version": "pragma user_version = 99",
            "another table": "drop table runs",
            "wrong rows": "update runs set summary = replace(summary, 'finished', 'failed!!')",
            "no checksums": "update runs set checksum = null",
            "swapped names": "update runs set name = name || '0'",
        }
        with sqlite3.connect(path) as database:
            database.execute(statements[kind])
        database.close()


def test_a_summary_has_the_sizes_of_a_sealed_record_and_none_of_an_old_one(tmp_path: Path) -> None:
    old = sealed_run(tmp_path)
    new = create_record(tmp_path, "boats")
    (new.folder / "rows").write_bytes(b"x" * 2_000_000)
    seal(new, {"status": "finished", "reference": new.reference, "peak_memory": 300_000_000})
    running = create_record(tmp_path, "boats")
    found = {summary["reference"]: summary for summary in summaries(tmp_path)}
    assert (found[new.reference]["peak_memory"], found[new.reference]["bytes"] // 10_000) == (300_000_000, 200)
    assert (found[old.reference]["peak_memory"], found[running.reference]["bytes"]) == (None, None)
    assert found[old.reference]["bytes"] == sum(path.stat().st_size for path in old.folder.iterdir())


DAMAGES = ("no database", "cut short", "empty", "missing", "a folder", "another version", "another table", "wrong rows")


@pytest.mark.parametrize("kind", [*DAMAGES, "no checksums", "swapped names"])
def test_a_damaged_index_changes_no_summary_and_is_made_again(runs: Path, kind: str) -> None:
    expected = summaries(runs)
    damage(runs / INDEX, kind)
    assert summaries(runs) == expected
    assert summaries(runs) == expected
    if kind != "a folder":
        assert summaries(runs) == expected
        assert index_rows(runs) == 5


def test_a_flipped_bit_anywhere_in_the_index_changes_no_summary(runs: Path) -> None:
    expected = summaries(runs)
    whole = (runs / INDEX).read_bytes()
    for place in range(0, len(whole), 97):
        (runs / INDEX).write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert summaries(runs) == expected


def test_new_removed_and_copied_runs_are_seen_at_once(runs: Path, tmp_path: Path) -> None:
    assert listed(runs) == in_folders(runs)
    new = sealed_run(runs)
    assert listed(runs)[4:] == [f"masts/{summaries(runs)[4]['reference'][6:]} finished", f"{new.reference} finished"]
    shutil.rmtree(all_records(runs)[0].folder)
    assert listed(runs) == in_folders(runs)
    assert index_rows(runs) == 5
    shutil.copytree(runs, tmp_path / "copied")
    assert listed(tmp_path / "copied") == in_folders(runs)


def test_the_status_of_an_unsealed_run_is_determined_each_time(runs: Path) -> None:
    record = create_record(runs, "boats")
    with locked(record.folder):
        assert summaries(runs)[-1]["status"] == "running"
    assert summaries(runs)[-1]["status"] == "killed"
    assert index_rows(runs) == 5
    write_manifest(record, {"status": "odd"})
    assert summaries(runs)[-1]["status"] == "damaged"
    seal(record, {"status": "finished", "reference": record.reference})
    assert summaries(runs)[-1]["status"] == "finished"
    (record.folder / "manifest.json").write_text("{")
    assert summaries(runs)[-1]["status"] == "damaged"


def statuses(runs: Path, **arguments: bool) -> list[str]:
    return [summary["status"] for summary in summaries(runs, **arguments)]


def test_a_run_is_damaged_when_a_file_of_its_summary_cannot_be_read_or_was_edited(runs: Path) -> None:
    assert statuses(runs) == ["finished"] * 3 + ["failed", "finished"]
    first, second, *_, last = all_records(runs)
    (first.folder / "metrics.json").write_text("{")
    (second.folder / "params.json").write_bytes(canonical_json({"seed": 1}))
    (last.folder / "metrics.json").unlink()
    assert statuses(runs) == ["damaged", "damaged", "finished", "failed", "damaged"]
    assert chosen(runs, status="damaged") == [None, 1.0, None]


def test_with_check_any_record_that_verify_refuses_is_damaged_and_stays_so(runs: Path) -> None:
    (all_records(runs)[0].folder / "added.txt").write_text("tampered")
    assert statuses(runs)[0] == "finished"
    assert statuses(runs, check=True) == ["damaged"] + ["finished"] * 2 + ["failed", "finished"]
    assert statuses(runs)[0] == "damaged"


def test_a_later_parity_check_shows(runs: Path) -> None:
    record = all_records(runs)[0]
    assert summaries(runs)[0]["parity"] is None
    checks = checks_folder(record)
    checks.mkdir(parents=True)
    for text, verdict in (('{"exact": true, "text": ""}', "exact"), ('{"exact": false, "text": ""}', "different")):
        (checks / "parity.json").write_text(text)
        assert summaries(runs)[0]["parity"] == verdict
    (checks / "parity.json").write_text("{")
    assert summaries(runs)[0]["parity"] is None


def test_one_pipeline_is_listed_alone_and_the_others_stay_in_the_index(runs: Path) -> None:
    summaries(runs)
    assert {name.partition("/")[0] for name in entries(runs, "masts")} == {"masts"}
    shutil.rmtree(all_records(runs)[-1].folder)
    assert entries(runs, "masts") == {}
    assert index_rows(runs) == 4


def test_no_folder_no_runs(tmp_path: Path) -> None:
    assert summaries(tmp_path / "runs") == []
    reindex(tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_is_read(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(database: object, *arguments: object, **options: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    assert listed(runs) == in_folders(runs)
    assert not (runs / INDEX).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_read(runs: Path) -> None:
    runs.chmod(0o500)
    try:
        assert listed(runs) == in_folders(runs)
        assert not (runs / INDEX).exists()
    finally:
        runs.chmod(0o700)


WRITER = """
import sys
from pathlib import Path
from pipeline_lib.records.index import summaries
from pipeline_lib.records.record import create_record
from pipeline_lib.records.seal import seal

runs, pipeline = Path(sys.argv[1]), sys.argv[2]
for number in range(1, 6):
    record = create_record(runs, pipeline)
    seal(record, {"status": "finished", "reference": record.reference})
    assert sum(run["pipeline"] == pipeline for run in summaries(runs)) == number
"""


def test_many_writers_lose_no_row(runs: Path) -> None:
    words = (sys.executable, "-c", WRITER, str(runs))
    writers = [subprocess.Popen((*words, f"fleet{number}"), cwd=ROOT) for number in range(4)]  # noqa: S603 (our own)
    assert [writer.wait() for writer in writers] == [0] * 4
    assert listed(runs) == in_folders(runs)
    assert index_rows(runs) == 25


def chosen(runs: Path, **arguments: Any) -> list[float | None]:
    return [summary["metrics"].get("rmse") for summary in select(summaries(runs), **arguments)]
