"""The values of parameters files that changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipeline_lib.project.code_diff import flatten
from pipeline_lib.runner.review.markdown import code
from pipeline_lib.runner.review.revision import Change

MOST = 100
"""Changed values of one file that are shown."""


def parameter_changes(change: Change, clean: Callable[[str], str]) -> list[str]:
    """The changed values of one file, one a line of Markdown; for a file that is no YAML that it cannot be read."""
    old, new = (_values(content, clean) for content in (change.before, change.after))
    if old is None or new is None:
        return ["cannot be read as YAML before or after"]
    lines = list(_lines(old, new))
    more = [f"{len(lines) - MOST:,} more values"] if len(lines) > MOST else []
    return [*lines[:MOST], *more] or ["comments or order alone"]


def _lines(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield f"{code(name)}: {code(old[name])} → removed"
        elif name not in old:
            yield f"{code(name)}: added, {code(new[name])}"
        elif old[name] != new[name]:
            yield f"{code(name)}: {code(old[name])} → {code(new[name])}"


def _values(content: bytes | None, clean: Callable[[str], str]) -> dict[str, str] | None:
    from strictyaml import YAMLError, load

    try:
        data: Any = load(content.decode().replace("\r\n", "\n")).data if content and content.strip() else {}
    except (YAMLError, UnicodeDecodeError, ValueError):
        return None
    return {clean(name): clean(_text(value)) for name, value in flatten(data)} if data else {}


def _text(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_text, value))}]"
    return str(value)
