"""Text of one row: `value.lower()`, `value.split(",")[0]`, `"x" in value`, `len(value)`, `value[:3]`.

Functions that pandas calls row by row get Python's own `str`, so its methods have Python's meaning, not Arrow's. A part
that is not there raises IndexError, as in own code: such a row takes another path.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.rows.values import (
    RecordedValue,
    decide,
    latched,
    make_value,
    raise_when,
    unpacked,
)

_LONGEST = 2.0**40
"""More characters than a text can have."""


def text_argument(call: Call, argument: Any, what: str) -> str:
    """A constant text among the arguments; a row's value is refused, and another type raises what Python raises."""
    if isinstance(argument, Recorded):
        call.stop(f"{call.name} with a row's value as {what}", "a plan takes a constant", "give a constant text")
    if not isinstance(argument, str):
        raise TypeError(f"must be str, not {type(argument).__name__}")
    return argument


def whole_argument(call: Call, argument: Any, what: str) -> int:
    """A constant integer among the arguments."""
    if isinstance(argument, Recorded) or not isinstance(argument, int | np.integer):
        call.stop(f"{call.name} with {type(argument).__name__} as {what}", "a plan takes a constant integer", PLAN)
    return int(argument)


def result(call: Call, value: Value) -> RecordedValue:
    """A result of Python's own type."""
    return make_value(call.recording, value)


def whole(recording: Recording, value: Value, bound: float = _LONGEST) -> RecordedValue:
    """An integer, of a float64 column that holds whole numbers."""
    return make_value(recording, recording.build.truncate_int(value), bound=bound)


def _case(kind: str) -> None:
    @rule("value str", kind, raw=True)
    def case(call: Call) -> Any:
        return result(call, call.build.apply("text_case", call.value, kind=kind))


for _kind in ("lower", "upper", "title", "capitalize", "swapcase", "casefold"):
    _case(_kind)


def _strip(name: str, side: str) -> None:
    @rule("value str", name, raw=True)
    def strip(call: Call, chars: Any = None) -> Any:
        characters = None if chars is None else text_argument(call, chars, "characters")
        settings = {} if characters is None else {"characters": characters}
        return result(call, call.build.apply("text_strip", call.value, side=side, **settings))


for _name, _side in (("strip", "both"), ("lstrip", "left"), ("rstrip", "right")):
    _strip(_name, _side)


def _class(name: str, kind: str) -> None:
    @rule("value str", name, raw=True)
    def is_kind(call: Call) -> Any:
        return result(call, call.build.apply("text_is", call.value, kind=kind))


for _kind in ("digit", "alpha", "alnum", "numeric", "decimal", "lower", "upper", "space", "title"):
    _class(f"is{_kind}", _kind)


@rule("value str", "startswith", "endswith", raw=True)
def starts(call: Call, prefix: Any) -> Any:
    """Whether the text begins or ends with a text, or one of several."""
    parts = [text_argument(call, each, "prefix") for each in (prefix if isinstance(prefix, tuple) else (prefix,))]
    if call.name.endswith("startswith"):
        return result(call, call.build.text_starts(call.value, prefixes=parts))
    return result(call, call.build.text_ends(call.value, suffixes=parts))


@rule("value str", "replace", raw=True)
def replace(call: Call, old: Any, new: Any, count: Any = -1) -> Any:
    """The text with a part replaced."""
    old, new = text_argument(call, old, "old"), text_argument(call, new, "new")
    count = whole_argument(call, count, "count")
    return result(call, call.build.text_replace(call.value, old=old, new=new, count=count))


@rule("value str", "removeprefix", "removesuffix", raw=True)
def remove(call: Call, part: Any) -> Any:
    """The text without a part at an end."""
    part, build = text_argument(call, part, "part"), call.build
    if not part:
        return call.owner
    if call.name.endswith("removeprefix"):
        found = build.text_starts(call.value, prefixes=[part])
        return result(call, build.where(found, build.text_slice(call.value, start=len(part)), call.value))
    found = build.text_ends(call.value, suffixes=[part])
    return result(call, build.where(found, build.text_slice(call.value, stop=-len(part)), call.value))


