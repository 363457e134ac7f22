"""What is to be done after a run or a parity check."""

from typing import Any

from pipeline_lib.records.promotable import source_problem
from pipeline_lib.records.record import Record
from pipeline_lib.records.run_command import run_arguments


def next_step(record: Record, parity: dict[str, Any] | None) -> str:
    """The command that follows a finished run or a parity check, as one line; `parity` is the stored result."""
    if parity is None:
        return f"next: pipeline-lib parity {record.reference}"
    if not parity["exact"]:
        return f"next: correct what the first difference names, then pipeline-lib run {run_arguments(record)}"
    if source_problem(record):
        return f"next: to promote it, commit its files first, then pipeline-lib run {run_arguments(record)} --force"
    if not parity.get("full"):
        return f"next: pipeline-lib parity {record.reference} --full"
    return f"next: pipeline-lib promote {record.reference} --reason 'WHY'"
