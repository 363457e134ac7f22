"""The command that removes old runs."""

from datetime import timedelta

import click

from pipeline_lib.cli.completion import PIPELINE
from pipeline_lib.cli.context import current_project
from pipeline_lib.errors import InputError
from pipeline_lib.project.keep_runs import KeepRuns
from pipeline_lib.project.project import Project

_A_DAY = timedelta(days=1)
"""Runs younger than this stay where settings.ini says how many do."""


@click.command
@click.option(
    "--keep", type=click.IntRange(min=1), metavar="N", help="Finished runs to keep.  [default: keep in settings.ini]"
)
@click.option("--pipeline", metavar="NAME", type=PIPELINE, help="Runs of one pipeline; without it of all pipelines.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
def prune(keep: int | None, pipeline: str | None, yes: bool) -> None:
    """Remove runs older than each pipeline's N newest finished ones, with their checks. Running ones stay.

    Members of a sweep count as ordinary runs, but the best one stays, and so do the run that the pipeline's name means,
    champions, the champions before them, and what they were compared with; a sweep's page is removed with its last
    member. Without --keep, by `keep =` in settings.ini, runs younger than a day stay, too.
    """
    from pipeline_lib.records.protected import protected_references
    from pipeline_lib.records.prune import find_old_runs, remove, remove_pages

    project = current_project()
    runs = project.runs
    protected, younger = protected_references(project), timedelta(0) if keep else _A_DAY
    old = find_old_runs(runs, keep or _kept(project), pipeline, protected=protected, younger_stay=younger)
    for run in old:
        if yes:
            remove(run.record)
        click.echo(
            f"{'removed' if yes else 'would remove'} {run.record.reference:<32}  {run.status}{_sweeps(run.sweeps)}"
        )
    for name in remove_pages(runs) if yes else ():
        click.echo(f"removed the page of the sweep {name}: its last member was removed")
    size = f"{sum(run.size for run in old) / 1e6:,.1f} MB"
    remedy = "; add --yes to remove them" if old and not yes else ""
    click.echo(f"{len(old):,} run{'s' * (len(old) != 1)}, {size}{remedy}")


def _kept(project: Project) -> KeepRuns:
    """How many runs stay by settings.ini. Raises InputError where it does not say so, or names no pipeline."""
    settings = project.root / "settings.ini"
    if not project.keep.is_set:
        raise InputError(
            f"{settings}: found no keep and no --keep, expected how many finished runs stay; say --keep 10, or add "
            "`keep = 10` or `keep = houses 20` to its [project] section"
        )
    unknown = [
        name for name in project.keep.named if name not in project.pipelines() and not (project.runs / name).is_dir()
    ]
    if unknown:
        known = ", ".join(project.pipelines()) or "none"
        raise InputError(f"{settings}: keep: found {unknown[0]!r}, expected a pipeline, one of: {known}; correct it")
    return project.keep


def _sweeps(names: tuple[str, ...]) -> str:
    return f", of the sweep {', '.join(names)}" if names else ""
