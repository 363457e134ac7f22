"""Promotion: a record becomes the champion of its pipeline, or the one before it becomes so again.

The record is pushed first, and every byte verified in the store; then the pointer is written by a rename. A promotion
that is killed in between leaves the old champion, and a record in the store that the next one finds there.
"""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.git import git_user
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import (
    CHAMPIONS,
    Champion,
    Compared,
    SealedReference,
    read_champion,
    write_champion,
)
from pipeline_lib.records.champion_record import champion_of, sealed_record
from pipeline_lib.records.comparison_kept import read_comparison
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.promotable import problems_of
from pipeline_lib.records.record import Record
from pipeline_lib.records.store import store_of
from pipeline_lib.records.transfer import Progress, check_sensitive, push
from pipeline_lib.system.locks import locked


def promote(
    record: Record,
    project: Project,
    *,
    reason: str | None = None,
    include_sensitive: bool = False,
    progress: Progress = lambda name: None,
) -> Champion:
    """Push a record to the project's store and write the pointer that makes it its pipeline's champion.

    Where there is a champion, a kept comparison of the record with it is asked for that says better or not worse, or a
    `reason`; the pointer keeps both. Without a `reason` the comparison's sentence is the reason. `progress` is called
    with each file that is sent. Raises InputError, before anything is written, for a record that is not whole,
    finished, checked with `parity --full` and exact, and made from committed files only; where neither a comparison nor
    a reason speaks for it; for a sensitive one without `include_sensitive`; and where settings.ini names no store.
    DifferenceError when other bytes arrive.
    """
    check_promotable(record, project, include_sensitive=include_sensitive)
    with _alone(project):
        champion = next_champion(record, project, reason=reason)
        push(record, store_of(project), include_sensitive=include_sensitive, progress=progress)
        write_champion(project, champion)
    return champion


def check_promotable(record: Record, project: Project, *, include_sensitive: bool = False) -> None:
    """Raise InputError, with every reason, for a record that cannot become the champion of its pipeline."""
    store_of(project)
    problems = problems_of(record)
    if problems:
        raise InputError("\n".join(f"{record.reference}: {problem}" for problem in problems))
    check_sensitive(record.reference, record.manifest(), include_sensitive=include_sensitive)


def next_champion(record: Record, project: Project, *, reason: str | None = None) -> Champion:
    """The pointer that would make a record the champion; nothing is written.

    Raises InputError where the record is the champion already, and where neither a kept comparison nor a reason speaks
    for it.
    """
    reason = None if reason is None else checked_reason(reason)
    before = read_champion(project, record.pipeline)
    wanted = _sealed_reference(record, project)
    if before and before.record == wanted:
        raise InputError(
            f"{record.reference}: found it as the champion already, since {before.since:%Y-%m-%d %H:%M} UTC, "
            "expected another run; name that one"
        )
    if before and before.record.digest == wanted.digest:  # the same record in another store
        return _champion(record, project, _given(reason, "another store"), before.previous, before.compared)
    kept = read_comparison(record, before.record.digest) if before else None
    compared = Compared(kept.verdict, kept.not_worse, kept.sentence) if kept else None
    if reason is None and compared and compared.favourable:
        reason = compared.sentence
    if reason is None and before:
        raise InputError(f"{record.reference}: {not_shown(record.reference, before.record, compared)}, or say --reason")
    return _champion(record, project, _given(reason, "the first champion"), before.record if before else None, compared)


def not_shown(reference: str, champion: SealedReference, compared: Compared | None) -> str:
    """What speaks against a promotion: no comparison with the champion, or an unfavourable one; and what to do."""
    found = f"found the comparison {compared.sentence!r}" if compared else "found no comparison"
    return (
        f"{found} with the champion {champion.reference}, expected one that says better or not worse; "
        f"`pipeline-lib compare {champion.reference} {reference}` compares"
    )


def _given(reason: str | None, what: str) -> str:
    if reason is None:
        raise InputError(f"found {what} without --reason, expected one line of text; say why with --reason TEXT")
    return reason


def roll_back(
    project: Project,
    pipeline: str,
    *,
    reason: str,
    include_sensitive: bool = False,
    progress: Progress = lambda name: None,
) -> Champion:
    """Make the champion before the present one the champion again, once every byte of it is verified.

    Raises InputError where there is no champion, none before it, or where a rollback made the present one.
    """
    reason = checked_reason(reason)
    store_of(project)
    with _alone(project):
        now = champion_of(project, pipeline)
        if now.rolled_back or now.previous is None:
            what = "a champion that a rollback made" if now.rolled_back else "the first champion"
            raise InputError(
                f"{pipeline}@champion: found {what}, {now.record.reference}, expected one that replaced another; "
                f"`pipeline-lib champions {pipeline} --history` lists all, `pipeline-lib promote REF` takes any of them"
            )
        record = sealed_record(project, now.previous, include_sensitive=include_sensitive, progress=progress)
        champion = replace(_champion(record, project, reason, now.record), rolled_back=True)
        push(record, store_of(project), include_sensitive=include_sensitive, progress=progress)
        write_champion(project, champion)
    return champion


def checked_reason(reason: str) -> str:
    if not reason.strip() or not reason.isprintable():
        raise InputError(f"--reason: found {reason!r}, expected one line of text; say why")
    return reason.strip()


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """No other promotion in this checkout inside the block."""
    folder = project.root / CHAMPIONS
    folder.mkdir(exist_ok=True)
    try:
        with locked(folder):
            try:
                yield
            finally:
                if not any(folder.iterdir()):
                    folder.rmdir()
    except BlockingIOError as error:
        raise InputError(
            f"found another promotion that goes on in {folder.parent}, expected none; wait for its end, then look at "
            "`pipeline-lib champions`"
        ) from error


def _champion(
    record: Record,
    project: Project,
    reason: str,
    previous: SealedReference | None,
    compared: Compared | None = None,
) -> Champion:
    """The pointer to a record, from now on."""
    return Champion(
        _sealed_reference(record, project),
        reason,
        person(project),
        datetime.now(UTC).replace(microsecond=0),
        _first_line(read_parity(record)),
        metrics=_metrics(record),
        previous=previous,
        compared=compared,
    )


def _sealed_reference(record: Record, project: Project) -> SealedReference:
    return SealedReference(record.reference, str(record.manifest()["digest"]), project.store)


def person(project: Project) -> str:
    """Git's user, or the one who is logged in."""
    try:
        name = git_user(project.root) or getpass.getuser()
        return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split()) or "unknown"
    except (KeyError, OSError, ImportError):
        return "unknown"


def _first_line(parity: Mapping[str, Any] | None) -> str:
    """The verdict of a parity result, `exact (293 rows, …)`."""
    return str(parity["text"]).partition("\n")[0].removeprefix("parity: ") if parity else ""


def _metrics(record: Record) -> dict[str, float]:
    metrics = record.read_json(METRICS)
    return {str(name): float(value) for name, value in metrics.items()} if isinstance(metrics, dict) else {}
