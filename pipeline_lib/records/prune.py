"""Which runs can go, and taking them away."""

import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import CHECKS, SWEEP, SWEEPS
from pipeline_lib.records.record import SEALED, Record
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import files_below, read_json
from pipeline_lib.system.locks import locked

_REMOVABLE = (*SEALED, "killed")


@dataclass(frozen=True)
class Pruned:
    """A run that can go: its record, what became of it, the bytes of record and checks, and the sweeps it is of."""

    record: Record
    status: str
    size: int
    sweeps: tuple[str, ...] = ()


def superseded(runs: Path, keep: int, pipeline: str | None = None) -> list[Pruned]:
    """Runs older than the `keep` newest finished ones of their pipeline, oldest first.

    Running and damaged ones are never among them, nor a sweep's best member; its others count as any run. Nothing goes
    of a pipeline with fewer finished runs than that.
    Raises InputError for a pipeline without runs.
    """
    found = summaries(runs, pipeline)
    if pipeline and not found:
        raise InputError(f"found no runs of {pipeline!r}, expected some; `pipeline-lib runs` lists what there is")
    sweeps = _sweeps(runs)
    best = {told.get("best") for told in sweeps.values()}
    finished: dict[str, int] = {}
    old = []
    for summary in reversed(found):
        if finished.get(summary["pipeline"], 0) >= keep and summary["status"] in _REMOVABLE:
            record = Record(Path(summary["folder"]))
            member_of = tuple(name for name, told in sweeps.items() if record.reference in _members(told))
            if record.reference not in best:
                old.append(Pruned(record, summary["status"], _size(record), member_of))
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


def remove_pages(runs: Path) -> list[str]:
    """Take away the pages of sweeps of whose members none is left, and name these sweeps."""
    gone = [
        name for name, told in _sweeps(runs).items() if not any((runs / member).is_dir() for member in _members(told))
    ]
    for name in gone:
        shutil.rmtree(runs / SWEEPS / name)
    return gone


def _sweeps(runs: Path) -> dict[str, dict[str, Any]]:
    """What each sweep's page says, by the sweep's name."""
    told = {path.parent.name: read_json(path) for path in sorted(runs.glob(f"{SWEEPS}/*/{SWEEP}"))}
    return {name: content for name, content in told.items() if isinstance(content, dict)}


def _members(told: Mapping[str, Any]) -> list[str]:
    return [member["reference"] for member in told.get("members", ()) if member["reference"]]


def _size(record: Record) -> int:
    folders = (record.folder, *_checks(record))
    return sum(path.stat().st_size for folder in folders for path in files_below(folder))


def _checks(record: Record) -> Iterator[Path]:
    return (record.folder.parent / CHECKS).glob(f"{record.id}-*")
