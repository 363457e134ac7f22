"""Regular expressions on the text of one row: `re.search(pattern, value).group(1)`, `re.sub(pattern, "", value)`.

Without a match `re.search` gives None itself, on a path of its own, so that own code may test it by `is None`.
"""

import re
from typing import Any

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.rows.text import RecordedList, text_argument, whole, whole_argument
from pipeline_lib.compiler.tracing.rows.values import RecordedValue, decide, latched, make_value, raise_when

_FLAGS = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.ASCII


def _compiled(call: Call, pattern: Any, flags: Any) -> re.Pattern[str]:
    """The constant pattern of a call."""
    if isinstance(pattern, Recorded) or not isinstance(pattern, str | re.Pattern):
        call.stop(f"{call.name} with {type(pattern).__name__} as pattern", "a plan takes a constant", PLAN)
    if isinstance(pattern, re.Pattern) and flags:
        call.stop(
            f"{call.name} with a compiled pattern and flags or a position", "the recorder has no rule for it", PLAN
        )
    found: re.Pattern[str] = re.compile(pattern, flags)
    if found.flags & ~int(_FLAGS | re.UNICODE):
        call.stop(f"the flags of {found.pattern!r}", "the recorder has no rule for them", "use I, M, S, X or A")
    return found


def _settings(pattern: re.Pattern[str]) -> dict[str, Any]:
    flags = pattern.flags & int(_FLAGS)
    return {"pattern": pattern.pattern} | ({"flags": flags} if flags else {})


def _text(call: Call, text: Any) -> Any:
    """The text that is searched; what is no text raises TypeError as in Python."""
    if type(text) is not RecordedValue:
        call.stop(f"{call.name} in a constant", "the recorder has no rule for it", "search in the row's text")
    settled = text._settled()
    if settled is not text or text._operand.kind != "str":
        re.search("a", text._operand.sample if settled is text else settled)
    return text


def _search(name: str) -> None:
    @rule("row function", f"re.{name}", raw=True)
    def search(call: Call, pattern: Any, string: Any, flags: Any = 0) -> Any:
        compiled, text = _compiled(call, pattern, flags), _text(call, string)
        found = call.build.apply("regex_test", text._values[0], how=name, **_settings(compiled))
        if not decide(call.recording, found):
            return None
        made = RecordedMatch(call.recording, text._reals, text._values, text._rows)
        object.__setattr__(made, "_pattern", compiled)
        object.__setattr__(made, "_how", name)
        return made


for _name in ("search", "match", "fullmatch"):
    _search(_name)


class RecordedMatch(RecordedList):
    """The first match of a regular expression, on the path on which there is one."""

    __slots__ = ("_how", "_pattern")
    _kind = "match"
    _title = "match"
    _pattern: re.Pattern[str]
    _how: str

    def __bool__(self) -> bool:
        return True

    @latched
    def __getitem__(self, key: Any) -> Any:
        return self._group(key)

    def _group(self, key: Any) -> Any:
        """A group by number or name; None where it took no part in the match."""
        if isinstance(key, str):
            if key not in self._pattern.groupindex:
                raise IndexError("no such group")
            key = self._pattern.groupindex[key]
        if not isinstance(key, int) or not 0 <= key <= self._pattern.groups:
            raise IndexError("no such group")
        build, settings = self._recording.build, _settings(self._pattern)
        if self._how != "search":
            settings["pattern"] = _anchored(self._pattern, self._how)
        value = build.regex_extract(self._values[0], group=key, **settings)
        if key and decide(self._recording, value.missing()):
            return None
        return make_value(self._recording, value)

    @latched
    def _groups(self) -> tuple[Any, ...]:
        return tuple(self._group(number) for number in range(1, self._pattern.groups + 1))


