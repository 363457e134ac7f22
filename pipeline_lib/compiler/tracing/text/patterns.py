"""Recorded methods of `.str` with regular expressions: contains, match, fullmatch, count, replace, extract.

pandas matches a column of dtype `str` with RE2, or with Python's `re` where it must: for flags, compiled patterns, look
around, and for some patterns by the text of the whole column. A plan has Python's `re`; where the answers of both
engines differ, a method is refused.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.pandas_text import arrow_refused, arrow_regex_problem
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.text.accessor import truth, whole


@dataclass(frozen=True)
class Pattern:
    """A regular expression, its flags, and whether pandas matches it with Python's `re` in any column."""

    text: str
    flags: int
    python: bool

    @classmethod
    def of(cls, call: Call, pat: Any, flags: Any = 0, *, case: Any = True, python: bool = False) -> "Pattern":
        """The regular expression that a method of `.str` takes. `python` says that its arguments ask for `re`."""
        compiled = isinstance(pat, re.Pattern)
        text = pat.pattern if compiled else pat
        own = pat.flags & ~re.UNICODE if compiled else 0
        both = int(own) | int(flags) | (0 if case else int(re.IGNORECASE))
        python = python or not call.owner._arrow or bool(own & ~re.IGNORECASE)
        return cls(text, both & ~int(re.UNICODE), python or _takes_python(text, []))

    def settings(self, call: Call, *, replacement: Any = None, count: int = -1) -> dict[str, Any]:
        """The settings of the plan's operation; refused where RE2 gives another answer than Python's `re`."""
        found: dict[str, Any] = {"pattern": self.text, "flags": self.flags or None}
        if self.python:
            return found
        method = call.name.rsplit(".", 1)[1]
        problem = arrow_regex_problem(method, self.text, replacement=replacement, count=count)
        if problem is not None:
            remedy = _REMEDIES.get(method, "write the pattern another way")
            call.stop(f"{call.name} with {problem}", "a plan matches as Python's re", remedy)
        return found | {"refused": self._differing()}

    def matched(self, call: Call) -> tuple[Value, dict[str, Any]]:
        """The text that is matched and the settings, where only whether or how often it matches counts.

        Where case is ignored, Python takes the dotted and the dotless i for i, and RE2 does not. In a pattern that does
        not name them they are like any other character, so the plan matches another one in their place. With `$` a line
        break anywhere in the column makes pandas choose Python: there rows with them are refused.
        """
        settings, text = self.settings(call), call.value
        differing = settings.get("refused")
        if differing and not self._names({*differing, _OTHER}) and not _takes_python(self.text, ["\n"]):
            for character in differing:
                text = call.build.text_replace(text, old=character, new=_OTHER)
            settings["refused"] = None
        return text, settings

    def _names(self, characters: set[str]) -> bool:
        """Whether the pattern may name one of some characters beyond ASCII: itself, escaped or in a class."""
        if not characters.isdisjoint(self.text) or re.search(r"\\[xuUN0-7]", self.text):
            return True
        return "[" in self.text and not self.text.isascii()

    def _differing(self) -> str | None:
        """Characters that RE2 and Python's `re` match otherwise in this pattern, in a column that RE2 matches."""
        found = arrow_refused(self.text, ignore_case=bool(self.flags & re.IGNORECASE))
        if found is None or _takes_python(self.text, list(found)):
            return None
        return found if re.search(r"[iI\[\\]|[^\x00-\x7f]", _LOCAL_FLAGS.sub("(", self.text)) else None


_LOCAL_FLAGS = re.compile(r"\(\?[aiLmsux-]+")
_OTHER = "\u2205"  # of no case, no letter and no digit
_REMEDIES = {
    "contains": "give flags=re.UNICODE, with which pandas takes Python's re",
    "fullmatch": "give flags=re.UNICODE, with which pandas takes Python's re",
    "count": "give flags=re.UNICODE, with which pandas takes Python's re",
    "replace": "give re.compile(pattern), with which pandas takes Python's re",
}


