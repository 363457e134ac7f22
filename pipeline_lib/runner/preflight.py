"""Everything about a run that can be refused before a kernel starts."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.notebooks import Cell, cells, declared_parameters, parameters_cell, read_notebook
from pipeline_lib.project.params import params_from_values, params_to_json, read_params
from pipeline_lib.project.params_model import BaseParams, check_model
from pipeline_lib.project.project import Project, check_name, project_of
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
    problems += _try(lambda: check_declared(project, model, pipeline, cell))[1]
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
    return params_from_values(declared_parameters(cell, shown), model, source=f"{shown}: {cell}")


def check_parameters_agree(project: Project) -> list[str]:
    """Problems of parameters cells and files, one a line: one that does not fit `Params`, a cell that differs from
    `params/NAME.yml`, a file without a pipeline. A variant must fit `Params`, its values are free.
    """
    problems = [
        f"{project.shown(path)}: found no pipeline {path.name.partition('.')[0]!r}, expected the parameters of one of: "
        f"{', '.join(project.pipelines()) or 'none'}; rename or remove the file"
        for path in sorted(project.params.glob("*.yml"))
        if path.name.partition(".")[0] not in project.pipelines()
    ]
    for pipeline in project.pipelines():
        try:
            _, cell = _read_research_notebook(project, pipeline)
            module = project.import_pipeline(pipeline)
            model = check_model(module.Params, module.__name__)
            in_cell, cell_problems = _try(lambda: params_to_json(check_declared(project, model, pipeline, cell)))  # noqa: B023
        except InputError as error:
            problems.append(str(error))
            continue
        problems += [*cell_problems, *_disagreements(project, model, pipeline, in_cell, cell)]
    return problems


def _disagreements(
    project: Project, model: type[BaseParams], pipeline: str, in_cell: dict[str, Any] | None, cell: Cell
) -> list[str]:
    problems = []
    default = project.params / f"{pipeline}.yml"
    notebook = project.shown(project.research_notebook(pipeline))
    for path in [default, *sorted(project.params.glob(f"{pipeline}.*.yml"))]:
        shown = project.shown(path)
        try:
            in_file = params_to_json(read_params(path, model, shown=shown))
        except InputError as error:
            problems.append(str(error))
            continue
        problems += [
            f"{notebook}: {cell}: {key}: found {in_cell[key]!r}, expected {value!r} as in {shown}; "
            "make the two the same"
            for key, value in in_file.items()
            if in_cell and path == default and in_cell[key] != value
        ]
    return problems
