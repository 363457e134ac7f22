"""Commands that list, show, share and remove records."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from pipeline_lib.cli.completion import PIPELINE
from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import (
    JSON,
    REF,
    metrics_text,
    parity_text,
    print_json,
    print_scores,
    size_text,
    summary_of,
    value_text,
)
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.query import FACTS, STATUSES
from pipeline_lib.records.store import store_of

SENSITIVE = click.option("--include-sensitive", is_flag=True, help="Allow a record with fields marked sensitive.")


@click.command(epilog=f"NAME is a metric, a parameter (estimator.alpha) or one of {', '.join(FACTS)}.")
@click.option("--pipeline", metavar="NAME", type=PIPELINE, help="Runs of one pipeline.")
@click.option("--status", type=click.Choice(STATUSES), help="Runs of one status (below).")
@click.option("--where", multiple=True, metavar="CONDITION", help="NAME<VALUE (or > = != <= >=); can be repeated.")
@click.option(
    "--sort",
    metavar="NAME",
    help="A metric: best first; `best`: by METRIC; a parameter or fact: smallest first; -NAME: largest.",
)
@click.option(
    "--direction",
    type=click.Choice(["minimize", "maximize"]),
    help="What is better, where METRIC and the metric's name are silent.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Number of runs: the first of a sorted list, else the newest."
)
@click.option("--store", is_flag=True, help="Everybody's records in the project's store, `store =` in settings.ini.")
@click.option("--reindex", is_flag=True, help="Read every byte of every sealed record, and rebuild the index.")
@JSON
def runs(
    limit: int | None, store: bool, reindex: bool, as_json: bool, where: tuple[str, ...], **filters: str | None
) -> None:
    """List the runs, oldest first: status, parity, seconds, peak memory and size on disk, metrics.

    A run is running, finished, failed, killed (its process is gone and the record is not sealed) or damaged: its
    manifest, parameters or metrics are not as they were sealed, or with --reindex any other byte. Values of the names
    in --where and --sort are printed too, the error of a failed run, and which run is the champion or the best one.
    """
    from pipeline_lib.records.best import BEST, sort_by_metric
    from pipeline_lib.records.marks import marks_of
    from pipeline_lib.records.query import as_rows, names_in, select

    project = current_project()
    everything = _stored(project, reindex=reindex) if store else _own(project, reindex=reindex)
    if filters["sort"] == BEST:
        better = sort_by_metric(project, everything, filters["pipeline"], filters["direction"])
        filters["sort"], filters["direction"] = better
    listed = select(everything, where=where, limit=limit, **filters)
    if as_json:
        rows = ",\n".join(json.dumps(run, sort_keys=True) for run in listed)  # one line each: there may be thousands
        click.echo(f"[\n{rows}\n]")
        return
    names = names_in(where, filters["sort"])
    marks = marks_of(project, everything, best=not store)
    width = max((len(run["reference"]) for run in listed), default=0)
    lines = [_line(run, row, names, marks, width) for run, row in zip(listed, as_rows(listed), strict=True)]
    if not everything and store:
        lines = [f"no records in {store_of(project)} yet; `pipeline-lib push REF` copies one"]
    elif not everything:
        lines = [f"no runs yet; `pipeline-lib run {project.shown(project.params / 'NAME.yml')}` makes one"]
    if lines:
        click.echo("\n".join(lines))
    if len(listed) < len(everything):
        click.echo(f"{len(listed):,} of {len(everything):,} runs", err=True)


def _own(project: Project, *, reindex: bool) -> list[dict[str, Any]]:
    """Summaries of the runs in the project's folder."""
    from pipeline_lib.records.index import reindex as forget
    from pipeline_lib.records.index import summaries

    if reindex:
        forget(project.runs)
    return summaries(project.runs, check=reindex)


def _stored(project: Project, *, reindex: bool) -> list[dict[str, Any]]:
    """Summaries of everybody's records in the project's store."""
    from pipeline_lib.records.store_listing import store_summaries

    if reindex:
        raise InputError("found --reindex with --store, expected one of them: the store has no index; leave one out")
    return store_summaries(store_of(project))


_SIZES = (("peak_memory", "peak"), ("bytes", "disk"))
"""The sizes of a run that its line shows, each with the word behind the number."""


def _line(run: dict[str, Any], row: dict[str, Any], names: list[str], marks: dict[str, str], width: int) -> str:
    """A run as one line, with the values of these names, its error and its mark; the reference takes `width`."""
    seconds = "" if run["seconds"] is None else f"{run['seconds']:,.1f} s"
    peak, kept = (f"{text} {word}" if (text := size_text(run[name])) else "" for name, word in _SIZES)
    printed = {"reference", "status", "parity", "seconds", "peak_memory", "bytes", *run["metrics"]}
    values = [f"{name} {value_text(row[name])}" for name in names if name in row and name not in printed]
    error = (run["error"] or "").strip().split("\n")[0]
    details = ", ".join(part for part in (metrics_text(run), *values, error) if part)
    mark = f"  [{marks[run['reference']]}]" if run["reference"] in marks else ""
    parity = parity_text(run["parity"])
    sizes = f"{seconds:>9}  {peak:>12}  {kept:>12}"
    return f"{run['reference']:<{width}}  {run['status']:<8}  {parity:<18}  {sizes}  {details}{mark}".rstrip()


