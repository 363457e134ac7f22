"""The metric of a sweep: its direction, and whether it is known."""

from pathlib import Path

import pytest
from example import HOUSES
from fake_pool import Fake

import pipeline_lib.sweeps.sweep as sweeping
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.sweeps.metric import check_direction


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
    message = r"--metric rmsle_loss: found no such metric in houses/.*, expected one of: r2, rmse; name one of them"
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
