"""Counts of a document's n-grams as sparse vectors: lower case, accents, tokens, vocabularies, hashes.

Letters, spaces and accents are read from tables that the plan holds, never from the running Python.
"""

import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.kept_results import kept_of
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import (
    FLAG,
    INTEGER,
    INTEGER_LISTS,
    INTEGERS,
    TEXT,
    TEXT_LISTS,
    TEXTS,
    one_of,
    optional,
    or_none,
)
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import text_column
from pipeline_lib.compiled.operations.token_patterns import character_class, frozen_pattern
from pipeline_lib.compiled.operations.unicode_tables import lower

_HANGUL, _HANGUL_LAST = 0xAC00, 0xD7A3  # the syllables, Unicode chapter 3.12
_MASK = 0xFFFFFFFF  # 32 bits
ASCII_WORDS = ([48, 57], [65, 90], [95, 95], [97, 122])  # digits, capitals, underscore, small letters
_KNOWN_TOKENS = 100_000  # hashes kept: the size of a large vocabulary
_MOST_KEPT, _MOST_DOCUMENTS = 1 << 24, 1 << 15  # characters of documents at once, documents, that are kept
Step = Callable[[str], Any]


def strip_accents(table: dict[str, str], *, hangul: bool) -> Step:
    """Replaces each character by `table`, which holds its NFKD form without accents.

    Hangul syllables are decomposed by arithmetic, and dropped unless `hangul`.
    """

    def one(char: str) -> str:
        if _HANGUL <= ord(char) <= _HANGUL_LAST:
            return _jamo(ord(char) - _HANGUL) if hangul else ""
        return table.get(char, char if hangul else "")

    return lambda text: text if text.isascii() else "".join([c if c < "\x80" else one(c) for c in text])


def _jamo(syllable: int) -> str:
    first, rest = divmod(syllable, 588)  # 21 vowels with 28 endings each
    vowel, last = divmod(rest, 28)
    return chr(0x1100 + first) + chr(0x1161 + vowel) + (chr(0x11A7 + last) if last else "")


def word_ngrams(settings: Settings) -> Step:
    """Words without stop words, as n-grams joined by spaces: runs of word characters, or matches of a pattern."""
    word, ascii_word = (re.compile(_word_pattern(settings, highest=highest)) for highest in (sys.maxunicode, 127))
    stop, (low, high) = frozenset(settings["stop"]), settings["ngrams"]

    def ngrams(text: str) -> list[str]:
        tokens = (ascii_word if text.isascii() else word).findall(text)
        if stop:
            tokens = [token for token in tokens if token not in stop]
        if high == 1:
            return tokens
        grams = list(tokens) if low == 1 else []
        for n in range(max(low, 2), min(high, len(tokens)) + 1):
            grams += [" ".join(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
        return grams

    return ngrams


def _word_pattern(settings: Settings, *, highest: int) -> str:
    """The pattern of words in text without code points above `highest`: fewer ranges are faster to search."""
    words = _up_to(highest, [*ASCII_WORDS, *settings["words"]])
    if settings.get("pattern") is None:
        return f"[{character_class(words)}]{{{settings['shortest']},}}"
    digits, blanks = (_up_to(highest, _code_points(settings.get(name, ""))) for name in ("digits", "blanks"))
    return frozen_pattern(settings["pattern"], {"w": words, "d": digits, "s": blanks})


def _up_to(highest: int, ranges: Sequence[Sequence[int]]) -> list[list[int]]:
    return [[first, min(last, highest)] for first, last in ranges if first <= highest]


def _code_points(ranges: str) -> list[list[int]]:
    return [[ord(first), ord(last)] for first, last in zip(ranges[::2], ranges[1::2], strict=True)]


def char_ngrams(settings: Settings) -> Step:
    """Runs of n characters; white space of two and more characters counts as one blank."""
    spaces, (low, high) = _spaces(settings), settings["ngrams"]

    def ngrams(text: str) -> list[str]:
        text = spaces.sub(" ", text)
        return [
            text[start : start + n] for n in range(low, min(high, len(text)) + 1) for start in range(len(text) - n + 1)
        ]

    return ngrams


def char_wb_ngrams(settings: Settings) -> Step:
    """Runs of n characters within a word padded by blanks; a word shorter than n counts once."""
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
    """The function from a document to its n-grams."""
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
        text = text_column(text)
        codes = np.where(text.codes < 0, len(text.words) - 1, text.codes)
        distinct, document_of = np.unique(codes, return_inverse=True)
        documents = [text.words[code] for code in distinct.tolist()]
        if None in documents:
            row = int(np.argmax(document_of == documents.index(None)))
            raise RefusedRowsError(row, _missing(settings))
        return count(_analyzed(documents, analyze, settings)).take(document_of)

    return counts


def _analyzed(documents: Sequence[str], analyze: Callable[[str], list[str]], settings: Settings) -> list[list[str]]:
    """The n-grams of documents; kept where results are, as the same documents are analyzed several times."""
    kept = kept_of("documents")
    if kept is None or sum(map(len, documents)) > _MOST_KEPT:
        return [analyze(document) for document in documents]
    known = next((known for other, known in kept.values() if other is settings or other == settings), None)
    if known is None:
        known = {}
        kept[len(kept)] = (settings, known)
    if len(known) > _MOST_DOCUMENTS:
        known.clear()
    for document in documents:
        if document not in known:
            known[document] = analyze(document)
    return [known[document] for document in documents]


def _missing(settings: Settings) -> str:
    return (
        f"{settings['where']}: found a missing document in column {settings['name']!r}, expected text; correct the "
        "row, or impute '' before this step"
    )


def _counter(settings: Settings) -> Callable[[Sequence[Sequence[str]]], SparseColumn]:
    """The function from the tokens of documents to their counts."""
    width, binary = settings["width"], settings["binary"]
    if settings["vocabulary"] is None:
        of_tokens = _hasher(width, signed=settings["signed"], binary=binary)
        return lambda documents: _sparse([of_tokens(tokens) for tokens in documents], width)
    index_of = {word: index for index, word in enumerate(settings["vocabulary"])}.get

    def count(documents: Sequence[Sequence[str]]) -> SparseColumn:
        found = np.array([index_of(token, -1) for tokens in documents for token in tokens], dtype=np.int64)
        rows = np.repeat(np.arange(len(documents)), [len(tokens) for tokens in documents])
        known = found >= 0
        keys, counts = np.unique(rows[known] * width + found[known], return_counts=True)
        rows, indices = np.divmod(keys, max(width, 1))
        pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(documents)))]).astype(np.int64)
        return SparseColumn(pointers, indices, np.ones(len(keys)) if binary else counts.astype(np.float64), width)

    return count


