"""The command that begins a pipeline."""

from pathlib import Path

import click

from pipeline_lib.cli.context import current_project
from pipeline_lib.cli.from_notebook import from_notebook_option
from pipeline_lib.errors import InputError

_SHOWN_DECISIONS = 12


@click.command
@click.argument("name")
@from_notebook_option
@click.option("--data", type=click.Path(path_type=Path), help="Draft it from a CSV, Parquet, Arrow or Excel file.")
@click.option("--target", help="With --data: the column to predict.")
@click.option(
    "--task",
    type=click.Choice(["regression", "classification", "text"]),
    help="With --data: what is predicted, where the target does not tell; text: classes from text columns alone.",
)
@click.option("--time", help="With --data: test on the rows that are latest by this column.")
@click.option("--group", help="With --data: keep rows with the same value of this column on one side of the split.")
@click.option("--sensitive", multiple=True, help="With --data: a column of personal data (repeat for more).")
@click.option("--copy", is_flag=True, help="With --data: copy a file from outside of the project to data/.")
def new(
    name: str,
    data: Path | None,
    target: str | None,
    task: str | None,
    time: str | None,
    group: str | None,
    sensitive: tuple[str, ...],
    copy: bool,
) -> None:
    """Write the notebooks, parameters and parity test of a new pipeline NAME."""
    project = current_project()
    if data is None:
        if target or task or time or group or sensitive or copy:
            raise InputError("found options for a file without --data, expected it; add --data FILE")
        from pipeline_lib.project.new_pipeline import create_pipeline

        for path in create_pipeline(project, name):
            click.echo(f"wrote {path}")
    else:
        if target is None:
            raise InputError("found --data without --target, expected the column to predict; add --target COLUMN")
        from pipeline_lib.project.drafting.create import create_from_data
        from pipeline_lib.project.drafting.draft import Options

        drafted = create_from_data(project, name, data, Options(target, task, time, group, sensitive), copy=copy)
        for line in drafted.findings:
            click.echo(line)
        for path in drafted.files:
            click.echo(f"wrote {path}")
        for notebook, guesses in drafted.decisions.items():
            _print_decisions(notebook, guesses)
    click.echo(f"next: pipeline-lib run {project.shown(project.params / name)}.yml")


def _print_decisions(notebook: str, guesses: list[str]) -> None:
    """The guesses of a notebook, the first dozen of them."""
    if guesses:
        click.echo(f"{len(guesses)} guesses to decide, marked `# decide:` in {notebook}:")
    for guess in guesses[:_SHOWN_DECISIONS]:
        click.echo(f"  {guess}")
    if len(guesses) > _SHOWN_DECISIONS:
        click.echo(f"  and {len(guesses) - _SHOWN_DECISIONS} more")
