"""Notebooks from a text template: cells with conditions, and placeholders.

A line `=== code NAME when=a,!b tags=t` begins a cell that is kept where `a` holds and `b` does not. `@@name@@` is
replaced; a line that holds only a placeholder is dropped where that is empty.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

_HEAD = re.compile(r"^=== (code|markdown) ([a-z-]+)(?: when=(\S+))?(?: tags=(\S+))?$")
_PLACE = re.compile(r"@@([a-z_]+)@@")


def filled_notebook(template: str, values: Mapping[str, str], facts: Collection[str]) -> dict[str, Any]:
    """The notebook of a template, for `facts` that hold; raises KeyError for a placeholder without a value."""
    cells = []
    for kind, name, source, tags in _cells(template, facts):
        cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {"tags": tags} if tags else {}}
        cell["source"] = _fill(source, values).splitlines(keepends=True)
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "python3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cells(template: str, facts: Collection[str]) -> list[tuple[str, str, str, list[str]]]:
    kept: list[tuple[str, str, str, list[str]]] = []
    for block in re.split(r"(?m)^(?==== )", template):
        head, _, source = block.partition("\n")
        found = _HEAD.match(head)
        if not found:
            continue
        kind, name, conditions, tags = found.groups()
        if all(_holds(each, facts) for each in (conditions or "").split(",") if each):
            kept.append((kind, name, source.strip("\n"), (tags or "").split(",") if tags else []))
    return kept


def _holds(condition: str, facts: Collection[str]) -> bool:
    return condition[1:] not in facts if condition.startswith("!") else condition in facts


def _fill(source: str, values: Mapping[str, str]) -> str:
    lines = []
    for line in source.split("\n"):
        text = _PLACE.sub(lambda found: values[found[1]], line)
        if text.strip() or not line.strip() or not _PLACE.fullmatch(line.strip()):
            lines.append(text)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n")
