"""Commands that make runs and show them."""

import functools
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.answers import (
    JSON,
    REF,
    find,
    library,
    measured,
    print_json,
    print_run,
    shown,
    summary_of,
    verdict,
)
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.project import find_project
from pipeline_lib.records.index import kept_parity
from pipeline_lib.records.query import FACTS, STATUSES

if TYPE_CHECKING:
    from pipeline_lib.records.record import Record


@click.command
@click.argument("params_file", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one parameter.")
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--no-parity", is_flag=True, help="Leave out the parity check that follows a run.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed since a finished run.")
@JSON
def run(
    params_file: Path, overrides: tuple[str, ...], timeout: int | None, no_parity: bool, force: bool, as_json: bool
) -> None:
    """Execute a research notebook with PARAMS_FILE, leave a record, check parity.

    Where nothing has changed since a finished run, that run is the answer.
    """
    from pipeline_lib.runner.cache.lookup import Answer, recall

    known = Answer(None) if force else recall(params_file, overrides)
    if known.reason:
        click.echo(known.reason, err=True)
    record = known.record or _run(params_file, overrides, timeout, as_json=as_json)
    parity = kept_parity(record)
    if parity is None and not no_parity:
        from pipeline_lib.parity.check import check_parity

        parity = check_parity(record, library=library(params_file.parent)).to_json()
    if known.record:
        click.echo(f"nothing changed since {record.reference}; --force runs again", err=as_json)
    if as_json:
        print_json(summary_of(record))
    else:
        print_run(record, parity)
    sys.exit(0 if parity is None or parity["exact"] else 1)


def _run(params_file: Path, overrides: tuple[str, ...], timeout: int | None, *, as_json: bool) -> "Record":
    """A new run; one that fails is JSON too."""
    from pipeline_lib.records.record import Record
    from pipeline_lib.runner.run import run_pipeline

    progress = functools.partial(click.echo, err=True)
    try:
        return run_pipeline(params_file, overrides=overrides, timeout=timeout, force=True, progress=progress)
    except RunError as error:
        if as_json and error.folder:
            print_json(summary_of(Record(error.folder)))
        raise


@click.command(epilog=f"NAME is a metric, a parameter (estimator.alpha) or one of {', '.join(FACTS)}.")
@click.option("--pipeline", metavar="NAME", help="Runs of one pipeline.")
@click.option("--status", type=click.Choice(STATUSES), help="Runs of one status (below).")
@click.option("--where", multiple=True, metavar="WORDS", help="NAME<VALUE (or > = != <= >=); can be repeated.")
@click.option("--sort", metavar="NAME", help="Order by a metric, parameter or fact; -NAME for the largest first.")
@click.option("--limit", type=click.IntRange(min=1), help="So many: of a sorted list the first, else the newest.")
@click.option("--reindex", is_flag=True, help="Read every byte of every sealed record, and make the index anew.")
@JSON
def runs(limit: int | None, reindex: bool, as_json: bool, where: tuple[str, ...], **chosen: str | None) -> None:
    """List the runs, oldest first: status, parity, seconds, metrics.

    A run is running, finished, failed, killed (nobody is left to seal it) or damaged: its manifest, parameters or
    metrics are not as they were sealed, or with --reindex any byte that `verify` refuses. Values of the names in
    --where and --sort are printed too, and what went wrong.
    """
    from pipeline_lib.records.index import reindex as forget
    from pipeline_lib.records.index import summaries
    from pipeline_lib.records.query import as_rows, named, select

    project = find_project()
    if reindex:
        forget(project.runs)
    everything = summaries(project.runs, check=reindex)
    listed = select(everything, where=where, limit=limit, **chosen)
    if as_json:
        rows = ",\n".join(json.dumps(found, sort_keys=True) for found in listed)  # ten thousand of them: a line each
        click.echo(f"[\n{rows}\n]")
        return
    names = named(where, chosen["sort"])
    lines = [_line(run, row, names) for run, row in zip(listed, as_rows(listed), strict=True)]
    if not everything:
        lines = [f"no runs yet; `pipeline-lib run {project.shown(project.params / 'NAME.yml')}` makes one"]
    if lines:
        click.echo("\n".join(lines))
    if len(listed) < len(everything):
        click.echo(f"{len(listed):,} of {len(everything):,} runs", err=True)


def _line(run: dict[str, Any], row: dict[str, Any], names: list[str]) -> str:
    """A run as one line, with the values of these names, and with what went wrong."""
    seconds = "" if run["seconds"] is None else f"{run['seconds']:,.1f} s"
    there = {"reference", "status", "parity", "seconds", *run["metrics"]}
    asked = [f"{name} {shown(row[name])}" for name in names if name in row and name not in there]
    wrong = (run["error"] or "").strip().split("\n")[0]
    told = ", ".join(part for part in (measured(run), *asked, wrong) if part)
    return f"{run['reference']:<32}  {run['status']:<8}  {verdict(run['parity']):<18}  {seconds:>9}  {told}".rstrip()


@click.command
@REF
@JSON
def show(ref: str, as_json: bool) -> None:
    """Show a run: status, parameters, metrics, parity, what went wrong."""
    record = find(ref)
    summary = summary_of(record)
    if as_json:
        print_json(summary)
        return
    for key in ("reference", "status", "folder", "report"):
        if summary[key] is not None:
            click.echo(f"{key:<11} {summary[key]}")
    for group in ("parameters", "metrics", "hashes"):
        for key, value in (summary[group] or {}).items():
            if value is not None:
                text = str(value)[:12] if group == "hashes" else shown(value)
                click.echo(f"{group:<11} {key} = {text}")
    if summary["compiled"]:
        from pipeline_lib.compiled.compile_report import CompileReport

        click.echo(CompileReport.from_json(summary["compiled"]))
    if summary["error"]:
        error = summary["error"]
        where = f"cell {error['cell']}: " if "cell" in error else ""
        click.echo(f"{'error':<11} {where}{error['message']}\n{error.get('traceback') or error.get('source', '')}")
    click.echo(summary["parity"]["text"] if summary["parity"] else f"{'parity':<11} not checked")


@click.command
@REF
def report(ref: str) -> None:
    """Print the path of a run's HTML report."""
    record = find(ref)
    if not record.report.is_file():
        raise InputError(
            f"{record.reference} ({record.status()}): found no report, expected one; only a run that "
            "`pipeline-lib run` brought to an end has a report"
        )
    click.echo(record.report)


@click.command(context_settings={"ignore_unknown_options": True})
@REF
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(ref: str, jupyter_options: tuple[str, ...]) -> None:
    """Open a copy of a run's notebook, with its parameters, in JupyterLab.

    Further options go to JupyterLab, for example `--no-browser`.
    """
    project = find_project()
    record = find(ref)
    if record.is_scratch:
        research = project.shown(project.research_notebook(record.pipeline))
        raise InputError(f"{record.reference}: found a scratch record, which keeps no notebook; open {research} itself")
    if not record.notebook.is_file():
        raise InputError(f"{record.reference}: found no notebook, expected one; the run ended before its first cell")
    copy = project.research_notebook(record.pipeline).with_name(f"_lab_{record.pipeline}_{record.id}.ipynb")
    if not copy.exists():
        shutil.copy(record.notebook, copy)
    click.echo(f"opening {project.shown(copy)}, a copy; the record stays as it is", err=True)
    jupyter = Path(sys.executable).with_name("jupyter-lab")
    os.execv(jupyter, [str(jupyter), str(copy), f"--ServerApp.root_dir={project.root}", *jupyter_options])  # noqa: S606
