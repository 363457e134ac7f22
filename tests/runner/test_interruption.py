"""Runs that are interrupted or killed: what is sealed, and that the kernel ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from example import HOUSES, ROOT
from small_records import only_record

from pipeline_lib.errors import RunError
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]


def test_an_interruption_is_a_failed_run(tmp_path: Path, research: Research, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        Path(str(options["destination"])).write_bytes(Path(str(args[0])).read_bytes())
        raise KeyboardInterrupt

    research("pass")
    monkeypatch.setattr("papermill.execute_notebook", interrupt)
    with pytest.raises(RunError, match="interrupted"):
        run_pipeline(HOUSES, runs=tmp_path / "runs")
    assert only_record(tmp_path / "runs").status() == "failed"


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
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # a killed runner removes nothing
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
    """In a process of its own: the signal would end the tests."""
    runner = started(
        tmp_path, research("import os, signal, time\nos.kill(os.getppid(), signal.SIGTERM)\ntime.sleep(60)")
    )
    assert runner.wait(60) == 143
    record = only_record(tmp_path / "runs")
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
        record = only_record(tmp_path / "runs")
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
        assert (error["cell"], verify(record)) == (2, [])
        assert error["message"] == "interrupted (SIGTERM)"
