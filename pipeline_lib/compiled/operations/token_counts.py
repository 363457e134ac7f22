"""Documents to sparse counts: lower case, accents, tokens, n-grams, vocabularies, hashes.

What is a letter, a space, an accent is read from tables that a plan froze, never from the running Python.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.unicode_tables import lower

_HANGUL, _HANGUL_LAST = 0xAC00, 0xD7A3
_MASK = 0xFFFFFFFF
Step = Callable[[str], Any]


def strip_accents(table: dict[str, str], *, hangul: bool) -> Step:
    """Each character as `table` has it: NFKD without what is not wanted of it.

    Hangul syllables come apart by arithmetic (Unicode, chapter 3.12), and stay apart unless ASCII is wanted.
    """

    def one(char: str) -> str:
        if _HANGUL <= ord(char) <= _HANGUL_LAST:
            return _jamo(ord(char) - _HANGUL) if hangul else ""
        return table.get(char, char if hangul else "")

    return lambda text: text if text.isascii() else "".join([c if c < "\x80" else one(c) for c in text])


def _jamo(place: int) -> str:
    first, rest = divmod(place, 588)
    vowel, last = divmod(rest, 28)
    return chr(0x1100 + first) + chr(0x1161 + vowel) + (chr(0x11A7 + last) if last else "")


def character_class(ranges: Sequence[Sequence[int]]) -> str:
    """Code points as a set of `re`, which no Unicode table changes."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def word_ngrams(settings: Settings) -> Step:
    """Runs of word characters, without stop words, then each n-gram joined by spaces."""
    word = re.compile(f"[0-9A-Za-z_{character_class(settings['words'])}]{{{settings['shortest']},}}")
    stop, (low, high) = frozenset(settings["stop"]), settings["ngrams"]

    def ngrams(text: str) -> list[str]:
        tokens = [token for token in word.findall(text) if token not in stop]
        if high == 1:
            return tokens
        grams = list(tokens) if low == 1 else []
        for n in range(max(low, 2), min(high, len(tokens)) + 1):
            grams += [" ".join(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
        return grams

    return ngrams


def char_ngrams(settings: Settings) -> Step:
    """Each run of n characters; white space of two and more characters is one blank."""
    spaces, (low, high) = _spaces(settings), settings["ngrams"]

    def ngrams(text: str) -> list[str]:
        text = spaces.sub(" ", text)
        return [
            text[start : start + n] for n in range(low, min(high, len(text)) + 1) for start in range(len(text) - n + 1)
        ]

    return ngrams


def char_wb_ngrams(settings: Settings) -> Step:
    """Each run of n characters within a word between blanks; a word shorter than n counts once."""
    blank, (low, high) = re.compile(f"[{character_class(settings['spaces'])}]+"), settings["ngrams"]

    def ngrams(text: str) -> list[str]:
        grams = []
        for word in filter(None, blank.split(text)):
            padded = f" {word} "
            for n in range(low, high + 1):
                grams += [padded[start : start + n] for start in range(max(len(padded) - n, 0) + 1)]
                if len(padded) <= n:
                    break
        return grams

    return ngrams


def _spaces(settings: Settings) -> re.Pattern[str]:
    return re.compile(f"[{character_class(settings['spaces'])}]{{2,}}")


ANALYZERS = {"word": word_ngrams, "char": char_ngrams, "char_wb": char_wb_ngrams}


def analyzer(settings: Settings) -> Callable[[str], list[str]]:
    """A document's n-grams, as the settings say."""
    steps: list[Step] = []
    if settings["lower"] is not None:
        table = dict(zip(*settings["lower"], strict=True))
        steps.append(lambda text: lower(text, table))
    if settings["accents"] is not None:
        steps.append(strip_accents(dict(zip(*settings["accents"], strict=True)), hangul=settings["hangul"]))
    steps.append(ANALYZERS[settings["analyzer"]](settings))

    def analyze(text: Any) -> list[str]:
        for step in steps:
            text = step(text)
        return list(text)

    return analyze


def _bind_counts(settings: Settings) -> Callable[[Any], SparseColumn]:
    analyze, count = analyzer(settings), _counter(settings)

    def counts(text: Any) -> SparseColumn:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        codes = np.where(text.codes < 0, len(text.words) - 1, text.codes)
        distinct, places = np.unique(codes, return_inverse=True)
        documents = [text.words[code] for code in distinct.tolist()]
        if None in documents:
            row = int(np.argmax(places == documents.index(None)))
            raise RefusedRowsError(row, _missing(settings))
        return _bag([count(analyze(document)) for document in documents], settings["width"]).take(places)

    return counts


def _missing(settings: Settings) -> str:
    return (
        f"{settings['where']}: found a missing document in column {settings['name']!r}, expected text; correct the "
        "row, or impute '' before this step"
    )


def _counter(settings: Settings) -> Callable[[Sequence[str]], dict[int, float]]:
    if settings["vocabulary"] is None:
        return _hasher(settings["width"], signed=settings["signed"], binary=settings["binary"])
    places = {word: place for place, word in enumerate(settings["vocabulary"])}
    binary = settings["binary"]

    def count(tokens: Sequence[str]) -> dict[int, float]:
        counted: dict[int, float] = {}
        for token in tokens:
            place = places.get(token)
            if place is not None:
                counted[place] = 1.0 if binary else counted.get(place, 0.0) + 1.0
        return counted

    return count


def _hasher(width: int, *, signed: bool, binary: bool) -> Callable[[Sequence[str]], dict[int, float]]:
    """Tokens counted by hash: its size modulo the width is the place, its sign the number's.

    Source: sklearn.feature_extraction._hashing_fast.transform. Numbers that cancel stay, as 0; binary makes them 1.
    """
    known: dict[str, tuple[int, float]] = {}

    def place(token: str) -> tuple[int, float]:
        found = known.get(token)
        if found is None:
            hashed = murmurhash3(token.encode("utf-8"))
            found = abs(hashed) % width, -1.0 if signed and hashed < 0 else 1.0
            if len(known) < 100_000:  # a vocabulary's worth, whatever the documents hold
                known[token] = found
        return found

    def count(tokens: Sequence[str]) -> dict[int, float]:
        counted: dict[int, float] = {}
        for token in tokens:
            at, sign = place(token)
            counted[at] = 1.0 if binary else counted.get(at, 0.0) + sign
        return counted

    return count


def murmurhash3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3 x86 32 of Austin Appleby (public domain) as a signed integer."""
    h, whole = seed, len(data) // 4 * 4
    for start in range(0, whole, 4):
        h ^= _mixed(int.from_bytes(data[start : start + 4], "little"))
        h = (((h << 13) | (h >> 19)) * 5 + 0xE6546B64) & _MASK
    if whole < len(data):
        h ^= _mixed(int.from_bytes(data[whole:], "little"))
    h ^= len(data)
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & _MASK
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & _MASK
    h ^= h >> 16
    return h - 2**32 if h >= 2**31 else h


def _mixed(k: int) -> int:
    k = (k * 0xCC9E2D51) & _MASK
    return (((k << 15) | (k >> 17)) * 0x1B873593) & _MASK


def _bag(counted: Sequence[dict[int, float]], width: int) -> SparseColumn:
    ordered = [sorted(counts.items()) for counts in counted]
    pointers = np.cumsum([0, *map(len, ordered)])
    pairs = [pair for items in ordered for pair in items]
    indices = np.array([place for place, _ in pairs], dtype=np.int64)
    return SparseColumn(pointers, indices, np.array([value for _, value in pairs], dtype=np.float64), width)


# The counts of a document's n-grams, by vocabulary or by hash.
operation(
    "document_counts",
    ("str",),
    "bag",
    column=_bind_counts,
    abs_max=lambda settings, maxima: 2.0**53,
    width=lambda settings, widths: int(settings["width"]),
)
