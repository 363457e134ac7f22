"""The command that retrains a pipeline and proposes the new record by a branch."""

import functools
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.comparison_options import comparison_arguments, comparison_options
from pipeline_lib.cli.completion import PIPELINE
from pipeline_lib.cli.context import current_project
from pipeline_lib.cli.output import JSON, print_json
from pipeline_lib.cli.records import SENSITIVE
from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.comparison.retraining import Retraining


@click.command
@click.argument("name", type=PIPELINE)
@click.option("--as-of", metavar="DATE", help="Rows up to this date: the parameter as_of.  [default: today]")
@comparison_options
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--force", is_flag=True, help="Run again, whatever an earlier call of the date did.")
@SENSITIVE
@JSON
def retrain(name: str, as_of: str | None, as_json: bool, **options: Any) -> None:
    """Run the champion's recipe again, check all of its parity, and compare the run with the champion.

    Where it is better or not worse, the record goes to the store, and the branch retrain/NAME-DATE has one commit more
    than the present one: champions/NAME.yml names the new record. Nothing is promoted until that branch is merged. A
    second call of the same date finds what the first did. Exit 0 better, 10 not worse, 11 worse, 12 cannot tell.
    """
    from pipeline_lib.comparison.retrain import RetrainOptions
    from pipeline_lib.comparison.retrain import retrain as retrain_pipeline

    project, day = current_project(), _date(as_of) if as_of else date.today()
    result = retrain_pipeline(
        project,
        name,
        RetrainOptions(
            day,
            today=as_of is None,
            comparison=comparison_arguments(options, day),
            timeout=options["timeout"],
            include_sensitive=options["include_sensitive"],
            force=options["force"],
            progress=functools.partial(click.echo, err=True),
        ),
    )
    asked = [f"--{option}" for option in ("on", "target", "labels", "margin", "volume") if options[option] is not None]
    if result.known and asked:
        click.echo(
            f"{', '.join(asked)} changed nothing: branch {result.branch} has the answer of an earlier call of this "
            "date; --force runs and compares again",
            err=True,
        )
    if as_json:
        print_json(result.to_json())
    else:
        _print(result)
    sys.exit(result.exit_code)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--as-of: found {text!r}, expected a date such as 2026-11-30; write one") from None


def _print(result: "Retraining") -> None:
    known = ", found" if result.known else ""
    click.echo(f"{result.record}: retrained as of {result.as_of}{known}\n{result.sentence}")
    if result.record == result.champion:
        click.echo("it is the champion already: nothing to promote")
    elif result.branch:
        pointer = Path("champions", f"{result.pipeline}.yml").as_posix()
        click.echo(f"branch {result.branch}: {pointer} names it; merging the branch makes it the champion")
        click.echo(f"propose it: git push origin {result.branch}")
    else:
        click.echo(f"no branch: `pipeline-lib promote {result.record} --reason TEXT` would make it the champion")
