"""Operations of one text for the core: settings as bytes of UTF-8, and tables of characters.

What the core has no kernel for stays with NumPy: slices with a step, an empty part that is replaced, `str.title`.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoder, Encoders
from pipeline_lib.compiled.native.word_index import Array, character_map, ranges, texts
from pipeline_lib.compiled.operations.cases import CASES
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.unicode_14 import unknown_ranges
from pipeline_lib.compiled.operations.unicode_tables import CASED, IGNORABLE, blocks_beyond_ascii, frozen_lower

_SIDES = {"both": 0, "left": 1, "right": 2}
_SPACES = "\t\r\x1c \x85\x85\xa0\xa0\u1680\u1680\u2000\u200a\u2028\u2029\u202f\u202f\u205f\u205f\u3000\u3000"
"""White space as ranges: the same in all versions of Unicode since 6.3."""
_ASCII, _FAR, _WIDEST = 128, 2**31 - 2, 1 << 20
_BY_CHARACTER = ("lower", "upper", "swapcase", "casefold")
_WITH_SIGMA = ("lower", "swapcase")


def _bytes(text: str) -> Array:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)


def _near(number: int) -> int:
    """An index or a count: no text is as long as the largest of them."""
    return max(-_FAR, min(int(number), _FAR))


def _class(pairs: Sequence[Sequence[int]]) -> list[Array]:
    """A set of characters: its ranges, and which of ASCII it holds."""
    known, ascii_class = np.asarray(pairs, dtype=np.int32).ravel(), np.zeros(_ASCII, dtype=np.uint8)
    for first, last in pairs:
        ascii_class[first : last + 1] = 1
    return [known, ascii_class]


def _pairs(text: str) -> list[list[int]]:
    return [[ord(first), ord(last)] for first, last in zip(text[::2], text[1::2], strict=True)]


def _part(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("text_contains", (), [_bytes(settings["part"])])


def _count(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("text_count", (), [_bytes(settings["part"])])


def _find(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("text_find", [int(bool(settings.get("from_right")))], [_bytes(settings["part"])])


def _ends(operation: str, name: str) -> Encoder:
    return lambda settings, dtypes, widths: Encoded(operation, (), texts(list(settings[name])))


def _strip(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    characters = settings.get("characters")
    own = _pairs(_SPACES) if characters is None else [[code, code] for code in sorted(set(map(ord, characters)))]
    return Encoded("text_strip", [_SIDES[settings["side"]]], _class(own))


def _slice(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    start, stop = settings.get("start"), settings.get("stop")
    if settings.get("step") not in (None, 1):
        return None
    return Encoded("text_slice", [0 if start is None else _near(start), _FAR if stop is None else _near(stop)])


def _item(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("text_item", [_near(settings["index"])])


def _split(operation: str, settings: Settings, index: int) -> Encoded:
    separator, limit = settings.get("separator"), settings.get("limit")
    ints = [_near(index), -1 if limit is None else _near(limit), int(bool(settings.get("from_right")))]
    return Encoded(operation, ints, [_bytes(separator or ""), *_class(_pairs(_SPACES))])


def _split_item(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return _split("text_split_item", settings, settings["index"])


def _split_count(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return _split("text_split_count", settings, 0)


def _replace(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    count = settings.get("count")
    if settings["old"] == "":
        return None
    ints = [-1 if count is None else _near(count)]
    return Encoded("text_replace", ints, [_bytes(settings["old"]), _bytes(settings["new"])])


def _pad(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    width = _near(settings["width"])
    return (
        Encoded("text_pad", [width, _SIDES[settings["side"]]], [_bytes(settings["fill"])]) if width <= _WIDEST else None
    )


def _zero_fill(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    width = _near(settings["width"])
    return Encoded("text_zfill", [width]) if width <= _WIDEST else None


def _case(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Each character by the tables of this Python, which gives NumPy's answers, too; a sigma by what is around it."""
    kind, exceptions = settings["kind"], settings.get("exceptions")
    others = {character: results[0] for character, *results in exceptions or ()}
    if kind not in _BY_CHARACTER or any(character.isascii() for character in others):
        return None
    way = 2 if exceptions is None and kind in _WITH_SIGMA else 1
    small = np.frombuffer(CASES[kind](bytes(range(_ASCII)).decode()).encode(), dtype=np.uint8)
    table = {**_changed(kind), **others}
    sets = [ranges(_pairs(frozen_lower()[name])) if way == 2 else ranges([]) for name in (CASED, IGNORABLE)]
    unknown = ranges(unknown_ranges())
    if sets[0] is None or sets[1] is None or unknown is None:
        return None
    return Encoded("text_case", [way], [small, *character_map(table), sets[0], sets[1], unknown])


@cache
def _changed(kind: str) -> dict[str, str]:
    """What becomes of each character beyond ASCII that a method of `str` changes."""
    change = CASES[kind]
    blocks = [block for block in blocks_beyond_ascii() if change(block) != block]
    return {char: change(char) for block in blocks for char in block if change(char) != char}


def _joined(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("concatenate")


def _length(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("text_length")


ENCODERS: Encoders = {
    "text_length": _length,
    "text_contains": _part,
    "text_count": _count,
    "text_find": _find,
    "text_starts": _ends("text_starts", "prefixes"),
    "text_ends": _ends("text_ends", "suffixes"),
    "text_strip": _strip,
    "text_slice": _slice,
    "text_item": _item,
    "text_split_item": _split_item,
    "text_split_count": _split_count,
    "text_replace": _replace,
    "text_pad": _pad,
    "text_zfill": _zero_fill,
    "text_case": _case,
    "concatenate": _joined,
}
"""By operation of a plan."""
TAKE_TEXT = frozenset({*ENCODERS, "document_counts"})
"""Operations that take texts themselves, not their numbers among the words of a plan."""
