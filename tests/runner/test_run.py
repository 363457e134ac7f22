"""What a run refuses before it starts, and what is left of one that fails."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from example import HOUSES, ROOT

from pipeline_lib.errors import DifferenceError, InputError, RunError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import RECORD_VARIABLE, Record, all_records
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.execute import _kernel_config, _progress_hooks
from pipeline_lib.runner.output_limits import KEPT_TAIL, KEPT_TEXT
from pipeline_lib.runner.papermill_engine import RecordKernelManager
from pipeline_lib.runner.provenance import describe_git
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


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
    assert error["traceback"].endswith("ZeroDivisionError: division by zero")
    assert "\x1b" not in error["traceback"]
    assert any("done = 1" in line for line in lines)
    assert record.report.is_file()
    with pytest.raises(InputError, match="failed"):
        check_parity(record)


def test_a_killed_kernel_is_a_failed_run(tmp_path: Path, research: Research) -> None:
    research("import os\nos.kill(os.getpid(), 9)", "never = 1")
    with pytest.raises(RunError, match=r"cell 3 .*killed by signal 9 \(SIGKILL\).*memory"):
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
    with pytest.raises(
        RunError, match=r"no result of run\.compile, run\.evidence, run\.metrics, expected one"
    ) as caught:
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert caught.value.folder == only(tmp_path / "runs").folder
    record = only(tmp_path / "runs")
    assert record.manifest()["hashes"]["artifact"] is None
    assert json.loads(record.notebook.read_bytes())["cells"]


def test_a_notebook_that_changes_during_the_run_is_a_failed_run(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "houses.ipynb"
    research(f"with open({str(path)!r}, 'a') as file:\n    print(file=file)")
    monkeypatch.setattr("pipeline_lib.runner.judge.find_incomplete", lambda record: None)
    with pytest.raises(RunError, match="changed during the run"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only(tmp_path / "runs").status() == "failed"


def test_an_interruption_is_a_failed_run(tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        Path(str(options["destination"])).write_bytes(Path(str(args[0])).read_bytes())
        raise KeyboardInterrupt

    research("pass")
    monkeypatch.setattr("papermill.execute_notebook", interrupt)
    with pytest.raises(RunError, match="interrupted"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only(tmp_path / "runs").status() == "failed"


RUNNER = """
import sys
from pathlib import Path
from pipeline_lib import RunError, run_pipeline
from pipeline_lib.project.project import Project
Project.research_notebook = lambda self, pipeline: Path(sys.argv[1])
try:
    run_pipeline(sys.argv[2], runs=Path(sys.argv[3]))
except RunError as error:
    sys.exit(error.exit_code)
"""


def started(tmp_path: Path, notebook: Path) -> subprocess.Popen[bytes]:
    """A runner in a process of its own, whose notebook makes the file `kernel` with its process id."""
    words = [sys.executable, "-c", RUNNER, str(notebook), str(HOUSES), str(tmp_path / "runs")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # nobody is left to tidy up
    return subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)  # noqa: S603 (our own)


def until(condition: Callable[[], object], seconds: float = 60.0) -> float:
    """Wait for a condition; the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_request_to_end_seals_the_record(tmp_path: Path, research: Research) -> None:
    """In a process of its own: a signal that nobody expected would end the tests."""
    runner = started(
        tmp_path, research("import os, signal, time\nos.kill(os.getppid(), signal.SIGTERM)\ntime.sleep(60)")
    )
    assert runner.wait(60) == 143
    record = only(tmp_path / "runs")
    assert record.status() == "failed"
    assert record.manifest()["error"]["message"].startswith("interrupted (SIGTERM)")


STUBBORN = """
import os, re
open({flag!r}, "w").write(str(os.getpid()))
print("before")
re.match(r"(a+)+$", "a" * 60 + "b")  # compiled code that holds the lock for good
"""


