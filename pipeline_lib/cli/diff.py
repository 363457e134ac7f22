"""Commands that compare runs: two records, or a record with its repetition. Exit 1 for a difference."""

import functools
import sys

import click

from pipeline_lib.cli.completion import REFERENCE
from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import JSON, REF, print_json


@click.command
@REF
@click.option("--fresh-env", is_flag=True, help="Build the recorded environment from the lock first.")
@JSON
def reproduce(ref: str, fresh_env: bool, as_json: bool) -> None:
    """Run a record's notebook again and compare fitted state, intermediate columns, outputs and metrics."""
    from pipeline_lib.runner.reproduce import reproduce as run_again

    progress = functools.partial(click.echo, err=True)
    result = run_again(find(ref), current_project(), fresh_environment=fresh_env, progress=progress)
    if as_json:
        print_json(result.to_json())
    else:
        click.echo(result)
    sys.exit(0 if result.identical else 1)


@click.command
@click.argument("ref_a", type=REFERENCE)
@click.argument("ref_b", type=REFERENCE)
@JSON
def diff(ref_a: str, ref_b: str, as_json: bool) -> None:
    """Show the differences of two runs, from parameters to metrics."""
    from pipeline_lib.parity.compare_records import compare_records

    comparison = compare_records(find(ref_a), find(ref_b))
    if as_json:
        print_json(comparison.to_json())
    else:
        click.echo(comparison)
    sys.exit(0 if comparison.same else 1)
