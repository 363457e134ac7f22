"""What happens to runs leaves no record that looks other than it is; the fault suite in small, and that it can fail."""

import subprocess
import sys
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import Record, create_record
from tools.faults import __main__ as faults
from tools.faults import scenarios
from tools.faults.injection import Injection
from tools.faults.stage import Stage


@pytest.mark.slow
def test_a_small_fault_suite_finds_nothing_wrong_and_its_control_red(houses_record: Record) -> None:
    # in a process of its own, without threads: runners are forked from it
    words = [sys.executable, "-m", "tools.faults", "--share", "0.02", "--good", str(houses_record.folder)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "\n0 wrong, " in ended.stdout
    assert "SIGKILL to the runner" in ended.stdout


@pytest.fixture
def stage(houses_record: Record, tmp_path: Path) -> Stage:
    return Stage(tmp_path, houses_record, seed=1)


def test_what_is_lost_touched_or_other_than_it_looks_is_seen(stage: Stage) -> None:
    assert stage.faults_of([]) == []
    record = create_record(stage.runs, "houses")
    assert stage.faults_of(stage.new_records()) == []
    manifest = record.folder / MANIFEST
    manifest.write_text(manifest.read_text().replace("running", "finished"))
    assert "is finished and" in stage.faults_of([record])[0]
    killed, failed = list(stage.before)[1:]
    (failed / "later").touch()
    killed.rename(stage.folder / "elsewhere")
    assert stage.faults_of([]) == [f"lost {killed.name}", f"touched {failed.name}"]


def test_a_row_of_the_index_that_is_lost_or_wrong_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = summaries(stage.runs)
    monkeypatch.setattr("tools.faults.stage.summaries", lambda runs: [rows[0] | {"status": "failed"}, *rows[2:]])
    wrong, lost = sorted(stage.faults_of([]), key=lambda fault: fault.endswith("None"))
    assert wrong.endswith("finished, in the index failed")
    assert lost.endswith("in the index None")


def test_every_tampering_is_a_line_and_a_green_control_is_wrong(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults.run(stage, 1, 0.2, "tampering") == ([], 0)
    assert "11 refused" in capsys.readouterr().out
    with pytest.MonkeyPatch.context() as context:
        context.setattr(scenarios, "control", lambda stage, trials: scenarios.Row("green"))
        assert faults.run(stage, 1, 0.2, "control") == (["green: the control stayed green"], 1)


def test_the_kth_write_fails_and_a_full_disk_stays_full(tmp_path: Path) -> None:
    for name, left in (("EIO", [1, 3]), ("ENOSPC", [1])):
        injection = Injection(name, 2, [str(tmp_path)])
        done = []
        for number in (1, 2, 3):
            try:
                injection.step(tmp_path / "x")
                done.append(number)
            except OSError:
                pass
            injection.step("elsewhere")
        assert (done, injection.count) == (left, 3)
