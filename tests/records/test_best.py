"""NAME@best: the best finished run with exact parity, by METRIC."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from small_records import sealed_run

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.best import best_run
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.query import runs as runs_frame
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.reference import find_record
from pipeline_lib.records.seal import seal


def checked(record: Record, *, exact: bool = True) -> Record:
    checks_folder(record).mkdir(parents=True)
    (checks_folder(record) / PARITY).write_text(json.dumps({"exact": exact, "text": "parity"}))
    return record


def declare(project: Project, value: str) -> None:
    (project.package / "pipelines").mkdir(parents=True, exist_ok=True)
    (project.package / "pipelines" / "boats.py").write_text(f"\nMETRIC = {value}\n")


def run_with(project: Project, **facts: Any) -> Record:
    """A finished run with exact parity whose manifest has these facts."""
    record = create_record(project.runs, "boats")
    (record.folder / "metrics.json").write_text('{"lift": 3.0}')
    seal(record, {"status": "finished", "reference": record.reference, **facts})
    return checked(record)


def test_the_best_finished_run_with_exact_parity_is_found_by_metric(project: Project) -> None:
    poor, good = (checked(sealed_run(project.runs, metrics={"rmse": rmse})) for rmse in (3.0, 1.0))
    sealed_run(project.runs, metrics={"rmse": 0.5})  # not checked
    checked(sealed_run(project.runs, metrics={"rmse": 0.4}), exact=False)
    checked(sealed_run(project.runs, metrics={"rmse": 0.3}, status="failed"))
    checked(sealed_run(project.runs, metrics={"rmse": "low"}))  # type: ignore[arg-type]
    checked(sealed_run(project.runs, metrics={}))
    declare(project, '("rmse", "minimize")')
    assert find_record("boats@best", project) == good
    declare(project, '("rmse", "maximize")')
    assert find_record("boats@best", project) == poor


def test_of_equal_runs_the_newest_is_the_best(project: Project) -> None:
    declare(project, '("rmse", "minimize")')
    equal = [checked(sealed_run(project.runs, metrics={"rmse": 1.0})) for _ in range(3)]
    assert best_run(project, "boats") == equal[-1]


def test_members_of_a_sweep_count_and_without_a_module_the_newest_manifest_names_the_metric(project: Project) -> None:
    metric = {"name": "lift", "direction": "maximize"}
    sealed_run(project.runs, metrics={"lift": 9.0})  # of an earlier version: without METRIC, not checked
    member = run_with(project, metric=metric, sweep="boats-1")
    assert best_run(project, "boats") == member
    newer = run_with(project, metric=metric)
    assert find_record("boats@best", project) == newer


def test_what_is_missing_is_named(project: Project) -> None:
    with pytest.raises(InputError, match=r"boats@best: found no METRIC, .* in an exported cell of nbs/pipelines/boats"):
        find_record("boats@best", project)
    declare(project, '("rmse", "minimize")')
    with pytest.raises(InputError, match="found no finished run of boats"):
        find_record("boats@best", project)
    sealed_run(project.runs, metrics={"r2": 1.0})
    with pytest.raises(InputError, match=r"found no finished run with the metric rmse, .*; runs have: r2; run again"):
        find_record("boats@best", project)
    record = sealed_run(project.runs, metrics={"rmse": 1.0})
    with pytest.raises(
        InputError, match=f"no run with exact parity, .* 1 finished runs; `pipeline-lib parity {record.reference}`"
    ):
        find_record("boats@best", project)
    declare(project, '("rmse", "least")')
    with pytest.raises(InputError, match="expected a metric's name and what is better"):
        find_record("boats@best", project)
    with pytest.raises(InputError, match="expected a run by name"):
        find_record("boats@best/2026", project)


def references(*arguments: str, project: Project) -> list[str]:
    result = CliRunner().invoke(commands, ["runs", *arguments, "--json"], obj=project)
    assert result.exit_code == 0, result.exception
    return [run["reference"] for run in json.loads(result.stdout)]


def test_runs_are_sorted_by_the_metric_of_their_pipeline(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert references("--sort", "best", project=project) == []
    low, high = (sealed_run(project.runs, metrics={"lift": lift}) for lift in (1.0, 2.0))
    with pytest.raises(InputError, match="--sort best: found no METRIC"):
        CliRunner().invoke(commands, ["runs", "--sort", "best"], obj=project, catch_exceptions=False)
    declare(project, '("lift", "maximize")')
    assert references("--sort", "best", project=project) == [high.reference, low.reference]
    assert references("--sort", "best", "--direction", "minimize", project=project) == [low.reference, high.reference]
    other = sealed_run(project.runs, "masts", metrics={"lift": 1.0})
    with pytest.raises(InputError, match="found runs of several pipelines"):
        CliRunner().invoke(commands, ["runs", "--sort", "best"], obj=project, catch_exceptions=False)
    assert other.reference not in references("--sort", "best", "--pipeline", "boats", project=project)
    monkeypatch.setattr("pipeline_lib.records.query.find_project", lambda: project)
    frame: pd.DataFrame = runs_frame(pipeline="boats", sort="best")
    assert frame["reference"].tolist() == [high.reference, low.reference]


def test_a_metric_is_sorted_as_the_manifests_say(project: Project) -> None:
    with_metric = run_with(project, metric={"name": "lift", "direction": "minimize"})
    worse = sealed_run(project.runs, metrics={"lift": 4.0})
    assert references("--sort", "lift", project=project) == [with_metric.reference, worse.reference]
    run_with(project, metric={"name": "lift", "direction": "maximize"})
    with pytest.raises(InputError, match=r"METRIC of some runs minimizes and of others maximizes, .* add --direction"):
        CliRunner().invoke(commands, ["runs", "--sort", "lift"], obj=project, catch_exceptions=False)
