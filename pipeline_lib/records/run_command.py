"""How a run is started again, and what is to be done after one."""

import shlex
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record


def run_arguments(record: Record) -> str:
    """The parameters file and overrides of a run, as arguments of `pipeline-lib run`."""
    try:
        manifest: dict[str, Any] = record.manifest()
    except InputError:
        manifest = {}
    overrides = (f" --set {shlex.quote(text)}" for text in manifest.get("overrides") or ())
    return f"{manifest.get('parameters_file') or f'params/{record.pipeline}.yml'}{''.join(overrides)}"


def next_step(record: Record, parity: dict[str, Any] | None) -> str:
    """The command that follows a finished run or a parity check, as one line; `parity` is the stored result."""
    from pipeline_lib.records.promotable import source_problem

    if parity is None:
        return f"next: pipeline-lib parity {record.reference}"
    if not parity["exact"]:
        return f"next: correct what the first difference names, then pipeline-lib run {run_arguments(record)}"
    if source_problem(record):
        return f"next: to promote it, commit its files first, then pipeline-lib run {run_arguments(record)} --force"
    if not parity.get("full"):
        return f"next: pipeline-lib parity {record.reference} --full"
    return f"next: pipeline-lib promote {record.reference} --reason 'WHY'"
