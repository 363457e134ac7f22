"""What a run must leave to be finished."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from example import HOUSES, SMALL_MODEL
from small_records import only_record

from pipeline_lib.errors import RunError
from pipeline_lib.records.record import RECORD_VARIABLE
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


def test_a_notebook_that_leaves_no_results_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("1 + 1", "")
    with pytest.raises(
        RunError, match=r"no result of run\.compile, run\.evidence, run\.metrics, expected one"
    ) as caught:
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert caught.value.folder == only_record(tmp_path / "runs").folder
    record = only_record(tmp_path / "runs")
    assert record.manifest()["hashes"]["artifact"] is None
    assert json.loads(record.notebook.read_bytes())["cells"]


def test_a_notebook_that_changes_during_the_run_is_a_failed_run(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "houses.ipynb"
    research(f"with open({str(path)!r}, 'a') as file:\n    print(file=file)")
    monkeypatch.setattr("pipeline_lib.runner.judge.find_incomplete", lambda own, record: None)
    with pytest.raises(RunError, match=r"found .*houses\.ipynb changed during the run, expected no change"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only_record(tmp_path / "runs").status() == "failed"


def test_a_link_in_the_record_fails_the_run_and_is_not_kept(tmp_path: Path, research: Research) -> None:
    research(f"import os\nos.symlink('/', os.environ[{RECORD_VARIABLE!r}] + '/everything')")
    with pytest.raises(RunError, match=r"no result of|everything"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only_record(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []


LYING = f"""
from pipeline_lib import start_run
from pipeline_lib.pipelines import houses
run = start_run(houses, globals())
X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
{SMALL_MODEL}
predictions = run.evidence(X_test, y_test)
houses.metrics = lambda target, predictions, params: {{"r2": 1.0, "rmse_log": 0.0}}
run.metrics({{"r2": 1.0, "rmse_log": 0.0}})
"""


def test_metrics_that_the_evidence_does_not_give_fail_the_run(tmp_path: Path, research: Research) -> None:
    research(LYING)
    with pytest.raises(RunError, match=r"metrics: rmse: found None in the record, expected \d"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only_record(tmp_path / "runs").status() == "failed"


GENEROUS = (
    LYING[: LYING.index("houses.metrics")]
    + """
houses.value = lambda target, predictions, rows, params: 0.0 * predictions + 1000.0
run.metrics(houses.metrics(y_test, predictions, run.params))
"""
)


def test_a_value_that_the_evidence_does_not_give_fails_the_run(tmp_path: Path, research: Research) -> None:
    research(GENEROUS)
    with pytest.raises(
        RunError, match=r"value: found \+1,000 dollars a row .* in the record, expected -[\d,]+ dollars"
    ):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only_record(tmp_path / "runs").status() == "failed"
