"""What is to be done after a run or a parity check."""

from contextlib import suppress
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import project_around
from pipeline_lib.records.champion import read_champion
from pipeline_lib.records.comparison_kept import read_comparison
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
    return f"next: pipeline-lib {_promotion(record)}"


def _promotion(record: Record) -> str:
    """What makes a checked record the champion: a comparison with the present one, then a promotion."""
    champion = None
    with suppress(InputError):  # a pointer or settings that cannot be read: promote says so
        project = project_around(record.folder)
        champion = read_champion(project, record.pipeline) if project else None
    with_reason = f"promote {record.reference} --reason 'WHY'"
    if champion is None or champion.record.digest == record.manifest().get("digest"):
        return with_reason
    kept = read_comparison(record, champion.record.digest)
    if kept is None:
        return f"compare {champion.record.reference} {record.reference}"
    return f"promote {record.reference}" if kept.not_worse else with_reason
