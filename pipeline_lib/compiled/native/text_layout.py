"""Operations of one text for the core: settings as bytes of UTF-8, and tables of characters.

What the core has no kernel for stays with NumPy: slices with a step, an empty part that is replaced.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoder, Encoders
from pipeline_lib.compiled.native.word_index import Array, character_map, ranges, texts
from pipeline_lib.compiled.operations.cases import CASED as CASED_KINDS
from pipeline_lib.compiled.operations.cases import CASES, CLASSES, case_class
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.unicode_14 import RENUMBERED, unknown_ranges
from pipeline_lib.compiled.operations.unicode_tables import CASED, IGNORABLE, blocks_beyond_ascii, frozen_lower

_SIDES = {"both": 0, "left": 1, "right": 2}
SPACES = "\t\r\x1c \x85\x85\xa0\xa0\u1680\u1680\u2000\u200a\u2028\u2029\u202f\u202f\u205f\u205f\u3000\u3000"
"""White space as ranges: the same in all versions of Unicode since 6.3."""
_ASCII, _FAR, _WIDEST = 128, 2**31 - 2, 1 << 20
_CAPITALS = ("title", "capitalize")
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


def pairs_of(text: str) -> list[list[int]]:
    """A set of characters, as text of ranges, by code points."""
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
    own = pairs_of(SPACES) if characters is None else [[code, code] for code in sorted(set(map(ord, characters)))]
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
    return Encoded(operation, ints, [_bytes(separator or ""), *_class(pairs_of(SPACES))])


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
    table = {character: results for character, *results in exceptions or ()}
    if any(character.isascii() for character in table):
        return None
    if kind in _CAPITALS:
        return _capitals(kind, table, 2 if exceptions is None else 1)
    way = 2 if exceptions is None and kind in _WITH_SIGMA else 1
    own = _lower_arrays(kind, {character: results[0] for character, results in table.items()}, way)
    return None if own is None else Encoded("text_case", [way], own)


def _lower_arrays(kind: str, others: Mapping[str, str], way: int) -> list[Array] | None:
    """What ASCII becomes, a map of other characters, those beside a sigma, those that are refused."""
    sets = [ranges(pairs_of(frozen_lower()[name])) if way == 2 else ranges([]) for name in (CASED, IGNORABLE)]
    unknown = ranges(unknown_ranges())
    if sets[0] is None or sets[1] is None or unknown is None:
        return None
    return [_of_ascii(CASES[kind]), *character_map({**_changed(kind), **others}), sets[0], sets[1], unknown]


def _capitals(kind: str, table: Mapping[str, Sequence[str]], way: int) -> Encoded | None:
    """Capitals at the start of each word, or of the text, and lower case elsewhere."""
    own = _lower_arrays("lower", {character: results[1] for character, results in table.items()}, way)
    starts = {**_changed("title"), **{character: results[0] for character, results in table.items()}}
    cased = set(_cases())
    if kind == "title":
        for character, (_, _, name) in table.items():
            (cased.add if name else cased.discard)(character)
    ends = _class(_ranges_of(cased))
    if own is None:
        return None
    own += [_of_ascii(CASES["upper"]), *character_map(starts), *ends]
    return Encoded("text_title", [way, int(kind == "capitalize")], own)


def _of_ascii(change: Callable[[str], str]) -> Array:
    return np.frombuffer(change(bytes(range(_ASCII)).decode()).encode(), dtype=np.uint8)


@cache
def _changed(kind: str) -> dict[str, str]:
    """What becomes of each character beyond ASCII that a method of `str` changes."""
    change = CASES[kind]
    blocks = [block for block in blocks_beyond_ascii() if change(block) != block or block.upper() != block]
    return {char: change(char) for block in blocks for char in block if change(char) != char}


@cache
def _cases() -> dict[str, str]:
    """The case of all characters that have one: they decide about a sigma, or are skipped beside it."""
    pairs = [pair for name in (CASED, IGNORABLE) for pair in pairs_of(frozen_lower()[name])]
    classes = ((char, case_class(char)) for first, last in pairs for char in map(chr, range(first, last + 1)))
    return {char: name for char, name in classes if name}


def _ranges_of(characters: Iterable[str]) -> list[list[int]]:
    """A set of characters as ranges."""
    codes = np.unique(np.fromiter(map(ord, characters), dtype=np.int64))
    if not len(codes):
        return []
    cuts = np.flatnonzero(np.diff(codes) != 1)
    firsts, lasts = codes[np.r_[0, cuts + 1]], codes[np.r_[cuts, len(codes) - 1]]
    return [list(pair) for pair in zip(firsts.tolist(), lasts.tolist(), strict=True)]


@cache
def _members(kind: str) -> list[list[int]]:
    """The characters for which a method of `str` holds, by themselves; of one case, those of its class."""
    if kind in CASED_KINDS:
        return _ranges_of(char for char, name in _cases().items() if name == kind)
    blocks = ["".join(map(chr, range(_ASCII))), *blocks_beyond_ascii()]
    return _ranges_of("".join(["".join(filter(CLASSES[kind], block)) for block in blocks]))


def _is_kind(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A test of all characters, by the tables of this Python."""
    kind, exceptions = settings["kind"], settings.get("exceptions") or ()
    if any(ends[0].isascii() for ends, _ in exceptions):
        return None
    changed = {code: name for ends, name in exceptions for code in range(ord(ends[0]), ord(ends[-1]) + 1)}
    unknown = ranges(_merged(unknown_ranges(), RENUMBERED if kind == "numeric" else ()))
    if unknown is None:
        return None
    classes = [("yes", kind)] if kind not in CASED_KINDS else [(name, name) for name in CASED_KINDS]
    arrays = [array for name, own in classes for array in _class(_with(_members(own), changed, name))]
    number = CASED_KINDS.index(kind) + 1 if kind in CASED_KINDS else 0
    return Encoded("text_is", [number], [*arrays, unknown])


def _with(pairs: list[list[int]], changed: Mapping[int, str], name: str) -> list[list[int]]:
    """A set of characters in which `changed` says of some whether they are members: of the class `name`."""
    if not changed:
        return pairs
    codes = {code for first, last in pairs for code in range(first, last + 1)}
    codes -= changed.keys()
    return _ranges_of(map(chr, codes | {code for code, own in changed.items() if own == name}))


def _merged(pairs: list[list[int]], more: Iterable[str]) -> list[list[int]]:
    """Ranges, with more characters that are in none of them."""
    return sorted([*pairs, *([ord(char), ord(char)] for char in more)])


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
    "text_is": _is_kind,
    "concatenate": _joined,
}
"""By operation of a plan."""
