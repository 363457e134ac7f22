"""A second record that is asked what the first one is, off the way of the answer: how often it would say otherwise."""

import threading
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from pipeline_lib.answers.replay import Disagreement, check_kind
from pipeline_lib.answers.waiting import Waiting
from pipeline_lib.compiled.pipeline import PREDICTION, CompiledPipeline

_MOST_WAITING = 50_000
"""Rows that wait; more are dropped and counted."""


class Shadow:
    """Answers by a second model in a thread of its own, compared with those that were given.

    `on_answers` is told of each comparison: rows, those that differ, those that are refused. `on_dropped` gets the
    number of rows that are not compared, as too many wait.
    """

    def __init__(
        self,
        model: CompiledPipeline,
        on_answers: Callable[[int, int, int], None],
        on_dropped: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.result = Disagreement()
        self._model = model
        self._on_answers, self._on_dropped = on_answers, on_dropped
        self._waiting: Waiting[tuple[str, Any, pa.Table]] = Waiting(_MOST_WAITING)
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def add(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        """Ask the second model, too; returns at once."""
        if self._waiting.put((answer, rows, outputs), outputs.num_rows):
            self._wake.set()
        else:
            self._on_dropped(outputs.num_rows)

    def close(self) -> None:
        """Answer what waits, and end."""
        self._stop = True
        self._wake.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._stop:
            self._wake.wait(1.0)
            self._wake.clear()
            self._ask_all()
        self._ask_all()

    def _ask_all(self) -> None:
        while part := self._waiting.take(1)[0]:
            self._ask(*part[0])

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
