"""Sweeps: their results, the page, progress, interruption and the exit code of the command."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from example import HOUSES, VALUES
from fake_pool import Fake

import pipeline_lib.sweeps.sweep as sweeping
from pipeline_lib.cli.main import commands
from pipeline_lib.project.project import find_project
from pipeline_lib.records.record import all_records
from pipeline_lib.records.reference import find_record
from pipeline_lib.runner.run import run_pipeline


def test_a_sweep_shows_its_summary_and_its_frame_has_numbers(tmp_path: Path, fake: Fake) -> None:
    fake()
    found = sweeping.sweep(HOUSES, {"estimator.alpha": [1, 2.0]}, metric="rmse", runs=tmp_path / "runs")
    assert found.frame["estimator.alpha"].tolist() == [1.0, 2.0]
    assert found.frame["estimator.alpha"].dtype == "float64"
    assert repr(found).startswith("houses: 2 of 2 members finished.\nBest by rmse")
    assert repr(found).endswith(f"page: {found.page}")


def test_the_best_member_comes_first_and_failed_ones_last(tmp_path: Path, fake: Fake) -> None:
    fake(fails="alpha=0.02")
    lines: list[str] = []
    found = sweeping.sweep(
        HOUSES, {"estimator.alpha": [0.001, 0.02, 0.009]}, metric="rmse", runs=tmp_path, progress=lines.append
    )
    assert [result.member.values["estimator.alpha"] for result in found.results] == ["0.009", "0.001", "0.02"]
    assert found.best is found.results[0]
    assert [result.error for result in found.failed] == ["found <b>, expected nothing"]
    assert found.frame["rmse"].iloc[0] == pytest.approx(1.0)
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert "left" in lines[0]
    assert json.loads(found.page.with_suffix(".json").read_bytes())["best"] == found.best.reference
    page = found.page.read_text()
    assert "<img alt=" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert 'src="http' not in page


def test_an_interrupted_sweep_keeps_what_is_finished(tmp_path: Path, fake: Fake) -> None:
    fake(stops_after=2)
    found = sweeping.sweep(HOUSES, ["seed=0..4"], runs=tmp_path)
    assert found.interrupted
    assert (len(found.results), found.requested) == (2, 5)
    assert "3 not run: interrupted" in found.page.read_text()


ENDS = [
    ({}, 0),
    ({"fails": "seed=1"}, 3),
    ({"stops_after": 1}, 130),
    ({"stops_after": 1, "by": signal.SIGTERM}, 143),
    ({"stops_after": 1, "by": signal.SIGHUP}, 129),
]


@pytest.mark.parametrize(("options", "code"), ENDS)
def test_the_command_says_how_it_ended(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], code: int
) -> None:
    fake(**options)
    original = sweeping.sweep
    monkeypatch.setattr(sweeping, "sweep", lambda *args, **options: original(*args, **options, runs=tmp_path))
    ended = CliRunner().invoke(commands, ["sweep", str(HOUSES), "--grid", "seed=0..2", "--metric", "r2"])
    assert ended.exit_code == code
    assert f"page: {tmp_path}" in ended.stdout
    assert ("failed: seed=1" in ended.stderr) == (code == 3)


def test_progress_says_once_why_members_run_again_and_how_long_others_take(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = fake()
    result = pool.result
    known: dict[int, dict[str, Any]] = {
        1: {"cached": True},
        2: {"cache_miss": "runs again: x"},
        3: {"cache_miss": "runs again: y"},
    }
    monkeypatch.setattr(
        pool, "result", lambda task, number: replace(result(task, number), seconds=60.0, **known[number])
    )
    lines: list[str] = []
    sweeping.sweep(HOUSES, ["seed=1..3"], runs=tmp_path / "runs", progress=lines.append)
    assert [line.rpartition("  ")[2] for line in lines if "left" in line] == ["about 60 s left"]
    assert [line for line in lines if "again" in line] == ["  seed=2: runs again: x"]
    assert "known" in lines[0]
    assert "left" not in lines[-1]


def test_progress_without_a_reader_ends_no_member(tmp_path: Path, fake: Fake) -> None:
    def broken(line: str) -> None:
        raise BrokenPipeError

    fake()
    assert len(sweeping.sweep(HOUSES, ["seed=1..3"], runs=tmp_path / "runs", progress=broken).finished) == 3


@pytest.mark.slow
def test_a_sweep_leaves_a_record_for_each_member_and_continues(tmp_path: Path) -> None:
    options: dict[str, Any] = {"metric": "rmse", "runs": tmp_path, "workers": 2}
    first = sweeping.sweep(HOUSES, ["seed=0..1"], **options)
    assert [result.error for result in first.results] == [None, None]
    assert first.best is not None
    assert first.best.parity is True
    records = all_records(tmp_path)
    assert {record.manifest()["sweep"] for record in records} == {first.name}
    again = sweeping.sweep(HOUSES, ["seed=0..2"], **options)
    by_number = sorted(again.results, key=lambda result: result.member.number)
    assert [result.known for result in by_number] == [True, True, False]
    assert len(all_records(tmp_path)) == 3


def test_each_task_has_all_parameters_of_its_member(tmp_path: Path, fake: Fake) -> None:
    pool = fake()
    sweeping.sweep(HOUSES, ["seed=1..2"], overrides=["estimator.alpha=0.5"], runs=tmp_path)
    assert sorted(task.parameters["seed"] for task in pool.tasks) == [1, 2]
    for task in pool.tasks:
        assert task.parameters == {
            **VALUES,
            "seed": task.parameters["seed"],
            "estimator": {"kind": "lasso", "alpha": 0.5, "max_iter": 10000},
        }


@pytest.mark.slow
def test_what_run_has_finished_is_not_run_again_and_the_name_means_it_after_the_sweep(tmp_path: Path) -> None:
    ran = run_pipeline(HOUSES, runs=tmp_path)
    found = sweeping.sweep(HOUSES, ["estimator.alpha=0.001,0.5"], metric="rmse", runs=tmp_path, parity="none")
    by_alpha = {result.member.typed["estimator.alpha"]: result for result in found.results}
    assert [(by_alpha[alpha].known, by_alpha[alpha].error) for alpha in (0.001, 0.5)] == [(True, None), (False, None)]
    assert by_alpha[0.001].reference == ran.reference
    assert len(all_records(tmp_path)) == 2
    project = replace(find_project(), runs=tmp_path)
    assert find_record("houses", project) == ran
    assert find_record("houses@latest", project).reference == by_alpha[0.5].reference
