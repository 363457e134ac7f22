"""Refusals of the recorder: the user's file, line and source text, what it asked, why not, what to write instead."""

import linecache
import sys
from collections.abc import Collection
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import NoReturn

from pipeline_lib.compiler.adapters.registry import NoPlanError

_RULE_MODEL, _ANSWERS = "pipeline_lib/rule_model.py", "the rule's answers"


class TraceRefusedError(NoPlanError):
    """Own code that the recorder refuses; the message names the line, once `located`."""

    located = False


@dataclass(frozen=True)
class SourceLine:
    """A line of own code: the function it belongs to, file, number from 1 on, and text."""

    function: str
    file: str
    number: int
    text: str

    def __str__(self) -> str:
        if self.checks_rule:
            return _ANSWERS
        shown = f": {self.text}" if self.text else ""
        return f"{self.file}, line {self.number}{shown}"

    @property
    def in_function(self) -> str:
        """The line without its file."""
        return _ANSWERS if self.checks_rule else f"line {self.number}: {self.text}"

    @property
    def checks_rule(self) -> bool:
        """Whether the line belongs to `RuleModel`, which takes a rule's answers: it is none of the user's."""
        return self.file == _RULE_MODEL


def current_line(codes: Collection[CodeType]) -> SourceLine | None:
    """The innermost line of own code that is running; `codes` are the code objects of own code."""
    frame = own_frame(codes)
    return None if frame is None else line_of(frame.f_code, frame.f_lineno)


def own_frame(codes: Collection[CodeType]) -> FrameType | None:
    """The innermost frame of own code that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in codes:
        frame = frame.f_back
    return frame


def line_of(code: CodeType, number: int) -> SourceLine:
    """A line of a code object; of code made from a string without its text, for all strings have one name."""
    text = "" if code.co_filename == "<string>" else linecache.getline(code.co_filename, number).strip()
    return SourceLine(code.co_qualname, short_file(code.co_filename), number, text)


def short_file(path: str) -> str:
    """A path as a person says it: the last two parts, and a notebook's cell by its name."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def refuse(found: str, why: str, remedy: str) -> NoReturn:
    """Raise TraceRefusedError; the recording that catches it adds the line."""
    raise TraceRefusedError(f"found {found}: {why}; {remedy}")


def located(line: object, text: str) -> TraceRefusedError:
    """A refusal that names its line itself, another one than that which is running."""
    error = TraceRefusedError(f"{line}: {text}")
    error.located = True
    return error


ONE_ROW = "for one row it would answer otherwise than for many"
"""Why statistics of the rows at hand are refused."""
PLAN = "write the line another way, or give the step a `plan` method"
"""What to do where there is no rule."""
