"""Commands that run pipelines."""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from pipeline_lib.cli.completion import PARAMETERS_FILE
from pipeline_lib.cli.context import current_project, find, library
from pipeline_lib.cli.output import JSON, REF, print_json, print_run, summary_of
from pipeline_lib.errors import RunError
from pipeline_lib.records.index import read_parity

if TYPE_CHECKING:
    from pipeline_lib.records.record import Record


@click.command
@click.argument("params_file", type=PARAMETERS_FILE)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one parameter.")
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--no-parity", is_flag=True, help="Skip the parity check after the run.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed since a finished run.")
@JSON
def run(
    params_file: Path, overrides: tuple[str, ...], timeout: int | None, no_parity: bool, force: bool, as_json: bool
) -> None:
    """Execute a research notebook with PARAMS_FILE, seal a record, check parity.

    Where nothing has changed since a finished run, that run is shown instead.
    """
    from pipeline_lib.runner.cache.lookup import CachedRun, lookup

    known = CachedRun(None) if force else lookup(params_file, overrides)
    if known.reason:
        click.echo(known.reason, err=True)
    if known.record:
        click.echo(f"nothing changed since {known.record.reference}; --force runs again", err=as_json)
    record = known.record or _run(params_file, overrides, timeout, as_json=as_json)
    _show(record, library(params_file.parent), check=not no_parity, as_json=as_json)


def _run(params_file: Path, overrides: tuple[str, ...], timeout: int | None, *, as_json: bool) -> "Record":
    from pipeline_lib.runner.run import run_pipeline

    progress = functools.partial(click.echo, err=True)
    with _failure_as_json(as_json):
        return run_pipeline(params_file, overrides=overrides, timeout=timeout, force=True, progress=progress)


@contextmanager
def _failure_as_json(as_json: bool) -> Iterator[None]:
    """With `as_json`, print the record of a failed run as JSON too; its error goes on."""
    try:
        yield
    except RunError as error:
        if as_json and error.folder:
            from pipeline_lib.records.record import Record

            print_json(summary_of(Record(error.folder)))
        raise


def _show(record: "Record", library: str, *, check: bool, as_json: bool) -> NoReturn:
    """Print a finished run and exit: 1 where production differs. `check` runs a parity check where none is stored."""
    parity = read_parity(record)
    if parity is None and check:
        from pipeline_lib.parity.check import check_parity  # slow to import, and a stored check does not need it

        parity = check_parity(record, library=library).to_json()
    if as_json:
        print_json(summary_of(record))
    else:
        print_run(record, parity)
    sys.exit(0 if parity is None or parity["exact"] else 1)


@click.command("run-all")
def run_all() -> None:
    """Run every pipeline with its own parameters, check parity, and write one page with all reports.

    A pipeline that has not changed since its last finished run is not run again.
    """
    from pipeline_lib.records.layout import RUNS_PAGE
    from pipeline_lib.runner.run_all import PipelineResult, base_parameters
    from pipeline_lib.runner.run_all import run_all as run_each

    project = current_project()
    width = max(len(path.stem) for path in base_parameters(project))

    def progress(result: PipelineResult) -> None:
        details = str(result.error) if result.error else result.metrics
        click.echo(f"{result.pipeline:<{width}}  {result.seconds:6.1f} s  {result.verdict:<14}  {details}")

    results = run_each(project, progress)
    click.echo(f"page: {project.runs / RUNS_PAGE}")
    sys.exit(max(result.exit_code for result in results))


@click.command
@REF
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--no-parity", is_flag=True, help="Skip the parity check after the run.")
@JSON
def resume(ref: str, timeout: int | None, no_parity: bool, as_json: bool) -> None:
    """Run a failed or killed run again, with its own parameters."""
    from pipeline_lib.runner.resume import resume_run

    project, progress = current_project(), functools.partial(click.echo, err=True)
    with _failure_as_json(as_json):
        record = resume_run(find(ref), project, timeout=timeout, progress=progress)
    _show(record, library(), check=not no_parity, as_json=as_json)