@pytest.mark.parametrize(
    ("number", "code", "status"), [(signal.SIGKILL, -9, "killed"), (signal.SIGTERM, 143, "failed")]
)
def test_a_kernel_in_compiled_code_ends_with_its_runner(
    tmp_path: Path, research: Research, number: signal.Signals, code: int, status: str
) -> None:
    flag = tmp_path / "kernel"
    runner = started(tmp_path, research(STUBBORN.format(flag=str(flag))))
    try:
        until(lambda: flag.exists() and flag.read_text())
        record = only(tmp_path / "runs")
        assert record.status() == "running"
        until(lambda: "before" in record.notebook.read_text(encoding="utf-8"))  # what a long cell shows is on disk
        runner.send_signal(number)
        assert until(lambda: not is_alive(int(flag.read_text())), 10) < 5
        assert runner.wait(30) == code
    finally:
        runner.kill()
        runner.wait()
    assert record.status() == status
    if status == "failed":
        error = record.manifest()["error"]
        assert (error["cell"], verify(record)) == (3, [])
        again = f"`pipeline-lib resume {record.reference}` runs it again"
        assert error["message"] == f"interrupted (SIGTERM); {again}"


def test_a_flood_is_cut_and_the_cell_says_so(tmp_path: Path, research: Research) -> None:
    research("for number in range(100_000):\n    print(f'{number:>20}')", "1 / 0")
    with pytest.raises(RunError, match="cell 4"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    outputs = json.loads(only(tmp_path / "runs").notebook.read_bytes())["cells"][2]["outputs"]
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


def test_a_link_in_the_record_fails_the_run_and_is_not_kept(tmp_path: Path, research: Research) -> None:
    research(f"import os\nos.symlink('/', os.environ[{RECORD_VARIABLE!r}] + '/everything')")
    with pytest.raises(RunError, match=r"no result of|everything"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []


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


LYING = """
from pipeline_lib import start_run
from pipeline_lib.pipelines import houses
run = start_run(houses, globals())
X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
model = run.compile(houses.build(run.params).fit(X_train, y_train), like=X_train)
predictions = run.evidence(X_test, y_test)
houses.metrics = lambda target, predictions, params: {"r2": 1.0}
run.metrics({"r2": 1.0})
"""


def test_metrics_that_the_evidence_does_not_give_fail_the_run(tmp_path: Path, research: Research) -> None:
    research(LYING)
    with pytest.raises(RunError, match=r"metrics: rmse: found None in the record, expected \d"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only(tmp_path / "runs").status() == "failed"


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)  # noqa: S603, S607


def test_the_difference_from_the_commit_is_kept_whatever_its_bytes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first")
    (tmp_path / "latin.txt").write_bytes(b"th\xe9\n")
    (tmp_path / "new file").touch()
    (tmp_path / "runs" / "houses").mkdir(parents=True)
    record = Record(tmp_path / "runs" / "houses")
    described = describe_git(Project(tmp_path, "lib", tmp_path, tmp_path, tmp_path / "runs"), record)
    assert described is not None
    assert described.to_json() == {"commit": described.commit, "changed": True, "untracked": ["new file"]}
    assert b"-caf\xe9\n+th\xe9\n" in (record.folder / "git.diff").read_bytes()


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    assert describe_git(Project(tmp_path, "lib", tmp_path, tmp_path, tmp_path), Record(tmp_path)) is None


def test_a_page_that_cannot_be_drawn_still_leaves_a_sealed_record(
    tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(record: Record, manifest: object) -> None:
        raise OSError("disk full")

    research("1 + 1")
    monkeypatch.setattr("pipeline_lib.runner.run.write_report", broken)
    with pytest.raises(RunError, match="no result of"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    record = only(tmp_path / "runs")
    assert record.status() == "failed"
    assert verify(record) == []


def test_progress_that_nobody_reads_any_more_ends_no_run() -> None:
    def broken(line: str) -> None:
        raise BrokenPipeError

    project = find_project(HOUSES.parent)
    hooks = _progress_hooks(project.research_notebook("houses"), project, broken)
    cell = SimpleNamespace(source="x = 1")
    hooks["on_cell_start"](cell, 0)
    hooks["on_cell_executed"](cell, 0, None)


def test_a_kernel_that_is_about_to_end_is_not_interrupted_before() -> None:
    sent: list[int] = []
    interrupted = AsyncMock(side_effect=sent.append)
    manager = RecordKernelManager(kernel_name="python3")
    manager.provisioner = SimpleNamespace(has_process=True, send_signal=interrupted)
    asyncio.run(manager._async_interrupt_kernel())
    assert sent == [signal.SIGINT]  # while it works, it is
    manager.shutting_down = True
    asyncio.run(manager._async_interrupt_kernel())
    assert sent == [signal.SIGINT]
