"""The cells of a notebook that were added, removed or changed; outputs do not count."""

import difflib
import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline_lib.project.notebooks import Cell, cells
from pipeline_lib.runner.review.markdown import code, fenced

MOST_LINES, MOST_CHARACTERS = 40, 300
"""Lines of one cell's difference that are shown, and characters of a line."""

_WRAPPED = 110
"""Characters of a line of prose."""


@dataclass(frozen=True)
class CellChange:
    """A cell that is only in one version, or differs: then with the lines of the difference."""

    what: str
    cell: Cell
    lines: tuple[str, ...]

    @property
    def markdown(self) -> str:
        """A line that names the cell, and its difference."""
        kind = "" if self.cell.kind == "code" else f" ({code(self.cell.kind)})"
        heading = f"- {self.what} {code(str(self.cell))}{kind}"
        return "\n\n".join([heading, fenced(self.lines)]) if self.lines else heading


def cells_of(content: bytes | None, clean: Callable[[str], str]) -> list[Cell] | None:
    """The cells of a notebook's bytes, each text cleaned; none of no file, None for a file that is no notebook."""
    if content is None:
        return []
    try:
        notebook = json.loads(content)
        return [
            Cell(cell.number, cell.id, cell.kind, clean(cell.source.rstrip()), tuple(map(clean, map(str, cell.tags))))
            for cell in cells(notebook)
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def cell_changes(before: Sequence[Cell], after: Sequence[Cell]) -> list[CellChange]:
    """The differences of two versions of a notebook, in the order of the later one; removed cells come last.

    Cells are matched by their ids, those without an id by their text.
    """
    old, new = _keyed(before), _keyed(after)
    changes = []
    for key, cell in new.items():
        if key not in old:
            changes.append(CellChange("added", cell, _shown([f"+{line}" for line in _lines(cell)])))
        elif (lines := _difference(old[key], cell)) is not None:
            changes.append(CellChange("changed", cell, lines))
    common = [[key for key in keyed if key in old and key in new] for keyed in (old, new)]
    changes += [
        CellChange("moved", new[key], ())
        for key, other in zip(common[1], common[0], strict=True)
        if key != other and _moved(key, *common)
    ]
    changes += [
        CellChange("removed", cell, _shown([f"-{line}" for line in _lines(cell)]))
        for key, cell in old.items()
        if key not in new
    ]
    return changes


def _moved(key: str, old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether a cell is out of the longest order that two versions share."""
    kept: set[str] = set()
    for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept.update(old[block.a : block.a + block.size])
    return key not in kept


def _keyed(listed: Sequence[Cell]) -> dict[str, Cell]:
    """Cells by id; a cell without one, or with that of an earlier cell, by its text and how often it came before."""
    keyed: dict[str, Cell] = {}
    for cell in listed:
        key = f"id {cell.id}" if cell.id and f"id {cell.id}" not in keyed else ""
        count = 0
        while not key or (key in keyed and not cell.id):
            key = f"text {count} {cell.kind} {cell.source}"
            count += 1
        while key in keyed:
            key += "'"
        keyed[key] = cell
    return keyed


def _difference(old: Cell, new: Cell) -> tuple[str, ...] | None:
    """The lines that differ, with two around them; None for equal cells."""
    if (old.source, old.kind, old.tags) == (new.source, new.kind, new.tags):
        return None
    lines = [f"-{name}: {a}" for name, a, b in _facts(old, new) if a != b]
    lines += [f"+{name}: {b}" for name, a, b in _facts(old, new) if a != b]
    unified = difflib.unified_diff(_lines(old), _lines(new), lineterm="", n=2)
    return _shown([*lines, *list(unified)[2:]])


def _lines(cell: Cell) -> list[str]:
    """A cell's lines; those of prose are wrapped, so that one word changed in a paragraph shows."""
    lines = cell.source.splitlines()
    if cell.kind == "code":
        return lines
    return [part for line in lines for part in (textwrap.wrap(line, _WRAPPED) or [""])]


def _facts(old: Cell, new: Cell) -> list[tuple[str, str, str]]:
    return [("type", old.kind, new.kind), ("tags", ", ".join(old.tags), ", ".join(new.tags))]


def _shown(lines: Sequence[str]) -> tuple[str, ...]:
    short = [line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…" for line in lines]
    more = [f"… {len(lines) - MOST_LINES:,} more lines"] if len(lines) > MOST_LINES else []
    return (*short[:MOST_LINES], *more)
