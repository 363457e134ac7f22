"""`load_params`: a parameters file of the project, read in a notebook as a run reads it."""

import sys
from pathlib import Path

from pipeline_lib.project.data_path import project_of_caller
from pipeline_lib.project.params import ParamsT, read_params


def load_params(file: str | Path, model: type[ParamsT]) -> ParamsT:
    """The values of a parameters file, checked by the pipeline's `Params`: for cells that try the pipeline out.

    `file` is relative to the project's root. The project is found as `data_path` finds it. A research notebook has its
    parameters from `start_run`.

    Raises InputError for a file that cannot be read, and with a line for each value that does not fit `model`.

        >>> from pipeline_lib import load_params
        >>> from pipeline_lib.pipelines.titanic import Params
        >>> load_params("params/titanic.yml", Params).seed
        0
    """
    project = project_of_caller(sys._getframe(1).f_globals.get("__file__"), "load_params")
    return read_params(project.root / file, model, shown=Path(file).as_posix())
