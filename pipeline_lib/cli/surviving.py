"""Commands for runs that did not come to their end."""

import functools
import sys

import click

from pipeline_lib.cli.answers import JSON, REF, find, library, print_json, print_run, summary_of
from pipeline_lib.errors import RunError
from pipeline_lib.project import Project, find_project


@click.command
@REF
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--no-parity", is_flag=True, help="Leave out the parity check that follows a run.")
@JSON
def resume(ref: str, timeout: int | None, no_parity: bool, as_json: bool) -> None:
    """Run again what failed or was killed, with its own parameters."""
    from pipeline_lib.index import kept_parity
    from pipeline_lib.parity import check_parity
    from pipeline_lib.record import Record
    from pipeline_lib.resume import resume_run

    project = find_project()
    try:
        record = resume_run(find(ref), project, timeout=timeout, progress=functools.partial(click.echo, err=True))
    except RunError as error:
        if as_json and error.folder:
            print_json(summary_of(Record(error.folder)))
        raise
    if not no_parity:
        check_parity(record, library=library())
    parity = kept_parity(record)
    if as_json:
        print_json(summary_of(record))
    else:
        print_run(record, parity)
    sys.exit(0 if parity is None or parity["exact"] else 1)


def clean_leftovers(project: Project, *, remove: bool) -> None:
    """List what runs left behind that did not come to their end, or remove it."""
    from pipeline_lib.leftovers import find_leftovers

    leftovers = find_leftovers(project)
    for leftover in leftovers:
        if remove:
            leftover.remove()
        click.echo(f"{'removed ' if remove else ''}{project.shown(leftover.path)}: {leftover.kind}")
    if not leftovers:
        click.echo("nothing is left behind")
    elif not remove:
        click.echo("nothing was removed; `pipeline-lib clean --leftovers --yes` removes these")
