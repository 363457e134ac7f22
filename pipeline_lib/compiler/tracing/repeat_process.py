"""The process that records own code a second time, as the compiling process sees it: started once, used by all threads.

It ends with the compiling process, however that ends: its standard input is then at its end.
"""

import atexit
import itertools
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO, cast

from pipeline_lib.compiler.tracing.refusals import TraceRefusedError

_HEADER = struct.Struct("<Q")
_COMMAND = "from pipeline_lib.compiler.tracing.repeat_worker import main; main()"
_SHOWN = 300  # characters of what the process said last


class WorkerLostError(TraceRefusedError):
    """The process has ended before it answered."""


NUMBERS = itertools.count()
"""Numbers of requests."""


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one message: its length, then its bytes."""
    stream.write(_HEADER.pack(len(message)) + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None at the end of the stream."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(header)
    message = stream.read(length)
    return message if len(message) == length else None


class Worker:
    """The process, and the requests that it has not yet answered."""

    def __init__(self) -> None:
        seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.pop("COVERAGE_PROCESS_START", None)
        self._pid = os.getpid()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603  this Python and our own module
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the compiling process
        )
        self._requests, self._answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        self._asking, self._reading = threading.Lock(), threading.Lock()
        self._waiting: dict[int, tuple[str, str]] = {}
        atexit.register(self.close)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether the process runs, and belongs to this one, not to one that this was forked from."""
        return self._pid == os.getpid() and self._process.poll() is None

    def ask(self, message: bytes) -> None:
        """Send a request."""
        try:
            with self._asking:
                send(self._requests, message)
        except (OSError, ValueError):  # ValueError: another thread has closed it
            raise self._lost() from None

    def answer(self, number: int) -> tuple[str, str]:
        """The answer to a request: its kind and a text. Threads read in turn, and keep the answers of the others."""
        if self._pid != os.getpid():
            raise self._lost()
        with self._reading:
            while number not in self._waiting:
                try:
                    message = receive(self._answers)
                except ValueError:
                    message = None
                if message is None:
                    raise self._lost()
                answered, kind, text = json.loads(message)
                self._waiting[answered] = (kind, text)
            return self._waiting.pop(number)

    def close(self) -> None:
        """End the process; it has nothing to lose."""
        if self._pid != os.getpid():
            return
        atexit.unregister(self.close)
        self._process.kill()
        self._process.wait()
        for stream in (self._requests, self._answers, self._said):
            with suppress(OSError):  # a request that was not sent
                stream.close()

    def _lost(self) -> WorkerLostError:
        said = ""
        if self._pid == os.getpid() and not self._said.closed:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()[-_SHOWN:]
        drop(self)
        return WorkerLostError(
            "found the process gone that records own code a second time, expected its answer"
            f"{f' (it said: {said})' if said else ''}; compile again"
        )


_workers: list[Worker] = []
_starting = threading.Lock()


def worker() -> Worker:
    """The process; a new one where the last has ended."""
    with _starting:
        if not _workers or not _workers[-1].usable:
            for each in _workers:
                each.close()
            _workers[:] = [Worker()]
        return _workers[-1]


def drop(lost: Worker) -> None:
    """Forget a process that has ended; the next request starts another one."""
    with _starting:
        lost.close()
        _workers[:] = [each for each in _workers if each is not lost]


def _after_fork() -> None:
    """Leave the worker to the process that started it."""
    global _starting
    _inherited.extend(_workers)  # closing its pipes might send what was half sent
    _workers.clear()
    _starting = threading.Lock()


_inherited: list[Worker] = []
os.register_at_fork(after_in_child=_after_fork)
