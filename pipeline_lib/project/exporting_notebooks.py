"""The notebooks that export: which module each one exports, and which of its cells."""

from dataclasses import dataclass, field
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.export_checks import code_problems, directive_problems, id_problems
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.project.notebooks import Cell, cells, notebook_files, read_notebook
from pipeline_lib.project.project import GENERATED, Project


@dataclass(frozen=True)
class ExportingNotebook:
    """A notebook that exports: its path, its module, the cell with `#| default_exp`, its exported cells."""

    path: Path
    module: str
    directive: Cell
    cells: tuple[Cell, ...] = field(repr=False)


def exporting_notebooks(project: Project) -> tuple[dict[str, ExportingNotebook], list[ExportProblem]]:
    """Notebooks by the path of the module that each exports, and the problems of those that cannot be exported."""
    notebooks: dict[str, list[ExportingNotebook]] = {}
    problems: list[ExportProblem] = []
    for path in notebook_files(project.notebooks):
        try:
            notebook = _read_exporting(project, path)
        except InputError as error:
            problems.append(ExportProblem(_module_path(project, _module_of(project, path)), str(error)))
            continue
        if notebook:
            notebooks.setdefault(_module_path(project, notebook.module), []).append(notebook)
    for module, rivals in notebooks.items():
        if len(rivals) > 1:
            names = " and ".join(f"{project.shown(rival.path)}, {rival.directive}" for rival in rivals)
            text = (
                f"{module}: found two notebooks that export it ({names}), expected one notebook for one module; "
                "change one `#| default_exp`"
            )
            problems.append(ExportProblem(module, text))
    return {module: rivals[0] for module, rivals in notebooks.items() if len(rivals) == 1}, problems


def _read_exporting(project: Project, path: Path) -> ExportingNotebook | None:
    """What a notebook exports, or None for one that exports nothing.

    Raises InputError for a notebook that cannot be exported.
    """
    shown = project.shown(path)
    all_cells = cells(read_notebook(path, shown))
    expected = _module_of(project, path)
    problems = directive_problems(shown, all_cells, expected) if expected else []
    module, targets, exported_numbers = _directives(path, shown) if not problems else (None, set(), set())
    exported = tuple(cell for cell in all_cells if cell.number in exported_numbers)
    if expected:
        package = f"{project.library}.{expected}".rpartition(".")[0]
        problems += [*id_problems(shown, exported), *code_problems(shown, exported, package)]
    if problems:
        raise InputError("\n".join(problems))
    if not exported:
        return None
    if expected is None:
        raise InputError(_wrong_folder(project, path, exported[0]))
    if targets - {"#"}:  # in the metadata: a directive in the cell's text is checked above
        raise InputError(
            f"{shown}: found cells that export to {sorted(targets - {'#'})[0]}, expected plain `#| export`: "
            "one notebook, one module; correct the metadata `nbdev`"
        )
    if module is None:
        raise InputError(
            f"{shown}: found exported cells but no `#| default_exp`, expected `#| default_exp {expected}`; "
            "add it as the first cell"
        )
    directive = next((cell for cell in all_cells if "default_exp" in cell.source), exported[0])
    if not _is_module_of(module, expected, project, path):
        raise InputError(
            f"{shown}: {directive}: found `#| default_exp {module}`, expected `#| default_exp {expected}` "
            "after the notebook's name; rename the notebook or change the line"
        )
    return ExportingNotebook(path, module, directive, exported)


def _directives(path: Path, shown: str) -> tuple[str | None, set[str], set[int]]:
    """default_exp, export targets, and the numbers of the exported code cells, as nbdev itself reads them."""
    from nbdev.export import ExportModuleProc
    from nbdev.process import NBProcessor

    processor = ExportModuleProc()
    try:
        processed = NBProcessor(str(path), [processor], rm_directives=False)
        numbers = {id(cell): number for number, cell in enumerate(processed.nb.cells, start=1)}
        processed.process()
    except TypeError as error:  # directives with other arguments, here or in the metadata
        raise InputError(
            f"{shown}: found {error}, expected directives that nbdev can read; correct the line or the metadata"
        ) from error
    exported = {numbers[id(cell)] for group in processor.modules.values() for cell in group if cell.cell_type == "code"}
    targets = {name for name, group in processor.modules.items() if any(c.cell_type == "code" for c in group)}
    return getattr(processor, "default_exp", None), targets, exported


def _wrong_folder(project: Project, path: Path, cell: Cell) -> str:
    """The message for exported cells in a notebook that can have no module."""
    shown, part = project.shown(path), path.relative_to(project.notebooks).parts[0]
    if part in GENERATED:
        folder = project.shown(project.notebooks / part)
        return (
            f"{shown}: found exported cells ({cell}) in a folder inside {folder}, expected the notebook in {folder} "
            f"itself; move it to {folder}/{path.name}"
        )
    folders = " and ".join(project.shown(project.notebooks / name) for name in GENERATED)
    return f"{shown}: found exported cells ({cell}), expected them only in {folders}; move the cells there"


def _module_of(project: Project, path: Path) -> str | None:
    """The module that follows from a notebook's path: `steps/00_years.ipynb` is `steps.years`."""
    parts = path.relative_to(project.notebooks).with_suffix("").parts
    if len(parts) != 2 or parts[0] not in GENERATED:
        return None
    number, _, name = parts[1].partition("_")
    return f"{parts[0]}.{name if parts[0] == 'steps' and number.isdigit() else parts[1]}"


def _is_module_of(module: str, expected: str, project: Project, path: Path) -> bool:
    """Whether a notebook may export this module; two notebooks for one module are a problem of their own."""
    if module == expected:
        return True
    return any(other != path and _module_of(project, other) == module for other in notebook_files(project.notebooks))


def _module_path(project: Project, module: str | None) -> str:
    return f"{project.library}/{module.replace('.', '/')}.py" if module else ""
