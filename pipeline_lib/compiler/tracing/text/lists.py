"""Recorded lists of parts of a text: `.str.split`, `rsplit`, `partition`, `findall`.

A column of lists is no column of a plan. What becomes one is a part or the number of parts:

    X["a"].str.split(",")                RecordedLists     .str[0]  .str.get(1)  .str.len()  .str.join(" ")
    X["a"].str.split(",", expand=True)   RecordedPartFrame [0]  [[0, 1]]  X[["b", "c"]] = ...

The frame is in `text_parts`.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.text.accessor import whole
from pipeline_lib.compiler.tracing.text.parts import Parts, part_frame
from pipeline_lib.compiler.tracing.text.patterns import Pattern


class RecordedLists(Recorded):
    """A Series of lists."""

    __slots__ = ("_parts",)
    _kind = "lists"
    _title = "Series of lists"
    _library_name = "Series"
    _parts: Parts

    @property
    def _values(self) -> list[Value]:
        self._stop(
            "a Series of lists used as a column",
            "a column of production has one value for each row",
            "take a part, .str[0], or the number of parts, .str.len()",
        )

    @_values.setter
    def _values(self, values: list[Value]) -> None:
        pass


class RecordedListsText(Recorded):
    """The `.str` of a Series of lists."""

    __slots__ = ("_parts",)
    _kind = "lists text"
    _title = "Series.str of lists"
    _library_name = "Series.str"
    _parts: Parts

    def __getitem__(self, key: Any) -> Any:
        key, recording = unwrap(key), self._recording
        name = "Series.str[...]"
        return recording.perform(
            name, lambda number: self._reals[number][key], lambda reals: part(self, key), self._rows
        )


def part(owner: RecordedListsText, key: Any) -> Value:
    """One part of the lists."""
    if isinstance(key, slice):
        refuse(
            "a slice of a list of parts",
            "a column of production has one value for each row",
            "take one part, .str[0], or split fewer times: .str.split(' ', n=1).str[1]",
        )
    if not isinstance(key, int | np.integer) or isinstance(key, bool):
        refuse(f"a part {key!r}", "its number is expected", "correct the index")
    return owner._parts.item(int(key))


def _with_parts(made: Any, parts: Parts) -> Any:
    object.__setattr__(made, "_parts", parts)
    return made


@rule("lists", "str", attribute=True, raw=True)
def accessor(call: Call) -> Any:
    """The methods of lists."""
    owner, recording = call.owner, call.recording

    def write(reals: list[Any]) -> Any:
        return _with_parts(RecordedListsText(recording, reals, [owner._parts.text], owner._rows), owner._parts)

    return recording.perform("Series.str", lambda number: owner._reals[number].str, write, owner._rows)


@rule("lists text", "get")
def get(call: Call, i: Any) -> Value:
    """One part of the lists; missing where out of range."""
    return part(call.owner, i)


@rule("lists text", "len")
def length(call: Call) -> Value:
    """The number of parts."""
    return whole(call, call.owner._parts.count())


@rule("lists text", "join")
def join(call: Call, sep: Any) -> Value:
    """The parts joined with a text."""
    parts: Parts = call.owner._parts
    if parts.join is None:
        call.stop(
            f"{call.name} of these lists",
            "the recorder has no rule for it",
            'write one .str.replace, such as column.str.replace(r"[^0-9]", "", regex=True)',
        )
    return parts.join(sep)


refused(
    "lists",
    "apply map",
    "it gets a list for each row, which no column of a plan holds",
    "write .str[0] or .str.len(), or split in the function: column.map(lambda text: len(text.split()))",
)
refused("lists", "explode", "it gives a row for each part", "take a part: .str[0]")


@rule("text", "split", raw=True)
def split(call: Call, pat: Any = None, *, n: Any = -1, expand: Any = False, regex: Any = None) -> Any:
    """The parts between separators, or between matches of a regular expression."""
    options = {"n": n, "regex": regex}
    compiled = isinstance(pat, re.Pattern)
    if pat is None or not (regex or compiled or (regex is None and len(pat) != 1)):
        parts = _split_at(call, pat, n, from_right=False)
    else:
        parts = _split_by_pattern(call, pat, n)
    return _made(call, parts, partial(_call, "split", pat, options), expand=expand)


@rule("text", "rsplit", raw=True)
def rsplit(call: Call, pat: Any = None, *, n: Any = -1, expand: Any = False) -> Any:
    """The parts between separators, from the right."""
    parts = _split_at(call, pat, n, from_right=True)
    return _made(call, parts, partial(_call, "rsplit", pat, {"n": n}), expand=expand)


def _split_at(call: Call, separator: Any, n: Any, *, from_right: bool) -> Parts:
    """The parts between texts, or between white space (None)."""
    build, text = call.build, call.value
    limit = -1 if n is None or n <= 0 else int(n)
    settings: dict[str, Any] = {"separator": separator, "limit": limit}

    def item(index: int) -> Value:
        return build.text_split_item(text, **settings, index=index, from_right=from_right or None)

    def joined(new: str) -> Value:
        if separator is not None:
            return build.text_replace(text, old=separator, new=new, count=limit)
        stripped = build.text_strip(text, side="both")
        return build.regex_replace(stripped, pattern=r"\s+", replacement=new.replace("\\", r"\\"))

    can_join = limit == -1 if separator is None or from_right else True
    most = None if limit == -1 else limit + 1
    return Parts(text, item, lambda: build.text_split_count(text, **settings), joined if can_join else None, most)


def _split_by_pattern(call: Call, pat: Any, n: Any) -> Parts:
    """The parts between matches of a regular expression, and its groups."""
    build, text = call.build, call.value
    limit = 0 if n is None or n == -1 else int(n)
    if limit < 0:
        call.stop(f"{call.name} with n={n}", "it splits nowhere", "leave n out")
    pattern = Pattern.of(call, pat, python=True)
    settings = pattern.settings(call) | {"limit": limit}
    groups = re.compile(pat).groups

    def joined(new: str) -> Value:
        return build.regex_replace(text, **pattern.settings(call), replacement=new.replace("\\", r"\\"), count=limit)

    return Parts(
        text,
        lambda index: build.regex_split_item(text, index=index, **settings),
        lambda: build.regex_split_count(text, **settings),
        None if groups else joined,
        limit * (groups + 1) + 1 if limit else None,
    )


@rule("text", "findall", raw=True)
def findall(call: Call, pat: Any, flags: Any = 0) -> Any:
    """The matches of a regular expression."""
    build, text = call.build, call.value
    settings = Pattern.of(call, pat, flags, python=True).settings(call)
    groups = re.compile(pat, flags).groups

    def item(index: int) -> Value:
        if index or groups > 1:
            refuse(
                "a match of .str.findall other than the first, or with several groups",
                "the recorder has no rule for it",
                "write .str.extract with a pattern that matches as far",
            )
        first = build.regex_extract(text, group=groups, **settings)
        if not groups:
            return first
        return build.where(build.regex_test(text, how="search", **settings), build.fill(first, ""), first)

    parts = Parts(text, item, lambda: build.regex_count(text, **settings))
    return _made(call, parts, partial(_call, "findall", pat, {"flags": flags}), expand=False)


@rule("text", "partition", raw=True)
def partition(call: Call, sep: Any = " ", expand: Any = True) -> Any:
    """The text before a separator, the separator, and the text after it."""
    return _partition(call, "partition", sep, expand=expand)


@rule("text", "rpartition", raw=True)
def rpartition(call: Call, sep: Any = " ", expand: Any = True) -> Any:
    """The text before the last separator, the separator, and the text after it."""
    return _partition(call, "rpartition", sep, expand=expand)


def _partition(call: Call, name: str, sep: Any, *, expand: Any) -> Any:
    build, text, last = call.build, call.value, name == "rpartition"

    def item(index: int) -> Value:
        number = index + 3 if index < 0 else index
        if not 0 <= number < 3:
            refuse(f"part {index} of .str.{name}", "it makes three", "take .str[0], .str[1] or .str[2]")
        if number == (2 if last else 0):
            return build.text_split_item(text, separator=sep, limit=1, index=-1 if last else 0, from_right=last or None)
        found = build.text_split_item(text, separator=sep, limit=1, index=number // 2, from_right=last or None)
        empty = build.text_slice(text, stop=0)
        return build.where(build.text_contains(text, part=sep), build.value(sep) if number == 1 else found, empty)

    def count() -> Value:
        return build.where(text.missing(), np.nan, 3.0)

    return _made(call, Parts(text, item, count, most=3), partial(_call, name, sep, {"expand": False}), expand=expand)


def _call(name: str, pat: Any, options: dict[str, Any], accessor: Any, **more: Any) -> Any:
    """The library's call on a `.str` accessor."""
    return getattr(accessor, name)(pat, **(options | more))


def _made(call: Call, parts: Parts, method: Callable[..., Any], *, expand: Any) -> Any:
    """A recorded Series of lists, or a frame of their parts."""
    recording, owner = call.recording, call.owner
    if expand:
        return part_frame(call, parts, method)

    def write(reals: list[Any]) -> Any:
        return _with_parts(RecordedLists(recording, reals, [], owner._rows), parts)

    return recording.perform(call.name, lambda number: method(owner._reals[number]), write, owner._rows)
