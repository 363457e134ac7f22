"""Tables of characters: lower case, word characters, spaces and digits, which differ between Pythons.

A plan holds the tables of the Python that compiled it, for characters beyond ASCII; ASCII is the same everywhere. The
`frozen_...` functions read them from the running Python (a tenth of a second, once: over whole texts of characters,
not one by one); the other functions only look them up. A set of characters is a text: the first and last character of
each range, in ascending order.

    digits "0-9" and Arabic-Indic digits: "09\u0660\u0669"
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial

import numpy as np

SIGMA, FINAL_SIGMA, MEDIAL_SIGMA = "\u03a3", "\u03c2", "\u03c3"
CASED, IGNORABLE = "cased", "ignorable"
"""Keys of a table of lower case that are no characters: the sets for the rule of the final sigma."""
_BLOCK = 1024  # characters that are looked at together first: most have no lower case
_OTHERS = re.compile("[^\x00-\x7f]+")


def frozen_lower() -> dict[str, str]:
    """Lower case of each character beyond ASCII that it changes, as `str.lower`.

    `CASED` and `IGNORABLE` hold the sets that decide whether a sigma ends a word.
    """
    return dict(_lower())


def frozen_single_lower() -> dict[str, str]:
    """Lower case as Arrow, and with it pandas' `str` dtype, computes it: by character, without the final sigma."""
    return dict(_single_lower())


def frozen_word_ranges() -> list[list[int]]:
    r"""Code points beyond ASCII that `\w` of `re` matches, as ranges [first, last]."""
    return [[ord(first), ord(last)] for first, last in _pairs(_matches(r"[^\W_]+"))]


def frozen_spaces() -> str:
    r"""Characters that `\s`, `str.split` and `str.strip` take for white space, those of ASCII too, as ranges."""
    return _matches(r"\s+", ascii_too=True)


def frozen_digits() -> str:
    r"""Characters that `\d` matches, those of ASCII too, as ranges."""
    return _matches(r"\d+", ascii_too=True)


def lower(text: str, table: Mapping[str, str]) -> str:
    """Lower case by a frozen table; `str.lower` of the Python that froze it.

    A capital sigma becomes the final form where a cased character comes before it and none after it, ignorable
    characters skipped (Unicode, SpecialCasing, Final_Sigma), if the table has `CASED` and `IGNORABLE`.
    """
    if text.isascii():
        return text.lower()
    if SIGMA in text and CASED in table:
        text = re.sub(SIGMA, partial(_sigma, table=table), text)
    parts, at = [], 0
    for found in _OTHERS.finditer(text):  # between them ASCII, which is lowered as a whole
        parts += [text[at : found.start()].lower(), "".join([table.get(char, char) for char in found[0]])]
        at = found.end()
    return "".join([*parts, text[at:].lower()])


def contains(ranges: str, char: str) -> bool:
    """Whether a set of characters, as text of ranges, holds a character."""
    index = bisect_right(ranges, char)  # odd between the first and the last character of a range
    return index % 2 == 1 or (index > 0 and ranges[index - 1] == char)


def members(ranges: str) -> frozenset[str]:
    """All characters of a small set."""
    return frozenset(chr(code) for first, last in _pairs(ranges) for code in range(ord(first), ord(last) + 1))


def _sigma(found: re.Match[str], table: Mapping[str, str]) -> str:
    """The lower case of a sigma in a text."""
    before, after = reversed(found.string[: found.start()]), found.string[found.end() :]
    return FINAL_SIGMA if _next_is_cased(before, table) and not _next_is_cased(after, table) else MEDIAL_SIGMA


def _next_is_cased(text: Iterable[str], table: Mapping[str, str]) -> bool:
    """Whether the first character that is not ignorable is cased."""
    for char in text:
        if not contains(table[IGNORABLE], char):
            return contains(table[CASED], char)
    return False


@cache
def _lower() -> dict[str, str]:
    characters = [char for block in blocks_beyond_ascii() if block.lower() != block for char in block]
    table = {char: char.lower() for char in characters if char.lower() != char}
    beside = [*map(chr, range(128)), *_beside_sigma()]
    return table | {CASED: _ranges(filter(_is_cased, beside)), IGNORABLE: _ranges(filter(_is_ignorable, beside))}


def _beside_sigma() -> Iterator[str]:
    """The characters beyond ASCII that are cased or ignorable: a sigma is final in a word of A, one of them and it."""
    for block in blocks_beyond_ascii():
        words = ("A" + f"{SIGMA}\nA".join(block) + SIGMA).lower()
        if FINAL_SIGMA in words:
            yield from (char for char, word in zip(block, words.split("\n"), strict=True) if word[-1] == FINAL_SIGMA)


@cache
def _single_lower() -> dict[str, str]:
    import pyarrow as pa  # only while compiling: in production the table is in the plan
    import pyarrow.compute as pc

    def lowered(texts: list[str]) -> list[tuple[str, str]]:
        pairs = zip(texts, pc.utf8_lower(pa.array(texts)).to_pylist(), strict=True)
        return [(text, low) for text, low in pairs if low != text]

    return dict(lowered([char for block, _ in lowered(blocks_beyond_ascii()) for char in block]))


def _is_ignorable(char: str) -> bool:
    # skipped after a letter; without a letter before it, the sigma is not final
    return ("A" + char + SIGMA).lower()[-1] == FINAL_SIGMA != (char + SIGMA).lower()[-1]


def _is_cased(char: str) -> bool:
    return (char + SIGMA).lower()[-1] == FINAL_SIGMA


def _beyond_ascii() -> str:
    """All characters but those of ASCII; surrogates are none."""
    codes = np.concatenate([np.arange(0x80, 0xD800), np.arange(0xE000, 0x110000)])
    return codes.astype("<u4").tobytes().decode("utf-32-le")


def blocks_beyond_ascii() -> list[str]:
    """All characters but those of ASCII, in texts of as many."""
    text = _beyond_ascii()
    return [text[at : at + _BLOCK] for at in range(0, len(text), _BLOCK)]


@cache
def _matches(pattern: str, *, ascii_too: bool = False) -> str:
    """The characters of which a pattern matches any number, as text of ranges."""
    text = "".join(map(chr, range(128 if ascii_too else 0))) + _beyond_ascii()
    return "".join([f"{found[0][0]}{found[0][-1]}" for found in re.finditer(pattern, text)])


def _ranges(characters: Iterable[str]) -> str:
    """Characters in ascending order as text of ranges; surrogates do not end one."""
    ends: list[str] = []
    for char in characters:
        if ends and _place(char) == _place(ends[-1]) + 1:
            ends[-1] = char
        else:
            ends += [char, char]
    return "".join(ends)


def _place(char: str) -> int:
    return ord(char) if char < "\ue000" else ord(char) - 0x800


def _pairs(ranges: str) -> list[tuple[str, str]]:
    return list(zip(ranges[::2], ranges[1::2], strict=True))
