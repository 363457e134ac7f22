"""Tables of characters: lower case, word characters, spaces and digits, which differ between Pythons.

A plan holds the tables of the Python that compiled it, for characters beyond ASCII; ASCII is the same everywhere. The
`frozen_...` functions read them from the running Python (about a second, once); the other functions only look them up.
A set of characters is a text: the first and last character of each range, in ascending order.

    digits "0-9" and Arabic-Indic digits: "09\u0660\u0669"
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from functools import cache

SIGMA, FINAL_SIGMA, MEDIAL_SIGMA = "\u03a3", "\u03c2", "\u03c3"
CASED, IGNORABLE = "cased", "ignorable"
"""Keys of a table of lower case that are no characters: the sets for the rule of the final sigma."""


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
    return [[ord(first), ord(last)] for first, last in _pairs(_ranges(str.isalnum))]


def frozen_spaces() -> str:
    r"""Characters that `\s`, `str.split` and `str.strip` take for white space, those of ASCII too, as ranges."""
    return _ranges(str.isspace, ascii_too=True)


def frozen_digits() -> str:
    r"""Characters that `\d` matches, those of ASCII too, as ranges."""
    return _ranges(str.isdecimal, ascii_too=True)


def lower(text: str, table: Mapping[str, str]) -> str:
    """Lower case by a frozen table; `str.lower` of the Python that froze it.

    A capital sigma becomes the final form where a cased character comes before it and none after it, ignorable
    characters skipped (Unicode, SpecialCasing, Final_Sigma), if the table has `CASED` and `IGNORABLE`.
    """
    if text.isascii():
        return text.lower()
    if SIGMA in text and CASED in table:
        lowered = [_sigma(text, at, table) if char == SIGMA else _one(char, table) for at, char in enumerate(text)]
        return "".join(lowered)
    return "".join([_one(char, table) for char in text])


def contains(ranges: str, char: str) -> bool:
    """Whether a set of characters, as text of ranges, holds a character."""
    index = bisect_right(ranges, char)  # odd between the first and the last character of a range
    return index % 2 == 1 or (index > 0 and ranges[index - 1] == char)


def members(ranges: str) -> frozenset[str]:
    """All characters of a small set."""
    return frozenset(chr(code) for first, last in _pairs(ranges) for code in range(ord(first), ord(last) + 1))


def _one(char: str, table: Mapping[str, str]) -> str:
    return char.lower() if char < "\x80" else table.get(char, char)


def _sigma(text: str, index: int, table: Mapping[str, str]) -> str:
    before, after = reversed(text[:index]), text[index + 1 :]
    return FINAL_SIGMA if _next_is_cased(before, table) and not _next_is_cased(after, table) else MEDIAL_SIGMA


def _next_is_cased(text: Iterable[str], table: Mapping[str, str]) -> bool:
    """Whether the first character that is not ignorable is cased."""
    for char in text:
        if not contains(table[IGNORABLE], char):
            return contains(table[CASED], char)
    return False


@cache
def _lower() -> dict[str, str]:
    table = {char: char.lower() for char in _beyond_ascii() if char.lower() != char}
    return table | {CASED: _ranges(_is_cased, ascii_too=True), IGNORABLE: _ranges(_is_ignorable, ascii_too=True)}


@cache
def _single_lower() -> dict[str, str]:
    import pyarrow as pa  # only while compiling: in production the table is in the plan
    import pyarrow.compute as pc

    characters = _beyond_ascii()
    lowered: list[str] = pc.utf8_lower(pa.array(characters)).to_pylist()
    return {char: low for char, low in zip(characters, lowered, strict=True) if low != char}


def _is_ignorable(char: str) -> bool:
    # skipped after a letter; without a letter before it, the sigma is not final
    return ("A" + char + SIGMA).lower()[-1] == FINAL_SIGMA != (char + SIGMA).lower()[-1]


def _is_cased(char: str) -> bool:
    return (char + SIGMA).lower()[-1] == FINAL_SIGMA


def _beyond_ascii() -> list[str]:
    return [chr(code) for code in (*range(0x80, 0xD800), *range(0xE000, 0x110000))]


@cache
def _ranges(holds: Callable[[str], bool], *, ascii_too: bool = False) -> str:
    """The characters for which a test holds, as text of ranges; surrogates are no characters."""
    ends: list[str] = []
    characters = [*map(chr, range(128 if ascii_too else 0)), *_beyond_ascii()]
    for before, char in zip(["", *characters], characters, strict=False):
        if not holds(char):
            continue
        if ends and ends[-1] == before:
            ends[-1] = char
        else:
            ends += [char, char]
    return "".join(ends)


def _pairs(ranges: str) -> list[tuple[str, str]]:
    return list(zip(ranges[::2], ranges[1::2], strict=True))
