"""The original notebook as plain Python: cells in order, statements with their text, lines of IPython set apart."""

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.project.notebooks import cells

_MAGIC = re.compile(r"^\s*(%|!|\?)|^[^#'\"]*[^\s#'\"]\?{1,2}\s*$")
_MAGIC_VALUE = re.compile(r"^(\s*[A-Za-z_]\w*\s*=\s*)[!%]")
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
"""Cell magics whose cell is Python all the same."""


@dataclass(frozen=True)
class MagicLine:
    """A line of IPython that is no Python: its cell, its line in the cell, its text."""

    cell: int
    line: int
    text: str


@dataclass(frozen=True)
class SourceCell:
    """One cell of the original; `number` counts all cells from 1, `count` is its execution count.

    `python` has the lines of `source`, with `pass` in place of IPython's lines. `problem` says why a code cell is not
    Python; such a cell has no statements.
    """

    number: int
    kind: str
    source: str
    python: str = ""
    count: int | None = None
    magics: tuple[MagicLine, ...] = ()
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Statement:
    """One top-level statement: its number in the order of execution, cell, tree and text.

    `text` includes the comments above, and after the last statement of a cell those below; it begins in line `start`
    of the cell. `alone` is whether no other statement shares its lines.
    """

    index: int
    cell: int
    node: ast.stmt = field(repr=False)
    text: str
    start: int
    lines: tuple[int, int]
    alone: bool
    magic: bool


def source_cells(notebook: dict[str, Any]) -> list[SourceCell]:
    """The cells of a notebook, each with its Python.

    >>> cell = {"cell_type": "code", "source": "%matplotlib inline\\nx = 1", "execution_count": 3}
    >>> (code,) = source_cells({"cells": [cell]})
    >>> code.python, code.magics[0].text, code.count
    ('pass\\nx = 1', '%matplotlib inline', 3)
    """
    result = []
    for cell, raw in zip(cells(notebook), notebook["cells"], strict=True):
        if cell.kind != "code":
            result.append(SourceCell(cell.number, cell.kind, cell.source))
            continue
        count = raw.get("execution_count")
        python, magics, problem = _as_python(cell.number, cell.source)
        result.append(
            SourceCell(
                cell.number, "code", cell.source, python, count if isinstance(count, int) else None, magics, problem
            )
        )
    return result


def statements(original: list[SourceCell]) -> list[Statement]:
    """All top-level statements, in the order of the cells."""
    result: list[Statement] = []
    for cell in original:
        if cell.kind != "code" or cell.problem:
            continue
        shown = cell.source.splitlines()
        magic_lines = {magic.line for magic in cell.magics}
        body = ast.parse(cell.python).body
        spans = [(_first_line(node), node.end_lineno or node.lineno) for node in body]
        previous = 0
        for position, (node, (first, last)) in enumerate(zip(body, spans, strict=True)):
            others = spans[:position] + spans[position + 1 :]
            alone = not any(start <= last and first <= end for start, end in others)
            following = len(shown) if position == len(body) - 1 else last
            start, text = first, ast.get_source_segment(cell.python, node) or ast.unparse(node)
            if alone:
                start, text = _with_comments(shown, (first, last), previous, following)
            is_magic = first in magic_lines and isinstance(node, ast.Pass)
            result.append(Statement(len(result), cell.number, node, text, start, (first, last), alone, is_magic))
            previous = last
    return result


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(int(decorator.lineno) for decorator in decorators)])


def _with_comments(shown: list[str], span: tuple[int, int], previous: int, following: int) -> tuple[int, str]:
    """The first line and the text of a statement as it was written, with comments above and below it."""
    first, last = span
    start = next((line for line in range(previous + 1, first) if shown[line - 1].strip()), first)
    body = [*shown[start - 1 : last - 1], shown[last - 1].rstrip().removesuffix(";")]
    return start, "\n".join([*body, *shown[last:following]]).rstrip()


def _as_python(number: int, source: str) -> tuple[str, tuple[MagicLine, ...], str]:
    if not _syntax_problem(source):
        return source, (), ""
    lines = source.splitlines()
    first = next((line for line in lines if line.strip()), "")
    magics = []
    if first.lstrip().startswith("%%"):
        magics.append(MagicLine(number, lines.index(first) + 1, first.strip()))
        if first.split()[0] not in _PYTHON_CELLS:
            return "", tuple(magics), f"a cell of {first.split()[0]}"
        lines[lines.index(first)] = "pass"
    for place, line in enumerate(lines):
        if value := _MAGIC_VALUE.match(line):
            magics.append(MagicLine(number, place + 1, line.strip()))
            lines[place] = f"{value[1]}None"
        elif _MAGIC.match(line):
            magics.append(MagicLine(number, place + 1, line.strip()))
            lines[place] = f"{line[: len(line) - len(line.lstrip())]}pass"
    python = "\n".join(lines)
    problem = _syntax_problem(python)
    return ("" if problem else python), tuple(magics), problem


def _syntax_problem(source: str) -> str:
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"a syntax error in line {error.lineno}: {error.msg}"
    except ValueError as error:
        return f"no Python: {error}"
    return ""


def in_order(original: list[SourceCell]) -> Iterator[tuple[SourceCell, SourceCell]]:
    """Pairs of code cells that follow each other in the notebook, but ran the other way round."""
    ran = [cell for cell in original if cell.kind == "code" and cell.count is not None]
    for earlier, later in itertools.pairwise(ran):
        if (later.count or 0) < (earlier.count or 0):
            yield earlier, later
