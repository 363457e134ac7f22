"""The notebooks that export: which module each one exports, and which of its cells."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_lib.errors import InputError
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
    module, targets, exported_numbers = _directives(path)
    if not exported_numbers:
        return None
    exported = tuple(cell for cell in all_cells if cell.number in exported_numbers)
    if targets - {"#"}:
        raise InputError(
            f"{shown}: found `#| export {sorted(targets - {'#'})[0]}`, expected plain `#| export`: "
            "one notebook, one module"
        )
    for cell in exported:
        _check_syntax(shown, cell)
    expected = _module_of(project, path)
    if expected is None:
        raise InputError(
            f"{shown}: found exported cells ({exported[0]}), expected them only in "
            f"{' and '.join(project.shown(project.notebooks / name) for name in GENERATED)}; move the cells there"
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


def _directives(path: Path) -> tuple[str | None, set[str], set[int]]:
    """default_exp, export targets, and the numbers of the exported code cells, as nbdev itself reads them."""
    from nbdev.export import ExportModuleProc
    from nbdev.process import NBProcessor

    processor = ExportModuleProc()
    processed = NBProcessor(str(path), [processor], rm_directives=False)
    numbers = {id(cell): number for number, cell in enumerate(processed.nb.cells, start=1)}
    processed.process()
    exported = {numbers[id(cell)] for group in processor.modules.values() for cell in group if cell.cell_type == "code"}
    targets = {name for name, group in processor.modules.items() if any(c.cell_type == "code" for c in group)}
    return getattr(processor, "default_exp", None), targets, exported


def _check_syntax(shown: str, cell: Cell) -> None:
    try:
        cell.source.encode()
        ast.parse(cell.source)
    except ValueError as error:  # half of a surrogate pair, a NUL
        raise InputError(f"{shown}: {cell}: found {error}, expected text that a file can hold; fix the cell") from None
    except SyntaxError as error:
        raise InputError(
            f"{shown}: {cell}, line {error.lineno}: found a syntax error in an exported cell ({error.msg}), "
            "expected plain Python; fix the cell"
        ) from None


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
