"""Notebooks as data: reading and cleaning them, their cells, and the cell tagged `parameters`."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError

KEEP_OUTPUT = "keep-output"
PARAMETERS = "parameters"
SKIPPED = "skip-execution"
"""Jupyter's tag of a cell that no run executes."""
RAISES = "raises-exception"
"""Jupyter's tag of a cell that may raise: the run goes on."""
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""A cell's id, as the notebook format 4.5 allows it."""


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook; `number` counts all cells from 1."""

    number: int
    id: str
    kind: str
    source: str
    tags: tuple[str, ...]

    def __str__(self) -> str:
        return f"cell {self.number} (id {self.id})" if self.id else f"cell {self.number}"


def read_notebook(path: Path, shown: str) -> dict[str, Any]:
    """The JSON of a notebook of format 4. Raises InputError for any other file.

    `shown` is how messages print the path.
    """
    expected = "expected a Jupyter notebook of format 4; save it again from Jupyter"
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{shown}: found no such notebook, expected a file; check its name") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown}: found an unreadable file ({error}), {expected}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{shown}: found no valid JSON ({error}), {expected}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not _has_cells(notebook):
        raise InputError(f"{shown}: found JSON that is no notebook of format 4, {expected}")
    return notebook


def cells(notebook: dict[str, Any]) -> list[Cell]:
    """The notebook's cells in order."""
    return [
        Cell(
            number=number,
            id=str(cell.get("id", "")),
            kind=cell["cell_type"],
            source="".join(cell["source"]),
            tags=tuple(cell.get("metadata", {}).get("tags", ())),
        )
        for number, cell in enumerate(notebook["cells"], start=1)
    ]


def id_problem(cell: Cell) -> str | None:
    """What is wrong with a cell's id; None for a right one, and for none."""
    if not cell.id or _ID.fullmatch(cell.id):
        return None
    return (
        f"found the cell id {cell.id!r}, expected 1 to 64 letters of ASCII, digits, `-` and `_`; copy the cell's text "
        "into a new cell, and delete this one"
    )


def parameters_cell(notebook: dict[str, Any], shown: str) -> Cell:
    """The one cell tagged `parameters`.

    Raises InputError when there is none or more than one: papermill would then run with the defaults, while the
    record names the requested values.
    """
    tagged = [cell for cell in cells(notebook) if PARAMETERS in cell.tags and cell.kind == "code"]
    if len(tagged) == 1:
        return tagged[0]
    if tagged:
        names = " and ".join(str(cell) for cell in tagged)
        raise InputError(
            f"{shown}: found {len(tagged)} cells tagged `parameters` ({names}), expected one; keep the tag on one cell"
        )
    likely = next((cell for cell in cells(notebook) if cell.kind == "code" and cell.source.strip()), None)
    raise InputError(
        f"{shown}{f': {likely}' if likely else ''}: found no cell tagged `parameters` here or below, expected one; "
        "tag the cell that sets the parameters (JupyterLab: Property Inspector, Cell tags)"
    )


def declared_parameters(cell: Cell, shown: str) -> dict[str, Any]:
    """Names and literal values that the parameters cell assigns.

    Raises InputError for anything but assignments of literals: values can be compared and replaced, code cannot.
    """
    where = f"{shown}: {cell}"
    try:
        body = ast.parse(cell.source).body
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise InputError(f"{where}{line}: found a syntax error ({error.msg}), expected plain Python; fix it") from error
    except ValueError as error:  # a NUL
        raise InputError(f"{where}: found {error}, expected plain Python; fix it") from error
    values: dict[str, Any] = {}
    for statement in body:
        name, value = _assignment(statement)
        if name is None or value is None:
            raise InputError(
                f"{where}, line {statement.lineno}: found `{ast.unparse(statement)}`, "
                "expected only `name = literal`; move other code to the next cell"
            )
        if name in values:
            raise InputError(f"{where}, line {statement.lineno}: found {name} twice, expected it once; remove one")
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            raise InputError(
                f"{where}, line {statement.lineno}: found `{ast.unparse(statement)}`, expected a literal "
                "(number, text, True, False, None, list or dict of these); write the value itself"
            ) from None
    return values


def clean_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """A copy without outputs, execution counts and metadata other than tags, as nbdev cleans it.

    Cells tagged `keep-output` keep their outputs.
    """
    from nbdev.clean import clean_nb

    cleaned = json.loads(json.dumps(notebook))
    clean_nb(cleaned, allowed_cell_metadata_keys=["tags"])
    for cell in cleaned["cells"]:
        if cell["cell_type"] == "code" and KEEP_OUTPUT not in cell["metadata"].get("tags", ()):
            cell["outputs"] = []
        if isinstance(cell["source"], str):  # a line of JSON for each line of source keeps diffs small
            cell["source"] = cell["source"].splitlines(keepends=True)
        if not cell["metadata"].get("tags", True):
            del cell["metadata"]["tags"]
    result: dict[str, Any] = cleaned
    return result


def notebook_bytes(notebook: dict[str, Any]) -> bytes:
    """A notebook's bytes as nbdev writes them: sorted keys, one-space indent, final newline."""
    return (json.dumps(notebook, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def notebook_files(folder: Path) -> Iterator[Path]:
    """Notebooks below a folder, sorted; names that begin with `_` or `.` are working copies and left out."""
    for path in sorted(folder.rglob("*.ipynb")):
        if not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts):
            yield path


def unclean_notebooks(folder: Path, shown: Callable[[Path], str]) -> Iterator[tuple[Path, bytes]]:
    """Notebooks below a folder that hold outputs or transient metadata, each with its bytes as they should be.

    `shown` is how messages name a path. Raises InputError for a file that is no notebook.
    """
    for path in notebook_files(folder):
        content = notebook_bytes(clean_notebook(read_notebook(path, shown(path))))
        if path.read_bytes() != content:
            yield path, content


def _has_cells(notebook: dict[str, Any]) -> bool:
    items = notebook.get("cells")
    return isinstance(items, list) and all(
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("metadata", {}), dict)
        and isinstance(cell.get("source"), str | list)
        and all(isinstance(line, str) for line in cell["source"])
        for cell in items
    )


def _assignment(statement: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return (target.id if isinstance(target, ast.Name) else None), statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    return None, None
