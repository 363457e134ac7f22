"""What runs leave behind that did not come to their end: found by this module, removed by nobody else."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.project.project import SCRATCH, Project
from pipeline_lib.records.record import all_records
from pipeline_lib.system.locks import PREFIX, is_locked, locked

FRESH = 60.0
"""Seconds for which a temporary file or folder may still be on its way to its owner."""
ENDED = "the temporary folder of a process that has ended"
_IN_RUNS = (".reproduce-*", ".resume-*")


@dataclass(frozen=True)
class Leftover:
    """Something that nobody works on any more, and in words what it is."""

    path: Path
    kind: str
    remedy: str = ""
    """What could be done instead of removing it."""

    def remove(self) -> None:
        """Remove it; a record goes at once for whoever looks, whatever interrupts the removal."""
        path = self.path
        if path.is_dir():
            hidden = path if path.name.startswith(".") else path.with_name(f".{path.name}.part")
            shutil.rmtree(path.rename(hidden))
        else:
            path.unlink(missing_ok=True)


def find_leftovers(project: Project, *, fresh: bool = False) -> list[Leftover]:
    """Records of killed runs, records that were never begun in full, temporary files and folders; by path.

    A run that lives holds a lock on what it uses, and is left alone. So are notebooks, and temporary files and folders
    younger than `FRESH`; with `fresh` only these are told. Those of the system's folder may be of any project.
    """
    temporary = [one for one in (*_folders(project.runs), *_parts(project)) if _is_old(one.path) != fresh]
    found = [] if fresh else [*_killed(project.runs), *_unbegun(project.runs)]
    return sorted((*found, *temporary), key=lambda leftover: leftover.path)


def _killed(runs: Path) -> Iterator[Leftover]:
    for record in all_records(runs):
        if record.status() == "killed":
            remedy = f"; `pipeline-lib resume {record.reference}` would run it again"
            yield Leftover(record.folder, "a killed run", remedy)


def _unbegun(runs: Path) -> Iterator[Leftover]:
    for parent in (*runs.glob("[!.]*"), *runs.glob(f"[!.]*/{SCRATCH}")):
        if not parent.is_dir():
            continue
        with locked(parent, wait=True):  # nobody is between making a folder and locking it
            parts = [path for path in parent.glob(".*.part") if path.is_dir() and not is_locked(path)]
        yield from (Leftover(path, "a run that ended before it began") for path in parts)


def _folders(runs: Path) -> Iterator[Leftover]:
    temporary = Path(tempfile.gettempdir())
    for folder in (*(found for kind in _IN_RUNS for found in runs.glob(kind)), *temporary.glob(f"{PREFIX}*")):
        if os.access(folder, os.R_OK) and not is_locked(folder):  # else another user's
            yield Leftover(folder, ENDED)


def _parts(project: Project) -> Iterator[Leftover]:
    """Half-written files beside whole ones; those in a record go with it."""
    for folder in (project.notebooks, project.params, project.package):
        for path in folder.rglob(".*.part"):
            if path.is_file():
                yield Leftover(path, "a file that was not written to its end")


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > FRESH
    except FileNotFoundError:  # its owner has taken it away
        return False