@rule("value str", "find", "rfind", "index", "rindex", raw=True)
def find(call: Call, sub: Any) -> Any:
    """The index of a part; -1 without one, or ValueError of `index`."""
    part, name = text_argument(call, sub, "part"), call.name.rsplit(".", 1)[-1]
    found = call.build.text_find(call.value, part=part, from_right=name.startswith("r"))
    if name.endswith("index"):
        raise_when(call.recording, found == -1.0, ValueError("substring not found"))
    return whole(call.recording, found)


@rule("value str", "count", raw=True)
def count(call: Call, sub: Any) -> Any:
    """How often the text holds a part."""
    return whole(call.recording, call.build.text_count(call.value, part=text_argument(call, sub, "part")))


@rule("value str", "zfill", raw=True)
def zfill(call: Call, width: Any) -> Any:
    """The text filled with zeros."""
    return result(call, call.build.text_zfill(call.value, width=whole_argument(call, width, "width")))


def _pad(name: str, side: str) -> None:
    @rule("value str", name, raw=True)
    def pad(call: Call, width: Any, fillchar: Any = " ") -> Any:
        fill, size = text_argument(call, fillchar, "fill"), whole_argument(call, width, "width")
        if len(fill) != 1:
            raise TypeError("The fill character must be exactly one character long")
        return result(call, call.build.apply("text_pad", call.value, width=size, side=side, fill=fill))


for _name, _side in (("ljust", "right"), ("rjust", "left"), ("center", "both")):
    _pad(_name, _side)


@rule("value str", "getitem()", raw=True)
def getitem(call: Call, key: Any) -> Any:
    """A character, or a slice."""
    build = call.build
    if isinstance(key, slice):
        ends = {name: each for name in ("start", "stop", "step") if (each := getattr(key, name)) is not None}
        settings = {name: whole_argument(call, each, name) for name, each in ends.items()}
        if settings.get("step") == 0:
            raise ValueError("slice step cannot be zero")
        return result(call, build.text_slice(call.value, **settings))
    index = whole_argument(call, key, "index")
    size = index + 1 if index >= 0 else -index
    raise_when(call.recording, build.text_length(call.value) < float(size), IndexError("string index out of range"))
    return result(call, build.text_item(call.value, index=index))


@rule("value str", "contains()", raw=True)
def contains(call: Call, item: Any) -> bool:
    """`item in text`."""
    if type(item) is RecordedValue and item._operand.kind == "str":
        settled = item._settled()
        if settled is item:
            call.stop("a row's text in another one", "a plan looks for a constant", PLAN)
        item = settled
    elif type(item) is RecordedValue:
        item = item._operand.sample
    return decide(call.recording, call.build.text_contains(call.value, part=_part(item)))


def _part(item: Any) -> str:
    if not isinstance(item, str):
        raise TypeError(f"'in <string>' requires string as left operand, not {type(item).__name__}")
    return item


@rule("value", "__len__", raw=True)
def length(call: Call) -> Any:
    """`len(text)`."""
    settled = call.owner._settled()
    if settled is not call.owner or call.value.kind != "str":
        len(call.owner._operand.sample if settled is call.owner else settled)  # raises what own code would raise
    return whole(call.recording, call.build.text_length(call.value))


@rule("value str", "split", "rsplit", raw=True)
def split(call: Call, sep: Any = None, maxsplit: Any = -1) -> Any:
    """The parts of the text."""
    separator = None if sep is None else text_argument(call, sep, "separator")
    if separator == "":
        raise ValueError("empty separator")
    limit = whole_argument(call, maxsplit, "maxsplit")
    made = RecordedParts(call.recording, call.owner._reals, [call.value], call.owner._rows)
    object.__setattr__(made, "_separator", separator)
    object.__setattr__(made, "_limit", max(limit, -1))
    object.__setattr__(made, "_from_right", call.name.endswith("rsplit"))
    return made


