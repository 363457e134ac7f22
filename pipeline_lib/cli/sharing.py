"""Commands that send records to colleagues, fetch them, and take old ones away."""

import click

from pipeline_lib.cli.answers import REF, find
from pipeline_lib.project.project import find_project

SENSITIVE = click.option("--include-sensitive", is_flag=True, help="Also a record with fields marked sensitive.")


@click.command
@REF
@click.argument("url")
@SENSITIVE
def push(ref: str, url: str, include_sensitive: bool) -> None:
    """Copy a record to URL: a folder, s3://bucket/runs, or whatever fsspec knows. Every byte is read back."""
    from pipeline_lib.records.transfer import push as send

    sent: list[str] = []
    address = send(find(ref), url, include_sensitive=include_sensitive, progress=sent.append)
    click.echo(f"pushed to {address}" if sent else f"already there, every byte: {address}")


@click.command
@REF
@click.argument("url")
@SENSITIVE
def pull(ref: str, url: str, include_sensitive: bool) -> None:
    """Copy a record (NAME, its newest finished run there, or NAME/ID) from URL into the runs folder."""
    from pipeline_lib.records.transfer import pull as fetch

    fetched: list[str] = []
    record = fetch(ref, url, find_project().runs, include_sensitive=include_sensitive, progress=fetched.append)
    what = "every byte is" if fetched else "already here, every byte"
    click.echo(f"{record.reference}: {what} as it was sealed\nrecord: {record.folder}")


@click.command
@click.option("--keep", required=True, type=click.IntRange(min=1), metavar="N", help="Finished runs to keep.")
@click.option("--pipeline", metavar="NAME", help="Runs of one pipeline; all pipelines where it is left out.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
def prune(keep: int, pipeline: str | None, yes: bool) -> None:
    """Remove runs older than each pipeline's N newest finished ones, with their checks. Running ones stay.

    Members of a sweep count as ordinary runs, but its best one stays; a page goes with the last of its members.
    """
    from pipeline_lib.records.prune import remove, remove_pages, superseded

    runs = find_project().runs
    old = superseded(runs, keep, pipeline)
    for run in old:
        if yes:
            remove(run.record)
        click.echo(
            f"{'removed' if yes else 'would remove'} {run.record.reference:<32}  {run.status}{_sweeps(run.sweeps)}"
        )
    for name in remove_pages(runs) if yes else ():
        click.echo(f"removed the page of the sweep {name}, of which no member is left")
    size = f"{sum(run.size for run in old) / 1e6:,.1f} MB"
    remedy = "; say --yes to remove them" if old and not yes else ""
    click.echo(f"{len(old):,} runs, {size}{remedy}")


def _sweeps(names: tuple[str, ...]) -> str:
    return f", of the sweep {', '.join(names)}" if names else ""
