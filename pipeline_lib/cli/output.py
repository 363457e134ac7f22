"""Shared by the commands: the record of a reference, the current project, printing."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project

if TYPE_CHECKING:
    from pipeline_lib.records.record import Record

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
REF = click.argument("ref")


def current_project() -> Project:
    """The project of this folder: searched once for a command, or click's object where a test passes one."""
    root = click.get_current_context().find_root()
    if root.obj is None:
        root.obj = find_project()
    project: Project = root.obj
    return project


def check_checkout(context: click.Context) -> None:
    """Refuse to work on a checkout with the code of another one; outside a project there is nothing to refuse."""
    if context.obj is None:
        with suppress(InputError):  # the command itself says what is wrong with a project that it needs
            context.obj = find_project()
        if context.obj is not None:
            context.obj.check_loaded()


def find(ref: str) -> "Record":
    """The record that a reference names. Raises InputError."""
    from pipeline_lib.records.reference import find_record, record_at

    return record_at(Path(ref)) or find_record(ref, current_project())


def library(start: Path | None = None) -> str:
    """The package whose steps an artifact may load: the project's, or outside a project this one."""
    try:
        return (find_project(start) if start else current_project()).library
    except InputError:
        return "pipeline_lib"


def summary_of(record: "Record") -> dict[str, Any]:
    """A record as JSON values, for `--json` and `show`."""
    from pipeline_lib.records.index import read_parity
    from pipeline_lib.records.layout import COMPILE_REPORT, METRICS, PARAMETERS

    manifest = record.manifest()
    return {
        "reference": record.reference,
        "status": record.status(),
        "folder": str(record.folder),
        "report": str(record.report) if record.report.is_file() else None,
        "parameters": record.read_json(PARAMETERS),
        "metrics": record.read_json(METRICS),
        "hashes": manifest.get("hashes"),
        "compiled": record.read_json(COMPILE_REPORT),
        "error": manifest.get("error"),
        "parity": read_parity(record),
    }


def print_run(record: "Record", parity: dict[str, Any] | None) -> None:
    """Print a finished run: metrics, parity, where record and report are."""
    from pipeline_lib.records.layout import METRICS

    for name, value in record.read_json(METRICS).items():
        click.echo(f"{name:<24} {value_text(value)}")
    if parity:
        click.echo(parity["text"])
    click.echo(f"record: {record.folder}\nreport: {record.report}")


def parity_text(parity: str | None) -> str:
    return {None: "parity not checked", "exact": "parity exact", "different": "parity DIFFERENT"}[parity]


def metrics_text(summary: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value_text(value)}" for name, value in (summary["metrics"] or {}).items())


def value_text(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def report_problems(problems: list[str], success: str) -> None:
    """Print problems and exit with 1, or print `success`."""
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found", err=True)
        sys.exit(1)
    click.echo(success)
