"""The record of a champion: from the runs folder, or fetched from its store, and verified against the pointer."""

from pathlib import Path
from typing import Any

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.project import Project
from pipeline_lib.project.store_address import is_url, resolve_address
from pipeline_lib.records.champion import Champion, SealedReference, champion_path, read_champion
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.records.transfer import Progress, SensitiveError, pull

CHAMPION = "champion"
"""`boats@champion` names the record of a pipeline's champion."""


def champion_of(project: Project, pipeline: str) -> Champion:
    """The champion of a pipeline. Raises InputError where there is none."""
    champion = read_champion(project, pipeline)
    if champion is None:
        raise InputError(
            f"{pipeline}@{CHAMPION}: found no {project.shown(champion_path(project, pipeline))}, expected the pointer "
            "to a champion; `pipeline-lib promote REF --reason TEXT` writes one, or `git pull` brings a colleague's"
        )
    return champion


def find_champion(project: Project, pipeline: str) -> Record:
    """The record of a pipeline's champion: the one in the runs folder, else fetched from its store whole.

    Every byte is verified against the pointer. Raises InputError where there is no champion or no store that has it,
    and for sensitive fields; DifferenceError for other bytes than were promoted.
    """
    champion = champion_of(project, pipeline)
    try:
        return sealed_record(project, champion.record)
    except SensitiveError as error:
        raise InputError(
            f"{error}; here `pipeline-lib pull {pipeline}@{CHAMPION} --include-sensitive` fetches it"
        ) from error


def fetch_champion(
    project: Project,
    pipeline: str,
    url: str | None = None,
    *,
    include_sensitive: bool = False,
    progress: Progress = lambda name: None,
) -> Record:
    """As `find_champion`, from another address where one is given, and with sensitive fields on request."""
    champion = champion_of(project, pipeline)
    return sealed_record(project, champion.record, url, include_sensitive=include_sensitive, progress=progress)


def sealed_record(
    project: Project,
    wanted: SealedReference,
    url: str | None = None,
    *,
    include_sensitive: bool = False,
    progress: Progress = lambda name: None,
) -> Record:
    """The record that a sealed reference names, every byte verified; fetched where the runs folder has no such one."""
    record = Record(project.runs / wanted.reference)
    if record.folder.exists():
        _check_promoted(record, wanted)
        return record
    options: dict[str, Any] = {"include_sensitive": include_sensitive, "progress": progress}
    reasons = []
    for address in [url] if url else _addresses(project, wanted):
        try:
            _check_there(address)
            return pull(wanted.reference, address, project.runs, digest=wanted.digest, **options)
        except SensitiveError:
            raise
        except (InputError, OSError) as error:
            reasons.append(str(error))
    raise InputError(
        f"{wanted.reference}: found it neither in {project.shown(project.runs)} nor in its store, expected it there:\n"
        + "\n".join(reasons)
    )


def _check_promoted(record: Record, wanted: SealedReference) -> None:
    """DifferenceError where a record in the runs folder is not the one that was promoted, byte for byte."""
    problems = verify(record)
    if not problems and record.manifest()["digest"] == wanted.digest:
        return
    forgotten = None if problems else forgotten_in(record.manifest())
    if forgotten and forgotten.seal == wanted.digest:
        raise DifferenceError(
            f"{wanted.reference}: {forgotten}; found {record.folder} without them, expected every byte as it was "
            "promoted; `pipeline-lib promote REF --reason TEXT` makes another run the champion"
        )
    what = f"a damaged record ({problems[0]})" if problems else "another record of this name"
    raise DifferenceError(
        f"{wanted.reference}: found {what} in {record.folder}, expected every byte as it was promoted; move the folder "
        "away, then it is fetched from the store"
    )


def _check_there(address: str) -> None:
    if not is_url(address) and not Path(address).is_dir():
        raise InputError(f"found no folder {address}, expected the store; mount its disk, or correct `store`")


def _addresses(project: Project, wanted: SealedReference) -> list[str]:
    """Where a record can be: the store that it was pushed to, and the project's store, which may have moved."""
    addresses = (resolve_address(address, project.root) for address in (wanted.store, project.store) if address)
    return list(dict.fromkeys(addresses))
