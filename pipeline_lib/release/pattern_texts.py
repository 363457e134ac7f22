"""Texts that a regular expression matches, made from the expression."""

import random
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

_MORE = 5
"""Repetitions beyond the least that a pattern wants."""
_ANY = "abcxyzABCXYZ0189_"
_CATEGORIES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_SPACE": " ", "CATEGORY_NOT_WORD": " -.", "CATEGORY_WORD": _ANY}


def text_of(pattern: str, chance: random.Random) -> str:
    """A text that a pattern of usual parts matches; with look-around or references it may not, so check it."""
    try:
        return _text(import_module("re._parser").parse(pattern), chance)
    except re.error:  # a part that pydantic knows and Python does not
        return ""


def _text(parts: Iterable[tuple[Any, Any]], chance: random.Random) -> str:
    return "".join(_part(str(kind), value, chance) for kind, value in parts)


def _part(kind: str, value: Any, chance: random.Random) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return chr(chance.randint(*value))
        case "CATEGORY":
            return chance.choice(_CATEGORIES.get(str(value), _ANY))
        case "IN" if str(value[0][0]) != "NEGATE":
            return _text([chance.choice(value)], chance)
        case "ANY" | "NOT_LITERAL" | "IN":
            return chance.choice(_ANY)
        case "BRANCH":
            return _text(chance.choice(value[1]), chance)
        case "SUBPATTERN" | "ATOMIC_GROUP":
            return _text(value[-1] if kind == "SUBPATTERN" else value, chance)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, repeated = value
            return "".join(_text(repeated, chance) for _ in range(chance.randint(least, min(most, least + _MORE))))
        case _:  # a position, as the end
            return ""
