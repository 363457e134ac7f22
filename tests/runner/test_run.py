"""A whole run, input that is refused before one starts, and a run whose report fails."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from example import HOUSES, ROOT
from small_records import only_record

from pipeline_lib.errors import DifferenceError, InputError, RunError
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


def test_a_finished_run_is_whole(houses_record: Record) -> None:
    manifest = houses_record.manifest()
    assert houses_record.status() == "finished"
    assert verify(houses_record) == []
    assert manifest["error"] is None
    assert all(manifest["hashes"].values())
    if sys.platform == "linux":
        assert 100e6 < manifest["peak_memory"] < 10e9  # a kernel with pandas and scikit-learn
    assert (houses_record.folder / "params.yml").read_bytes() == HOUSES.read_bytes()
    assert set(houses_record.read_json("metrics.json")) == {"rmse", "rmse_log", "r2", "cost", "saving"}


@pytest.mark.parametrize("override", ["test_shar=1", "test_share=2", "estimator.alpha=much", "seed"])
def test_bad_parameters_leave_no_record(tmp_path: Path, override: str) -> None:
    with pytest.raises(InputError, match=override.partition("=")[0].rpartition(".")[2]):
        run_pipeline(HOUSES, overrides=[override], runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_untagged_notebook_leaves_no_record(tmp_path: Path, research: Research) -> None:
    research("pass", tags=())
    with pytest.raises(InputError, match=r"houses\.ipynb: cell 1 \(id .*\): found no cell tagged `parameters`"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_cell_that_declares_too_few_parameters_leaves_no_record(tmp_path: Path, research: Research) -> None:
    research("pass", parameters="seed = 0\n")
    with pytest.raises(InputError, match="test_share"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_parameters_file_of_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"params/castles\.yml: found no such file"):
        run_pipeline(ROOT / "params" / "castles.yml", runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_stale_library_leaves_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = [ExportProblem("steps/years.py", "steps/years.py: found stale")]
    monkeypatch.setattr("pipeline_lib.runner.preflight.check_export", lambda project: stale)
    with pytest.raises(DifferenceError, match="found stale"):
        run_pipeline(HOUSES, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_drawn_still_leaves_a_sealed_record(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(record: Record, manifest: object) -> None:
        raise OSError("disk full")

    research("1 + 1")
    monkeypatch.setattr("pipeline_lib.runner.run.write_report", broken)
    with pytest.raises(RunError, match="no result of"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only_record(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []
