"""A second record that is asked what the first one is, off the way of the answer: how often it would say otherwise."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from pipeline_lib.answers.replay import Disagreement, check_kind
from pipeline_lib.compiled.pipeline import PREDICTION, CompiledPipeline

_MOST_WAITING = 50_000
"""Rows that wait; more are dropped and counted."""


class Shadow:
    """Answers by a second model in a thread of its own, compared with those that were given.

    `on_answers` is told of each comparison: rows, those that differ, those that are refused.
    """

    def __init__(self, model: CompiledPipeline, on_answers: Callable[[int, int, int], None]) -> None:
        self.result, self.dropped = Disagreement(), 0
        self._model = model
        self._on_answers = on_answers
        self._waiting: deque[tuple[str, Any, pa.Table]] = deque()
        self._rows = 0
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def add(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        """Ask the second model, too; returns at once."""
        if self._rows + outputs.num_rows > _MOST_WAITING:
            self.dropped += outputs.num_rows
            return
        self._rows += outputs.num_rows
        self._waiting.append((answer, rows, outputs))
        self._wake.set()

    def close(self) -> None:
        """Answer what waits, and end."""
        self._stop = True
        self._wake.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._stop:
            self._wake.wait(1.0)
            self._wake.clear()
            while self._waiting:
                answer, rows, outputs = self._waiting.popleft()
                self._rows -= outputs.num_rows
                self._ask(answer, rows, outputs)

    def _ask(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        before, refused = self.result.differing, 0
        try:
            names = [name for name in outputs.column_names if name.partition("[")[0] == PREDICTION]
            given, answered = outputs.select(names), self._model.predict_table(rows)
            check_kind(given, answered)
            self.result.add(pa.array([f"{answer}/{number}" for number in range(len(given))]), given, answered)
        except Exception:  # refused; nor is a bug of the second model any of the first one's answers
            refused = outputs.num_rows
            self.result.rows += refused
            self.result.refused += refused
        self._on_answers(outputs.num_rows, self.result.differing - before, refused)
