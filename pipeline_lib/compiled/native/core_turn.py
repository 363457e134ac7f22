"""A turn of the core: its plan, and how columns come to it and go."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.native.core_plan import CorePlan
from pipeline_lib.compiled.native.distinct_texts import (
    DistinctTexts,
    NumbersByWord,
    SharedNumbers,
    WordNumbers,
    shared,
)
from pipeline_lib.compiled.native.thread_shares import run_in_shares, shares_of
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words

Known = dict[int, PlanColumn]
_DTYPES: dict[str, Any] = {"d": np.float64, "i": np.int64, "b": np.bool_, "t": np.int32, "v": np.float64}


class CoreTurn:
    """Nodes of a plan that the core runs, on rows, or on the distinct texts of a column."""

    def __init__(self, core: CorePlan, native: Any, threads: int) -> None:
        self.core, self._native, self._threads = core, native, threads
        native.knows(core.words.words)

    def run(self, known: Known, columns: Mapping[str, PlanColumn], rows: int, batch: Any, first: int) -> bool:
        """Add what the core gives to `known`; False where it refuses a row."""
        taken = zip(self.core.taken, self.core.taken_kinds, strict=True)
        buffers = [self._buffer(known[node], kind, rows, batch, first) for node, kind in taken]
        if any(buffer is None for buffer in buffers):
            return False
        results = self.results(buffers, rows, batch, first)
        if results is None:
            return False
        known.update(zip(self.core.given, results, strict=True))
        return True

    def results(self, taken: list[Any], rows: int, batch: Any, first: int) -> list[PlanColumn] | None:
        """The columns that it gives; None where it refuses a row."""
        core, results = self.core, self.arrays(taken, rows, batch, first)
        if results is None or not {"t", "s"} & {*core.kinds}:
            return results
        # NumPy keeps what it computes of a word with the words: they are new for each batch
        words = core.words.column_words()
        return [_column(each, kind, words) for kind, each in zip(core.kinds, results, strict=True)]

    def arrays(self, taken: list[Any], rows: int, batch: Any, first: int) -> list[Any] | None:
        """The same, text as the numbers of the plan's words, or of words of its own, with these."""
        results = [_empty(kind, width, rows) for kind, width in zip(self.core.kinds, self.core.widths, strict=True)]
        if not self._run(taken, results, rows, batch, first):
            return None
        for _, words in (each for kind, each in zip(self.core.kinds, results, strict=True) if kind == "s"):
            words.append(None)  # which the code -1 indexes
        return results

    def _run(self, taken: list[Any], results: list[Any], rows: int, batch: Any, first: int) -> bool:
        """Fill `results`; False where a row is refused. Each thread has rows that follow one another."""
        shares = shares_of(self._threads, rows, self.core.nanoseconds_of_a_row)

        def share(start: int, stop: int) -> bool:
            return bool(self._native.run(taken, results, start, stop, batch, first))

        return share(0, rows) if shares == 1 else run_in_shares(share, rows, shares)

    def of_texts(self, batch: Any, number: int | None, column: TextColumn | None) -> Sequence[Any] | None:
        """What it gives for the distinct texts of a column, or of a batch's with this number; None for one refused."""
        core = self.core
        texts = DistinctTexts.of_batch(batch, number or 0) if column is None else DistinctTexts.of_column(column)
        results = None if texts is None else self.arrays([texts.texts] * len(core.taken), texts.count, None, 0)
        return None if texts is None or results is None else shared(texts.codes, results, core.kinds, core.words)

    def of_words(self, number: int | None, column: TextColumn | None) -> Sequence[Any] | None:
        """The same by words of the plan; what it gives for each of them is computed once."""
        if column is not None:
            return self._of_each_word.of_column(column, self.core.words)
        return self._of_each_word.of_batch(number or 0)

    @cached_property
    def takes_words(self) -> bool:
        """Whether it takes the number of a word, and no text."""
        return "s" not in self.core.taken_kinds

    @cached_property
    def _of_each_word(self) -> WordNumbers:
        core = self.core
        every = np.arange(core.words.size, dtype=np.int32)
        return WordNumbers.of(
            lambda words: self.arrays([(words, every)] * len(core.taken), len(words), None, 0), core.words.size
        )

    def _buffer(self, column: PlanColumn, kind: str, rows: int, batch: Any, first: int) -> Any | None:
        """A column as the core takes it; None where `conform` has to judge a text."""
        if isinstance(column, int) and kind == "s":
            texts = DistinctTexts.of_batch(batch, column)
            return None if texts is None else (texts.codes[first : first + rows], texts.texts[1])
        if isinstance(column, int):  # the number of a raw column of the batch
            return column
        if isinstance(column, NumbersByWord):
            return column.parts
        if isinstance(column, SharedNumbers) and not isinstance(column.words, Words):
            return column.codes, column.numbers
        if isinstance(column, SharedNumbers):
            column = column.column()
        if kind == "s":
            return np.ascontiguousarray(column.codes), column.words
        if isinstance(column, TextColumn):
            return np.ascontiguousarray(column.codes), self.core.words.of_batch(column.words)
        return np.ascontiguousarray(column)


def _column(result: Any, kind: str, words: Words) -> PlanColumn:
    column: PlanColumn = TextColumn(*result) if kind == "s" else TextColumn(result, words) if kind == "t" else result
    return column


def _empty(kind: str, width: int, rows: int) -> Any:
    if kind == "s":
        return np.empty(rows, dtype=np.int32), Words([])  # the core appends the distinct texts of the rows
    return np.empty((width, rows) if kind == "v" else rows, dtype=_DTYPES[kind])
