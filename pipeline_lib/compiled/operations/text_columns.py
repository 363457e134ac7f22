"""Text columns: each distinct word once, rows as indices of words."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Words(list[str | None]):
    """The words of a batch with a cache of what was computed from them, so that it is computed once per word."""

    def __init__(self, words: Sequence[str | None]) -> None:
        super().__init__(words)
        self.cache: dict[Any, Any] = {}


class TextColumn:
    """A text column: `codes` (int32, rows) index `words`, where None is missing.

        rows    "b"  "a"  None  "b"
        words   ["a", "b", None]        codes [1, 0, -1, 1]

    -1 indexes the sentinel None at the end. Columns share their words, so text computed from text costs one step per
    word, not per row.
    """

    __slots__ = ("codes", "words")

    def __init__(self, codes: NDArray[np.int32], words: Words) -> None:
        self.codes, self.words = codes, words

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "TextColumn":
        """A column of Python text; None is missing."""
        distinct = dict.fromkeys(values)
        distinct.pop(None, None)
        index_of: dict[str | None, int] = {word: index for index, word in enumerate(distinct)}
        index_of[None] = -1
        codes = np.fromiter(map(index_of.__getitem__, values), np.int32, len(values))
        return cls(codes, Words([*distinct, None]))

    def __len__(self) -> int:
        return len(self.codes)

    def slice(self, start: int, stop: int) -> "TextColumn":
        """Rows `start` to `stop`."""
        return TextColumn(self.codes[start:stop], self.words)

    def take(self, rows: NDArray[Any]) -> "TextColumn":
        """The rows at these indices, in that order."""
        return TextColumn(self.codes[rows], self.words)

    def broadcast(self, rows: int) -> "TextColumn":
        """`rows` rows: itself, or its only row repeated."""
        return self if len(self) == rows else TextColumn(np.broadcast_to(self.codes, (rows,)), self.words)

    @classmethod
    def concat(cls, parts: Sequence["TextColumn"]) -> "TextColumn":
        """The rows of several text columns; those of one batch share their words."""
        words = parts[0].words
        if all(part.words is words for part in parts):
            return cls(np.concatenate([part.codes for part in parts]), words)
        joined = [word for part in parts for word in part.words]
        starts = np.cumsum([0, *(len(part.words) for part in parts[:-1])], dtype=np.int64)
        codes = [
            np.where(part.codes < 0, np.int32(-1), part.codes + np.int32(start))
            for part, start in zip(parts, starts.tolist(), strict=True)
        ]
        return cls(np.concatenate(codes), Words(joined))

    def tolist(self) -> list[str | None]:
        """Python text, None where missing."""
        words = self.words
        return [words[code] for code in self.codes.tolist()]

    def missing(self) -> NDArray[np.bool_]:
        """Which rows are missing."""
        return self.numbers("missing", lambda words: np.array([word is None for word in words]))

    def numbers(self, key: object, table: Callable[[Sequence[str | None]], NDArray[Any]]) -> NDArray[Any]:
        """`table(words)`, one number per word (None is missing), as a column; computed once per `key`."""
        numbers = self.words.cache.get(key)
        if numbers is None:
            numbers = self.words.cache[key] = table(self.words)
        column: NDArray[Any] = numbers[self.codes]
        return column

    def texts(self, key: object, table: Callable[[Sequence[str | None]], Sequence[str | None]]) -> "TextColumn":
        """`table(words)`, one text per word (None is missing), as a column; computed once per `key`."""
        texts = self.words.cache.get(key)
        if texts is None:
            texts = self.words.cache[key] = Words(table(self.words))
        return TextColumn(self.codes, texts)


def text_column(text: "TextColumn | str | None") -> TextColumn:
    """A text column as it is; a single text or None as a column of one row."""
    return text if isinstance(text, TextColumn) else TextColumn.of([text])


def column_of_words(compute: Callable[[str | None], Any], dtype: Any) -> Callable[[Any], NDArray[Any]]:
    """The function of a text column that gives `compute(word)` for each row, computed once for each distinct word."""
    key = object()  # of this function in the words' cache

    def column(text: Any) -> NDArray[Any]:
        return text_column(text).numbers(key, lambda words: np.array([compute(word) for word in words], dtype=dtype))

    return column


def choose(condition: Any, then: "TextColumn | str | None", other: "TextColumn | str | None") -> TextColumn:
    """`then` where the condition holds, else `other`."""
    first, second = _column(then), _column(other)
    key = (id(first.words), id(second.words))
    cache = (
        first if isinstance(then, TextColumn) else second
    ).words.cache  # not a constant's, which outlives the batch
    joined = cache.get(key)
    if joined is None:  # both lists of words are kept, so that no others get their ids
        joined = cache[key] = (Words([*second.words, *first.words]), first.words, second.words)
    offset = np.int32(len(second.words))  # the words of `first` begin there; its sentinel is the last of all
    then_codes = np.where(first.codes < 0, np.int32(-1), first.codes + offset)
    other_codes = np.where(second.codes < 0, offset - np.int32(1), second.codes)
    return TextColumn(np.where(condition, then_codes, other_codes), joined[0])


_CONSTANTS: dict[str | None, TextColumn] = {}


def _column(value: "TextColumn | str | None") -> TextColumn:
    if isinstance(value, TextColumn):
        return value
    if value not in _CONSTANTS:
        _CONSTANTS[value] = TextColumn.of([value])
    return _CONSTANTS[value]
