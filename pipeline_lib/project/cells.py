"""The exported code as a record keeps it: each cell's source, by notebook and cell."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import cells, read_notebook
from pipeline_lib.project.project import GENERATED, Project
from pipeline_lib.system.files import sha256_bytes

_MARK = "# %% "


def exported_cells(project: Project) -> list[dict[str, Any]]:
    """Every exported cell in the generated modules, as JSON values: module, notebook, cell id, number, digest, source.

    The source is the module's, since that is the code a run imports; the heading that lists a module's names
    follows from its cells and is left out.
    """
    found: list[dict[str, Any]] = []
    for path in [path for name in GENERATED for path in sorted((project.package / name).glob("[!_]*.py"))]:
        numbers: dict[str, dict[str, int]] = {}
        for mark, source in _marked(path.read_text(encoding="utf-8").splitlines()):
            notebook, _, cell = mark.rpartition(" #")
            shown = "/".join(part for part in PurePosixPath(notebook).parts if part != "..")
            if shown not in numbers:
                numbers[shown] = _numbers(project, shown)
            found.append(
                {
                    "module": project.shown(path),
                    "notebook": shown,
                    "cell": cell,
                    "number": numbers[shown].get(cell),
                    "sha256": sha256_bytes(source.encode()),
                    "source": source,
                }
            )
    return found


def _marked(lines: Sequence[str]) -> list[tuple[str, str]]:
    """The cells of a generated module: what stands after each one's mark, and its source."""
    starts = [at for at, line in enumerate(lines) if line.startswith(_MARK) and ".ipynb #" in line]
    ends = [*starts[1:], len(lines)]
    return [
        (lines[start].removeprefix(_MARK), "\n".join(lines[start + 1 : end]).strip("\n"))
        for start, end in zip(starts, ends, strict=True)
    ]


def _numbers(project: Project, notebook: str) -> dict[str, int]:
    """Cell numbers by id; none where the notebook cannot be read, which export reports better."""
    try:
        return {cell.id: cell.number for cell in cells(read_notebook(project.root / notebook, notebook))}
    except InputError:
        return {}
