"""Changes in words: which JSON values, and which cells of code, are not the same in two places."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline_lib.project.notebooks import cells

_INJECTED = "injected-parameters"
_LONGEST = 100
Code = dict[tuple[str, str], tuple[str, str]]
"""Sources of cells with their labels, by notebook and cell."""


def changed_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Dotted names of JSON values that differ, each with both values; floats in hex besides."""
    left, right = dict(flatten(old)), dict(flatten(new))
    return [
        f"{name}: {describe_change(left, right, name)}"
        for name in dict.fromkeys((*left, *right))
        if name not in left or name not in right or _unlike(left[name], right[name])
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
    """The code cells of a notebook by their ids (their numbers where they have none); papermill's own if asked for."""
    code = [cell for cell in cells(dict(notebook)) if cell.kind == "code" and cell.source.strip()]
    place = f"{shown}: " if shown else ""
    return {
        ("", _INJECTED if _INJECTED in cell.tags else cell.id or str(cell.number)): (
            f"{place}{cell}",
            cell.source.rstrip(),
        )
        for cell in code
        if injected or _INJECTED not in cell.tags
    }


def exported_code(exported: Iterable[Mapping[str, Any]]) -> Code:
    """Exported cells, as `exported_cells` lists them, by notebook and cell."""
    return {
        (cell["notebook"], cell["cell"]): (
            f"{cell['notebook']}: cell {cell['number']} (id {cell['cell']})",
            cell["source"],
        )
        for cell in exported
    }


def flatten(value: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    """Values of nested JSON by dotted name."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from flatten(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _unlike(old: Any, new: Any) -> bool:
    return type(old) is not type(new) or json.dumps(old) != json.dumps(new)


def describe_change(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> str:
    """One value's change; of lists what went and what came, of floats the hex besides."""
    if name not in old or name not in new:
        return " → ".join(_text(values[name]) if name in values else "absent" for values in (old, new))
    before, after = old[name], new[name]
    if isinstance(before, list) and isinstance(after, list):
        gone = [_text(part) for part in before if part not in after]
        come = [_text(part) for part in after if part not in before]
        parts = [f"{word} {', '.join(texts)}" for word, texts in (("without", gone), ("with", come)) if texts]
        return ", ".join(parts) or "in another order, or another number of times"
    hexes = f" ({before.hex()}, {after.hex()})" if isinstance(before, float) and isinstance(after, float) else ""
    return f"{_text(before)} → {_text(after)}{hexes}"


def _text(value: Any) -> str:
    return _clipped(json.dumps(value, ensure_ascii=False))


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
    return f"`{_clipped(line)}`" if line else "nothing"


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
