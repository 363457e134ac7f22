"""Removing old runs: which ones can go, and deleting them."""

import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.keep_runs import KeepRuns
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import CHECKS, SWEEP, SWEEPS
from pipeline_lib.records.record import SEALED, Record
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import files_below, read_json
from pipeline_lib.system.locks import locked

_REMOVABLE = (*SEALED, "killed")


@dataclass(frozen=True)
class OldRun:
    """A run that can be removed: its status, the bytes of record and checks, and the sweeps that it is a member of."""

    record: Record
    status: str
    size: int
    sweeps: tuple[str, ...] = ()


def find_old_runs(
    runs: Path,
    keep: int | KeepRuns,
    pipeline: str | None = None,
    *,
    protected: Collection[str] = (),
    younger_stay: timedelta = timedelta(0),
) -> list[OldRun]:
    """Runs older than the `keep` newest finished ones of their pipeline, oldest first.

    `keep` is one number for all, or that of each pipeline; runs younger than `younger_stay` stay. A running or damaged
    run is never listed, nor the best member of a sweep, nor the run that the pipeline's name means, nor one of the
    references `protected`; other members of a sweep are listed like any run. A pipeline with at most `keep` finished
    runs has none. Raises InputError for a pipeline without runs.
    """
    run_summaries = summaries(runs, pipeline)
    if pipeline and not run_summaries:
        raise InputError(f"found no runs of {pipeline!r}, expected some; `pipeline-lib runs` lists what there is")
    numbers = KeepRuns(keep) if isinstance(keep, int) else keep
    newest_id = f"{datetime.now(UTC) - younger_stay:%Y%m%dT%H%M%S}"
    sweeps = _sweeps(runs)
    stays = {*protected, *(sweep.get("best") for sweep in sweeps.values())}
    finished: dict[str, int] = {}
    named: set[str] = set()
    old = []
    for summary in reversed(run_summaries):
        newest = summary["status"] == "finished" and summary["pipeline"] not in named
        if newest and not Record(Path(summary["folder"])).is_sweep_member:
            named.add(summary["pipeline"])
            stays.add(summary["reference"])
        number = numbers.of(summary["pipeline"])
        if number is None:
            continue
        if finished.get(summary["pipeline"], 0) >= number and summary["status"] in _REMOVABLE:
            record = Record(Path(summary["folder"]))
            if younger_stay and record.id > newest_id:
                continue
            member_of = tuple(name for name, sweep in sweeps.items() if record.reference in _members(sweep))
            if record.reference not in stays:
                old.append(OldRun(record, summary["status"], _size(record), member_of))
        elif summary["status"] == "finished" and not verify(Record(Path(summary["folder"]))):
            finished[summary["pipeline"]] = finished.get(summary["pipeline"], 0) + 1
    return old[::-1]


def remove(record: Record) -> None:
    """Remove a record and its checks; an interrupted removal leaves nothing that looks like a record.

    Raises InputError for a record whose runner lives.
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
    """Remove the pages of sweeps whose members are all gone; the names of these sweeps."""
    removed = [
        name for name, sweep in _sweeps(runs).items() if not any((runs / member).is_dir() for member in _members(sweep))
    ]
    for name in removed:
        shutil.rmtree(runs / SWEEPS / name)
    return removed


def _sweeps(runs: Path) -> dict[str, dict[str, Any]]:
    """The content of each sweep's `sweep.json`, by the sweep's name."""
    contents = {path.parent.name: read_json(path) for path in sorted(runs.glob(f"{SWEEPS}/*/{SWEEP}"))}
    return {name: content for name, content in contents.items() if isinstance(content, dict)}


def _members(sweep: Mapping[str, Any]) -> list[str]:
    return [member["reference"] for member in sweep.get("members", ()) if member["reference"]]


def _size(record: Record) -> int:
    folders = (record.folder, *_checks(record))
    return sum(path.stat().st_size for folder in folders for path in files_below(folder))


def _checks(record: Record) -> Iterator[Path]:
    return (record.folder.parent / CHECKS).glob(f"{record.id}-*")