def _hasher(width: int, *, signed: bool, binary: bool) -> Callable[[Sequence[str]], dict[int, float]]:
    """Counts tokens by hash: the hash's size modulo the width is the index, its sign the sign of the count.

    Source: sklearn.feature_extraction._hashing_fast.transform. Counts that cancel stay as 0; `binary` makes them 1.
    """
    known: dict[str, tuple[int, float]] = {}

    def index_and_sign(token: str) -> tuple[int, float]:
        result = known.get(token)
        if result is None:
            hashed = murmurhash3(token.encode("utf-8"))
            result = abs(hashed) % width, -1.0 if signed and hashed < 0 else 1.0
            if len(known) < _KNOWN_TOKENS:
                known[token] = result
        return result

    def count(tokens: Sequence[str]) -> dict[int, float]:
        counted: dict[int, float] = {}
        for token in tokens:
            index, sign = index_and_sign(token)
            counted[index] = 1.0 if binary else counted.get(index, 0.0) + sign
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


def _sparse(counted: Sequence[dict[int, float]], width: int) -> SparseColumn:
    ordered = [sorted(counts.items()) for counts in counted]
    pointers = np.cumsum([0, *map(len, ordered)])
    pairs = [pair for items in ordered for pair in items]
    indices = np.array([index for index, _ in pairs], dtype=np.int64)
    return SparseColumn(pointers, indices, np.array([value for _, value in pairs], dtype=np.float64), width)


_TABLES = or_none(TEXT_LISTS)  # two lists: characters, and what replaces them
operation(
    "document_counts",
    ("str",),
    "bag",
    doc="The counts of a document's n-grams, by a `vocabulary` or, without one, by hash.",
    parameters=("document",),
    settings={
        "name": TEXT,
        "where": TEXT,
        "vocabulary": or_none(TEXTS),
        "width": INTEGER,
        "signed": FLAG,
        "binary": FLAG,
        "analyzer": one_of(tuple(ANALYZERS)),
        "ngrams": INTEGERS,
        "shortest": INTEGER,
        "stop": TEXTS,
        "words": INTEGER_LISTS,
        "spaces": INTEGER_LISTS,
        "lower": _TABLES,
        "accents": _TABLES,
        "hangul": FLAG,
        "pattern": optional(TEXT),  # of words; `digits` and `blanks` are what its \d and \s match
        "digits": optional(TEXT),
        "blanks": optional(TEXT),
    },
    column=_bind_counts,
    abs_max=lambda settings, maxima: 2.0**53,
    width=lambda settings, widths: int(settings["width"]),
)
