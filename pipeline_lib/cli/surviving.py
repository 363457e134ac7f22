"""Commands for runs that did not come to their end."""

import functools
import sys

import click

from pipeline_lib.cli.answers import JSON, REF, find, library, print_json, print_run, summary_of
from pipeline_lib.errors import RunError
from pipeline_lib.project.project import Project, find_project


@click.command
@REF
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--no-parity", is_flag=True, help="Leave out the parity check that follows a run.")
@JSON
def resume(ref: str, timeout: int | None, no_parity: bool, as_json: bool) -> None:
    """Run again what failed or was killed, with its own parameters."""
    from pipeline_lib.parity.check import check_parity
    from pipeline_lib.records.index import kept_parity
    from pipeline_lib.records.record import Record
    from pipeline_lib.runner.resume import resume_run

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


def clean_leftovers(project: Project, *, remove: bool, verbose: bool) -> None:
    """List what runs left behind that did not come to their end, or remove it; folders of the system's in one line."""
    from pipeline_lib.records.cleanup import ENDED, find_leftovers
    from pipeline_lib.system.files import files_below

    leftovers, fresh = find_leftovers(project), find_leftovers(project, fresh=True)
    verb, count, size = "removed " if remove else "", 0, 0
    for leftover in leftovers:
        summed = leftover.kind == ENDED and leftover.path.parent != project.runs and not verbose
        if summed:
            count, size = count + 1, size + sum(path.lstat().st_size for path in files_below(leftover.path))
        if remove:
            leftover.remove()
        if not summed:
            click.echo(f"{verb}{project.shown(leftover.path)}: {leftover.kind}{'' if remove else leftover.remedy}")
    if count:
        click.echo(f"{verb}temporary folders of ended processes, of any project: {count:,}, {size / 1e6:,.1f} MB")
    for leftover in fresh:
        click.echo(f"{project.shown(leftover.path)}: younger than a minute: left")
    if not leftovers and not fresh:
        click.echo("nothing is left behind")
    elif leftovers and not remove:
        click.echo("nothing was removed; `pipeline-lib clean --leftovers --yes` removes these")
