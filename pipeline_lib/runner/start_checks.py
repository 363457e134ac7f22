"""What is checked as a research notebook starts its run: the module, the checkout, the parameters, the loaded code."""

import inspect
import sys
import types
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.loaded_code import changed_names
from pipeline_lib.project.params import params_from_values
from pipeline_lib.project.params_model import BaseParams, check_model
from pipeline_lib.project.project import GENERATED, Project, find_project


class StaleLibraryWarning(UserWarning):
    """The loaded library is not what the notebooks export."""


def check_checkout(project: Project) -> None:
    """Refuse a module of another checkout than the one that the notebook lies in."""
    try:
        here = find_project(Path.cwd())
    except InputError:
        return
    if here.library == project.library:
        here.check_loaded()


def check_module(module: types.ModuleType) -> None:
    """Refuse a module that is no pipeline module, and a `load` with more than one required argument."""
    missing = [name for name in ("Params", "Row", "load", "split", "build", "metrics") if not hasattr(module, name)]
    if missing or not getattr(module, "__file__", None):
        raise InputError(
            f"found {getattr(module, '__name__', module)!r} without {', '.join(missing) or 'a file'}, expected a "
            "pipeline module that exports Params, Row, load, split, build and metrics"
        )
    needed = [
        name
        for name, parameter in inspect.signature(module.load).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if len(needed) > 1:
        raise InputError(
            f"{module.__name__}.load: found the arguments {', '.join(needed)}, expected load() or load(params); "
            "make the others fields of Params"
        )


def parameters_of(module: types.ModuleType, values: Mapping[str, Any]) -> BaseParams:
    """The parameters of a pipeline module among a notebook's variables. Raises InputError for bad ones."""
    model = check_model(module.Params, module.__name__)
    declared = {name: values[name] for name in model.model_fields if name in values}
    return params_from_values(declared, model, source="the notebook's parameters")


def check_fresh(project: Project, mode: str) -> None:
    """Warn in Jupyter, and raise InputError elsewhere, where the loaded library is not what the notebooks export."""
    loaded = {
        f"{name.replace('.', '/')}.py": module
        for name, module in sorted(sys.modules.copy().items())
        if name.startswith(tuple(f"{project.library}.{part}." for part in GENERATED))
    }
    stale = [] if mode == "run" else check_export(project)  # the runner checks before and after the run
    problems = [str(problem) for problem in stale if problem.module in loaded]
    for path, module in loaded.items():
        names = changed_names(module)
        if names:
            problems.append(
                f"{path}: found {', '.join(names)} loaded before the file last changed, expected the file's code; "
                "restart the kernel, or use %load_ext autoreload and %autoreload 2"
            )
    if problems and mode == "interactive":
        warnings.warn("\n".join(problems), StaleLibraryWarning, stacklevel=3)
    elif problems:
        raise InputError("\n".join(problems))


def mode_of(values: Mapping[str, Any]) -> str:
    """`interactive` in Jupyter, `papermill` when another program started the kernel."""
    import psutil  # comes with ipykernel

    if "__vsc_ipynb_file__" in values:
        return "interactive"
    parent = psutil.Process().parent()
    words = [Path(word).name for word in parent.cmdline()] if parent else []
    if any("papermill" in word for word in words):
        return "papermill"
    return "interactive" if any("jupyter" in word for word in words) else "papermill"
