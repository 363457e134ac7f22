"""The metric of a sweep: its direction, and whether it is known."""

from pathlib import Path

import pytest
from example import HOUSES
from fake_pool import Fake

import pipeline_lib.sweeps.sweep as sweeping
from pipeline_lib.errors import InputError
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.sweeps.metric import check_direction, with_default


def test_a_direction_comes_from_the_name_or_the_request() -> None:
    assert check_direction("rmse_log", None) == "minimize"
    assert check_direction("r2", None) == "maximize"
    assert check_direction("r2", "minimize") == "minimize"
    with pytest.raises(InputError, match="add --direction"):
        check_direction("drawn", None)
    with pytest.raises(InputError, match="without a metric"):
        check_direction(None, "minimize")


def test_a_metric_that_no_member_has_is_refused(tmp_path: Path, fake: Fake) -> None:
    pool = fake()
    found = "--metric rmsle_loss: found no such metric in houses/.*"
    message = f"{found}, expected one of: r2, rmse, rmse_log; name one of them"
    with pytest.raises(InputError, match=message):
        sweeping.sweep(HOUSES, ["seed=0..3"], metric="rmsle_loss", runs=tmp_path)
    assert len(pool.tasks) == 1


def test_a_metric_that_no_finished_run_has_is_refused_before_anything_starts(tmp_path: Path, fake: Fake) -> None:
    pool = fake()
    record = create_record(tmp_path / "runs", "houses")
    (record.folder / "metrics.json").write_text('{"rmse": 1.0}')
    seal(record, {"status": "finished", "reference": record.reference})
    with pytest.raises(InputError, match=r"--metric mae: found no such metric in the finished runs .* one of: rmse;"):
        sweeping.sweep(HOUSES, ["seed=0..1"], metric="mae", runs=tmp_path / "runs")
    for metric in ("acc", "lift"):  # what there is comes before what is better
        with pytest.raises(InputError, match=f"--metric {metric}: found no such metric .* one of: rmse;"):
            sweeping.sweep(HOUSES, ["seed=0..1"], metric=metric, runs=tmp_path / "runs")
    assert pool.tasks == []
    sweeping.sweep(HOUSES, ["seed=0..1"], metric="rmse", runs=tmp_path / "runs")
    assert len(pool.tasks) == 2


def test_what_is_wrong_with_the_parameters_file_is_said_by_its_own_check(tmp_path: Path, fake: Fake) -> None:
    fake()
    for name in ("nothing.yml", ".yml"):
        with pytest.raises(InputError, match=r"expected|did you mean"):
            sweeping.sweep(tmp_path / name, ["seed=0..1"], metric="lift", direction="maximize", runs=tmp_path)


def test_without_a_metric_the_pipelines_own_one_counts() -> None:
    titanic = HOUSES.with_name("titanic.yml")
    assert with_default(titanic, None, None) == ("log_loss", "minimize")
    assert with_default(titanic, "log_loss", None) == ("log_loss", "minimize")
    assert with_default(titanic, "log_loss", "maximize") == ("log_loss", "maximize")
    assert with_default(titanic, "accuracy", None) == ("accuracy", None)
    assert with_default(HOUSES, None, None) == ("rmse_log", "minimize")
    assert with_default(HOUSES.with_name(".yml"), None, None) == (None, None)
    with pytest.raises(InputError, match="without a metric"):
        check_direction(*with_default(titanic, None, "maximize"))


def test_members_are_sorted_by_the_pipelines_own_metric(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    monkeypatch.setattr("pipeline_lib.sweeps.metric.declared_metric", lambda *given: Metric("rmse", "maximize"))
    found = sweeping.sweep(HOUSES, ["estimator.alpha=0.1,0.2,0.5"], runs=tmp_path, parity="none")
    values = [result.metrics["rmse"] for result in found.finished]
    assert (found.metric, found.direction) == ("rmse", "maximize")
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 1
