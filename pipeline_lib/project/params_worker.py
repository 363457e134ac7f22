"""Parameters of every pipeline as its own `Params` reads them, in a process of its own.

Pipelines are imported here as they are on disk: export may have written them a moment ago, and a long-lived process
(Jupyter, pytest) still holds the modules of before. Questions are read from the standard input as JSON; the answer for
each pipeline is a line of JSON in the file that the first argument names.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import Cell, declared_parameters
from pipeline_lib.project.params import params_from_values, params_to_json, read_params
from pipeline_lib.project.params_model import BaseParams, check_model
from pipeline_lib.project.project import find_project


@dataclass(frozen=True)
class Question:
    """A pipeline, its parameters files with the names that messages print, and the parameters cell of its notebook."""

    pipeline: str
    file: str
    variants: list[str]
    cell_number: int
    cell_id: str
    cell_source: str
    notebook: str

    @property
    def cell(self) -> Cell:
        """The cell, without its tags."""
        return Cell(self.cell_number, self.cell_id, "code", self.cell_source, ())


@dataclass(frozen=True)
class Answer:
    """Values as JSON of the parameters file and of the cell, None where they do not fit `Params`.

    `problems` are those of the module, its `Params` and the files; `cell_problems` those of the cell.
    """

    pipeline: str
    values: dict[str, Any] | None
    cell_values: dict[str, Any] | None
    problems: list[str]
    cell_problems: list[str]


def answer(question: Question, root: Path) -> Answer:
    """Import a pipeline of the project at `root`, and check its parameters files and its cell."""
    project = find_project(root)
    try:
        module = project.import_pipeline(question.pipeline)
        model = check_model(getattr(module, "Params", None), f"{module.__name__}: Params")
    except InputError as error:
        return Answer(question.pipeline, None, None, [str(error)], [])
    values, problems = _json(lambda: read_params(root / question.file, model, shown=question.file))
    for variant in question.variants:
        problems += _json(lambda: read_params(root / variant, model, shown=variant))[1]  # noqa: B023  called at once
    where = f"{question.notebook}: {question.cell}"
    cell_values, cell_problems = _json(
        lambda: params_from_values(declared_parameters(question.cell, question.notebook), model, source=where)
    )
    return Answer(question.pipeline, values, cell_values, problems, cell_problems)


def _json(read: Callable[[], BaseParams]) -> tuple[dict[str, Any] | None, list[str]]:
    try:
        return params_to_json(read()), []
    except InputError as error:
        return None, str(error).split("\n")


def _main(path: Path) -> None:
    request = json.load(sys.stdin)
    with path.open("w", encoding="utf-8") as answers:
        for question in request["questions"]:
            print(json.dumps(asdict(answer(Question(**question), Path(request["root"])))), file=answers, flush=True)
    os._exit(0)  # a pipeline's module may have left threads, whose end is not waited for


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
