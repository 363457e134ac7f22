"""The table of rules: which function writes the plan of which method, attribute or function of a library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """A rule of the table: the function that writes the plan, and whether the name is an attribute, not a method."""

    write: Rule
    attribute: bool = False
    raw: bool = False  # writes no columns: `write(call, ...)` returns the result itself


RULES: dict[tuple[str, str], Entry] = {}
"""By kind of recorded object ("frame", "series", "array", "text", "dates", ...) and name; functions by full name."""
REFUSED: dict[tuple[str, str], tuple[str, str]] = {}
"""By kind and name: why a name is refused, and what to write instead."""


def rule(kind: str, *names: str, attribute: bool = False, raw: bool = False) -> Callable[[Rule], Rule]:
    """Register the rule of a method or attribute of recorded objects of one kind.

    The function gets a `Call` and the arguments of own code, and returns the plan's columns: a Value, or a list. With
    `raw` it returns the result itself.
    """

    def register(write: Rule) -> Rule:
        for name in names:
            if (kind, name) in RULES:
                raise ValueError(f"found two rules for {name} of a {kind}, expected one")
            RULES[kind, name] = Entry(write, attribute, raw)
        return write

    return register


def function(*names: str, raw: bool = False) -> Callable[[Rule], Rule]:
    """Register the rule of library functions by full name, such as `numpy.where`."""
    return rule("function", *names, raw=raw)


def refused(kind: str, names: str, why: str, remedy: str) -> None:
    """Register names, separated by blanks, that are refused with a reason of their own."""
    for name in names.split():
        REFUSED[kind, name] = (why, remedy)