def _takes_python(pattern: str, words: list[str]) -> bool:
    """Whether pandas matches a pattern with Python's `re` in a `str` column of these words; pandas itself says so.

    Without words: in any column, since nothing but characters beyond ASCII and line breaks makes it choose `re`.
    """
    needs = getattr(pd.array(words, dtype=pd.StringDtype(na_value=np.nan)), "_needs_python_regex", None)
    return needs is not None and bool(needs(pattern))


@rule("text", "contains")
def contains(call: Call, pat: Any, case: Any = True, flags: Any = 0, na: Any = None, regex: Any = True) -> Value:
    """Whether the text contains a regular expression, or a text."""
    if regex:
        pattern = Pattern.of(call, pat, flags, case=case, python=bool(flags))
        text, settings = pattern.matched(call)
        return truth(call, call.build.regex_test(text, how="search", **settings), na)
    if flags or not case:
        call.stop(
            f"{call.name} of a plain text that ignores case, or with flags",
            "pandas has another rule for each dtype",
            "lower both: column.str.lower().str.contains(word.lower(), regex=False)",
        )
    return truth(call, call.build.text_contains(call.value, part=pat), na)


@rule("text", "match")
def match(call: Call, pat: Any, case: Any = None, flags: Any = 0, na: Any = None) -> Value:
    """Whether a regular expression matches at the beginning."""
    python = bool(int(flags) & ~int(re.IGNORECASE | re.UNICODE))
    pattern = Pattern.of(call, pat, flags, case=case is None or case, python=python)
    text, settings = pattern.matched(call)
    return truth(call, call.build.regex_test(text, how="match", **settings), na)


@rule("text", "fullmatch")
def fullmatch(call: Call, pat: Any, case: Any = True, flags: Any = 0, na: Any = None) -> Value:
    """Whether a regular expression matches the whole text."""
    pattern = Pattern.of(call, pat, flags, case=case, python=bool(flags))
    text, settings = pattern.matched(call)
    return truth(call, call.build.regex_test(text, how="fullmatch", **settings), na)


@rule("text", "count")
def count(call: Call, pat: Any, flags: Any = 0) -> Value:
    """How often a regular expression matches."""
    pattern = Pattern.of(call, pat, flags, python=bool(flags))
    text, settings = pattern.matched(call)
    return whole(call, call.build.regex_count(text, **settings))


@rule("text", "replace")
def replace(
    call: Call, pat: Any, repl: Any = None, n: Any = -1, case: Any = None, flags: Any = 0, regex: Any = False
) -> Value:
    """The text with each match of a regular expression, or of a text, replaced."""
    text = call.value
    for old, new in pat.items() if isinstance(pat, dict) else [(pat, repl)]:
        text = _replaced(call, text, old, new, n=int(n), case=case is None or bool(case), flags=int(flags), regex=regex)
    return text


def _replaced(call: Call, text: Value, old: Any, new: Any, *, n: int, case: bool, flags: int, regex: Any) -> Value:
    if not isinstance(new, str):
        call.stop(
            f"{call.name} by a function", "a plan replaces by text", r'write the text, with \1 for a group: r"<\1>"'
        )
    if not regex and case and not flags:
        return call.build.text_replace(text, old=old, new=new, count=n)
    python = isinstance(old, re.Pattern) or not case or bool(flags) or r"\g<" in new
    if not regex:
        old = re.escape(old)
    pattern = Pattern.of(call, old, flags, case=case, python=python)
    settings = pattern.settings(call, replacement=new, count=n)
    return call.build.regex_replace(text, replacement=new, count=max(n, 0), **settings)


@rule("text", "extract")
def extract(call: Call, pat: Any, flags: Any = 0, expand: Any = True) -> list[Value]:
    """The groups of a regular expression's first match."""
    pattern = Pattern.of(call, pat, flags, python=True)
    groups = range(1, re.compile(pat, flags).groups + 1)
    return [call.build.regex_extract(call.value, group=group, **pattern.settings(call)) for group in groups]
