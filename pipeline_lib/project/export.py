"""Export integrity: every generated module is exactly what its notebook exports, and nothing else is there.

nbdev writes the modules, always into the tree that it runs in. So it runs in a temporary copy, and the real tree is
then compared with that copy, or updated from it file by file.
"""

import contextlib
import shutil
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.export_checks import describe_module_error, module_error
from pipeline_lib.project.exporting_notebooks import ExportingNotebook, exporting_notebooks
from pipeline_lib.project.generated_modules import (
    CELL_MARK,
    ExportProblem,
    generated_files,
    hand_written_problems,
    is_cell_mark,
    orphan_problem,
)
from pipeline_lib.project.notebooks import Cell
from pipeline_lib.project.project import Project
from pipeline_lib.system.files import write_atomic
from pipeline_lib.system.locks import locked_temporary_folder


@dataclass(frozen=True)
class FreshExport:
    """What export would write: each module's text and notebook by its path from the root; and what prevents it."""

    texts: dict[str, str]
    notebooks: dict[str, ExportingNotebook]
    problems: list[ExportProblem]


def export(project: Project) -> list[str]:
    """Update the generated folders from their notebooks; one line for each file changed.

    Files that already agree are left alone. Raises InputError, before anything is written, when a notebook cannot be
    exported or a hand-written file is in a generated folder.
    """
    fresh = check_exportable(project)
    changes = []
    for path in _orphans(project, fresh):
        (project.root / path).unlink()
        changes.append(f"removed {path}: no notebook exports it")
    for path, text in fresh.texts.items():
        target = project.root / path
        if not target.is_file() or target.read_bytes() != text.encode():
            verb = "updated" if target.is_file() else "wrote"
            target.parent.mkdir(exist_ok=True)
            write_atomic(target, text.encode())
            changes.append(f"{verb} {path} from {project.shown(fresh.notebooks[path].path)}")
    return changes


def check_exportable(project: Project) -> FreshExport:
    """What export would write; raises InputError when something prevents it."""
    fresh = fresh_export(project)
    problems = [*fresh.problems, *hand_written_problems(project)]
    if problems:
        raise InputError("\n".join(map(str, problems)))
    return fresh


def check_export(project: Project) -> list[ExportProblem]:
    """Differences between the generated folders and a fresh export; empty when there are none.

    Names stale, hand-edited, orphaned, missing and doubly defined modules with their notebook and cell.
    """
    fresh = fresh_export(project)
    problems = [*fresh.problems, *hand_written_problems(project)]
    known = {problem.module for problem in problems}
    problems += [orphan_problem(project, path) for path in _orphans(project, fresh) if path not in known]
    for path, text in fresh.texts.items():
        difference = _difference(project, path, text, fresh.notebooks[path])
        if difference and path not in known:
            problems.append(ExportProblem(path, difference))
    return problems


def fresh_export(project: Project) -> FreshExport:
    """Export every notebook in a temporary copy of the tree and read the modules from there."""
    notebooks, problems = exporting_notebooks(project)
    if not (project.root / "pyproject.toml").is_file():
        raise InputError("pyproject.toml: found no such file, expected nbdev's settings in it; bring it back")
    texts: dict[str, str] = {}
    with locked_temporary_folder("export") as folder:
        copy = folder.resolve()
        shutil.copy(project.root / "pyproject.toml", copy)
        for notebook in notebooks.values():
            target = copy / notebook.path.relative_to(project.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(notebook.path, target)
        with contextlib.chdir(copy):
            for path, notebook in notebooks.items():
                try:
                    _export_one(notebook.path.relative_to(project.root), copy / project.library)
                    texts[path] = (copy / path).read_text(encoding="utf-8")
                except Exception as error:  # of nbdev, or of a name that it evaluates
                    text = (
                        f"{project.shown(notebook.path)}: found {type(error).__name__} as nbdev exports it ({error}), "
                        "expected a notebook that it exports; change the cell that the error names"
                    )
                    problems.append(ExportProblem(path, text))
    problems += [
        ExportProblem(path, f"{project.shown(notebooks[path].path)}: {problem}")
        for path, text in texts.items()
        if (problem := _module_problem(text, notebooks[path]))
    ]
    return FreshExport(texts, notebooks, problems)


def _module_problem(text: str, notebook: ExportingNotebook) -> str | None:
    """Why a module cannot be compiled, with its cell: each cell may be right, and their sequence wrong."""
    error = module_error(text)
    if error is None:
        return None
    cell = _cell_above(_lines(text)[: error.lineno], notebook)
    return f"{cell or 'the heading'}: {describe_module_error(error)}"


def _export_one(notebook: Path, library: Path) -> None:
    from nbdev.export import nb_export

    nb_export(str(notebook), lib_path=str(library))


def _orphans(project: Project, fresh: FreshExport) -> list[str]:
    """Generated modules that no notebook exports."""
    return [path for path in generated_files(project) if path not in fresh.texts]


def _difference(project: Project, path: str, fresh: str, notebook: ExportingNotebook) -> str | None:
    """What differs between a module and its fresh export; None when they are equal."""
    target = project.root / path
    name = project.shown(notebook.path)
    if not target.is_file():
        return f"{path}: found no such module, expected the export of {name}; run `make export`"
    if target.read_bytes() == fresh.encode():
        return None
    found = target.read_bytes().decode(errors="replace")
    if "\r" in found:
        return f"{path}: found carriage returns, expected the bytes that {name} exports; run `make export`"
    where, expected_line, found_line = _first_difference(fresh, found, notebook)
    return (
        f"{path}: differs from {name}, {where}: found `{found_line}`, expected `{expected_line}`; "
        "run `make export` (an edit made in the module is lost: make it in the notebook)"
    )


def _first_difference(fresh: str, found: str, notebook: ExportingNotebook) -> tuple[str, str, str]:
    """The cell, the expected and the found line where two versions of a module first differ.

    Cells are compared before the heading, as its list of names follows from them.
    """
    fresh_lines, found_lines = _lines(fresh), _lines(found)
    start, found_start = _first_cell(fresh_lines), _first_cell(found_lines)
    if fresh_lines[start:] == found_lines[found_start:]:
        start = found_start = 0
    pairs = list(zip_longest(fresh_lines[start:], found_lines[found_start:]))
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs) - 1)
    expected_line, found_line = (line or "" for line in pairs[at])
    if expected_line.strip() != found_line.strip():
        expected_line, found_line = expected_line.strip(), found_line.strip()
    at_text = next((i for i in range(start + at, len(fresh_lines)) if fresh_lines[i]), start + at)
    cell = _cell_above(fresh_lines[: at_text + 1], notebook)
    where = str(cell) if cell else f"the heading, {notebook.cells[0]} and what is exported"
    return f"{where}, line {found_start + at + 1} of the module", expected_line, found_line


def _cell_above(lines: list[str], notebook: ExportingNotebook) -> Cell | None:
    """The exported cell whose mark is the last in the first lines of a module; None above the first."""
    marks = [line for line in lines if line.startswith(CELL_MARK)]
    cell_id = marks[-1].rpartition("#")[2] if marks else ""
    return next((cell for cell in notebook.cells if cell.id == cell_id), None)


def _lines(text: str) -> list[str]:
    """Lines of a module, with `end of file` as the last where the text ends with a newline."""
    *lines, last = text.split("\n")
    return [*lines, last or "end of file"]


def _first_cell(lines: list[str]) -> int:
    return next((i for i, line in enumerate(lines) if is_cell_mark(line)), 0)
