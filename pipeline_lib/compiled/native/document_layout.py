"""`document_counts` for the core: the vocabulary by hash, and the frozen tables of characters that the plan holds.

A pattern of words other than a run of word characters stays with NumPy.
"""

from collections.abc import Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.native.word_index import MOST_WORDS, Array, character_map, ranges, word_index
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.token_counts import ASCII_WORDS
from pipeline_lib.compiled.operations.unicode_tables import CASED, IGNORABLE

_ANALYZERS = {"word": 0, "char": 1, "char_wb": 2}
_LONGEST_NGRAM, _ASCII, _BLANK = 64, 128, 32


def encode_document_counts(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The counts of a document's n-grams."""
    low, high = settings["ngrams"]
    vocabulary = settings["vocabulary"]
    if settings.get("pattern") is not None or not 1 <= low <= high <= _LONGEST_NGRAM or settings["shortest"] < 1:
        return None
    known = [] if vocabulary is None else list(vocabulary)
    if (
        len(known) != (0 if vocabulary is None else settings["width"])
        or not len(set(known)) == len(known) <= MOST_WORDS
    ):
        return None
    characters, maps = _classes(settings), _maps(settings)
    if characters is None or maps is None:
        return None
    lower, accents = settings["lower"], settings["accents"]
    way = 0 if lower is None else 2 if CASED in lower[0] else 1
    plain = 0 if accents is None else 2 if settings["hangul"] else 1
    flags = [int(vocabulary is None), int(bool(settings["signed"])), int(bool(settings["binary"]))]
    ints = [_ANALYZERS[settings["analyzer"]], low, high, min(settings["shortest"], 2**31), *flags, way, plain]
    stop = list(dict.fromkeys(settings["stop"]))
    return Encoded("document_counts", ints, [*word_index(known), *word_index(stop), *characters, *maps])


def _classes(settings: Settings) -> list[Array] | None:
    """Word characters, or blanks of the other analyzers: their ranges, and which of ASCII they are."""
    words = settings["analyzer"] == "word"
    pairs = sorted(map(list, settings["words" if words else "spaces"]))
    known = ranges(pairs)
    if known is None:
        return None
    ascii_class = np.zeros(_ASCII, dtype=np.uint8)
    for first, last in [*pairs, *(ASCII_WORDS if words else ())]:
        ascii_class[first : last + 1] = 1
    return [known, ascii_class] if words or ascii_class[_BLANK] else None


def _maps(settings: Settings) -> list[Array] | None:
    lower, accents = (
        {} if settings[name] is None else dict(zip(*settings[name], strict=True)) for name in ("lower", "accents")
    )
    sets = [ranges(_pairs(lower.get(name, ""))) for name in (CASED, IGNORABLE)]
    if sets[0] is None or sets[1] is None or (CASED in lower) != (IGNORABLE in lower):
        return None
    return [*character_map(lower), sets[0], sets[1], *character_map(accents)]


def _pairs(text: str) -> list[list[int]]:
    return [[ord(first), ord(last)] for first, last in zip(text[::2], text[1::2], strict=False)]


ENCODERS: Encoders = {"document_counts": encode_document_counts}
"""By operation of a plan."""
