"""Leftovers of processes that were killed: records, temporary files and folders. Only this module removes them."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.project.project import SCRATCH, Project
from pipeline_lib.records.record import Record, all_records
from pipeline_lib.system.locks import PREFIX, is_locked, locked

FRESH = 60.0
"""Seconds for which a temporary file or folder may still be in use although it is not locked."""
ASIDE = ".forgetting"
"""Ends the name of an old record that `forget` has moved aside, where the file system cannot exchange two folders."""
_IN_RUNS = (".reproduce-*", ".resume-*")


@dataclass(frozen=True)
class Leftover:
    """A file or folder that no process works on any more, and a description of it."""

    path: Path
    description: str
    remedy: str = ""
    """What can be done instead of removing it; the rest of the line that lists it."""
    in_system_folder: bool = False
    """Whether it is in the system's temporary folder, and so of any project."""

    def remove(self) -> None:
        """Remove it. A record is renamed first, so that an interrupted removal leaves no half record.

        A record that `forget` had moved aside is brought back.
        """
        path = self.path
        if path.name.endswith(ASIDE):
            restore(path.parents[1])
            return
        if path.is_dir():
            hidden = path if path.name.startswith(".") else path.with_name(f".{path.name}.part")
            shutil.rmtree(path.rename(hidden))
        else:
            path.unlink(missing_ok=True)


def find_leftovers(project: Project, *, fresh: bool = False) -> list[Leftover]:
    """Records of killed runs, records whose making was interrupted, temporary files and folders; by path.

    A living run locks what it uses, which is left out. So are notebooks, and temporary files and folders younger than
    `FRESH`; with `fresh` only these are listed. Those in the system's temporary folder may be of any project.
    """
    temporary = [part for part in (*_folders(project.runs), *_parts(project)) if _is_old(part.path) != fresh]
    records = [] if fresh else [*_killed(project.runs), *_unbegun(project.runs)]
    return sorted((*records, *temporary), key=lambda leftover: leftover.path)


def _killed(runs: Path) -> Iterator[Leftover]:
    for record in all_records(runs):
        if record.status() == "killed":
            remedy = f"; `pipeline-lib resume {record.reference}` would run it again"
            yield Leftover(record.folder, "a killed run", remedy)


def _unbegun(runs: Path) -> Iterator[Leftover]:
    for parent in (*runs.glob("[!.]*"), *runs.glob(f"[!.]*/{SCRATCH}")):
        if not parent.is_dir():
            continue
        for aside in parent.glob(f".*{ASIDE}"):
            if not is_locked(aside):
                yield Leftover(aside, "a record whose rows were being forgotten; --yes brings it back")
        with locked(parent, wait=True):  # no process is between making a folder and locking it
            parts = [path for path in parent.glob(".*.part") if path.is_dir() and not is_locked(path)]
        yield from (Leftover(path, _unfinished(path)) for path in parts)


def _unfinished(path: Path) -> str:
    """What a hidden folder of a record is: `forget` keeps the record in it below the pipeline's name."""
    if (path / path.parent.name).is_dir():
        return "what a `forget` that was cut short left, maybe rows"
    return "a run that ended before it began"


def _folders(runs: Path) -> Iterator[Leftover]:
    temporary = Path(tempfile.gettempdir())
    in_runs = (folder for pattern in _IN_RUNS for folder in runs.glob(pattern))
    for folder in (*in_runs, *temporary.glob(f"{PREFIX}*")):
        if os.access(folder, os.R_OK) and not is_locked(folder):  # a folder of another user cannot be read
            yield Leftover(
                folder, "the temporary folder of a process that has ended", in_system_folder=folder.parent == temporary
            )


def _parts(project: Project) -> Iterator[Leftover]:
    """Half-written files in the project's folders; those in a record are removed with it."""
    for folder in (project.notebooks, project.params, project.package):
        for path in folder.rglob(".*.part"):
            if path.is_file():
                yield Leftover(path, "a file that was not written to its end")


def restore(runs: Path) -> list[str]:
    """Bring back records that a killed process had moved aside; remove those whose place is taken. Their references."""
    restored = []
    for aside in sorted(runs.glob(f"*/.*{ASIDE}")):
        if is_locked(aside):
            continue
        record = Record(aside.with_name(aside.name.removeprefix(".").removesuffix(ASIDE)))
        if record.folder.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(record.folder)
            restored.append(record.reference)
    return restored


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > FRESH
    except FileNotFoundError:  # its process has just removed it
        return False
