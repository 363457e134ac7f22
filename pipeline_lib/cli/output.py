"""Options that commands share, and what they print."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.completion import REFERENCE

if TYPE_CHECKING:
    from pipeline_lib.records.record import Record

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
REF = click.argument("ref", type=REFERENCE)


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
        "forgotten": manifest.get("forgotten"),
    }


def print_run(record: "Record", parity: dict[str, Any] | None) -> None:
    """Print a finished run: metrics, parity, where record and report are, what comes next."""
    from pipeline_lib.records.layout import METRICS
    from pipeline_lib.records.next_step import next_step

    for name, value in record.read_json(METRICS).items():
        click.echo(f"{name:<24} {value_text(value)}")
    if parity:
        click.echo(parity["text"])
    click.echo(f"record: {record.folder}\nreport: {record.report}\n{next_step(record, parity)}")


_PARITY = {None: "parity not checked", "exact": "parity exact", "different": "parity DIFFERENT"}
_PARITY |= {"forgotten": "rows forgotten"}


def parity_text(parity: str | None) -> str:
    return _PARITY[parity]


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