@click.command
@REF
@JSON
def show(ref: str, as_json: bool) -> None:
    """Show a run: status, error, parameters, metrics, compile report, parity."""
    from pipeline_lib.records.report_checked import best_report

    record = find(ref)
    summary = summary_of(record)
    if as_json:
        print_json(summary)
        return
    for key in ("reference", "status", "folder"):
        click.echo(f"{key:<11} {summary[key]}")
    if best := best_report(record):
        click.echo(f"{'report':<11} {best}")
    if summary["error"]:
        error = summary["error"]
        cell = f"cell {error['cell']}: " if "cell" in error else ""
        click.echo(f"{'error':<11} {cell}{error['message']}\n{error.get('traceback') or error.get('source', '')}")
    for group in ("parameters", "metrics", "hashes"):
        for key, value in (summary[group] or {}).items():
            if value is not None:
                text = str(value)[:12] if group == "hashes" else value_text(value)
                click.echo(f"{group:<11} {key} = {text}")
    if summary["metrics"]:
        print_scores(record, record.manifest())
    if summary["compiled"]:
        from pipeline_lib.compiled.compile_report import CompileReport

        click.echo(CompileReport.from_json(summary["compiled"]))
    if summary["forgotten"]:
        from pipeline_lib.records.forgotten import Forgotten

        before = summary["forgotten"].get("parity") or "not checked"
        click.echo(f"{'rows':<11} {Forgotten.from_json(summary['forgotten'])}\n{'parity':<11} {before}, before that")
        return
    click.echo(summary["parity"]["text"] if summary["parity"] else f"{'parity':<11} not checked")


@click.command
@REF
def report(ref: str) -> None:
    """Print the path of a run's HTML report.

    After a parity check a second line, on stderr, names the same page with the verdict.
    """
    from pipeline_lib.records.report_checked import best_report

    record = find(ref)
    if not record.report.is_file():
        raise InputError(
            f"{record.reference} ({record.status()}): found no report, expected one; only a run that "
            "`pipeline-lib run` brought to an end has a report"
        )
    click.echo(record.report)
    best = best_report(record)
    if best != record.report:
        click.echo(f"with the verdict of parity: {best}", err=True)


@click.command(context_settings={"ignore_unknown_options": True})
@REF
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(ref: str, jupyter_options: tuple[str, ...]) -> None:
    """Open a copy of a run's notebook, with its parameters, in JupyterLab.

    Further options go to JupyterLab, for example `--no-browser`.
    """
    project = current_project()
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


@click.command
@REF
@click.argument("url", required=False)
@SENSITIVE
@click.option("--without-rows", is_flag=True, help="Send a copy without raw rows and outputs; the record stays whole.")
def push(ref: str, url: str | None, include_sensitive: bool, without_rows: bool) -> None:
    """Copy a record to URL: a folder, s3://bucket/runs, or another URL of fsspec. Every byte is read back.

    Without URL it goes to the project's store, `store =` in settings.ini.
    """
    if without_rows:
        from pipeline_lib.records.without_rows import push_without_rows as send
    else:
        from pipeline_lib.records.transfer import push as send

    from pipeline_lib.records.forgotten import forgotten_at

    sent: list[str] = []
    record = find(ref)
    url = url or store_of(current_project())
    address = send(record, url, include_sensitive=include_sensitive, progress=sent.append)
    rows = " without rows" if without_rows else ""
    if forgotten := forgotten_at(record.folder):
        click.echo(f"{record.reference}: {forgotten}")
    click.echo(f"pushed{rows} to {address}" if sent else f"already there{rows}, every byte: {address}")


@click.command
@REF
@click.argument("url", required=False)
@SENSITIVE
def pull(ref: str, url: str | None, include_sensitive: bool) -> None:
    """Copy a record (NAME, its newest finished run there, NAME/ID or NAME@champion) from URL into the runs folder.

    Without URL it comes from the project's store, `store =` in settings.ini; a champion from where it was promoted.
    """
    from pipeline_lib.records.champion_record import CHAMPION, fetch_champion
    from pipeline_lib.records.forgotten import forgotten_at
    from pipeline_lib.records.transfer import pull as fetch

    fetched: list[str] = []
    project, (name, _, which) = current_project(), ref.partition("@")
    options: dict[str, Any] = {"include_sensitive": include_sensitive, "progress": fetched.append}
    if which == CHAMPION:
        record = fetch_champion(project, name, url, **options)
    else:
        record = fetch(ref, url or store_of(project), project.runs, **options)
    what = "every byte is" if fetched else "already here, every byte"
    if forgotten := forgotten_at(record.folder):
        click.echo(f"{record.reference}: {forgotten}")
    click.echo(f"{record.reference}: {what} as it was sealed\nrecord: {record.folder}")


def clean_leftovers(project: Project, *, remove: bool, verbose: bool) -> None:
    """List the files of runs that did not end normally, or remove them; temporary folders are one line together."""
    from pipeline_lib.records.cleanup import find_leftovers
    from pipeline_lib.system.files import files_below

    leftovers, fresh = find_leftovers(project), find_leftovers(project, fresh=True)
    verb, count, size = "removed " if remove else "", 0, 0
    for leftover in leftovers:
        counted = leftover.in_system_folder and not verbose
        if counted:
            count, size = count + 1, size + sum(path.lstat().st_size for path in files_below(leftover.path))
        if remove:
            leftover.remove()
        if not counted:
            click.echo(
                f"{verb}{project.shown(leftover.path)}: {leftover.description}{'' if remove else leftover.remedy}"
            )
    if count:
        click.echo(f"{verb}temporary folders of ended processes, of any project: {count:,}, {size / 1e6:,.1f} MB")
    for leftover in fresh:
        click.echo(f"{project.shown(leftover.path)}: younger than a minute, not removed")
    if not leftovers and not fresh:
        click.echo("nothing is left behind")
    elif leftovers and not remove:
        click.echo("nothing was removed; `pipeline-lib clean --leftovers --yes` removes these")
