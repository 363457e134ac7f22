"""The words of a plan: every text that its look-ups and constants name, numbered once.

The core computes with numbers of words. The last two numbers are any other word, and missing:

    words ["a", "b"]        "a" 0, "b" 1, any other 2, missing 3
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.text_columns import Words


class WordTable:
    """The words of a plan, with their numbers."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        self._numbers: dict[str | None, int] = {word: number for number, word in enumerate(self.words)}
        self.other, self.missing = len(self.words), len(self.words) + 1
        self._numbers[None] = self.missing
        self._key = object()  # of this table in the words' cache

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.words) + 2

    def number(self, word: str | None) -> int:
        """A word's number."""
        return self._numbers.get(word, self.other)

    def of_batch(self, words: Words) -> NDArray[np.int32]:
        """The number of each word of a batch; computed once for a batch."""
        numbers = words.cache.get(self._key)
        if numbers is None:
            get, other = self._numbers.get, self.other
            numbers = words.cache[self._key] = np.array([get(word, other) for word in words], dtype=np.int32)
        result: NDArray[np.int32] = numbers
        return result

    def column_words(self) -> Words:
        """The words as a column of results has them; the core takes its numbers as they are."""
        words = Words([*self.words, None, None])
        words.cache[self._key] = np.arange(self.size, dtype=np.int32)
        return words


def texts_of(values: Sequence[Any]) -> list[str]:
    """The texts among a table's values."""
    return [value for value in values if isinstance(value, str)]
