"""Differences in words: between JSON values, and between cells of code."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline_lib.project.notebooks import cells

_INJECTED = "injected-parameters"
_MAX_CHARACTERS = 100  # of a value or line of code in a message
Code = dict[tuple[str, str], tuple[str, str]]
"""A label and the source of each cell, by notebook and cell."""


def changed_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Dotted names of JSON values that differ, each with both values; floats also in hex."""
    left, right = dict(flatten(old)), dict(flatten(new))
    return [
        f"{name}: {describe_change(left, right, name)}"
        for name in dict.fromkeys((*left, *right))
        if name not in left or name not in right or _differ(left[name], right[name])
    ]


def changed_code(old: Code, new: Code) -> list[str]:
    """Cells that differ, by notebook and cell, each with its first line that differs."""
    lines = []
    for key in dict.fromkeys((*old, *new)):
        label, before = old.get(key, ("", ""))
        other, after = new.get(key, ("", ""))
        if key not in old:
            lines.append(f"{other}: absent → {_first_line(after)}")
        elif key not in new:
            lines.append(f"{label}: {_first_line(before)} → absent")
        elif before != after:
            lines.append(f"{label}: {_first_changed(before, after)}")
    return lines


def notebook_code(notebook: Mapping[str, Any], shown: str = "", *, injected: bool = False) -> Code:
    """The code cells of a notebook by their ids, or by their numbers where they have none.

    With `injected`, papermill's own cell of parameters is included.
    """
    code = [cell for cell in cells(dict(notebook)) if cell.kind == "code" and cell.source.strip()]
    prefix = f"{shown}: " if shown else ""
    return {
        ("", _INJECTED if _INJECTED in cell.tags else cell.id or str(cell.number)): (
            f"{prefix}{cell}",
            cell.source.rstrip(),
        )
        for cell in code
        if injected or _INJECTED not in cell.tags
    }


def exported_code(cells: Iterable[Mapping[str, Any]]) -> Code:
    """Exported cells, as `exported_cells` lists them, by notebook and cell."""
    return {
        (cell["notebook"], cell["cell"]): (
            f"{cell['notebook']}: cell {cell['number']} (id {cell['cell']})",
            cell["source"],
        )
        for cell in cells
    }


def flatten(value: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    """Values of nested JSON by dotted name."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from flatten(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _differ(old: Any, new: Any) -> bool:
    return type(old) is not type(new) or json.dumps(old) != json.dumps(new)


def describe_change(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> str:
    """The change of one value: of lists the items removed and added, of floats also the hex."""
    if name not in old or name not in new:
        return " → ".join(_text(values[name]) if name in values else "absent" for values in (old, new))
    before, after = old[name], new[name]
    if isinstance(before, list) and isinstance(after, list):
        removed = [_text(part) for part in before if part not in after]
        added = [_text(part) for part in after if part not in before]
        parts = [f"{word} {', '.join(texts)}" for word, texts in (("without", removed), ("with", added)) if texts]
        return ", ".join(parts) or "in another order, or another number of times"
    hexes = f" ({before.hex()}, {after.hex()})" if isinstance(before, float) and isinstance(after, float) else ""
    return f"{_text(before)} → {_text(after)}{hexes}"


def _text(value: Any) -> str:
    return _shorten(json.dumps(value, ensure_ascii=False))


def _first_changed(old: str, new: str) -> str:
    before, after = old.splitlines(), new.splitlines()
    changes = [
        code
        for code in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if code[0] != "equal"
    ]
    _, start, end, other_start, other_end = changes[0]
    count = sum(max(end - start, other_end - other_start) for _, start, end, other_start, other_end in changes)
    more = f" ({count} lines differ)" if count > 1 else ""
    return f"{_first_line(before[start:end])} → {_first_line(after[other_start:other_end])}{more}"


def _first_line(source: str | list[str]) -> str:
    lines = source.splitlines() if isinstance(source, str) else source
    line = next((line.strip() for line in lines if line.strip()), "")
    return f"`{_shorten(line)}`" if line else "nothing"


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"
