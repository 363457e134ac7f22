"""Forgetting: a sealed record loses its rows, and its new seal says so.

The copy without rows is made in a hidden folder beside the record, then the two change places in one step. A process
that is killed leaves the old record or the new one; the other one's hidden folder is removed by the next call, or by
`pipeline-lib clean --leftovers`. Where the file system cannot exchange folders, the old record is moved aside first;
`cleanup.restore` brings it back if the process is killed at that moment.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import read_champion
from pipeline_lib.records.cleanup import ASIDE
from pipeline_lib.records.forgotten import Forgotten, forgotten_in
from pipeline_lib.records.index import reindex
from pipeline_lib.records.layout import CHECKS, MANIFEST, RAW_DATA
from pipeline_lib.records.learned_values import sensitive_files, stored_rows
from pipeline_lib.records.promotion import checked_reason, person
from pipeline_lib.records.prune import remove
from pipeline_lib.records.record import Record, all_records
from pipeline_lib.records.seal import verify
from pipeline_lib.records.snapshots import snapshots_of
from pipeline_lib.records.store import open_store, store_of
from pipeline_lib.records.without_rows import Part, parts_with_rows, write_without_rows
from pipeline_lib.system.exchange import exchange
from pipeline_lib.system.files import files_below, flush_tree
from pipeline_lib.system.locks import is_locked, locked


def what_goes(record: Record, project: Project) -> list[Part]:
    """The parts of a record that `forget` would remove, with their bytes; none for a record without rows.

    Raises InputError for a record that cannot be forgotten: running, killed, damaged, or its pipeline's champion.
    """
    if record.is_scratch:
        return [Part(f"{record.folder.name}/", "removed: a scratch record has no seal to keep", _bytes(record.folder))]
    _check_forgettable(record, project)
    if forgotten_in(record.manifest()):
        return []
    checks = [Part(f"{CHECKS}/{path.name}/", "results of checks removed", _bytes(path)) for path in _checks(record)]
    return [*parts_with_rows(record), *checks]


def forget(record: Record, project: Project, *, reason: str) -> None:
    """Remove the rows of a record; its new seal says who did it, when and why. A scratch record is removed whole.

    Raises InputError as `what_goes` does.
    """
    reason = checked_reason(reason)
    if record.is_scratch:
        remove(record)
        return
    _check_forgettable(record, project)
    failed = record.status() == "failed"
    remove_leftovers(record)
    if forgotten_in(record.manifest()):
        return
    when = datetime.now(UTC).isoformat(timespec="seconds")
    hidden = record.folder.parent / f".{record.id}.{secrets.token_hex(3)}.part"
    new = Record(hidden / record.pipeline / record.id)  # a record's reference is its place
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(record.folder))
        except BlockingIOError as error:
            raise InputError(f"{record.reference}: found it in use, expected no process there; wait for it") from error
        with locked(record.folder.parent, wait=True):  # `clean --leftovers` removes an unlocked folder
            new.folder.mkdir(parents=True)
            stack.enter_context(locked(hidden))
        try:
            write_without_rows(record, new, Forgotten("", reason, person(project), when))
            problems = verify(new)
            if problems:
                raise InputError(f"{record.reference}: {problems[0]}; expected files that stay as written; try again")
            for path in _checks(record):
                shutil.rmtree(path)
            _replace(record.folder, new.folder)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
    if failed:  # the index holds the text of its error
        reindex(project.runs)


def _replace(old: Path, new: Path) -> None:
    """Let the new folder take the old one's place, and the old one the new one's."""
    flush_tree(new.parents[1])
    if not exchange(old, new):
        aside = old.with_name(f".{old.name}{ASIDE}")
        old.rename(aside)
        new.rename(old)
        aside.rename(new)
    descriptor = os.open(old.parent, os.O_RDONLY)  # the exchange survives a power cut before anything is removed
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(record: Record) -> None:
    """Remove hidden folders of this record that no process works on: a killed `forget` may have left rows in one."""
    with locked(record.folder.parent, wait=True):
        for path in record.folder.parent.glob(f".{record.id}.*.part"):
            if path.is_dir() and not is_locked(path):
                shutil.rmtree(path)


def remaining(record: Record, project: Project) -> list[str]:
    """Where else rows of a record are, or may be, with what to do; one a line."""
    return [] if record.is_scratch else list(_remaining(record, project))


def _remaining(record: Record, project: Project) -> Iterator[str]:
    if project.store:
        yield from _in_store(record, project)
    if stored := stored_rows(record):
        yield f"artifact/ stays, which production loads: {stored} store numbers of training rows in it"
    yield from (f"{name}; it stays, since production loads it" for name in sensitive_files(record))
    champion = read_champion(project, record.pipeline)
    if champion and champion.previous and champion.previous.reference == record.reference:
        yield f"the champion before {champion.record.reference}: `promote --rollback` will refuse to return to it"
    files = {snapshot.file for snapshot in snapshots_of(record)}
    for other in all_records(project.runs) if files else ():
        if other.folder != record.folder and any((other.folder / name).is_file() for name in files):
            yield f"{other.reference} keeps the same snapshots, in files of its own; forget it too"
    loaded = project.runs / record.pipeline / RAW_DATA
    if loaded.is_dir():
        yield f"{project.shown(loaded)} holds what `load` returned, for the next runs; remove it"
    research = project.research_notebook(record.pipeline)
    copy = research.with_name(f"_lab_{record.pipeline}_{record.id}.ipynb")
    if copy.is_file():
        yield f"{project.shown(copy)} is a copy with outputs, made by `lab`; remove it"


def _in_store(record: Record, project: Project) -> Iterator[str]:
    try:
        address = store_of(project)
        with open_store(address) as store:
            content = store.read(store.path(record, MANIFEST))
    except (PipelineLibError, OSError) as error:
        yield f"the store was not asked for a copy: {error}"
        return
    if content is not None and not _is_without_rows(content):
        folder = f"{address.rstrip('/')}/{record.reference}"
        yield f"a copy is in the store: remove {folder} there, then `pipeline-lib push {record.reference}`"


def _is_without_rows(manifest: bytes) -> bool:
    try:
        content = json.loads(manifest)
    except ValueError:  # damaged: its rows may be there still
        return False
    return isinstance(content, dict) and forgotten_in(content) is not None


def _check_forgettable(record: Record, project: Project) -> None:
    problems = verify(record)
    if problems:
        remedy = {
            "running": "wait for its end",
            "killed": "`pipeline-lib clean --leftovers --yes` removes it whole",
        }.get(record.status(), "a new seal would hide the damage: remove its folder, if its rows must go")
        raise InputError(f"{record.reference}: {problems[0].partition('; ')[0]}; {remedy}")
    champion = read_champion(project, record.pipeline)
    if champion and champion.record.reference == record.reference:
        raise InputError(
            f"{record.reference}: found the champion of {record.pipeline}, expected another run: every clone verifies "
            f"its bytes; `pipeline-lib promote REF` makes another run the champion, then forget this one"
        )


def _checks(record: Record) -> list[Path]:
    return sorted((record.folder.parent / CHECKS).glob(f"{record.id}-*"))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in files_below(folder))
