"""Operations on several texts of a row: equality and concatenation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words, text_column


def _bind_equal(settings: Settings) -> Callable[[Any, Any], Any]:
    key = object()

    def equal(left: Any, right: Any) -> Any:
        """Compares the numbers of the words: equal words have one number."""
        if not isinstance(left, TextColumn):
            left, right = right, left
        if not isinstance(left, TextColumn):
            return np.array([left is not None and left == right])
        if not isinstance(right, TextColumn):
            return left.numbers(key, lambda words: np.array([word is not None and word == right for word in words]))
        cache, pair = left.words.cache, (key, id(right.words))
        if pair not in cache:  # the right words are kept, so that no others get their id
            number: dict[str | None, int] = {}
            numbers = [_numbered(words, number) for words in (left.words, right.words)]
            cache[pair] = (*numbers, right.words)
        of_left, of_right, _ = cache[pair]
        return (of_left[left.codes] == of_right[right.codes]) & ~left.missing()

    return equal


def _numbered(words: Words, number: dict[str | None, int]) -> NDArray[np.int64]:
    return np.array([number.setdefault(word, len(number)) for word in words], dtype=np.int64)


operation(
    "text_equal",
    ("str", "str"),
    "bool",
    doc="Whether two texts are equal; False where one is missing.",
    column=_bind_equal,
    row=lambda settings: lambda left, right: left is not None and left == right,
    abs_max=lambda settings, maxima: 1.0,
)


def _bind_concatenate(settings: Settings) -> Callable[..., Any]:
    def concatenate(*texts: Any) -> TextColumn:
        result = text_column(texts[0])
        for text in texts[1:]:
            result = _joined(result, text_column(text))
        return result

    return concatenate


def _joined(left: TextColumn, right: TextColumn) -> TextColumn:
    """Each pair of words that occurs is joined once.

    rows    "a"+"x"  "b"+"x"  "a"+"x"        pairs of codes (0, 0) (1, 0) (0, 0); words "ax", "bx"
    """
    missing = left.missing() | right.missing()
    first, second = (each.codes.astype(np.int64) % len(each.words) for each in (left, right))  # -1: the last word
    pairs = np.where(missing, -1, first * len(right.words) + second)
    used, codes = np.unique(pairs, return_inverse=True)
    words = [_join(left.words, right.words, pair) for pair in used.tolist()]
    return TextColumn(codes.astype(np.int32), Words([*words, None]))


def _join(left: Sequence[str | None], right: Sequence[str | None], pair: int) -> str | None:
    if pair < 0:
        return None
    first, second = divmod(pair, len(right))
    return f"{left[first]}{right[second]}"


def _concatenate_row(*texts: str | None) -> str | None:
    return None if None in texts else "".join(text for text in texts if text is not None)


operation(
    "concatenate",
    ("str", "..."),
    "str",
    doc="Texts one after the other; missing where one is missing.",
    column=_bind_concatenate,
    row=lambda settings: _concatenate_row,
)
