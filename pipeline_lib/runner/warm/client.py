"""Client of the fork server: start it, ask it for processes."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline_lib.errors import RunError
from pipeline_lib.runner.warm.cold_only import KERNEL
from pipeline_lib.runner.warm.fork_server import READY
from pipeline_lib.system.fingerprint import packages_digest
from pipeline_lib.system.locks import locked_temporary_folder

ADDRESS = "PIPELINE_LIB_WARM"
"""Environment variable that names the socket of a running server."""
PROVISIONER = "JUPYTER_DEFAULT_PROVISIONER_NAME"
"""Environment variable that selects Jupyter's kernel provisioner; `warm` is ours."""
_SERVER = "pipeline_lib.runner.warm.fork_server"
_PER_PROCESS = (ADDRESS, PROVISIONER, "PIPELINE_LIB_RECORD", "JPY_PARENT_PID", "JPY_SESSION_NAME", "PWD", "OLDPWD", "_")


class WarmServer:
    """A fork server with this process's environment, which ends with it. A context manager."""

    def __init__(self, names: Sequence[str], runner: Sequence[str] = ()) -> None:
        self.environment = lasting(os.environ)
        self._packages = packages_digest()
        self._lock, self._ready = threading.Lock(), False
        self._folder = ExitStack()
        self.address = f"{self._folder.enter_context(locked_temporary_folder('warm'))}/socket"
        self._process = subprocess.Popen(  # noqa: S603 (this Python and our own module)
            [sys.executable, "-m", _SERVER, self.address, self._packages, *names, "--", *runner],
            env={**KERNEL, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def wait_until_ready(self) -> Self:
        """Return when the server has imported its modules; RunError when it ended before."""
        with self._lock:
            assert self._process.stdout is not None  # noqa: S101 (it was asked for)
            self._ready = self._ready or self._process.stdout.readline() == READY
            if not self._ready:
                raise RunError(
                    f"found that the process with preloaded packages ended with {self._process.wait()}, expected it "
                    "to serve; its message is above; --cold does without it"
                )
        return self

    @property
    def alive(self) -> bool:
        """Whether the server runs and the installed packages are those that it imported."""
        return self._process.poll() is None and self._packages == packages_digest()

    def lost(self, patience: float) -> bool:
        """Whether the server was ready and has ended, or ends within `patience` seconds."""
        with suppress(subprocess.TimeoutExpired):
            return self._ready and self._process.wait(patience) is not None
        return False

    def give_up(self) -> None:
        """Kill a server that is not ready yet; `wait_until_ready` then raises RunError."""
        if not self._ready:
            self._process.kill()

    def close(self) -> None:
        """End the server, and with it every process forked from it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.give_up()
        self.close()


class WarmProcess:
    """A process forked by a server, with the part of `subprocess.Popen` that its callers use.

    `streams` are its standard streams; of two, for its output, it has nothing to read.
    """

    stdin = stdout = stderr = None

    def __init__(
        self,
        address: str,
        module: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str],
        folder: str | Path,
        streams: Sequence[int] = (1, 2),
        runner: bool = False,
    ) -> None:
        request = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(Path(folder).resolve()),
            "runner": runner,
        }
        message = f"{json.dumps(request)}\n".encode()
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX)
        try:
            self.pid = self._ask(address, message, streams)
        except OSError as error:
            self._connection.close()
            raise RunError(
                f"found no process with preloaded packages ({error}), expected it to answer; run again, or with --cold"
            ) from error

    def _ask(self, address: str, message: bytes, streams: Sequence[int]) -> int:
        self._connection.connect(address)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a device)
            sent = socket.send_fds(self._connection, [message], [nothing.fileno(), *streams][-3:])
            self._connection.sendall(message[sent:])
            self._answers = self._connection.makefile("rb")
            pid = int(self._answers.readline() or 0)
        if not pid:
            self._answers.close()
            raise ConnectionError("it ended")
        return pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while the process lives."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self._read()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code; TimeoutError when it does not come in `timeout` seconds."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise TimeoutError(f"process {self.pid} is still running")
            self._read()
        assert self.returncode is not None  # noqa: S101 (read above)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal the process, if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def _read(self) -> None:
        answer = self._answers.readline()
        self.returncode = int(answer) if answer else -signal.SIGKILL  # the server died, and its children with it
        self._answers.close()
        self._connection.close()


def lasting(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that differ between processes: those a preloaded module may have read."""
    return {name: value for name, value in environment.items() if name not in _PER_PROCESS}
