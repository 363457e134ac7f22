"""Everything about a run that can be refused before a kernel starts."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.notebooks import Cell, cells, declared_parameters, parameters_cell, read_notebook
from pipeline_lib.project.params import params_from_values, params_to_json, read_params
from pipeline_lib.project.params_defaults import check_defaults, parameters_of, with_remedy
from pipeline_lib.project.params_model import BaseParams, check_model
from pipeline_lib.project.project import Project, check_name, project_of
from pipeline_lib.records.metric_direction import declared_metric
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.runnable import check_runnable

Result = TypeVar("Result")


@dataclass(frozen=True)
class Request:
    """A run that passed every check before a kernel starts.

    `sensitive` are the sensitive fields of its raw rows, `cells` those of its research notebook.
    """

    project: Project
    pipeline: str
    module: ModuleType
    params_file: Path
    params: BaseParams
    overrides: tuple[str, ...]
    sensitive: tuple[str, ...]
    cells: tuple[Cell, ...] = field(repr=False)


def check_request(params_file: Path, overrides: Sequence[str] = (), *, exported: bool = False) -> Request:
    """Check a run before a kernel starts; nothing is written.

    The export is not checked where the caller knows that it is fresh (`exported`). Raises InputError for parameters,
    notebook or file names; DifferenceError for a library that is not what the notebooks export.
    """
    project = project_of(params_file)
    _check_file_name(project, params_file)
    pipeline = check_name(params_file.name.partition(".")[0])
    own, cell = _read_research_notebook(project, pipeline)
    module = project.import_pipeline(pipeline)
    shown = project.shown(params_file)
    model = check_model(module.Params, module.__name__)
    params, problems = _try(lambda: read_params(params_file, model, overrides=overrides, shown=shown))
    if params:
        problems += _try(lambda: params_to_json(params))[1]
    problems += _unnamed(_try(lambda: check_declared(project, model, pipeline, cell))[1], problems)
    problems += _try(lambda: declared_metric(project, pipeline))[1]
    stale = [] if exported else check_export(project)
    if problems:
        raise InputError("\n".join([*problems, *(f"note: {problem}" for problem in stale)]))
    if stale or params is None:
        raise DifferenceError("\n".join(map(str, stale)))
    sensitive = schema_of(module.Row).sensitive
    return Request(project, pipeline, module, params_file, params, tuple(overrides), sensitive, own)


def _try(check: Callable[[], Result]) -> tuple[Result | None, list[str]]:
    """A check's result and its problem, so that all problems can be shown at once."""
    try:
        return check(), []
    except InputError as error:
        return None, [str(error)]


def _unnamed(of_cell: list[str], of_file: list[str]) -> list[str]:
    """The problems of a parameters cell that its file does not have: export writes the cell once the file is right."""
    named = {line.partition(": ")[2].partition("; ")[0] for text in of_file for line in text.split("\n")}
    lines = [line for text in of_cell for line in text.split("\n")]
    return [line for line in lines if not line.partition("; ")[0].endswith(tuple(f": {each}" for each in named))]


def _check_file_name(project: Project, path: Path) -> None:
    if path.suffix in (".yml", ".yaml"):
        known = {file.stem: project.shown(file) for file in sorted(project.params.glob("*.yml"))}
        if path.exists() or not known:
            return
        near = difflib.get_close_matches(path.stem, known, n=1)
        hint = f"did you mean {known[near[0]]}?" if near else f"expected one of: {', '.join(known.values())}; name one"
        raise InputError(f"{project.shown(path)}: found no such file, {hint}")
    suggested = project.params / f"{path.name.partition('.')[0]}.yml"
    remedy = f"run `pipeline-lib run {project.shown(suggested)}`" if suggested.is_file() else "name it"
    raise InputError(
        f"{project.shown(path)}: found no parameters file, expected "
        f"{project.shown(project.params / 'NAME.yml')}; {remedy}"
    )


def _read_research_notebook(project: Project, pipeline: str) -> tuple[tuple[Cell, ...], Cell]:
    """The cells of a pipeline's research notebook, which can be executed, and the one tagged `parameters`."""
    path = project.research_notebook(pipeline)
    shown = project.shown(path)
    if not path.is_file():
        known = ", ".join(project.pipelines()) or "none"
        raise InputError(
            f"{shown}: found no such notebook, expected the research notebook of one of the pipelines ({known}); "
            f"a parameters file is called {project.shown(project.params / 'NAME.yml')} or NAME.VARIANT.yml"
        )
    notebook = read_notebook(path, shown)
    check_runnable(notebook, shown)
    return tuple(cells(notebook)), parameters_cell(notebook, shown)


def check_declared(project: Project, model: type[BaseParams], pipeline: str, cell: Cell) -> BaseParams:
    """The parameters cell as typed parameters: every field of Params declared, and nothing else."""
    shown = project.shown(project.research_notebook(pipeline))
    declared = declared_parameters(cell, shown)
    try:
        return params_from_values(declared, model, source=f"{shown}: {cell}")
    except InputError as error:
        file = project.shown(parameters_of(project, pipeline))
        raise InputError("\n".join(with_remedy(line, file) for line in str(error).split("\n"))) from error


def check_parameters_agree(project: Project) -> list[str]:
    """Problems of parameters cells and files, one a line: one that does not fit `Params`, a cell that export would
    write again, a file without a pipeline, a notebook that no run could execute.
    """
    problems = [
        f"{project.shown(path)}: found no pipeline {path.name.partition('.')[0]!r}, expected the parameters of one of: "
        f"{', '.join(project.pipelines()) or 'none'}; rename or remove the file"
        for path in sorted(project.params.glob("*.yml"))
        if path.name.partition(".")[0] not in project.pipelines()
    ]
    for pipeline in project.pipelines():
        problems += _try(lambda: _read_research_notebook(project, pipeline))[1]  # noqa: B023  called at once
        file = parameters_of(project, pipeline)
        if not file.is_file():
            problems.append(f"{project.shown(file)}: found no such file, expected a parameters file; create it")
    return [*problems, *check_defaults(project)]
