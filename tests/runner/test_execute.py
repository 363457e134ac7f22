"""Execution of a notebook: sockets, progress, and cells and kernels that fail."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from example import HOUSES
from small_records import only_record

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.project.notebooks import Cell
from pipeline_lib.project.project import find_project
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.execute import _data_path_hint, _kernel_config, _progress_hooks
from pipeline_lib.runner.output_limits import KEPT_TAIL, KEPT_TEXT
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


def test_a_failing_cell_is_named_and_kept(tmp_path: Path, research: Research) -> None:
    research("done = 1", "1 / 0  # the cause", "never = 1")
    lines: list[str] = []
    with pytest.raises(RunError, match=r"^\S*houses\.ipynb: cell 3 .*: ZeroDivisionError"):
        run_pipeline(HOUSES, runs=tmp_path / "runs", progress=lines.append)
    record = only_record(tmp_path / "runs")
    error = record.manifest()["error"]
    assert record.status() == "failed"
    assert verify(record) == []
    assert error["cell"] == 3  # the one that sets the parameters does not count
    assert "the cause" in error["source"]
    assert error["traceback"].endswith("ZeroDivisionError: division by zero")
    assert "\x1b" not in error["traceback"]
    assert any("done = 1" in line for line in lines)
    assert record.report.is_file()
    with pytest.raises(InputError, match="failed"):
        check_parity(record)


def test_a_killed_kernel_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import os\nos.kill(os.getpid(), 9)", "never = 1")
    with pytest.raises(RunError, match=r"cell 2 .*killed by signal 9 \(SIGKILL\).*memory"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only_record(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []


def test_a_kernel_that_exits_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import sys\nsys.exit(0)", "never = 1")
    with pytest.raises(RunError, match="the run failed"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only_record(tmp_path / "runs").status() == "failed"


def test_a_cell_that_takes_too_long_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import time\ntime.sleep(60)")
    with pytest.raises(RunError, match=r"cell 2 .*timed out"):
        run_pipeline(HOUSES, runs=tmp_path / "runs", timeout=1)
    assert only_record(tmp_path / "runs").status() == "failed"


def test_a_flood_is_cut_and_the_cell_says_so(tmp_path: Path, research: Research) -> None:
    research("for number in range(100_000):\n    print(f'{number:>20}')", "1 / 0")
    with pytest.raises(RunError, match="cell 3"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    outputs = json.loads(only_record(tmp_path / "runs").notebook.read_bytes())["cells"][2]["outputs"]
    texts = ["".join(output["text"]) for output in outputs]
    assert sum(map(len, texts)) < KEPT_TEXT + KEPT_TAIL + 500
    assert "1,090,000 characters left out" in texts[-1]
    assert texts[-1].endswith(" 99999\n")


def test_kernels_of_two_runs_share_no_socket() -> None:
    with _kernel_config() as one, _kernel_config() as other:
        first, second = one.KernelManager.ip, other.KernelManager.ip
        assert one.KernelManager.transport == "ipc"
        assert Path(first).parent != Path(second).parent
        assert Path(first).is_absolute()
    assert not Path(first).parent.exists()


def test_a_damaged_notebook_does_not_hide_the_first_error(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **options: object) -> None:
        Path(str(options["destination"])).write_text('{"cells": [')
        raise OSError(28, "No space left on device")

    research("pass")
    monkeypatch.setattr("papermill.execute_notebook", full)
    monkeypatch.setattr("pipeline_lib.runner.run.write_report", lambda record, manifest: None)
    with pytest.raises(RunError, match="No space left on device"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")


def test_progress_that_cannot_be_written_ends_no_run() -> None:
    def broken(line: str) -> None:
        raise BrokenPipeError

    hooks = _progress_hooks([Cell(1, "c1", "code", "x = 1", ("parameters",))], broken)
    cell = SimpleNamespace(source="x = 1", metadata={})
    hooks["on_cell_start"](cell, 0)
    hooks["on_cell_executed"](cell, 0, None)


MISSING = [
    ("FileNotFoundError", "[Errno 2] No such file or directory: 'params/houses.yml'"),
    ("FileNotFoundError", "No such file or directory (os error 2): params/houses.yml"),
    ("FileNotFoundError", "params/houses.yml"),
    ("IOException", 'IO Error: No files found that match the pattern "params/houses.yml"'),
]
OTHERS = [
    ("ValueError", "[Errno 2] No such file or directory: 'params/houses.yml'"),
    ("FileNotFoundError", "[Errno 2] No such file or directory: 'params/nothing.yml'"),
    ("FileNotFoundError", f"[Errno 2] No such file or directory: '{HOUSES}'"),
    ("FileNotFoundError", "[Errno 2] No such file or directory: 'houses.ipynb'"),
    ("FileNotFoundError", "[Errno 2] No such file or directory: '../../params'"),
    ("FileNotFoundError", "[Errno 2] No such file or directory: 'a\0b'"),
    ("FileNotFoundError", ""),
]


@pytest.mark.parametrize(("name", "message"), MISSING)
def test_a_file_that_is_missing_from_the_notebooks_folder_only_names_data_path(name: str, message: str) -> None:
    project = find_project()
    hint = _data_path_hint(project, project.research_notebook("houses"), name, message)
    assert hint == (
        "; found params/houses.yml in the project's folder, expected it in nbs/research, where the notebook runs; "
        'write data_path("params/houses.yml") of pipeline_lib'
    )


@pytest.mark.parametrize(("name", "message"), OTHERS)
def test_another_error_gets_no_such_hint(name: str, message: str) -> None:
    project = find_project()
    assert _data_path_hint(project, project.research_notebook("houses"), name, message) == ""
