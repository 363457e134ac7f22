"""What a run refuses before it starts, and what is left of one that fails."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from pipeline_lib.errors import DifferenceError, InputError, RunError
from pipeline_lib.parity import check_parity
from pipeline_lib.preflight import check_parameters_agree
from pipeline_lib.project import Project, find_project
from pipeline_lib.record import Record, all_records, verify
from pipeline_lib.run import run_pipeline

ROOT = Path(__file__).resolve().parents[1]
HOUSES = ROOT / "params" / "houses.yml"
PARAMETERS = """test_share = 0.1
seed = 0
imputation = {"numbers": "mean"}
encoding = {"rare_share": 0.01}
estimator = {"alpha": 0.001, "max_iter": 10000}
business = {"over_cost": 0.2, "under_cost": 0.5}
"""
Research = Callable[..., Path]


@pytest.fixture
def research(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Research:
    """Puts a notebook of the given code cells in place of the research notebook."""

    def put(*sources: str, tags: tuple[str, ...] = ("parameters",), parameters: str = PARAMETERS) -> Path:
        cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": list(tags)} if tags else {})]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = tmp_path / "houses.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
        monkeypatch.setattr(Project, "research_notebook", lambda self, pipeline: path)
        return path

    return put


def only(runs: Path) -> Record:
    (record,) = all_records(runs)
    return record


def test_a_finished_run_is_whole(houses_record: Record) -> None:
    manifest = houses_record.manifest()
    assert houses_record.status() == "finished"
    assert verify(houses_record) == []
    assert manifest["error"] is None
    assert all(manifest["hashes"].values())
    assert (houses_record.folder / "params.yml").read_bytes() == HOUSES.read_bytes()
    assert set(houses_record.read_json("metrics.json")) == {"rmse", "rmse_log", "r2", "cost", "saving"}


@pytest.mark.parametrize("override", ["test_shar=1", "test_share=2", "estimator.alpha=much", "seed"])
def test_bad_parameters_leave_no_record(tmp_path: Path, override: str) -> None:
    with pytest.raises(InputError, match=override.partition("=")[0].rpartition(".")[2]):
        run_pipeline(HOUSES, overrides=[override], runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_untagged_notebook_leaves_no_record(tmp_path: Path, research: Research) -> None:
    research("pass", tags=())
    with pytest.raises(InputError, match="parameters"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_cell_that_declares_too_few_parameters_leaves_no_record(tmp_path: Path, research: Research) -> None:
    research("pass", parameters="seed = 0\n")
    with pytest.raises(InputError, match="test_share"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_parameters_file_of_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"castles.*houses"):
        run_pipeline(ROOT / "params" / "castles.yml", runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_stale_library_leaves_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.preflight.check_export", lambda project: ["steps/years.py: found stale"])
    with pytest.raises(DifferenceError, match="found stale"):
        run_pipeline(HOUSES, runs=tmp_path)
    with pytest.raises(InputError, match="note: steps/years"):
        run_pipeline(HOUSES, overrides=["test_shar=1"], runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_cell_is_named_and_kept(tmp_path: Path, research: Research) -> None:
    research("done = 1", "1 / 0  # the cause", "never = 1")
    lines: list[str] = []
    with pytest.raises(RunError, match=r"failed in cell 4 .*ZeroDivisionError"):
        run_pipeline(HOUSES, runs=tmp_path / "runs", progress=lines.append)
    record = only(tmp_path / "runs")
    error = record.manifest()["error"]
    assert record.status() == "failed"
    assert verify(record) == []
    assert error["cell"] == 4
    assert "the cause" in error["source"]
    assert any("done = 1" in line for line in lines)
    assert record.report.is_file()
    with pytest.raises(InputError, match="failed"):
        check_parity(record)


def test_a_killed_kernel_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import os\nos.kill(os.getpid(), 9)", "never = 1")
    with pytest.raises(RunError, match=r"cell 3 .*Kernel died"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []


def test_a_kernel_that_exits_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import sys\nsys.exit(0)", "never = 1")
    with pytest.raises(RunError, match="the run failed"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only(tmp_path / "runs").status() == "failed"


def test_a_cell_that_takes_too_long_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import time\ntime.sleep(60)")
    with pytest.raises(RunError, match=r"cell 3 .*timed out"):
        run_pipeline(HOUSES, runs=tmp_path / "runs", timeout=1)
    assert only(tmp_path / "runs").status() == "failed"


def test_a_notebook_that_leaves_no_results_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("1 + 1", "")
    with pytest.raises(RunError, match=r"no result of run\.compile, run\.evidence, run\.metrics"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only(tmp_path / "runs")
    assert record.manifest()["hashes"]["artifact"] is None
    assert json.loads(record.notebook.read_bytes())["cells"]


def test_a_notebook_that_changes_during_the_run_is_a_failed_run(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "houses.ipynb"
    research(f"with open({str(path)!r}, 'a') as file:\n    print(file=file)")
    monkeypatch.setattr("pipeline_lib.run._unfinished", lambda record: None)
    with pytest.raises(RunError, match="changed during the run"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only(tmp_path / "runs").status() == "failed"


def test_an_interruption_is_a_failed_run(tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        Path(str(args[1])).write_bytes(Path(str(args[0])).read_bytes())
        raise KeyboardInterrupt

    research("pass")
    monkeypatch.setattr("papermill.execute_notebook", interrupt)
    with pytest.raises(RunError, match="interruption"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only(tmp_path / "runs").status() == "failed"


def test_a_page_that_cannot_be_drawn_still_leaves_a_sealed_record(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(record: Record, manifest: object) -> None:
        raise OSError("disk full")

    research("1 + 1")
    monkeypatch.setattr("pipeline_lib.run.write_report", broken)
    with pytest.raises(OSError, match="disk full"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []


def test_files_and_parameters_cells_agree() -> None:
    assert check_parameters_agree(find_project(ROOT)) == []


def test_a_parameters_cell_that_differs_from_the_file_is_named(research: Research) -> None:
    research(parameters=PARAMETERS.replace("seed = 0", "seed = 1"))
    (problem,) = check_parameters_agree(find_project(ROOT))
    assert "seed: found 1, expected 0 as in params/houses.yml" in problem


def test_a_parameters_cell_that_does_not_fit_is_a_problem(research: Research) -> None:
    research(parameters="seed = 0\n")
    (problem,) = check_parameters_agree(find_project(ROOT))
    assert "test_share" in problem
