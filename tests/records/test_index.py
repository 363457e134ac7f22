"""The list of runs: always what the folders say, however the index fares; and choosing among them."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from example import ROOT

import pipeline_lib
from pipeline_lib.cli import main as cli
from pipeline_lib.errors import InputError
from pipeline_lib.records.index import entries, reindex, summaries
from pipeline_lib.records.layout import INDEX
from pipeline_lib.records.query import select
from pipeline_lib.records.record import Record, all_records, checks_folder, create_record, write_manifest
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json
from pipeline_lib.system.locks import locked


def sealed(runs: Path, pipeline: str = "boats", status: str = "finished", **facts: dict[str, Any]) -> Record:
    """A record with parameters and metrics."""
    record = create_record(runs, pipeline)
    for name in ("params", "metrics"):
        (record.folder / f"{name}.json").write_bytes(canonical_json(facts.get(name, {})))
    error = {"message": "too windy"} if status == "failed" else None
    times = {"started": f"2026-11-23T10:0{len(all_records(runs))}:00+00:00", "seconds": 2.5}
    seal(record, {"status": status, "reference": record.reference, "times": times, "error": error})
    return record


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three finished runs, a failed one, and one of another pipeline."""
    folder = tmp_path / "runs"
    for rmse, alpha in ((3.0, 0.1), (1.0, 0.01), (2.0, 0.001)):
        sealed(folder, params={"estimator": {"alpha": alpha}, "seed": 0, "kind": "sloop"}, metrics={"rmse": rmse})
    sealed(folder, status="failed", params={"estimator": {"alpha": 0.5}, "seed": 1, "kind": None})
    sealed(folder, "masts", params={"seed": 7}, metrics={"r2": 0.5})
    return folder


def told(runs: Path) -> list[str]:
    return [f"{summary['reference']} {summary['status']}" for summary in summaries(runs)]


def truth(runs: Path) -> list[str]:
    return [f"{record.reference} {record.status()}" for record in all_records(runs)]


def rows(runs: Path) -> int:
    with sqlite3.connect(runs / INDEX) as database:
        found: int = database.execute("select count(*) from runs").fetchone()[0]
    database.close()
    return found


def test_the_second_look_reads_no_record(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = summaries(runs)
    assert (len(first), rows(runs)) == (5, 5)
    monkeypatch.setattr(Record, "manifest", lambda self: pytest.fail("it read a record"))
    assert summaries(runs) == first


def test_a_summary_has_what_is_told_of_a_run(runs: Path) -> None:
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
    """Spoil the index."""
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


DAMAGES = ("no database", "cut short", "empty", "missing", "a folder", "another version", "another table", "wrong rows")


@pytest.mark.parametrize("kind", [*DAMAGES, "no checksums", "swapped names"])
def test_a_spoiled_index_changes_no_answer_and_heals(runs: Path, kind: str) -> None:
    expected = summaries(runs)
    damage(runs / INDEX, kind)
    assert summaries(runs) == expected
    assert summaries(runs) == expected
    if kind != "a folder":
        assert summaries(runs) == expected
        assert rows(runs) == 5


def test_a_flipped_bit_anywhere_in_the_index_changes_no_answer(runs: Path) -> None:
    expected = summaries(runs)
    whole = (runs / INDEX).read_bytes()
    for place in range(0, len(whole), 97):
        (runs / INDEX).write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert summaries(runs) == expected


def test_new_removed_and_copied_runs_are_seen_at_once(runs: Path, tmp_path: Path) -> None:
    assert told(runs) == truth(runs)
    new = sealed(runs)
    assert told(runs)[4:] == [f"masts/{summaries(runs)[4]['reference'][6:]} finished", f"{new.reference} finished"]
    shutil.rmtree(all_records(runs)[0].folder)
    assert told(runs) == truth(runs)
    assert rows(runs) == 5
    shutil.copytree(runs, tmp_path / "copied")
    assert told(tmp_path / "copied") == truth(runs)


def test_what_became_of_an_unsealed_run_is_found_out_each_time(runs: Path) -> None:
    record = create_record(runs, "boats")
    with locked(record.folder):
        assert summaries(runs)[-1]["status"] == "running"
    assert summaries(runs)[-1]["status"] == "killed"
    assert rows(runs) == 5
    write_manifest(record, {"status": "odd"})
    assert summaries(runs)[-1]["status"] == "damaged"
    seal(record, {"status": "finished", "reference": record.reference})
    assert summaries(runs)[-1]["status"] == "finished"
    (record.folder / "manifest.json").write_text("{")
    assert summaries(runs)[-1]["status"] == "damaged"


def statuses(runs: Path, **asked: bool) -> list[str]:
    return [summary["status"] for summary in summaries(runs, **asked)]


def test_a_file_that_a_run_is_told_by_makes_it_damaged_when_it_cannot_be_read_or_was_edited(runs: Path) -> None:
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
    assert rows(runs) == 4


def test_no_folder_no_runs(tmp_path: Path) -> None:
    assert summaries(tmp_path / "runs") == []
    reindex(tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_is_read(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(database: object, *given: object, **options: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    assert told(runs) == truth(runs)
    assert not (runs / INDEX).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_read(runs: Path) -> None:
    runs.chmod(0o500)
    try:
        assert told(runs) == truth(runs)
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
    assert told(runs) == truth(runs)
    assert rows(runs) == 25


def chosen(runs: Path, **asked: Any) -> list[float | None]:
    return [summary["metrics"].get("rmse") for summary in select(summaries(runs), **asked)]


def test_runs_are_chosen_by_pipeline_status_and_words(runs: Path) -> None:
    assert chosen(runs, pipeline="masts") == [None]
    assert chosen(runs, status="failed") == [None]
    assert chosen(runs, where=["estimator.alpha<0.05"]) == [1.0, 2.0]
    assert chosen(runs, where=["estimator.alpha <= 0.1", "rmse>=2"]) == [3.0, 2.0]
    assert chosen(runs, where=["kind=sloop"]) == [3.0, 1.0, 2.0]
    assert chosen(runs, where=["kind!=sloop"]) == []
    assert chosen(runs, where=["kind=null"]) == [None]
    assert chosen(runs, where=["started>2026-11-23T10:03"]) == [2.0, None, None]
    assert chosen(runs, where=["pipeline=masts"]) == [None]
    assert chosen(runs, where=["seed=true"]) == []


def test_runs_are_sorted_by_a_metric_and_those_without_it_come_last(runs: Path) -> None:
    assert chosen(runs, sort="rmse") == [1.0, 2.0, 3.0, None, None]
    assert chosen(runs, sort="-rmse") == [3.0, 2.0, 1.0, None, None]
    assert chosen(runs, sort="rmse", limit=2) == [1.0, 2.0]
    assert chosen(runs, limit=3) == [2.0, None, None]
    assert chosen(runs, limit=99) == [3.0, 1.0, 2.0, None, None]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pipeline": "houses"}, "found pipeline 'houses', expected one of: boats, masts"),
        ({"status": "done"}, "found status 'done', expected one of: damaged, failed"),
        ({"where": ["estimator.alpa<1"]}, "did you mean estimator.alpha"),
        ({"where": ["alpha"]}, "expected NAME SIGN VALUE"),
        ({"where": ["rmse<low"]}, "found the text 'low', expected a number, as rmse of boats/.* is .3.0."),
        ({"where": ["alpha<1"]}, "did you mean estimator.alpha"),
        ({"where": ["started>yesterday"]}, "found 'yesterday', expected a date or time such as"),
        ({"limit": 0}, "found the limit 0, expected a number of runs"),
        ({"limit": -1}, "found the limit -1"),
        ({"sort": "rmsee"}, "did you mean rmse"),
        ({"sort": "qqq"}, "no run has, expected one of: reference, pipeline"),
    ],
)
def test_what_no_run_has_is_refused(runs: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        chosen(runs, **asked)


def test_values_of_several_kinds_are_not_sorted(runs: Path) -> None:
    sealed(runs, params={"seed": "text"})
    with pytest.raises(InputError, match=r"several types \(number, text\)"):
        chosen(runs, sort="seed")


def test_runs_are_a_frame_in_a_notebook(runs: Path) -> None:
    frame = pipeline_lib.runs(runs, pipeline="boats", where="rmse<3", sort="rmse")
    assert list(frame["rmse"]) == [1.0, 2.0]
    assert list(frame["estimator.alpha"]) == [0.01, 0.001]
    assert list(frame.columns[:4]) == ["reference", "pipeline", "status", "parity"]
    assert frame["started"][0].isoformat() == "2026-11-23T10:02:00+00:00"
    assert pipeline_lib.runs(runs / "none").empty
    sealed(runs, params={"rmse": 1, "seconds": 2}, metrics={"rmse": 4.0})
    twice = pipeline_lib.runs(runs)
    assert {"parameters.rmse", "metrics.rmse", "parameters.seconds", "seconds"} <= {*twice.columns}
    assert list(twice["metrics.rmse"][:3]) == [3.0, 1.0, 2.0]


def test_runs_prints_the_chosen_ones_and_how_many_there_are(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runs.parent / "settings.ini").write_text(
        "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    monkeypatch.chdir(runs.parent)
    invoke = CliRunner().invoke
    listed = invoke(cli.commands, ["runs", "--sort", "-rmse", "--limit", "1", "--where", "seed=0"])
    assert "2.5 s  rmse 3, seed 0\n" in listed.stdout
    failed = invoke(cli.commands, ["runs", "--status", "failed", "--sort", "estimator.alpha"])
    assert failed.stdout.endswith("estimator.alpha 0.5, too windy\n")
    (all_records(runs)[0].folder / "added.txt").touch()
    checked = invoke(cli.commands, ["runs", "--reindex", "--status", "damaged"])
    assert checked.stdout.split()[:2] == [all_records(runs)[0].reference, "damaged"]
    assert listed.stderr == "1 of 5 runs\n"
    found = json.loads(invoke(cli.commands, ["runs", "--json", "--pipeline", "masts"]).stdout)
    assert [run["metrics"] for run in found] == [{"r2": 0.5}]
    (runs / INDEX).write_bytes(b"spoiled")
    assert len(json.loads(invoke(cli.commands, ["runs", "--reindex", "--json"]).stdout)) == 5
    assert rows(runs) == 5
    assert isinstance(invoke(cli.commands, ["runs", "--sort", "speed"]).exception, InputError)
