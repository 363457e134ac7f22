"""A parameters file as text: strictyaml values without types, and the line of each one."""

import re
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError

MAX_BYTES = 16 * 1024  # takes a quarter of a second to parse
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFUSED_SYNTAX = {
    "AnchorTokenDisallowed": ("an anchor", "plain text, or quotes around it"),
    "FlowMappingDisallowed": (
        "a list or group in brackets",
        "one `- item` or `key: value` per line, or quotes around text",
    ),
    "TagTokenDisallowed": ("a tag", "plain text, or quotes around it"),
}

Key = tuple[str | int, ...]
Location = tuple[int, str]  # a number by which problems are sorted, and how messages print the location


def read_file(path: Path, shown: str) -> tuple[dict[str, Any], dict[Key, Location]]:
    """Return the values of a parameters file (text, None, lists and groups), and the location of each.

    `shown` is how messages print the path. Raises `InputError` for a file that is not strictyaml.
    """
    return _parse(_read_text(path, shown), shown)


def _read_text(path: Path, shown: str) -> str:
    if path.exists() and not path.is_file():
        raise InputError(f"{shown}: found a folder or device, expected a parameters file; name the file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{shown}: found no such file, expected a parameters file; create it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(
            f"{shown}: found {error}, expected a file that can be read; correct its name or rights"
        ) from error
    if len(data) > MAX_BYTES:
        raise InputError(
            f"{shown}:1: found more than {MAX_BYTES} bytes, expected at most {MAX_BYTES}; "
            "keep data in data files and name them here"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{shown}:{line}: found byte 0x{data[error.start]:02x} at offset {error.start}, "
            "expected UTF-8; save the file as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(text: str, shown: str) -> tuple[dict[str, Any], dict[Key, Location]]:
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line = text.count("\n", 0, unprintable.start()) + 1
        raise InputError(f"{shown}:{line}: found {unprintable[0]!r}, expected printable text; remove it")
    try:
        node = _compose(text)
        locations: dict[Key, Location] = {}
        values = _values_of(node, (), locations, shown) if node else None
    except InputError:
        raise
    except RecursionError:
        lines = text.split("\n")
        deepest = max(range(len(lines)), key=lambda i: len(lines[i]) - len(lines[i].lstrip(" -?")))
        raise InputError(
            f"{shown}:{deepest + 1}: found groups nested too deep to read, expected a few levels; use fewer"
        ) from None
    except Exception as error:
        raise _syntax_error(error, shown) from error
    if not isinstance(values, dict):
        line, found = (node.start_mark.line + 1, f"a {node.id}") if node else (1, "an empty file")
        raise InputError(f"{shown}:{line}: found {found}, expected `key: value` lines; write one for each parameter")
    return values, locations


def _compose(text: str) -> Any:
    # strictyaml's loader alone refuses what strictyaml refuses. Its load() then builds a document whose line numbers
    # are wrong after comments, and takes half a minute for 16 KB of list items.
    from strictyaml import ruamel
    from strictyaml.parser import StrictYAMLLoader

    loader = type("_Loader", (StrictYAMLLoader,), {"label": "parameters", "allow_flow_style": False})
    return ruamel.compose(text, Loader=loader)


def _values_of(node: Any, key: Key, locations: dict[Key, Location], shown: str) -> Any:
    """A node's text, list or group; notes the location of each value in it."""
    line = node.start_mark.line + 1
    locations.setdefault(key, (line, f"{shown}:{line}" if key else shown))  # the file as a whole has no line
    if node.id == "sequence":
        return [_values_of(item, (*key, i), locations, shown) for i, item in enumerate(node.value)]
    if node.id == "scalar":
        if node.style == ">":  # ruamel marks the folds with BEL, which a file cannot contain
            return node.value.replace("\a", "")
        return None if node.style is None and node.value == "null" else node.value
    values: dict[str, Any] = {}
    for name, value in node.value:
        line = name.start_mark.line + 1
        if name.id != "scalar":
            raise InputError(f"{shown}:{line}: found a list or group as a key, expected `key: value`; name the key")
        inner = (*key, name.value)
        if inner in locations:
            first = locations[inner][1].removeprefix(f"{shown}:")
            raise InputError(
                f"{shown}:{line}: {dotted(inner)}: found the key again (first in line {first}), "
                "expected every key once; remove one"
            )
        locations[inner] = (line, f"{shown}:{line}")
        values[name.value] = _values_of(value, inner, locations, shown)
    return values


def _syntax_error(error: Exception, shown: str) -> InputError:
    context, problem = getattr(error, "context", None), getattr(error, "problem", None)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    found = str(problem or f"{type(error).__name__}: {error}").removeprefix("but ").removeprefix("found ")
    expected = "`key: value` and `- item` lines, indented with spaces"
    if type(error).__name__ in _REFUSED_SYNTAX:
        found, expected = _REFUSED_SYNTAX[type(error).__name__]
    elif "quoted scalar" in str(context):
        mark = getattr(error, "context_mark", mark)  # the opening quote, not the end of the file
        found, expected = f"{found} in quoted text", "a closing quote, and `\\\\` for a backslash"
    return InputError(f"{shown}:{mark.line + 1 if mark else 1}: found {found}, expected {expected}; correct the line")


def dotted(key: Key) -> str:
    """A key as it is written: `estimator.alpha`."""
    return ".".join(str(part) if str(part).isprintable() else repr(part) for part in key)
