"""The second recording: own code is recorded again, on a copy, in another process under another hash seed.

    compiling process                      worker, kept for further compilations
      record ------- request ------------>   fork: load the copy, record it again
      ... compile goes on ...
      compare <----- digest of the plan --

What depends on the order of a set, on `id` or `hash`, on a draw, or on what an earlier call left behind is recorded
otherwise there, and refused: no replay of rows could see it. Files and connections that own code opens are seen there,
too (`repeat_worker`).
"""

import hashlib
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError
from pipeline_lib.compiler.tracing.repeat_process import NUMBERS, Worker, WorkerLostError, worker

SECONDS = 120.0
"""The time that one recording may take; a usual one takes less than one second."""


def plan_digest(nodes: Sequence[Node], outputs: Any) -> str:
    """A digest of recorded nodes and outputs, the same in every process.

    The place that a message names is left out: another process has no source text of a notebook's cell.
    """
    parts = [
        [node.operation, list(node.inputs), _ordered({**node.settings, "where": None}), node.dtype] for node in nodes
    ]
    text = json.dumps([parts, list(outputs.items())], default=plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(value: Any) -> Any:
    """Dicts as lists of pairs in the order of their keys, which may be of several types."""
    if isinstance(value, dict):
        return sorted(([repr(key), _ordered(each)] for key, each in value.items()), key=lambda pair: pair[0])
    return [_ordered(each) for each in value] if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """A setting of a node as JSON has it."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.tolist()]
    return value.item() if isinstance(value, np.generic) else repr(value)


@dataclass(frozen=True)
class Request:
    """One second recording that was asked for: of what, the digest of the first, and who answers."""

    where: str
    payload: Any
    digest: str
    process: Worker


@dataclass
class Repeats:
    """The second recordings of one compilation, from request to comparison."""

    seconds: float = SECONDS
    expected: dict[int, Request] = field(default_factory=dict)

    def start(self) -> None:
        """Start the worker, so that it is ready when the first recording is done."""
        worker()

    def request(self, where: str, payload: Any, digest: str) -> None:
        """Have own code recorded again. Raises TraceRefusedError for code that cannot be copied."""
        self._ask(Request(where, payload, digest, worker()))

    def _ask(self, request: Request, *, again: bool = True) -> int:
        """Send a request; its number. A worker that has ended, as by a signal, is replaced once."""
        import cloudpickle

        number = next(NUMBERS)
        try:
            with _REGISTERING:  # else another thread could change half way how a class is sent
                payload = cloudpickle.dumps(request.payload)
            message = cloudpickle.dumps((number, self.seconds, list(sys.path), str(Path.cwd()), payload))
        except Exception as error:
            raise TraceRefusedError(
                f"{request.where}: found own code that cannot be copied to another process ({type(error).__name__}: "
                f"{error}), expected one that pickles; keep open files, locks and connections out of the fitted step"
            ) from None
        try:
            request.process.ask(message)
        except WorkerLostError:
            if not again:
                raise
            return self._ask(replace(request, process=worker()), again=False)
        self.expected[number] = request
        return number

    def _answer(self, number: int, request: Request) -> tuple[str, str]:
        """The answer to a request; asked again where the worker has ended before it."""
        try:
            return request.process.answer(number)
        except WorkerLostError:
            process = worker()
            return process.answer(self._ask(replace(request, process=process), again=False))

    def compare(self) -> None:
        """Wait for the second recordings. Raises TraceRefusedError for one that differs from the first."""
        expected, self.expected = self.expected, {}
        answers = {number: self._answer(number, request) for number, request in expected.items()}
        for number, request in expected.items():
            kind, text = answers[number]
            if kind == "missing":
                with _by_value(text):
                    again = self._ask(replace(request, process=worker()))
                kind, text = self._answer(again, self.expected[again])
            _check(request, kind, text)
        self.expected.clear()


@contextmanager
def _by_value(name: str) -> Iterator[None]:
    """Send the code of a package along that the other process could not import, such as that of a test module."""
    import cloudpickle

    top = name.split(".")[0]
    modules = [module for key, module in list(sys.modules.items()) if key.split(".")[0] == top]
    with _REGISTERING:
        modules = [module for module in modules if module.__name__ not in cloudpickle.list_registry_pickle_by_value()]
        try:
            for module in modules:
                cloudpickle.register_pickle_by_value(module)
            yield
        finally:
            for module in modules:
                cloudpickle.unregister_pickle_by_value(module)


_REGISTERING = threading.RLock()
"""cloudpickle's list of modules belongs to all threads."""


def _check(request: Request, kind: str, text: str) -> None:
    """Refuse own code whose second recording was another one."""
    if kind == "refused":
        raise TraceRefusedError(f"{request.where}: {text}")
    found = {"digest": "another plan", "missing": f"no module {text!r}"}.get(kind, text)
    again = f"{request.where}: found {found} in a second recording, in another process, expected that of the first"
    if kind != "digest":
        raise TraceRefusedError(
            f"{again}; put the code in a notebook cell or in a module that can be imported, and leave out what depends "
            "on the process"
        )
    if text != request.digest:
        raise TraceRefusedError(
            f"{again}; does the code loop over a set, draw, or keep something from an earlier call? loop over "
            "sorted(values), and draw and keep in `fit` alone"
        )
