"""Options that the commands of production share: how rows are read, and what a model may load."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from pipeline_lib.errors import InputError

Command = Callable[..., Any]

TRUST = click.option(
    "--trust", multiple=True, metavar="PACKAGE", help="Classes of it may be in opaque steps; can be repeated."
)
OTHER_VERSIONS = click.option(
    "--other-versions", is_flag=True, help="Opaque steps may run with other versions of their packages."
)
ALLOW_UNPROVEN = click.option(
    "--allow-unproven", is_flag=True, help="Also a record whose parity was not checked or is not exact."
)
QUIET = click.option("--quiet", is_flag=True, help="No progress.")
_ROWS = (
    click.option(
        "--format", "input_format", metavar="FORMAT", help="Of rows: csv, jsonl, parquet or arrow.  [default: by name]"
    ),
    click.option("--delimiter", metavar="C", help="Between the fields of a CSV.  [default: , and a tab for .tsv]"),
    click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV."),
    click.option("--missing", multiple=True, metavar="TEXT", help="A CSV text that means missing; can be repeated."),
    click.option("--query", metavar="SQL", help="Rows are those of this query to a connection, or of the file @PATH."),
    click.option("--param", multiple=True, metavar="NAME=VALUE", help="A value for :NAME in --query; can be repeated."),
)


def row_options(command: Command) -> Command:
    """Add the options that say how rows are read; `source_of` takes their values."""
    return reduce(lambda made, option: option(made), reversed(_ROWS), command)


def source_of(given: str, options: dict[str, Any]) -> Any:
    """The rows that INPUT and its options name."""
    from pipeline_lib.scoring.csv_rows import TextOptions
    from pipeline_lib.scoring.file_source import FileSource
    from pipeline_lib.scoring.input_files import CSV
    from pipeline_lib.scoring.query_source import QuerySource

    of_text = [f"--{name}" for name in ("delimiter", "missing") if options[name]]
    of_text += ["--encoding"] if options["encoding"] != "utf-8" else []
    keep = [name for name in (options["keep"] or "").split(",") if name]
    if options["query"] is not None:
        _refuse_unused(of_text + (["--format"] if options["input_format"] else []), "a query")
        return QuerySource(given, options["query"], options["param"], keep=keep, block_rows=options["block_rows"])
    if options["param"]:
        raise InputError("found --param without --query, expected both; say --query 'select … where day = :day'")
    text = TextOptions(options["encoding"], options["delimiter"], options["missing"])
    source = FileSource(
        given, format=options["input_format"], keep=keep, options=text, block_rows=options["block_rows"]
    )
    if not any(file.format == CSV for file in source.files):
        _refuse_unused(of_text, "no CSV")
    return source


def _refuse_unused(given: list[str], rows: str) -> None:
    """Raise InputError for options that would do nothing."""
    if given:
        raise InputError(f"found {', '.join(given)} with {rows}, expected CSV files to read by it; leave it out")
