"""Everything about a run that can be refused before a kernel starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.export import check_export
from pipeline_lib.notebooks import Cell, declared_parameters, parameters_cell, read_notebook
from pipeline_lib.params import BaseParams, as_json, check_model, from_values, read_params
from pipeline_lib.project import Project, check_name, find_project
from pipeline_lib.rows import schema_of


@dataclass(frozen=True)
class Request:
    """A run that has passed every check which needs no kernel."""

    project: Project
    pipeline: str
    params_file: Path
    params: BaseParams
    overrides: tuple[str, ...]
    row_sensitive: tuple[str, ...]


def check_request(params_file: Path, overrides: Sequence[str] = ()) -> Request:
    """Everything that can be refused before a kernel starts; nothing is written.

    Raises InputError for parameters, notebook or file names; DifferenceError for a library that is not
    what the notebooks export.
    """
    project = find_project(params_file.parent if params_file.parent.is_dir() else None)
    pipeline = check_name(params_file.name.partition(".")[0])
    cell = read_parameters_cell(project, pipeline)
    module = project.import_pipeline(pipeline)
    try:
        params = _check_parameters(project, module, params_file, overrides, cell)
    except InputError as error:
        stale = check_export(project)
        raise InputError("\n".join([str(error), *(f"note: {problem}" for problem in stale)])) from error
    problems = check_export(project)
    if problems:
        raise DifferenceError("\n".join(map(str, problems)))
    return Request(project, pipeline, params_file, params, tuple(overrides), schema_of(module.Row).sensitive)


def read_parameters_cell(project: Project, pipeline: str) -> Cell:
    """The tagged cell of a pipeline's research notebook."""
    path = project.research_notebook(pipeline)
    shown = project.shown(path)
    if not path.is_file():
        known = ", ".join(project.pipelines()) or "none"
        raise InputError(
            f"{shown}: found no such notebook, expected the research notebook of one of the pipelines ({known}); "
            f"a parameters file is called params/NAME.yml or params/NAME.VARIANT.yml"
        )
    return parameters_cell(read_notebook(path, shown), shown)


def check_declared(project: Project, module: ModuleType, pipeline: str, cell: Cell) -> BaseParams:
    """The parameters cell as typed parameters: every field of Params declared, and nothing else."""
    shown = project.shown(project.research_notebook(pipeline))
    declared = declared_parameters(cell, shown)
    return from_values(declared, check_model(module.Params, module.__name__), source=f"{shown}: {cell}")


def check_parameters_agree(project: Project) -> list[str]:
    """Where the parameters cell of a research notebook and `params/NAME.yml` differ, one problem a line."""
    problems = []
    for pipeline in project.pipelines():
        try:
            cell = read_parameters_cell(project, pipeline)
            module = project.import_pipeline(pipeline)
            in_cell = as_json(check_declared(project, module, pipeline, cell))
            problems += _disagreements(project, module, pipeline, in_cell, cell)
        except InputError as error:
            problems.append(str(error))
    return problems


def _disagreements(
    project: Project, module: ModuleType, pipeline: str, in_cell: dict[str, Any], cell: Cell
) -> list[str]:
    problems = []
    default = project.params / f"{pipeline}.yml"
    for path in [default, *sorted(project.params.glob(f"{pipeline}.*.yml"))]:
        shown = project.shown(path)
        try:
            in_file = as_json(read_params(path, module.Params, shown=shown))
        except InputError as error:
            problems.append(str(error))
            continue
        notebook = project.shown(project.research_notebook(pipeline))
        problems += [
            f"{notebook}: {cell}: {key}: found {in_cell[key]!r}, expected {value!r} as in {shown}; "
            "make the two the same"
            for key, value in in_file.items()
            if path == default and in_cell[key] != value
        ]
    return problems


def _check_parameters(
    project: Project, module: ModuleType, path: Path, overrides: Sequence[str], cell: Cell
) -> BaseParams:
    shown = project.shown(path)
    params = read_params(path, check_model(module.Params, module.__name__), overrides=overrides, shown=shown)
    as_json(params)
    check_declared(project, module, path.name.partition(".")[0], cell)
    return params
