"""The command that compares rows with those of training. Exit 1 with --fail where something has drifted."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.context import find_model
from pipeline_lib.cli.drift_page import check_folder, statistics_of, write_page
from pipeline_lib.cli.output import JSON, REF, print_json
from pipeline_lib.cli.predict import source_of
from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.records.deployed import Deployed
    from pipeline_lib.watching.accumulator import Accumulator


@click.command
@REF
@click.argument("data")
@click.option("--html", metavar="FILE", help="Also write a page with a plot of each column.")
@click.option("--fail", is_flag=True, help="Exit with 1 where something has drifted.")
@click.option(
    "--format", "input_format", metavar="FORMAT", help="csv, jsonl, parquet or arrow, where DATA has no ending."
)
@click.option("--delimiter", metavar="C", help="Between the fields of a CSV.  [default: , and a tab for .tsv]")
@click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV.")
@click.option("--missing", multiple=True, metavar="TEXT", help="A text of a CSV that means missing; can be repeated.")
@click.option(
    "--query", metavar="SQL", help="DATA is a connection: compare the rows of this query, or of the file @PATH."
)
@click.option("--param", multiple=True, metavar="NAME=VALUE", help="A value for :NAME in the query; can be repeated.")
@click.option(
    "--trust", multiple=True, metavar="PACKAGE", help="Classes of it may be in opaque steps; can be repeated."
)
@click.option("--other-versions", is_flag=True, help="Opaque steps may run with other versions of their packages.")
@click.option("--quiet", is_flag=True, help="No progress.")
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
    from pipeline_lib.compiled.pipeline import load_model
    from pipeline_lib.scoring.count_rows import count_rows
    from pipeline_lib.scoring.progress import Progress
    from pipeline_lib.scoring.score import check_tables
    from pipeline_lib.system.locks import locked_temporary_folder

    model = load_model(
        record.artifact, library=record.library, trust=record.trust, other_versions=options["other_versions"]
    )
    check_tables(model, record.reference)
    source = source_of(data, {**options, "keep": None, "block_rows": 65_536})
    with locked_temporary_folder("drift") as folder:
        source.prepare(folder)
        count_rows(model, source, accumulator, Progress(quiet=options["quiet"]))