@rule("value str", "partition", "rpartition", raw=True)
def partition(call: Call, sep: Any) -> Any:
    """The text before and after a separator, and the separator."""
    separator, build, text = text_argument(call, sep, "separator"), call.build, call.value
    if not separator:
        raise ValueError("empty separator")
    right = call.name.endswith("rpartition")
    if not decide(call.recording, build.text_contains(text, part=separator)):
        return ("", "", call.owner) if right else (call.owner, "", "")
    parts = [
        result(call, build.text_split_item(text, separator=separator, limit=1, index=index, from_right=right))
        for index in (0, 1)
    ]
    return parts[0], separator, parts[1]


class RecordedList(Recorded):
    """Parts of a text that a row's value gives, by index, as a truth or unpacked; they are compared with nothing."""

    __slots__ = ()

    def _count(self) -> Value:
        raise NotImplementedError

    def _item(self, index: int) -> Any:
        raise NotImplementedError

    def _may_unpack(self) -> bool:
        return True

    @latched
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Recorded) or not isinstance(key, int):
            self._stop(f"some of a {self._title}", "the recorder has no rule for it", "take them one by one: [0]")
        return self._item(key)

    @latched
    def __bool__(self) -> bool:
        return decide(self._recording, self._count() > 0.0)

    @latched
    def __iter__(self) -> Any:
        names = unpacked(self._recording)
        if names is None or not self._may_unpack():
            self._stop(f"a loop over a {self._title}", "each row has other ones", "take them one by one: [0], [1]")
        found = self._count()
        few = f"not enough values to unpack (expected {names})"
        raise_when(self._recording, found < float(names), ValueError(few))
        raise_when(self._recording, found > float(names), ValueError(f"too many values to unpack (expected {names})"))
        return iter([self._item(index) for index in range(names)])

    def __eq__(self, other: object) -> bool:
        if other is not None:
            self._stop(f"a {self._title} compared", "the recorder has no rule", "compare one of them: [0] == 'a'")
        return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Recorded.__hash__


class RecordedParts(RecordedList):
    """What `text.split()` gives: parts by index, their number, and names assigned at once."""

    __slots__ = ("_from_right", "_limit", "_separator")
    _kind = "parts"
    _title = "list of a text's parts"
    _separator: str | None
    _limit: int
    _from_right: bool

    def _settings(self) -> dict[str, Any]:
        settings = {} if self._separator is None else {"separator": self._separator}
        return settings | ({} if self._limit < 0 else {"limit": self._limit})

    def _count(self) -> Value:
        return self._recording.build.text_split_count(self._values[0], **self._settings())

    @latched
    def _item(self, index: int) -> Any:
        build = self._recording.build
        size = float(index + 1 if index >= 0 else -index)
        if size > 1 or self._separator is None:  # a separator leaves at least one part
            raise_when(self._recording, self._count() < size, IndexError("list index out of range"))
        settings = self._settings() | ({"from_right": True} if self._from_right else {})
        item = build.text_split_item(self._values[0], index=index, **settings)
        return make_value(self._recording, item)

    @latched
    def __contains__(self, item: Any) -> bool:
        if self._separator is None or self._limit >= 0 or not isinstance(item, str) or self._separator in item:
            self._stop("a word looked for among parts", "the recorder has no rule for it", "write re.search")
        build, text = self._recording.build, self._values[0]
        around = build.concatenate(self._separator, text, self._separator)
        return decide(self._recording, build.text_contains(around, part=self._separator + item + self._separator))


@rule("parts", "__len__", raw=True)
def count_parts(call: Call) -> Any:
    """`len(parts)`."""
    return whole(call.recording, call.owner._count())


refused("value str", "join", "it joins parts of a row", "write a + sep + b")
refused("value str", "format format_map", "a format of a row's value is not in the plan", "write 'text' + str(value)")
refused("value str", "encode translate splitlines expandtabs isidentifier isascii isprintable", "no rule", PLAN)
