"""The command that compares the model in use with those that may replace it."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from pipeline_lib.cli.comparison_options import comparison_arguments, comparison_options
from pipeline_lib.cli.completion import REFERENCE
from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import JSON, print_json
from pipeline_lib.errors import InputError


@click.command
@click.argument("champion", type=REFERENCE)
@click.argument("challengers", nargs=-1, required=True, type=REFERENCE, metavar="CHALLENGER [MORE...]")
@comparison_options
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the page to this file as well.")
@click.option("--fail", is_flag=True, help="Exit with 1 where a challenger is not shown to be at least as good.")
@JSON
def compare(champion: str, challengers: tuple[str, ...], **options: Any) -> None:
    """Say whether a CHALLENGER is better than the CHAMPION, both references of finished runs with exact parity.

    Both answer the rows that the challenger's run held out. Rows that a model was fitted on, or whose entity it was
    fitted on, are left out and counted. What decides is the business value of a row where the pipeline exports
    `value`, else METRIC. The result is kept beside the challenger's record, as JSON and as a page.
    """
    from pipeline_lib.comparison.compare import compare as compare_records
    from pipeline_lib.comparison.page import write_comparison_page

    page = options["html"]
    if page is not None and (page.is_dir() or not page.parent.is_dir()):
        raise InputError(f"--html: found {str(page)!r}, expected a file in a folder that exists; name another")
    records = [find(ref) for ref in (champion, *challengers)]
    result = compare_records(
        *records,
        **comparison_arguments(options, date.today()),
        project=current_project(),
    )
    if page is not None:
        write_comparison_page(page, result)
    if options["as_json"]:
        print_json(result.to_json())
    else:
        click.echo(result)
    sys.exit(1 if options["fail"] and not all(answer.not_worse for answer in result.answers) else 0)


@click.command("compare-recipes")
@click.argument("champion")
@click.argument("challenger")
@click.option("--metric", metavar="NAME", help="What decides.  [default: value where there is one, else METRIC]")
@click.option("--margin", type=float, default=0.0, metavar="X", help="The difference that matters.")
@JSON
def compare_recipes(champion: str, challenger: str, metric: str | None, margin: float, as_json: bool) -> None:
    """Say which of two recipes is better: two sweeps over the same seeds, by name, on the same splits.

    `compare` judges two fitted models. Another seed gives another model; this judges what makes them.
    """
    from pipeline_lib.comparison.recipes import compare_recipes as compare_sweeps

    result = compare_sweeps(champion, challenger, metric=metric, margin=margin, project=current_project())
    if as_json:
        print_json(result.to_json())
    else:
        click.echo(result)
