"""The second recording: own code is recorded again, on a copy, in another process under another hash seed.

    compiling process                      worker, kept for further compilations
      record ------- request ------------>   fork: load the copy, record it again
      ... compile goes on ...
      compare <----- digest of the plan --

What depends on the order of a set, on `id` or `hash`, or on what an earlier call left behind is recorded otherwise
there, and refused: no replay of rows could see it.
"""

import atexit
import hashlib
import itertools
import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError

_HEADER = struct.Struct("<Q")
_NUMBERS = itertools.count()
_COMMAND = "from pipeline_lib.compiler.tracing.repeat_worker import main; main()"


def plan_digest(nodes: Sequence[Node], outputs: Any) -> str:
    """A digest of recorded nodes and outputs, the same in every process."""
    parts = [[node.operation, list(node.inputs), node.settings, node.dtype] for node in nodes]
    text = json.dumps([parts, list(outputs.items())], default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.tolist()]
    return value.item() if isinstance(value, np.generic) else repr(value)


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


@dataclass
class Repeats:
    """The second recordings of one compilation, from request to comparison."""

    expected: dict[int, tuple[str, str]] = field(default_factory=dict)

    def request(self, where: str, payload: Any, digest: str) -> None:
        """Have own code recorded again. Raises TraceRefusedError for code that cannot be copied."""
        import cloudpickle

        try:
            number = next(_NUMBERS)
            message = cloudpickle.dumps((number, list(sys.path), str(Path.cwd()), cloudpickle.dumps(payload)))
        except Exception as error:
            raise TraceRefusedError(
                f"{where}: found own code that cannot be copied to another process ({type(error).__name__}: {error}), "
                "expected one that pickles; keep open files, locks and connections out of the fitted step"
            ) from None
        _worker().ask(message)
        self.expected[number] = (where, digest)

    def compare(self) -> None:
        """Wait for the second recordings. Raises TraceRefusedError for one that differs from the first."""
        expected, self.expected = self.expected, {}
        answers: dict[int, tuple[str, str]] = {}
        while not expected.keys() <= answers.keys():  # those of a compilation that was refused come first
            number, kind, text = _worker().answer()
            answers[number] = (kind, text)
        for number, (where, digest) in expected.items():
            kind, text = answers[number]
            if kind == "error":
                raise TraceRefusedError(
                    f"{where}: found {text} when the own code was recorded a second time, in another process, expected "
                    "the same plan as in the first; put the code in a module or notebook cell that can be imported, "
                    "and leave out what depends on the process"
                )
            if text != digest:
                raise TraceRefusedError(
                    f"{where}: found another plan when the own code was recorded a second time, in another process, "
                    "expected the same; does it loop over a set, or keep something from an earlier call? "
                    "loop over sorted(values), and keep state in `fit` only"
                )


class _Worker:
    """The process that records a second time; it ends with this one."""

    def __init__(self) -> None:
        seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.pop("COVERAGE_PROCESS_START", None)
        self.pid = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603  this Python and our own module
            [sys.executable, "-c", _COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        atexit.register(self.close)

    @property
    def usable(self) -> bool:
        """Whether the process runs, and belongs to this one, not to one that this was forked from."""
        return self.pid == os.getpid() and self._process.poll() is None

    def ask(self, message: bytes) -> None:
        """Send a request; answers come in order."""
        try:
            send(_open(self._process.stdin), message)
        except OSError:
            raise _lost() from None

    def answer(self) -> tuple[int, str, str]:
        """The next answer: the number of its request, "digest" or "error", and a text."""
        message = receive(_open(self._process.stdout))
        if message is None:
            raise _lost()
        number, kind, text = json.loads(message)
        return int(number), str(kind), str(text)

    def close(self) -> None:
        """End the process."""
        if self.pid != os.getpid():
            return
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise _lost()
    return stream


_workers: list[_Worker] = []


def _worker() -> _Worker:
    if not _workers or not _workers[-1].usable:
        _workers[:] = [_Worker()]
    return _workers[-1]


def _lost() -> TraceRefusedError:
    _workers.clear()
    return TraceRefusedError(
        "found the process gone that records own code a second time, expected its answer; compile again, and look at "
        "its message above"
    )
