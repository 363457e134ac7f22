"""The command that removes a record's rows and leaves a seal that says so."""

import click

from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import REF


@click.command
@REF
@click.option("--reason", required=True, metavar="TEXT", help="Why: one line, kept in the record.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
def forget(ref: str, reason: str, yes: bool) -> None:
    """Remove a record's raw rows for good: evidence, edge answers, snapshots, outputs of notebook and report.

    Artifact, parameters, code and metrics stay, under a new seal that says who removed the rows, when and why. A
    scratch record is removed whole; a champion is refused.
    """
    from pipeline_lib.records.cleanup import restore
    from pipeline_lib.records.forget import forget as remove_rows
    from pipeline_lib.records.forget import remaining, remove_leftovers, what_goes
    from pipeline_lib.records.forgotten import forgotten_at
    from pipeline_lib.records.promotion import checked_reason

    project = current_project()
    checked_reason(reason)
    for reference in restore(project.runs):
        click.echo(f"{reference}: brought back; a `forget` of it was cut short")
    record = find(ref)
    parts = what_goes(record, project)
    if not parts:
        remove_leftovers(record)
        click.echo(f"{record.reference}: {forgotten_at(record.folder)}; nothing is left to remove")
    else:
        click.echo(record.reference)
        for part in parts:
            click.echo(f"  {part.name:<40} {part.size:>12,} bytes  {part.what}")
        notes = remaining(record, project)
        if yes:
            remove_rows(record, project, reason=reason)
        size = f"{sum(part.size for part in parts):,} bytes"
        click.echo(f"{'removed' if yes else 'would remove'} {size}{'' if yes else '; add --yes to remove them'}")
        for note in notes:
            click.echo(f"note: {note}")
        if yes and not record.is_scratch:
            click.echo(f"{record.reference}: {forgotten_at(record.folder)}")
        return
    for note in remaining(record, project):
        click.echo(f"note: {note}")
