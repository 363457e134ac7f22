"""Commands for a project as a whole: make one, bring its template up to date."""

import shlex
import sys
from pathlib import Path

import click

from pipeline_lib.cli.context import current_project


@click.command
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", default="", metavar="PACKAGE", help="The project's package; by default DIR's name.")
def init(folder: Path, name: str) -> None:
    """Make a project of your own in DIR: notebooks, package, Makefile, CI and a first pipeline."""
    from pipeline_lib.project.init import create_project

    package, paths = create_project(folder, name)
    click.echo(f"wrote {len(paths)} files in {folder}, package {package}")
    click.echo(
        f"next: cd {shlex.quote(str(folder))} && git init && git add -A && git commit -m 'A new project' && make run"
    )


@click.command
def update() -> None:
    """Merge the template of the installed pipeline_lib into this project; exit 1 where conflicts remain."""
    from pipeline_lib.project.update import update_project

    result = update_project(current_project())
    for change in result.changes:
        click.echo(str(change))
    if result.conflicts:
        files = "1 file" if len(result.conflicts) == 1 else f"{len(result.conflicts)} files"
        click.echo(
            f"found {files} with conflicts, expected a decision on each; resolve the marks <<<<<<< and >>>>>>>, then "
            "make setup, make check and commit",
            err=True,
        )
        sys.exit(1)
    if result.changes:
        lock = "make lock; " if any(change.path == "settings.ini" for change in result.changes) else ""
        click.echo(f"template {result.before} → {result.after}\nnext: {lock}make setup; make check; git commit")
    else:
        click.echo(f"nothing to do: the project has the template of {result.after}")
