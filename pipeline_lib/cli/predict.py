"""The command that scores files, queries and tables."""

import copy
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.context import find_model
from pipeline_lib.cli.drift_page import check_page, look_command, write_page
from pipeline_lib.cli.output import JSON, REF, print_json
from pipeline_lib.cli.row_options import ALLOW_UNPROVEN, OTHER_VERSIONS, QUIET, TRUST, row_options, source_of
from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.compiled.pipeline import CompiledPipeline
    from pipeline_lib.records.deployed import Deployed
    from pipeline_lib.scoring.score import Summary
    from pipeline_lib.scoring.score_block import Outputs
    from pipeline_lib.watching.drift import Drift


@click.command
@REF
@click.argument("input_", metavar="INPUT")
@click.argument("output")
@click.option("--keep", metavar="COLUMNS", help="Columns of INPUT for the output, with commas between; '*' for all.")
@click.option("--probabilities", is_flag=True, help="Also the probability of each class.")
@click.option("--threshold", type=float, metavar="P", help="Of two classes predict the second from probability P on.")
@click.option(
    "--errors",
    type=click.Choice(["refuse", "column"]),
    default="refuse",
    show_default=True,
    help="A refused row ends it all, or gets a message in the column `error`.",
)
@row_options
@click.option("--table", metavar="TABLE", help="OUTPUT is a connection: write to this table.")
@click.option("--run-date", metavar="DATE", help="With --table: replace the rows of this date, such as 2026-11-30.")
@click.option(
    "--context", metavar="FILE", help="The rows just before those of INPUT, where the model needs earlier ones."
)
@click.option("--block-rows", type=click.IntRange(min=1), default=65_536, show_default=True, help="Rows at a time.")
@click.option("--dask", metavar="ADDRESS", help="Answer the blocks on the workers of this Dask scheduler.")
@TRUST
@OTHER_VERSIONS
@ALLOW_UNPROVEN
@click.option("--again", is_flag=True, help="Start over instead of continuing an interrupted run.")
@click.option("--drift", "drift_page", metavar="FILE", help="Also write a page that compares the rows with training.")
@QUIET
@JSON
def predict(ref: str, input_: str, output: str, **options: Any) -> None:
    """Score INPUT with a record, and write OUTPUT: a row for each row, in their order.

    INPUT is a file (.csv .tsv .jsonl .parquet .arrow, also .gz .zst .bz2), a glob in quotes, a folder of files
    (year=2026/… gives a column), an address that fsspec reaches, or with --query a connection's name. OUTPUT is a
    file, an address, or with --table a connection's name.

    REF may also be an installed package (houses_model). A record must be unchanged since its seal, and its parity
    exact. OUTPUT appears only when it is complete; run an interrupted command again to continue it.
    """
    from pipeline_lib.records.deployed import deployed
    from pipeline_lib.scoring.parts import Parts, alone, clear, work_folder
    from pipeline_lib.scoring.progress import Progress
    from pipeline_lib.scoring.score import check_tables, last_rows, score
    from pipeline_lib.scoring.score_block import Outputs
    from pipeline_lib.watching.watch import Watch

    record = deployed(find_model(ref), allow_unproven=options["allow_unproven"], trust=options["trust"])
    outputs = Outputs(record.reference, options["probabilities"], options["threshold"], options["errors"] == "column")
    model = record.load(other_versions=options["other_versions"])
    check_tables(model, record.reference)
    outputs.check(model)
    if options["drift_page"]:
        check_page(record, options["drift_page"])
    watch = Watch.of(record.artifact, record.reference)
    source, sink = source_of(input_, options), _sink(output, options, record)
    if Path(output).exists() and any(file.system is None and Path(output).samefile(file.path) for file in source.files):
        raise InputError(f"{output}: found the same file as INPUT and OUTPUT, expected two; name another output")
    context = last_rows(options["context"], model)
    progress = Progress(quiet=options["quiet"])
    folder = work_folder(output, options["table"])
    with alone(folder, output):
        if options["again"]:
            clear(folder)
        source.prepare(folder / "rows")
        parts = Parts(folder / "parts", _request(record, outputs, source, sink, options))
        try:
            with _cluster(options, record, model) as cluster:
                answers = cluster and cluster.answers
                more: dict[str, Any] = {"context": context, "progress": progress, "watch": watch, "answers": answers}
                summary = score(model, source, sink, outputs, parts, **more)
        except KeyboardInterrupt:
            progress.end()
            if parts.begin():
                click.echo("finished blocks are kept: run the same command to continue, or add --again", err=True)
            raise
    drift = watch.drift() if watch else None
    _print(summary, record.reference, output, drift, look_command(ref, input_, options), options)


def _request(record: "Deployed", outputs: "Outputs", source: Any, sink: Any, options: dict[str, Any]) -> dict[str, Any]:
    """What an interrupted run must have in common with the one that continues it."""
    return {
        "record": record.digest,
        "outputs": [outputs.probabilities, outputs.threshold, outputs.errors_in_column],
        "source": dict(source.identity),
        "sink": dict(sink.identity),
        "context": _stamps(options["context"]),
    }


def _print(
    summary: "Summary", reference: str, output: str, result: "Drift | None", look: str, options: dict[str, Any]
) -> None:
    """What was done, and whether the rows are those of training; the page of that, where it is asked for."""
    page = write_page(options["drift_page"], result)
    if options["as_json"]:
        found = result and {"headline": result.headline, "drifted": [each.name for each in result.drifted]}
        print_json({"record": reference, "output": output, **vars(summary), "drift": found})
        return
    click.echo(_line(summary, reference, f"{output}, table {options['table']}" if options["table"] else output))
    if result and (result.drifted or page):
        click.echo(f"{result.headline}; {f'page: {page}' if page else f'`{look}` shows how'}")


def _line(summary: "Summary", reference: str, place: str) -> str:
    """What was done, in one line."""
    went_on = f" ({summary.kept:,} were there from before)" if summary.kept else ""
    refused = f", {summary.refused:,} refused" if summary.refused else ""
    fast = (summary.rows - summary.kept) / max(summary.seconds, 1e-9)
    speed = f", {fast:,.0f} rows/s" if summary.seconds >= 5 else ""  # a shorter time is mostly that of starting
    return f"{summary.rows:,} rows{went_on}{refused} by {reference} in {place} ({summary.seconds:.1f} s{speed})"


def _sink(output: str, options: dict[str, Any], record: "Deployed") -> Any:
    from pipeline_lib.scoring.file_output import FileOutput
    from pipeline_lib.scoring.table_output import TableOutput

    if (options["table"] is None) != (options["run_date"] is None):
        raise InputError("found one of --table and --run-date, expected both: the rows of that date are replaced")
    if options["table"] is not None:
        return TableOutput.at(output, options["table"], options["run_date"], record.reference)
    metadata = {"pipeline_lib.record": record.reference, "pipeline_lib.digest": record.digest}
    return FileOutput.at(output, metadata)


def _cluster(options: dict[str, Any], record: "Deployed", model: "CompiledPipeline") -> Any:
    """The workers that answer, which are left at the end of the block; None where this process does."""
    if not options["dask"]:
        return nullcontext()
    from pipeline_lib.scoring.cluster import Cluster, RemoteModel

    remote = RemoteModel(record.digest, record.library, record.trust, options["other_versions"])
    return Cluster(options["dask"], remote, record.artifact, model)


def _stamps(given: str | None) -> list[str]:
    from pipeline_lib.scoring.input_files import input_files

    return [f"{file.shown} {file.stamp}" for file in input_files(given)] if given else []


score = copy.copy(predict)
score.name, score.hidden = "score", True
