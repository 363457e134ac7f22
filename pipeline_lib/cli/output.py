"""Options that commands share, and what they print."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.completion import REFERENCE

if TYPE_CHECKING:
    from pipeline_lib.records.baseline_scores import RunScores
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
        **_scores(record, manifest).to_json(),
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
    from pipeline_lib.records.report_checked import best_report

    for name, value in record.read_json(METRICS).items():
        click.echo(f"{name:<24} {value_text(value)}")
    print_scores(record, record.manifest())
    if parity:
        click.echo(parity["text"])
    click.echo(f"record: {record.folder}\nreport: {best_report(record)}\n{next_step(record, parity)}")


def _scores(record: "Record", manifest: dict[str, Any]) -> "RunScores":
    from pipeline_lib.records.baseline_scores import run_scores
    from pipeline_lib.records.metric_direction import Metric

    return run_scores(record, Metric.from_json(manifest.get("metric")))


def print_scores(record: "Record", manifest: dict[str, Any]) -> None:
    """Print the model's metric and value against its best baseline; in yellow where a baseline is as good."""
    from pipeline_lib.records.baseline_scores import is_warning

    for line in _scores(record, manifest).lines:
        click.secho(line, fg="yellow" if is_warning(line) else None)


_PARITY = {None: "parity not checked", "exact": "parity exact", "different": "parity DIFFERENT"}
_PARITY |= {"forgotten": "rows forgotten"}


def parity_text(parity: str | None) -> str:
    return _PARITY[parity]


def metrics_text(summary: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value_text(value)}" for name, value in (summary["metrics"] or {}).items())


def value_text(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def size_text(size: int | None) -> str:
    """Bytes in megabytes, or gigabytes from a thousand on; empty where they are not known.

    >>> size_text(412_300_000), size_text(1_234), size_text(2_500_000_000), size_text(None)
    ('412 MB', '0.0 MB', '2.5 GB', '')
    """
    if size is None:
        return ""
    megabytes = size / 1e6
    return f"{megabytes / 1e3:.3g} GB" if megabytes >= 999.5 else f"{megabytes:.{0 if megabytes >= 9.95 else 1}f} MB"


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
