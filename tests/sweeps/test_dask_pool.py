"""Sweeps on Dask: a real scheduler, two worker processes, one of which is killed."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from example import HOUSES, ROOT

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.records.record import Record, all_records
from pipeline_lib.sweeps import dask_pool
from pipeline_lib.sweeps.dask_pool import DaskTask
from pipeline_lib.sweeps.result import Sweep
from pipeline_lib.sweeps.sweep import sweep
from pipeline_lib.sweeps.task import Task, TaskResult

pytest.importorskip("distributed")
GRID = ["seed=0..3"]


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / f"{'-'.join(words[:1])}-{time.monotonic_ns()}.log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 (Dask's own commands)
            [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
            cwd=folder,
            env=environment,
            stderr=stream,
            stdout=stream,
        )
        process.log = log  # type: ignore[attr-defined]
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    with started(tmp_path, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as process:
        deadline = time.monotonic() + 60
        address = None
        while address is None and time.monotonic() < deadline:
            time.sleep(0.1)
            address = re.search(r"Scheduler at:\s+(tcp://\S+)", process.log.read_text())  # type: ignore[attr-defined]
        assert address is not None
        yield address[1]


def worker(folder: Path, address: str) -> subprocess.Popen[bytes]:
    return started(folder, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard")  # type: ignore[return-value]


def outputs(found: Sweep) -> dict[str, object]:
    """The hashes of each member's results, by the parameters that it varies."""
    assert [result.error for result in found.results] == [None] * len(found.results)
    folders = {result.member.label: result.folder for result in found.results if result.folder}
    return {label: Record(folder).manifest()["hashes"] for label, folder in folders.items()}


def test_a_scheduler_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.system.dask_client._SECONDS_TO_CONNECT", 0.2)
    with pytest.raises(InputError, match="no scheduler"):
        sweep(HOUSES, ["seed=0..1"], dask="tcp://127.0.0.1:9", runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_dask_worker_loses_nothing_and_results_are_the_local_ones(tmp_path: Path, scheduler: str) -> None:
    runs = tmp_path / "runs"
    with worker(tmp_path, scheduler) as doomed, worker(tmp_path, scheduler):

        def kill_in_the_middle() -> None:
            deadline = time.monotonic() + 120
            while len(all_records(runs)) < 2 and time.monotonic() < deadline:
                time.sleep(0.1)
            os.kill(doomed.pid, signal.SIGKILL)

        killing = threading.Thread(target=kill_in_the_middle)
        killing.start()
        found = sweep(HOUSES, GRID, dask=scheduler, runs=runs, parity="none")
        killing.join()
    assert doomed.returncode == -signal.SIGKILL
    assert outputs(found) == outputs(sweep(HOUSES, GRID, runs=tmp_path / "local", parity="none"))


@pytest.mark.slow
def test_records_arrive_through_a_store(tmp_path: Path, scheduler: str) -> None:
    store = f"file://{tmp_path / 'store'}"
    with worker(tmp_path, scheduler):
        found = sweep(HOUSES, ["seed=0..1"], dask=scheduler, store=store, runs=tmp_path / "runs", parity="all")
    assert len(outputs(found)) == 2
    assert len(all_records(tmp_path / "runs")) == 2
    assert all((tmp_path / "store" / "houses" / record.id).is_dir() for record in all_records(tmp_path / "runs"))


def test_a_dask_worker_takes_another_process_for_other_files_or_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    class Process:
        def __init__(self, address: str | None) -> None:
            if fails:
                raise RunError("no server")
            self.closed = 0
            begun.append(self)

        def work(self, task: Task) -> TaskResult:
            assert not self.closed
            return TaskResult(folder=task.packages)

        def close(self) -> None:
            self.closed += 1

    begun: list[Process] = []
    fails: list[bool] = []
    here = {"packages": "1.0", "sources": "first"}
    monkeypatch.setattr(dask_pool, "Worker", Process)
    monkeypatch.setattr(dask_pool, "_local", threading.local())
    monkeypatch.setattr(dask_pool, "packages_digest", lambda: here["packages"])
    monkeypatch.setattr(dask_pool, "sources_of", lambda path: here["sources"])
    task = DaskTask(Task("houses.yml", (), "runs", "pipeline_lib", "", "", "houses-1"), None, None, "one sweep")
    assert [dask_pool._run(task).folder for _ in range(2)] == ["1.0"] * 2
    assert len(begun) == 1
    here["sources"] = "second"
    dask_pool._run(task)
    here["packages"] = "2.0"
    assert dask_pool._run(task).folder == "1.0"  # what the sweep began with here: its process will refuse
    assert dask_pool._run(replace(task, sweep_id="another sweep")).folder == "2.0"
    assert [process.closed for process in begun] == [1, 1, 0]
    here["sources"] = "third"
    fails.append(True)
    assert [dask_pool._run(task).error for _ in range(2)] == ["no server"] * 2
    assert [process.closed for process in begun] == [1, 1, 1]
