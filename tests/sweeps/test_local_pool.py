"""Processes that run a sweep's members: none outlives the sweep, and a lost one does not end it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import gone

from pipeline_lib.sweeps import local_pool as workers
from pipeline_lib.sweeps.local_pool import LocalPool

# it sits in compiled code that lets no other thread run, as a long cell may
SLEEPER = "import ctypes, pathlib\npathlib.Path('started').touch()\nctypes.PyDLL(None).sleep(60)\n"
ECHO = """
import json, os, sys
for line in sys.stdin:
    print(json.dumps({"folder": None, "pid": os.getpid()}), flush=True)
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


def test_a_cold_worker_outlives_the_thread_that_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
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
            ((place, answer),) = pool.work([{}])
            assert place == 0
            pids.append(answer["pid"])
            assert pool._server is not None
            os.kill(pool._server._process.pid, signal.SIGKILL)
            assert gone(pids[-1])
    assert len(set(pids)) == 2


def test_members_without_a_server_are_answered_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with LocalPool(1, ()) as pool:
        told = dict(pool.work([{}, {}]))
    assert all("--cold does without" in told[place]["error"] for place in range(2))
