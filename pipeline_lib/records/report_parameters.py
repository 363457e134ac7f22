"""The parameters of a run as a person reads them: name, value, and what the parameters file says of it."""

import json
import re
from typing import Any

from pipeline_lib.project.code_diff import flatten
from pipeline_lib.records.layout import PARAMETERS, PARAMS_FILE
from pipeline_lib.records.record import Record
from pipeline_lib.system.html_page import Markup, folded, table

_LINE = re.compile(r"(?P<indent> *)(?:#\s?(?P<comment>.*)|(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*:.*)")


def meanings(text: str) -> dict[str, str]:
    """The comments above each key of a parameters file, by dotted name; a comment ends at an empty line.

    >>> meanings("# the head of the file\\n\\ngroup:\\n  # how strong\\n  alpha: 1\\n")
    {'group.alpha': 'how strong'}
    """
    found: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or not line.strip():
            comment = []
        elif match["key"] is None:
            comment.append(match["comment"].strip())
        else:
            indent = len(match["indent"])
            parents = [parent for parent in parents if parent[0] < indent] + [(indent, match["key"])]
            if comment:
                found[".".join(name for _, name in parents)] = " ".join(comment)
            comment = []
    return found


def parameters_section(record: Record) -> Markup:
    """The parameters of a record, folded; nothing where the run kept none."""
    parameters = record.read_json(PARAMETERS)
    if not parameters:
        return Markup()
    path = record.folder / PARAMS_FILE
    known = meanings(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else {}
    rows = [(name, value_text(value), known.get(name, "")) for name, value in flatten(parameters)]
    return folded("Parameters", table(("parameter", "value", "meaning"), rows))


def value_text(value: Any) -> str:
    """A value as a parameters file has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
