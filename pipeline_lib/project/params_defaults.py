"""Parameters stand once, in `params/NAME.yml`: export writes the cell tagged `parameters` of the research notebook.

The cell is what Jupyter runs; a run of `pipeline-lib run` injects its own values after it. Whether a cell is up to
date is a matter of values, as the pipeline's `Params` reads them: a cell formatted in another way is left alone.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import (
    Cell,
    declared_parameters,
    notebook_bytes,
    parameters_cell,
    read_notebook,
)
from pipeline_lib.project.params_cell import cell_text
from pipeline_lib.project.params_worker import Answer, Question
from pipeline_lib.project.project import Project
from pipeline_lib.system.files import write_atomic
from pipeline_lib.system.locks import locked_temporary_folder

REMEDY = "run `pipeline-lib export`"


@dataclass(frozen=True)
class Defaults:
    """The parameters cell of a pipeline and what it should assign.

    `values` are those of `params/NAME.yml`, None where they could not be read. `stale` says how the cell differs from
    them, a line for each parameter; empty where it is up to date. `problems` must be solved by a person.
    """

    pipeline: str
    notebook: Path
    cell: Cell
    values: dict[str, Any] | None
    stale: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Written:
    """What export did with parameters cells: lines for each changed cell, notes, and problems for a person.

    `skipped` are the notebooks whose cells were not written: not those where only a variant's file has a problem.
    """

    changes: list[str]
    notes: list[str]
    problems: list[str]
    skipped: list[str]


def with_remedy(problem: str, file: str) -> str:
    """A problem of a cell's values with what to do about it: not to edit the cell, as for values in a file."""
    for edit in ("; add it", "; remove it"):
        problem = problem.removesuffix(edit)
    return f"{problem}; {REMEDY}, which writes the cell from {file}"


def check_defaults(project: Project) -> list[str]:
    """Problems of the parameters cells of all pipelines that have a research notebook, one a line.

    A cell that export would write is one; so are parameters files, variants too, that do not fit `Params`. The
    notebooks that cannot be read, or have no cell tagged `parameters`, are left to the check of the notebooks.
    """
    cells, _, _ = _cells(project)
    return [line for defaults in _defaults(project, cells) for line in (*defaults.problems, *defaults.stale)]


def write_defaults(project: Project) -> Written:
    """Write each parameters cell that differs from `params/NAME.yml`; nothing else in its notebook changes.

    A cell that holds anything but assignments of literals is not written, since code of a person would be lost; nor is
    one whose values cannot be known. These are the `problems`; all other cells are written.
    """
    cells, notes, unreadable = _cells(project)
    changes, problems, skipped = [], [*unreadable.values()], [*unreadable]
    for defaults in _defaults(project, cells):
        problems += defaults.problems
        if defaults.values is None:
            skipped.append(project.shown(defaults.notebook))
        if defaults.stale and defaults.values is not None:
            _write(defaults)
            shown = project.shown(defaults.notebook)
            changes.append(
                f"updated {shown}: {defaults.cell} from {project.shown(parameters_of(project, defaults.pipeline))}"
            )
            changes += [f"  {line.partition(f'{defaults.cell}: ')[2].rpartition('; ')[0]}" for line in defaults.stale]
    return Written(changes, notes, problems, skipped)


def parameters_of(project: Project, pipeline: str) -> Path:
    """The parameters file that a pipeline's cell is written from; variants have longer names."""
    return project.params / f"{pipeline}.yml"


def _cells(project: Project) -> tuple[dict[str, tuple[Path, Cell]], list[str], dict[str, str]]:
    """Each pipeline's notebook and parameters cell; notes on pipelines that lack files; problems by notebook."""
    cells, notes, problems = {}, [], {}
    for pipeline in project.pipelines():
        path, parameters = project.research_notebook(pipeline), parameters_of(project, pipeline)
        missing = [project.shown(file) for file in (path, parameters) if not file.is_file()]
        if missing:
            notes.append(f"note: {' and '.join(missing)}: no such file yet; the parameters cell is not written")
            continue
        shown = project.shown(path)
        try:
            cells[pipeline] = path, parameters_cell(read_notebook(path, shown), shown)
        except InputError as error:
            problems[shown] = str(error)
    return cells, notes, problems


def _defaults(project: Project, cells: dict[str, tuple[Path, Cell]]) -> Iterator[Defaults]:
    """What each parameters cell should assign, and how it differs from that."""
    questions = []
    for pipeline, (path, cell) in cells.items():
        shown = project.shown(path)
        try:
            declared_parameters(cell, shown)
        except InputError as error:
            yield Defaults(pipeline, path, cell, None, problems=[str(error)])
            continue
        variants = [project.shown(file) for file in sorted(project.params.glob(f"{pipeline}.*.yml"))]
        file = project.shown(parameters_of(project, pipeline))
        questions.append(Question(pipeline, file, variants, cell.number, cell.id, cell.source, shown))
    for question, reply in zip(questions, _ask(project, questions), strict=True):
        path, cell = cells[question.pipeline]
        yield Defaults(question.pipeline, path, cell, reply.values, _stale(question, reply), reply.problems)


def _stale(question: Question, reply: Answer) -> list[str]:
    """How a cell differs from its parameters file; empty where that is unknown."""
    if reply.values is None:
        return []
    if reply.cell_values is None:
        return [with_remedy(line, question.file) for line in reply.cell_problems]
    declared = declared_parameters(question.cell, question.notebook)
    found = {key: repr(reply.cell_values[key]) if key in declared else "nothing" for key in reply.values}
    return [
        f"{question.notebook}: {question.cell}: {key}: found {found[key]}, expected {value!r} as in "
        f"{question.file}; {REMEDY}"
        for key, value in reply.values.items()
        if key not in declared or reply.cell_values[key] != value
    ]


def _write(defaults: Defaults) -> None:
    notebook = read_notebook(defaults.notebook, str(defaults.notebook))
    text = cell_text(defaults.values or {}, defaults.cell.source)
    notebook["cells"][defaults.cell.number - 1]["source"] = text.splitlines(keepends=True)
    write_atomic(defaults.notebook, notebook_bytes(notebook))


def _ask(project: Project, questions: list[Question]) -> list[Answer]:
    """The answers of a fresh process that imports the pipelines.

    Raises InputError where a module ends that process.
    """
    if not questions:
        return []
    request = {"root": str(project.root), "questions": [asdict(question) for question in questions]}
    with locked_temporary_folder("parameters") as folder:
        answers = folder / "answers.jsonl"
        answers.touch()
        # -B: Python takes bytecode for fresh if a module changes within a second and keeps its size
        command = [sys.executable, "-P", "-B", "-m", "pipeline_lib.project.params_worker", str(answers)]
        process = subprocess.run(  # noqa: S603  this Python, our own module
            command,
            input=json.dumps(request),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        replies = [Answer(**json.loads(line)) for line in answers.read_text(encoding="utf-8").splitlines()]
    if len(replies) < len(questions):
        last = (process.stderr.strip().splitlines() or ["no message"])[-1]
        module = f"{project.library}.pipelines.{questions[len(replies)].pipeline}"
        raise InputError(
            f"{module}: found that its import ends the process (exit code {process.returncode}: {last}), expected "
            "a module that imports; correct its notebook"
        )
    return replies
