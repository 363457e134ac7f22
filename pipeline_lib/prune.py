"""Which runs can go, and taking them away."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.files import files_below
from pipeline_lib.index import CHECKS, summaries
from pipeline_lib.locks import locked
from pipeline_lib.record import SEALED, Record, verify

_REMOVABLE = (*SEALED, "killed")


@dataclass(frozen=True)
class Pruned:
    """A run that can go: its record, what became of it, and the bytes of record and checks."""

    record: Record
    status: str
    size: int


def superseded(runs: Path, keep: int, pipeline: str | None = None) -> list[Pruned]:
    """Runs older than the `keep` newest finished ones of their pipeline, oldest first.

    Running and damaged ones are never among them, and nothing goes of a pipeline with fewer finished runs than that.
    Raises InputError for a pipeline without runs.
    """
    found = summaries(runs, pipeline)
    if pipeline and not found:
        raise InputError(f"found no runs of {pipeline!r}, expected some; `pipeline-lib runs` lists what there is")
    finished: dict[str, int] = {}
    old = []
    for summary in reversed(found):
        if finished.get(summary["pipeline"], 0) >= keep and summary["status"] in _REMOVABLE:
            record = Record(Path(summary["folder"]))
            old.append(Pruned(record, summary["status"], _size(record)))
        elif summary["status"] == "finished" and not verify(Record(Path(summary["folder"]))):
            finished[summary["pipeline"]] = finished.get(summary["pipeline"], 0) + 1
    return old[::-1]


def remove(record: Record) -> None:
    """Take away a record and its checks; a removal that is cut short leaves nothing that looks like a record.

    Raises InputError for a record that a living process writes.
    """
    hidden = record.folder.with_name(f".{record.id}.{secrets.token_hex(3)}.part")
    checks = list(_checks(record))
    try:
        with locked(record.folder):
            record.folder.rename(hidden)
            for folder in (hidden, *checks):
                shutil.rmtree(folder)
    except BlockingIOError as error:
        raise InputError(f"{record.reference}: found a run that goes on, expected its end; wait for it") from error


def _size(record: Record) -> int:
    folders = (record.folder, *_checks(record))
    return sum(path.stat().st_size for folder in folders for path in files_below(folder))


def _checks(record: Record) -> Iterator[Path]:
    return (record.folder.parent / CHECKS).glob(f"{record.id}-*")
