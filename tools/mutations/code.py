"""Mutations of code: exported modules, the notebooks they come from, and the notebooks that research runs."""

import ast
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.mutations.kinds import Draw, Keys, Kind, Mutation, json_kind, nudged

_OPERATORS = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
}

_OPERATORS |= {"in": "not in", "not in": "in", "is": "is not", "is not": "is", "|": "&", "&": "|", "^": "|"}


def tokens(source: str) -> dict[str, list[tuple[int, int, str]]]:
    """The byte ranges of each kind of token in Python source, and their replacements: (start, end, text)."""
    ranges: dict[str, list[tuple[int, int, str]]] = {"number": [], "text": [], "operator": [], "name": []}
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    whole = source.encode()

    def span(node: Any) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            ranges["number"].append((*span(node), repr(nudged(node.value, random.Random(0)))))  # noqa: S311
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and whole[slice(*span(node))][-1:] in b"\"'"
        ):
            start, end = span(node)
            ranges["text"].append((end - 1, end - 1, "x"))
        elif isinstance(node, ast.BinOp | ast.Compare):
            left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.left, node.comparators[0])
            start, end = span(left)[1], span(right)[0]
            symbol = whole[start:end].decode().strip(" ()\n")
            if symbol in _OPERATORS:
                first = whole.index(symbol.encode(), start)
                ranges["operator"].append((first, first + len(symbol.encode()), _OPERATORS[symbol]))
        elif isinstance(node, ast.Name):
            start, end = span(node)
            ranges["name"].append((end, end, "_"))
    return ranges


def edited(source: str, generator: random.Random, kind: str) -> tuple[str, str] | None:
    """Source with one token of a kind changed, and the change as text."""
    ranges = tokens(source)[kind]
    if not ranges:
        return None
    start, end, new = generator.choice(ranges)
    whole = source.encode()
    line = whole[:start].count(b"\n")
    changed = (whole[:start] + new.encode() + whole[end:]).decode()
    return changed, f"`{source.splitlines()[line].strip()}` → `{changed.splitlines()[line].strip()}`"


def _modules(tree: Path) -> list[Path]:
    return [path for path in sorted(tree.glob("project/pipeline_lib/*/*.py")) if path.stem != "__init__"]


def _module(kind: str) -> Draw:
    """A generated module edited by hand."""

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        path = generator.choice(_modules(tree))
        done = edited(path.read_text(encoding="utf-8"), generator, kind)
        name = path.relative_to(tree).as_posix()
        return done and Mutation("", f"{path.name}: {done[1]}", {name: done[0].encode()}, (name.partition("/")[2],))

    return draw_one


def _without_line(tree: Path, generator: random.Random) -> Mutation | None:
    path = generator.choice(_modules(tree))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    number = generator.choice([number for number, line in enumerate(lines) if line.strip()])
    name = path.relative_to(tree).as_posix()
    location = f"{path.name}: line {number + 1} dropped: `{lines.pop(number).strip()}`"
    return Mutation("", location, {name: "".join(lines).encode()}, (name.partition("/")[2],))


def _notebook(pattern: str, *, exported: bool = False) -> Draw:
    """Edit a code cell of a notebook; with `exported`, also the module that it exports.

    NAME in the pattern is the record's pipeline: research notebooks of other pipelines do not matter to it.
    """

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        pipeline = (tree / "record").resolve().parent.name
        path = generator.choice(sorted(tree.glob(pattern.replace("NAME", pipeline))))
        notebook = json.loads(path.read_bytes())
        mark = "#| export" if "research" not in path.parts and path.parent.name != "record" else ""
        chosen = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and mark in "".join(cell["source"])]
        cell = generator.choice(chosen)
        source = "".join(cell["source"])
        done = (
            edited(source, generator, generator.choice(("number", "text", "operator"))) if "%" not in source else None
        )
        if done is None:
            return None
        cell["source"] = done[0].splitlines(keepends=True)
        name = path.relative_to(tree).as_posix()
        files = {name: (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()}
        if exported:
            files |= _exported(tree, source, done[0])
            if len(files) < 2:
                return None
        shown = name.removeprefix("project/")
        return Mutation("", f"{shown}: cell {cell.get('id')}: {done[1]}", files, (shown, str(cell.get("id"))))

    return draw_one


def _exported(tree: Path, old: str, new: str) -> dict[str, bytes]:
    """The module that holds a cell, as it is after an export of the edited cell."""
    before, after = (source.partition("\n")[2].strip("\n") for source in (old, new))
    for path in _modules(tree):
        text = path.read_text(encoding="utf-8")
        if before and text.count(before) == 1:
            return {path.relative_to(tree).as_posix(): text.replace(before, after).encode()}
    return {}


def _cell_id(document: Any, keys: Keys) -> tuple[str, ...]:
    return (str(document[keys[0]]["cell"]),)


_NOTEBOOKS = "project/nbs/[sp]*/*.ipynb"  # steps and pipelines
CODE: Sequence[Kind] = (
    Kind("module: a number", 8, _module("number")),
    Kind("module: text", 8, _module("text")),
    Kind("module: an operator", 8, _module("operator")),
    Kind("module: a name", 4, _module("name")),
    Kind("module: a line dropped", 4, _without_line),
    Kind("notebook: not exported", 8, _notebook(_NOTEBOOKS)),
    Kind("notebook and module together", 8, _notebook(_NOTEBOOKS, exported=True)),
    Kind("research notebook", 4, _notebook("project/nbs/research/NAME.ipynb")),
    Kind("executed notebook: a cell", 3, _notebook("record/notebook.ipynb")),
    Kind(
        "library.json: a cell's source",
        3,
        json_kind("record/library.json", lambda keys, value: keys[-1] == "source", names=_cell_id),
    ),
)
