"""Pydantic's errors in the words of a parameters file: location, key, found, expected."""

import difflib
import re
from typing import Any

from pydantic import ValidationError

from pipeline_lib.project.params_file import Key, Location, dotted
from pipeline_lib.project.params_model import BaseParams, model_at

_EXPECTED = {
    "bool_parsing": "true or false",
    "dict_type": "a group of keys",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "list_type": "a list",
    "model_attributes_type": "a group of keys",
    "model_type": "a group of keys",
    "tuple_type": "a list",
    "union_tag_not_found": "a group of keys",
}
"""By pydantic's type of error; the others are made from its message."""


def validation_problems(
    error: ValidationError, model: type[BaseParams], values: dict[str, Any], locations: dict[Key, Location]
) -> list[tuple[Location, str]]:
    """One line for each key that pydantic refused, with the key's location."""
    problems: dict[Key, tuple[str, list[str]]] = {}
    for one in error.errors(include_url=False):
        key = _key_in(values, one["loc"])
        if one["type"] == "missing":
            key = (*key, one["loc"][-1])
            problems[key] = ("missing key, expected a value; add it", [])
        elif one["type"] == "extra_forbidden":
            problems[key] = (_unknown_key(key, model_at(model, key[:-1], branches=one["loc"])), [])
        elif one["type"] == "union_tag_invalid":
            field, tag, tags = (one["ctx"][name] for name in ("discriminator", "tag", "expected_tags"))
            name = "kind" if field.endswith("()") else field.strip("'")  # a function, or the name of a field
            problems[(*key, name)] = (f"found {shorten(repr(tag))}, expected one of {tags}", [])
        else:  # a union reports one error for each of its branches
            _, expected = problems.setdefault(key, (f"found {describe_value(one['input'])}, expected ", []))
            expected.append(_expected(one["type"], one["msg"]))
    lines: list[tuple[Location, str]] = []
    for key, (text, expected) in problems.items():
        text += " or ".join(dict.fromkeys(expected))
        lines.append((_location(locations, key), f"{dotted(key)}: {text}" if key else text))
    return lines


def describe_value(value: object) -> str:
    """A value for a message: as Python writes it, shortened."""
    if isinstance(value, dict):
        return "a group of keys"
    return "null" if value is None else shorten(repr(value))


def shorten(text: str, limit: int = 60) -> str:
    """Text as one printable line of at most `limit` characters."""
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _key_in(values: Any, loc: Key) -> Key:
    """Pydantic's location without names that are not in the values: a union's branch, a missing key."""
    key: Key = ()
    for item in loc:
        is_item = isinstance(values, list | tuple) and isinstance(item, int) and item < len(values)
        if is_item or (isinstance(values, dict) and item in values):
            values, key = values[item], (*key, item)
    return key


def _location(locations: dict[Key, Location], key: Key) -> Location:
    while key not in locations:
        key = key[:-1]
    return locations[key]


def _unknown_key(key: Key, model: type[BaseParams] | None) -> str:
    known = list(model.model_fields) if model else []
    near = difflib.get_close_matches(str(key[-1]), known, n=1)
    if near:
        return f"unknown key, did you mean {near[0]}? rename or remove it"
    return f"unknown key, expected one of: {', '.join(known) or 'none'}; rename or remove it"


def _expected(kind: str, message: str) -> str:
    """What pydantic expected, from its message: "Input should be less than 1" as "a value less than 1"."""
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    message = re.split(r", (?:unable|got) ", message)[0].removeprefix("Value error, ")
    noun, should, rest = message.partition(" should ")
    verb, _, what = rest.partition(" ")
    if not should or verb not in ("be", "have", "match"):
        return message
    if verb == "be":
        return f"a value {what}" if re.match("greater|less|a multiple", what) else what
    return f"a {noun.lower()} {'of' if verb == 'have' else 'that matches'} {what}"
