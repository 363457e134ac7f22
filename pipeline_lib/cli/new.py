"""The command that begins a pipeline."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline_lib.cli.context import current_project
from pipeline_lib.cli.from_notebook import from_notebook_option
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project

if TYPE_CHECKING:
    from pipeline_lib.project.drafting.create import NewPipeline
    from pipeline_lib.project.drafting.draft import Options

_SHOWN_DECISIONS = 12


@click.command
@click.argument("name")
@from_notebook_option
@click.option("--data", type=click.Path(path_type=Path), help="Draft it from a CSV, Parquet, Arrow or Excel file.")
@click.option(
    "--sql",
    metavar="CONNECTION:QUERY",
    help="Draft it from a query: of a connection's name, or of an SQLite or DuckDB file of the project.",
)
@click.option("--target", help="Of a draft: the column to predict.")
@click.option(
    "--task",
    type=click.Choice(["regression", "classification", "text"]),
    help="Of a draft: what is predicted, where the target does not tell; text: classes from text columns alone.",
)
@click.option("--time", help="Of a draft: test on the rows that are latest by this column.")
@click.option("--group", help="Of a draft: keep rows with the same value of this column on one side of the split.")
@click.option("--sensitive", multiple=True, help="Of a draft: a column of personal data (repeat for more).")
@click.option(
    "--missing", multiple=True, metavar="TEXT", help="Of a draft: a text that means missing (repeat for more)."
)
@click.option("--copy", is_flag=True, help="With --data: copy a file from outside of the project to data/.")
def new(
    name: str,
    data: Path | None,
    sql: str | None,
    target: str | None,
    task: str | None,
    time: str | None,
    group: str | None,
    sensitive: tuple[str, ...],
    missing: tuple[str, ...],
    copy: bool,
) -> None:
    """Write the notebooks, parameters and parity test of a new pipeline NAME."""
    project = current_project()
    if data is None and sql is None:
        if target or task or time or group or sensitive or missing or copy:
            raise InputError("found options of a draft without raw data, expected --data FILE or --sql; add one")
        from pipeline_lib.project.new_pipeline import create_pipeline

        for path in create_pipeline(project, name):
            click.echo(f"wrote {path}")
    else:
        if target is None:
            raise InputError("found raw data without --target, expected the column to predict; add --target COLUMN")
        from pipeline_lib.project.drafting.draft import Options

        options = Options(target, task, time, group, sensitive, missing)
        _print_draft(_drafted(project, name, data, sql, options, copy=copy))
    click.echo(f"next: pipeline-lib run {project.shown(project.params / name)}.yml")


def _drafted(
    project: Project, name: str, data: Path | None, query: str | None, options: "Options", *, copy: bool
) -> "NewPipeline":
    """The pipeline that is drafted from a file or from a query, not from both."""
    from pipeline_lib.project.drafting.create import create_from_data, create_from_query

    if data is not None and query is None:
        return create_from_data(project, name, data, options, copy=copy)
    source, colon, text = (query or "").partition(":")
    if data is not None or copy or not colon or not text.strip():
        raise InputError(
            "found --sql with --data or --copy, or without a query, expected --sql alone, as in "
            "--sql 'warehouse:select * from loans order by id'"
        )
    from pipeline_lib.project.new_pipeline import check_new_name
    from pipeline_lib.runner.queries import sql as ask

    check_new_name(name)
    file = (project.root / source).resolve()
    in_project = not source.isidentifier()
    if in_project and not (file.is_file() and file.is_relative_to(project.root)):
        raise InputError(
            f"--sql: found {source!r}, expected a connection, or an SQLite or DuckDB file of the project by "
            "its path from the root"
        )
    return create_from_query(project, name, source, text, ask(file if in_project else source, text), options)


def _print_draft(drafted: "NewPipeline") -> None:
    """What was found and written, and what is to be decided."""
    from pipeline_lib.project.drafting.findings import AGAIN

    for line in drafted.findings:
        click.echo(line)
    for path in drafted.files:
        click.echo(f"wrote {path}")
    if any(AGAIN in line for line in drafted.findings):
        click.echo(f"to draft again: rm {shlex.join(map(str, drafted.files))}")
    for notebook, guesses in drafted.decisions.items():
        _print_decisions(notebook, guesses)


def _print_decisions(notebook: str, guesses: list[str]) -> None:
    """The guesses of a notebook, the first dozen of them."""
    if guesses:
        click.echo(f"{len(guesses)} guess{'es' * (len(guesses) != 1)} to decide, marked `# decide:` in {notebook}:")
    for guess in guesses[:_SHOWN_DECISIONS]:
        click.echo(f"  {guess}")
    if len(guesses) > _SHOWN_DECISIONS:
        click.echo(f"  and {len(guesses) - _SHOWN_DECISIONS} more")
