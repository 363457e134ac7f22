"""The distinct texts of a batch's column as the core takes them, and what it computes of each, spread over the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.native.words import WordTable
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words


@dataclass(frozen=True)
class DistinctTexts:
    """`count` texts as the core takes them, and for each row the number of its text, -1 for the last one."""

    codes: NDArray[np.int32]
    texts: tuple[Any, Any]
    count: int

    @classmethod
    def of_batch(cls, batch: Any, number: int) -> "DistinctTexts | None":
        """Those of a raw column that the core read; None where `conform` has to judge a text."""
        result = batch.texts(number)
        if result is None:
            return None
        numbers, texts, count = result
        return cls(np.frombuffer(numbers, dtype=np.int32), (np.arange(count, dtype=np.int32), texts), count)

    @classmethod
    def of_column(cls, column: TextColumn) -> "DistinctTexts":
        """Those of a column as NumPy has it; one for each row where the words are more."""
        codes, words = np.ascontiguousarray(column.codes), column.words
        rows, count = len(codes), len(words) - (not bool((codes < 0).any()))  # the last word is for missing
        if count > rows:
            return cls(np.arange(rows, dtype=np.int32), (codes, words), rows)
        return cls(codes, (np.arange(count, dtype=np.int32), words), count)


@dataclass(frozen=True)
class SharedNumbers:
    """A column as the numbers of distinct texts, and for each row which it has; numbers of `words` are text.

    These are the plan's, or those that the core wrote.
    """

    codes: NDArray[np.int32]
    numbers: NDArray[Any]
    words: WordTable | Words | None

    def rows(self, start: int, stop: int) -> "SharedNumbers":
        """Rows `start` to `stop`."""
        return SharedNumbers(self.codes[start:stop], self.numbers, self.words)

    def column(self) -> PlanColumn:
        """A number or text for each row."""
        numbers, words = self.numbers[self.codes], self.words
        if words is None:
            return numbers
        return TextColumn(numbers, words.column_words() if isinstance(words, WordTable) else words)


def shared(codes: NDArray[np.int32], results: Sequence[Any], kinds: Sequence[str], words: WordTable) -> list[Any]:
    """The columns of results for distinct texts."""
    pairs = zip(results, kinds, strict=True)
    return [
        SharedNumbers(codes, *result) if kind == "s" else SharedNumbers(codes, result, words if kind == "t" else None)
        for result, kind in pairs
    ]


@dataclass(frozen=True)
class WordNumbers:
    """Numbers that depend on a word of the plan: of each result one for each word, and which words are not refused."""

    results: tuple[NDArray[Any], ...]
    allowed: NDArray[np.bool_]

    @classmethod
    def of(cls, run: Callable[[NDArray[np.int32]], list[Any] | None], words: int) -> "WordNumbers":
        """Those of all words; `run` gives the results of some, None where one of them is refused."""
        every = np.arange(words, dtype=np.int32)
        whole = run(every)
        if whole is not None:
            return cls(tuple(whole), np.ones(words, dtype=np.bool_))
        each = [run(every[number : number + 1]) for number in range(words)]
        kept = next((results for results in each if results is not None), [])
        columns = [np.zeros(words, dtype=result.dtype) for result in kept]
        for number, results in enumerate(each):
            for column, result in zip(columns, results or (), strict=results is not None):
                column[number] = result[0]
        return cls(tuple(columns), np.array([results is not None for results in each]))

    def of_batch(self, number: int) -> "list[NumbersByWord] | None":
        """The columns of a raw column that the core reads; None where every word is refused."""
        if not self.allowed.any():
            return None
        allowed = None if self.allowed.all() else self.allowed
        return [NumbersByWord((number, each, allowed)) for each in self.results]

    def of_column(self, column: TextColumn, words: WordTable) -> list[SharedNumbers] | None:
        """The columns of a column as NumPy has it; None where a row has a word that is refused."""
        codes = words.of_batch(column.words)[column.codes]
        return [SharedNumbers(codes, each, None) for each in self.results] if self.allowed[codes].all() else None


@dataclass(frozen=True)
class NumbersByWord:
    """A column of numbers as the core takes it: a raw column of text, a number for each word, and those allowed."""

    parts: tuple[int, NDArray[Any], NDArray[np.bool_] | None]

    def rows(self, start: int, stop: int) -> "NumbersByWord":
        """Rows `start` to `stop`: the core counts them in the raw column."""
        return self
