"""Worker processes of a sweep: none outlives the sweep, and a lost one does not end it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

import pytest
from processes import gone

from pipeline_lib.errors import InputError
from pipeline_lib.sweeps import local_pool as workers
from pipeline_lib.sweeps.local_pool import LocalPool, check_workers
from pipeline_lib.sweeps.task import Task, TaskResult

# compiled code that keeps the GIL, as a long cell may
SLEEPER = "import ctypes, pathlib\npathlib.Path('started').touch()\nctypes.PyDLL(None).sleep(60)\n"
ECHO = """
import json, os, sys
for line in sys.stdin:
    print(json.dumps({"folder": str(os.getpid())}), flush=True)
"""
KILLED = """
import os, pathlib, signal, time
from pipeline_lib.sweeps import local_pool as workers
workers._MODULE = "sleeper"
with workers.LocalPool(1, None) as pool:
    print(pool._worker(0)._process.pid, flush=True)
    while not pathlib.Path("started").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
"""


TASK = Task("houses.yml", (), "runs", "pipeline_lib", "", "", "houses-1")


@pytest.fixture(autouse=True)
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    (tmp_path / "echo.py").write_text(ECHO)
    monkeypatch.chdir(tmp_path)


def test_a_cold_worker_ends_with_a_killed_sweep() -> None:
    command = [sys.executable, "-c", KILLED]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 (this Python)
    assert ended.returncode == -signal.SIGKILL
    assert gone(int(ended.stdout))


def test_a_cold_worker_outlives_the_thread_that_requested_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_MODULE", "sleeper")
    with LocalPool(1, None) as pool:
        worker = pool._threads.submit(pool._worker, 0).result()
        while not Path("started").exists():
            time.sleep(0.01)
        pool._threads.shutdown(wait=True)
        assert worker is not None
        with pytest.raises(subprocess.TimeoutExpired):
            worker._process.wait(0.3)
        worker.kill()


def test_a_lost_server_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_MODULE", "echo")
    with LocalPool(1, ()) as pool:
        pids = []
        for _ in range(2):
            ((index, result),) = pool.work([TASK])
            assert index == 0
            pids.append(int(str(result.folder)))
            assert pool._server is not None
            os.kill(pool._server._process.pid, signal.SIGKILL)
            assert gone(pids[-1])
    assert len(set(pids)) == 2


def test_without_a_server_every_task_gets_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with LocalPool(1, ()) as pool:
        results = dict(pool.work([TASK, TASK]))
    assert all("--cold does without" in str(results[index].error) for index in range(2))


def test_there_are_three_workers_for_two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu_count, expected in ((1, 2), (2, 3), (3, 5), (8, 12)):
        monkeypatch.setattr(workers, "cpu_count", lambda cpu_count=cpu_count: cpu_count)
        assert check_workers(None) == expected
    assert check_workers(1) == 1
    with pytest.raises(InputError, match="one at least"):
        check_workers(0)


class SlowServer:
    """A server of warm processes that is ready just when the sweep ends."""

    address = "nowhere"

    def __init__(self, names: Sequence[str], runner: Sequence[str] = ()) -> None:
        self.awaited, self.given_up = threading.Event(), threading.Event()

    def wait_until_ready(self) -> Self:
        self.awaited.set()
        assert self.given_up.wait(10)
        return self

    def lost(self, patience: float) -> bool:
        return False

    def give_up(self) -> None:
        self.given_up.set()

    def close(self) -> None:
        pass


class StubbornWorker:
    """Works on until it is killed; a request to end is followed by another."""

    made: ClassVar[list["StubbornWorker"]] = []

    def __init__(self, address: str | None) -> None:
        self.working, self.killed = threading.Event(), threading.Event()
        self.made.append(self)

    def work(self, task: Task) -> None:
        self.working.set()
        assert self.killed.wait(10)

    def interrupt(self) -> None:
        raise KeyboardInterrupt

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        pass


@pytest.fixture
def stubborn(monkeypatch: pytest.MonkeyPatch) -> list[StubbornWorker]:
    monkeypatch.setattr(workers, "Worker", StubbornWorker)
    monkeypatch.setattr(workers, "WarmServer", SlowServer)
    monkeypatch.setattr(StubbornWorker, "made", [])
    return StubbornWorker.made


def interrupted(pool: LocalPool, when: Callable[[], bool]) -> TaskResult:
    """The result of a task that is interrupted as soon as `when` is true."""
    with suppress(KeyboardInterrupt), pool:
        started = pool._threads.submit(pool._run, TASK)
        until = time.monotonic() + 10
        while not when():
            assert time.monotonic() < until
            time.sleep(0.001)
        raise KeyboardInterrupt
    return started.result()


def test_a_sweep_that_is_interrupted_as_its_workers_start_starts_none(stubborn: list[StubbornWorker]) -> None:
    pool = LocalPool(1, ["numpy"])
    assert isinstance(pool._server, SlowServer)
    result = interrupted(pool, pool._server.awaited.is_set)
    assert "before it started" in str(result.error)
    assert stubborn == []


def test_a_second_request_ends_a_sweep_at_once(stubborn: list[StubbornWorker]) -> None:
    result = interrupted(LocalPool(1, None), lambda: bool(stubborn) and stubborn[0].working.is_set())
    assert stubborn[0].killed.is_set()
    assert result.error is not None
