"""The methods of Python's `str` that need no table of characters: parts, white space, padding, replacing, counting.

A separator, part or pattern of characters is a setting. White space is the same in all versions of Unicode since 6.3.
"""

from collections.abc import Callable

from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER, TEXT, TEXTS, SettingType, one_of, optional
from pipeline_lib.compiled.operations.word_operations import Word, word_operation

CHARACTER = SettingType("str", "one character", lambda value: isinstance(value, str) and len(value) == 1)
SEPARATOR = SettingType("str", "text of at least one character", lambda value: isinstance(value, str) and value != "")
STEP = SettingType("int", "an integer other than 0", lambda value: INTEGER.accepts(value) and value != 0)
_STRIPS = {"both": str.strip, "left": str.lstrip, "right": str.rstrip}
_PADS = {"both": str.center, "left": str.rjust, "right": str.ljust}


def item(parts: "str | list[str]", index: int) -> str | None:
    """`parts[index]`, missing where it is out of range."""
    return parts[index] if -len(parts) <= index < len(parts) else None


def _splitter(settings: Settings) -> Callable[[str], list[str]]:
    split = str.rsplit if settings.get("from_right") else str.split
    separator, limit = settings.get("separator"), settings.get("limit", -1)
    return lambda text: split(text, separator, limit)


def _strip(settings: Settings) -> Word:
    strip, characters = _STRIPS[settings["side"]], settings.get("characters")
    return lambda text: strip(text, characters)


def _starts(settings: Settings) -> Word:
    prefixes = tuple(settings["prefixes"])
    return lambda text: text.startswith(prefixes)


def _ends(settings: Settings) -> Word:
    suffixes = tuple(settings["suffixes"])
    return lambda text: text.endswith(suffixes)


def _contains(settings: Settings) -> Word:
    part = settings["part"]
    return lambda text: part in text


def _count(settings: Settings) -> Word:
    part = settings["part"]
    return lambda text: text.count(part)


def _find(settings: Settings) -> Word:
    part, find = settings["part"], str.rfind if settings.get("from_right") else str.find
    return lambda text: find(text, part)


def _slice(settings: Settings) -> Word:
    wanted = slice(settings.get("start"), settings.get("stop"), settings.get("step"))
    return lambda text: text[wanted]


def _item(settings: Settings) -> Word:
    index = settings["index"]
    return lambda text: item(text, index)


def _split_item(settings: Settings) -> Word:
    split, index = _splitter(settings), settings["index"]
    return lambda text: item(split(text), index)


def _split_count(settings: Settings) -> Word:
    split = _splitter(settings)
    return lambda text: len(split(text))


def _replace(settings: Settings) -> Word:
    old, new, count = settings["old"], settings["new"], settings.get("count", -1)
    return lambda text: text.replace(old, new, count)


def _pad(settings: Settings) -> Word:
    pad, width, fill = _PADS[settings["side"]], settings["width"], settings["fill"]
    return lambda text: pad(text, width, fill)


def _zero_fill(settings: Settings) -> Word:
    width = settings["width"]
    return lambda text: text.zfill(width)


_SIDE = one_of(("both", "left", "right"))
_SPLIT = {"separator": optional(SEPARATOR), "limit": optional(INTEGER)}

word_operation(
    "text_strip",
    "str",
    "The text without `characters` (default: white space) at its ends, or at one `side`.",
    _strip,
    settings={"side": _SIDE, "characters": optional(TEXT)},
)
word_operation(
    "text_starts", "bool", "Whether the text begins with one of `prefixes`.", _starts, settings={"prefixes": TEXTS}
)
word_operation(
    "text_ends", "bool", "Whether the text ends with one of `suffixes`.", _ends, settings={"suffixes": TEXTS}
)
word_operation("text_contains", "bool", "Whether the text contains `part`.", _contains, settings={"part": TEXT})
word_operation(
    "text_count",
    "float64",
    "How often the text contains `part`, without overlap; missing is NaN.",
    _count,
    settings={"part": TEXT},
)
word_operation(
    "text_find",
    "float64",
    "The index of the first `part`, or of the last `from_right`; -1 without one, missing is NaN.",
    _find,
    settings={"part": TEXT, "from_right": optional(FLAG)},
)
word_operation("text_length", "float64", "How many characters the text has; missing is NaN.", lambda settings: len)
word_operation(
    "text_slice",
    "str",
    "The characters from `start` to before `stop`, as Python's slices.",
    _slice,
    settings={"start": optional(INTEGER), "stop": optional(INTEGER), "step": optional(STEP)},
)
word_operation(
    "text_item",
    "str",
    "The character at an index, from the end if negative; missing where out of range.",
    _item,
    settings={"index": INTEGER},
)
word_operation(
    "text_split_item",
    "str",
    "One of the parts that `str.split(separator, limit)` makes; missing where out of range.",
    _split_item,
    settings={**_SPLIT, "index": INTEGER, "from_right": optional(FLAG)},
)
word_operation(
    "text_split_count",
    "float64",
    "How many parts `str.split(separator, limit)` makes; missing is NaN.",
    _split_count,
    settings=_SPLIT,
)
word_operation(
    "text_replace",
    "str",
    "The text with `old` replaced by `new`, the first `count` of them (-1, the default: all).",
    _replace,
    settings={"old": TEXT, "new": TEXT, "count": optional(INTEGER)},
)
word_operation(
    "text_pad",
    "str",
    "The text filled up to `width` at a `side`, as `str.rjust`, `ljust` and `center`.",
    _pad,
    settings={"width": INTEGER, "side": _SIDE, "fill": CHARACTER},
)
word_operation(
    "text_zfill",
    "str",
    "The text filled up to `width` with zeros, behind a sign, as `str.zfill`.",
    _zero_fill,
    settings={"width": INTEGER},
)
