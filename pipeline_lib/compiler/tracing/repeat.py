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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError
from pipeline_lib.compiler.tracing.repeat_process import NUMBERS, Worker, worker

SECONDS = 120.0
"""The time that one recording may take; a usual one takes less than one second."""


def plan_digest(nodes: Sequence[Node], outputs: Any) -> str:
    """A digest of recorded nodes and outputs, the same in every process."""
    parts = [[node.operation, list(node.inputs), _ordered(node.settings), node.dtype] for node in nodes]
    text = json.dumps([parts, list(outputs.items())], default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(value: Any) -> Any:
    """Dicts as lists of pairs in the order of their keys, which may be of several types."""
    if isinstance(value, dict):
        return sorted(([repr(key), _ordered(each)] for key, each in value.items()), key=lambda pair: pair[0])
    return [_ordered(each) for each in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.tolist()]
    return value.item() if isinstance(value, np.generic) else repr(value)


@dataclass
class Repeats:
    """The second recordings of one compilation, from request to comparison."""

    seconds: float = SECONDS
    expected: dict[int, tuple[str, str, Worker]] = field(default_factory=dict)

    def start(self) -> None:
        """Start the worker, so that it is ready when the first recording is done."""
        worker()

    def request(self, where: str, payload: Any, digest: str) -> None:
        """Have own code recorded again. Raises TraceRefusedError for code that cannot be copied."""
        import cloudpickle

        number, process = next(NUMBERS), worker()
        try:
            parts = (number, self.seconds, list(sys.path), str(Path.cwd()), cloudpickle.dumps(payload))
            message = cloudpickle.dumps(parts)
        except Exception as error:
            raise TraceRefusedError(
                f"{where}: found own code that cannot be copied to another process ({type(error).__name__}: {error}), "
                "expected one that pickles; keep open files, locks and connections out of the fitted step"
            ) from None
        process.ask(message)
        self.expected[number] = (where, digest, process)

    def compare(self) -> None:
        """Wait for the second recordings. Raises TraceRefusedError for one that differs from the first."""
        expected, self.expected = self.expected, {}
        answers = {number: process.answer(number) for number, (_, _, process) in expected.items()}
        for number, (where, digest, _) in expected.items():
            kind, text = answers[number]
            if kind == "refused":
                raise TraceRefusedError(f"{where}: {text}")
            found = text if kind == "error" else "another plan"
            again = f"{where}: found {found} in a second recording, in another process, expected that of the first"
            if kind == "error":
                raise TraceRefusedError(
                    f"{again}; put the code in a notebook cell or in a module that can be imported, and leave out what "
                    "depends on the process"
                )
            if text != digest:
                raise TraceRefusedError(
                    f"{again}; does the code loop over a set, draw, or keep something from an earlier call? loop over "
                    "sorted(values), and draw and keep in `fit` alone"
                )