def _anchored(pattern: re.Pattern[str], how: str) -> str:
    r"""A pattern for `re.search` that matches what `re.match` or `re.fullmatch` would: between \A and \Z."""
    end = r"\Z" if how == "fullmatch" else ""
    flags = re.match(r"\(\?[aiLmsux]+\)", pattern.pattern)
    start = flags.group() if flags else ""
    newline = "\n" if pattern.flags & re.VERBOSE else ""
    return rf"{start}\A(?:{pattern.pattern[len(start) :]}{newline}){end}"


@rule("match", "group", raw=True)
def group(call: Call, *numbers: Any) -> Any:
    """The whole match, a group, or several."""
    found = tuple(call.owner._group(number) for number in numbers or (0,))
    return found if len(found) > 1 else found[0]


@rule("match", "groups", raw=True)
def groups(call: Call, default: Any = None) -> Any:
    """All groups."""
    return tuple(default if each is None else each for each in call.owner._groups())


@rule("match", "groupdict", raw=True)
def groupdict(call: Call) -> Any:
    """The named groups."""
    return {name: call.owner._group(name) for name in call.owner._pattern.groupindex}


@rule("row function", "re.sub", raw=True)
def substitute(call: Call, pattern: Any, repl: Any, string: Any, count: Any = 0, flags: Any = 0) -> Any:
    """The text with each match replaced."""
    compiled, text = _compiled(call, pattern, flags), _text(call, string)
    if callable(repl):
        call.stop("re.sub with a function as replacement", "the recorder has no rule for it", "give a constant text")
    new, most = text_argument(call, repl, "replacement"), whole_argument(call, count, "count")
    settings = _settings(compiled) | ({"count": most} if most else {})
    return make_value(call.recording, call.build.regex_replace(text._values[0], replacement=new, **settings))


@rule("row function", "re.findall", "re.split", raw=True)
def find_all(call: Call, pattern: Any, string: Any, *others: Any, flags: Any = 0) -> Any:
    """All matches, or the parts between them."""
    if others:
        call.stop(f"{call.name} with more arguments", "the recorder has no rule for it", PLAN)
    compiled, text = _compiled(call, pattern, flags), _text(call, string)
    made = RecordedMatches(call.recording, text._reals, text._values, text._rows)
    object.__setattr__(made, "_pattern", compiled)
    object.__setattr__(made, "_split", call.name == "re.split")
    return made


class RecordedMatches(RecordedList):
    """What `re.findall` and `re.split` give: the first match, parts by index, and their number."""

    __slots__ = ("_pattern", "_split")
    _kind = "matches"
    _title = "list of a text's matches"
    _pattern: re.Pattern[str]
    _split: bool

    def _count(self) -> Value:
        build = self._recording.build
        count = build.regex_split_count if self._split else build.regex_count
        return count(self._values[0], **_settings(self._pattern))

    @latched
    def _item(self, index: int) -> Any:
        recording, build, settings = self._recording, self._recording.build, _settings(self._pattern)
        size = float(index + 1 if index >= 0 else -index)
        raise_when(recording, self._count() < size, IndexError("list index out of range"))
        if self._split:
            value = build.regex_split_item(self._values[0], index=index, **settings)
            return None if self._pattern.groups and decide(recording, value.missing()) else make_value(recording, value)
        if index != 0 or self._pattern.groups > 1:
            self._stop("another match than the first", "the recorder has no rule for it", "write it with re.search")
        value = build.regex_extract(self._values[0], group=self._pattern.groups, **settings)
        if self._pattern.groups:  # a group that took no part is empty text
            value = build.where(value.missing(), build.value(""), value)
        return make_value(recording, value)

    def _may_unpack(self) -> bool:
        return self._split


@rule("matches", "__len__", raw=True)
def count_matches(call: Call) -> Any:
    """How many matches, or parts, there are."""
    return whole(call.recording, call.owner._count())


refused("match", "start end span string regs", "a plan has the text of groups", "write match.group()")
refused("row function", "re.finditer re.subn", "the recorder has no rule for it", "write re.search or re.sub")
