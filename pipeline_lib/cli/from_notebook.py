"""`pipeline-lib new NAME --from NOTEBOOK`: the option, and what became of an exploration notebook, in lines."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.context import current_project
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project

if TYPE_CHECKING:
    from pipeline_lib.runner.from_notebook import FromNotebook


def from_notebook_option(new: Callable[..., None]) -> Callable[..., None]:
    """Give `new` the option `--from`, which excludes all of its other options."""

    @click.option(
        "--from",
        "notebook",
        type=click.Path(path_type=Path),
        help="Bring an exploration notebook in, run both, and compare them.",
    )
    @functools.wraps(new)
    def command(name: str, notebook: Path | None, **others: Any) -> None:
        if notebook is None:
            new(name=name, **others)
            return
        if any(others.values()):
            raise InputError("found --from with other options of `new`, expected it alone; leave one of them out")
        new_from_notebook(current_project(), name, notebook)

    return command


def new_from_notebook(project: Project, name: str, notebook: Path) -> None:
    """Write a pipeline from an exploration notebook; exit 1 where the two do not agree in every bit."""
    from pipeline_lib.runner.from_notebook import pipeline_from_notebook

    result = pipeline_from_notebook(project, name, notebook, click.echo)
    for line in lines_of(result):
        click.echo(line)
    click.echo(f"next: {next_of(project, name, result)}")
    if not result.proven:
        sys.exit(1)


def next_of(project: Project, name: str, result: "FromNotebook") -> str:
    """What to do now, with the files and commands of this pipeline."""
    run = f"pipeline-lib export; pipeline-lib run {project.shown(project.params / f'{name}.yml')}"
    if not result.ran:
        return f"correct the notebooks {name}.ipynb in {project.shown(project.notebooks)}; {run}"
    if result.decisions:
        return f"decide what {project.shown(result.page)} lists; {run}; pipeline-lib parity {name}"
    return f"pipeline-lib parity {name}"


def lines_of(result: "FromNotebook") -> list[str]:
    """The result as the command prints it."""
    counts = dict.fromkeys(("kept", "moved", "to decide"), 0)
    for place in result.places:
        counts[place.status] += 1
    lines = [f"wrote {path}" for path in result.written]
    lines.append(f"{len(result.places)} cells: {', '.join(f'{count} {status}' for status, count in counts.items())}")
    lines += result.notes
    lines += [
        f"  {one.result:<12}  {one.value} (cell {one.cell}){f': {one.detail}' if one.detail else ''}"
        for one in result.comparisons
    ]
    if result.decisions:
        lines.append("to decide:")
        lines += [f"  cell {one.cell}, {one.kind}: {one.text}" for one in result.decisions]
    return lines
