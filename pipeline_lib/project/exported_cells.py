"""The exported code as a record keeps it: each cell's source, by notebook and cell."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.generated_modules import CELL_MARK, is_cell_mark, module_files
from pipeline_lib.project.notebooks import cells, read_notebook
from pipeline_lib.project.project import Project
from pipeline_lib.system.files import sha256_bytes


def exported_cells(project: Project) -> list[dict[str, Any]]:
    """Every exported cell in the generated modules, as JSON values: module, notebook, cell id, number, digest, source.

    The source is read from the module, since that is the code that a run imports. The heading, which lists a module's
    names, follows from the cells and is left out.
    """
    result: list[dict[str, Any]] = []
    for path in module_files(project):
        numbers: dict[str, dict[str, int]] = {}
        for mark, source in _split_at_marks(path.read_text(encoding="utf-8").splitlines()):
            notebook, _, cell = mark.rpartition(" #")
            shown = "/".join(part for part in PurePosixPath(notebook).parts if part != "..")
            if shown not in numbers:
                numbers[shown] = _numbers(project, shown)
            result.append(
                {
                    "module": project.shown(path),
                    "notebook": shown,
                    "cell": cell,
                    "number": numbers[shown].get(cell),
                    "sha256": sha256_bytes(source.encode()),
                    "source": source,
                }
            )
    return result


def _split_at_marks(lines: Sequence[str]) -> list[tuple[str, str]]:
    """The cells of a generated module: the notebook and id in each cell's mark, and its source."""
    starts = [number for number, line in enumerate(lines) if is_cell_mark(line)]
    ends = [*starts[1:], len(lines)]
    return [
        (lines[start].removeprefix(CELL_MARK), "\n".join(lines[start + 1 : end]).strip("\n"))
        for start, end in zip(starts, ends, strict=True)
    ]


def _numbers(project: Project, notebook: str) -> dict[str, int]:
    """Cell numbers by id; empty where the notebook cannot be read, which export reports with its reason."""
    try:
        return {cell.id: cell.number for cell in cells(read_notebook(project.root / notebook, notebook))}
    except InputError:
        return {}
