"""Warm processes: how they start, and with what they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from processes import gone

from pipeline_lib.errors import RunError
from pipeline_lib.runner.warm.client import ADDRESS, WarmProcess, WarmServer, lasting
from pipeline_lib.runner.warm.provisioner import WarmProvisioner


def test_arguments_environment_and_folder_are_those_of_the_request(warm: Callable[..., Any], tmp_path: Path) -> None:
    code = "import os, sys\nfound = [sys.argv[1:], os.environ['SAID'], os.getcwd(), os.getsid(0) == os.getpid()]"
    assert warm(code, "-f", "x", SAID="so") == [["-f", "x"], "so", str(tmp_path.resolve()), True]


def test_the_filters_of_warnings_come_with_the_module_that_sets_them(warm: Callable[..., Any]) -> None:
    count = "import warnings\nbefore = len(warnings.filters)\n"
    assert warm(f"{count}import numpy\nfound = len(warnings.filters) - before") > 0
    assert warm(f"{count}import xml.dom.minidom\nfound = len(warnings.filters) - before") == 0


ENDINGS = [("raise SystemExit(7)", 7), ("1 / 0", 1), ("os.kill(os.getpid(), 9)", -9)]


@pytest.mark.parametrize(("ending", "code"), ENDINGS)
def test_the_exit_code_comes_back(warm: Callable[..., Any], ending: str, code: int) -> None:
    process = warm(f"import os, sys\nsys.stderr = open(os.devnull, 'w')\nfound = 1\n{ending}", wait=False)
    assert process.wait(30) == code == process.poll()


def test_a_process_ends_when_its_client_closes_the_connection(warm: Callable[..., Any]) -> None:
    process = warm("import time\ntime.sleep(60)\nfound = 1", wait=False)
    assert process.poll() is None
    process._answers.close()
    process._connection.close()
    assert gone(process.pid)


def test_processes_end_with_their_server(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time\ntime.sleep(60)\n")
    with WarmServer(()) as server:
        address = server.wait_until_ready().address
        process = WarmProcess(address, "sleeper", environment=dict(os.environ), folder=tmp_path)
        os.kill(server._process.pid, signal.SIGKILL)
        assert gone(process.pid)
    assert process.poll() == -signal.SIGKILL


RUNNER = """
import os, pathlib, signal
from pipeline_lib.runner.warm.client import WarmProcess, WarmServer
with WarmServer(()) as server:
    process = WarmProcess(server.wait_until_ready().address, "sleeper", environment=dict(os.environ), folder=".")
    print(process.pid, server._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_warm_processes_and_their_server_end_with_a_killed_runner(tmp_path: Path) -> None:
    # the sleeper sits in compiled code that lets no other thread run, as a long cell may
    (tmp_path / "sleeper.py").write_text("import ctypes\nctypes.PyDLL(None).sleep(60)\n")
    command = [sys.executable, "-c", RUNNER]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 (this Python)
    assert ended.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in ended.stdout.split()]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_a_server_that_preloads_a_debugger_is_silent(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYDEVD_DISABLE_FILE_VALIDATION", raising=False)
    (tmp_path / "probe.py").write_text("import os, sys\nsys.exit('PYDEVD_DISABLE_FILE_VALIDATION' in os.environ)\n")
    with WarmServer(["ipykernel.debugger"]) as server:
        address = server.wait_until_ready().address
        assert WarmProcess(address, "probe", environment=dict(os.environ), folder=tmp_path).wait(60) == 0
    assert capfd.readouterr().err == ""


def test_a_server_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with WarmServer(()) as server, pytest.raises(RunError, match="--cold does without"):
        server.wait_until_ready()


def test_variables_of_one_process_make_no_other_environment() -> None:
    assert lasting({"PATH": "/bin", ADDRESS: "x", "JPY_PARENT_PID": "3"}) == {"PATH": "/bin"}


def test_kernels_keep_their_server_when_packages_change(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        def __init__(self, names: Sequence[str]) -> None:
            self.alive, self.environment, self.address = True, lasting(os.environ), f"socket {len(begun)}"
            begun.append(self)

        def wait_until_ready(self) -> "Server":
            return self

    begun: list[Server] = []
    monkeypatch.setattr("pipeline_lib.runner.warm.provisioner.WarmServer", Server)
    monkeypatch.setattr(WarmProvisioner, "_servers", [])
    assert [WarmProvisioner._address() for _ in range(2)] == ["socket 0", "socket 0"]
    begun[0].alive = False
    assert [WarmProvisioner._address() for _ in range(2)] == ["socket 1", "socket 1"]
    assert WarmProvisioner._servers == begun  # the first one is not closed
