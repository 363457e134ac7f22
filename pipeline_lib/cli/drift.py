"""The command that compares rows with those of training. Exit 1 with --fail where something has drifted."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.context import find_model
from pipeline_lib.cli.drift_page import check_folder, statistics_of, write_page
from pipeline_lib.cli.output import JSON, REF, print_json
from pipeline_lib.cli.row_options import OTHER_VERSIONS, QUIET, TRUST, row_options, source_of
from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.records.deployed import Deployed
    from pipeline_lib.watching.accumulator import Accumulator


@click.command
@REF
@click.argument("data")
@click.option("--html", metavar="FILE", help="Also write a page with a plot of each column.")
@click.option("--fail", is_flag=True, help="Exit with 1 where something has drifted.")
@row_options
@TRUST
@OTHER_VERSIONS
@QUIET
@JSON
def drift(ref: str, data: str, **options: Any) -> None:
    """Compare the rows of DATA, and their predictions, with what a record's pipeline was trained on.

    DATA is what `predict` takes as INPUT, or the folder that `serve --log` names: then what the record has answered.

    Of each column that the model reads: unseen, out of range and missing values, how far the distribution has moved,
    and whether chance alone would do that. Sensitive columns are not compared. Rows that the model refuses are counted.
    """
    from pipeline_lib.answers.count_log import count_log, is_log
    from pipeline_lib.records.deployed import deployed
    from pipeline_lib.watching.accumulator import Accumulator
    from pipeline_lib.watching.drift import drift_of

    record = deployed(find_model(ref), allow_unproven=True, trust=options["trust"])
    accumulator = Accumulator(statistics_of(record))
    check_folder(options["html"])
    if is_log(Path(data)):
        count_log(Path(data), record.reference, accumulator)
    else:
        _count_source(record, data, accumulator, options)
    if not accumulator.rows:
        raise InputError(f"{data}: found no rows, expected some to compare with training; name another input")
    result = drift_of(accumulator, record.reference)
    written = write_page(options["html"], result)
    if options["as_json"]:
        print_json(result.to_json())
    else:
        click.echo(result)
        click.echo(f"page: {written}" if written else "a page with plots: --html FILE")
    sys.exit(1 if options["fail"] and result.drifted else 0)


def _count_source(record: "Deployed", data: str, accumulator: "Accumulator", options: dict[str, Any]) -> None:
    """Count the rows that DATA names, with the predictions that the record gives them."""
    from pipeline_lib.scoring.count_rows import count_rows
    from pipeline_lib.scoring.progress import Progress
    from pipeline_lib.scoring.score import check_tables
    from pipeline_lib.system.locks import locked_temporary_folder

    model = record.load(other_versions=options["other_versions"])
    check_tables(model, record.reference)
    source = source_of(data, {**options, "keep": None, "block_rows": 65_536})
    with locked_temporary_folder("drift") as folder:
        source.prepare(folder)
        count_rows(model, source, accumulator, Progress(quiet=options["quiet"]))
