"""References: `houses`, `houses@latest`, `houses@best`, `houses@champion`, `houses/ID`, or the path of a record."""

import re
from itertools import islice
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import SCRATCH, Project, find_project
from pipeline_lib.records.best import best_run
from pipeline_lib.records.champion import champion_path
from pipeline_lib.records.champion_record import CHAMPION, find_champion
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import DAMAGED, Record, all_records

_REFERENCE = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)(@(?P<which>latest|best|champion|scratch))?(/(?P<id>[0-9A-Za-z-]+))?"
)
_EXPECTED = (
    "expected a run by name (NAME, NAME@latest, NAME@best, NAME@champion, NAME@scratch, NAME/ID) or a record's path"
)
_MOST_LISTED = 5


def record_at(path: Path) -> Record | None:
    """The record whose folder, or manifest, a path names; None when it names neither."""
    folder = path.parent if path.name == MANIFEST else path
    try:
        return Record(folder.resolve()) if (folder / MANIFEST).is_file() else None
    except (OSError, ValueError):  # a name too long, a NUL
        return None


def as_record(record: Record | str | Path) -> Record:
    """A record as it is, by its path, or by a reference into the project around the working directory."""
    if isinstance(record, Record):
        return record
    found = record_at(Path(record))
    if found is None:
        project = find_project()
        project.check_loaded()
        found = find_record(str(record), project)
    return found


def find_record(reference: str, project: Project) -> Record:
    """The record that a reference names.

    `houses` is the newest finished run (or a newer damaged one, so that damage is noticed) that is no member of a
    sweep: of many members the one that ended last means nothing. `houses@latest` is the newest run of any status, a
    member too, `houses@best` the best finished one with exact parity by METRIC, `houses@scratch` the newest interactive
    one, `houses@champion` the one that `champions/houses.yml` names, which is fetched from its store where it is not
    here; `houses/ID` and `houses@scratch/ID` are one run (the first letters of its ID suffice); anything else is the
    path of a record. Raises InputError, which lists the runs that exist; DifferenceError for a damaged champion.
    """
    record = record_at(Path(reference))
    if record:
        return record
    parts = _REFERENCE.fullmatch(reference)
    if parts is None or (parts["which"] not in (None, SCRATCH) and parts["id"]):
        raise InputError(f"found no run {reference!r}, {_EXPECTED}; `pipeline-lib runs` lists what there is")
    name, which, start = parts["name"], parts["which"], parts["id"]
    if which == "best":
        return best_run(project, name)
    if which == CHAMPION:
        return find_champion(project, name)
    records = [r for r in all_records(project.runs, scratch=which == SCRATCH) if r.pipeline == name]
    if start:
        matches = [record for record in records if record.id.startswith(start)]
        _check_one(reference, matches)
    else:
        meant = (record for record in reversed(records) if which or _is_meant_by_name(record))
        matches = list(islice(meant, 1))
    if not matches:
        raise InputError(_no_such_record(reference, name, records, project))
    record = matches[0]
    sealed_as = record.reference if record.status() == DAMAGED else record.manifest().get("reference", record.reference)
    if sealed_as != record.reference:
        raise InputError(f"{record.folder}: found the record of {sealed_as}, expected its own; move it there")
    return record


def _is_meant_by_name(record: Record) -> bool:
    """Whether a pipeline's name alone may mean this run."""
    return record.status() in ("finished", DAMAGED) and not record.is_sweep_member


def _check_one(reference: str, matches: list[Record]) -> None:
    if len(matches) > 1:
        listed = ", ".join(record.id for record in matches[:_MOST_LISTED])
        more = f" and {len(matches) - _MOST_LISTED} more" if len(matches) > _MOST_LISTED else ""
        raise InputError(f"found {len(matches)} runs whose name begins with {reference}, expected one: {listed}{more}")


def _no_such_record(reference: str, name: str, records: list[Record], project: Project) -> str:
    """Which runs there are, and how to get one: the champion, a colleague's, or a new one."""
    if champion_path(project, name).is_file():
        promoted = f"; `{name}@{CHAMPION}` is the promoted one"
    else:
        promoted = f"; `pipeline-lib pull {name}` looks into the store" if project.store else ""
    return f"{_runs_there(reference, name, records, project)}{promoted}"


def _runs_there(reference: str, name: str, records: list[Record], project: Project) -> str:
    if records:
        listed = ", ".join(f"{record.reference} ({_described(record)})" for record in records[-_MOST_LISTED:])
        latest = f"; `{name}@latest` is the newest" if reference == name else ""
        if latest and any(record.is_sweep_member for record in records):
            latest = f"; name a member of a sweep by its ID, as the sweep prints it{latest}"
        return f"found no run {reference!r}, expected one of the runs of {name}: {listed}{latest}"
    pipelines = ", ".join(sorted({record.pipeline for record in all_records(project.runs)})) or "none yet"
    parameters = project.params / f"{name}.yml"
    make = f"; `pipeline-lib run {project.shown(parameters)}` makes one" if parameters.is_file() else ""
    return f"found no run {reference!r}, {_EXPECTED}; pipelines with runs: {pipelines}{make}"


def _described(record: Record) -> str:
    return f"{record.status()}{', of a sweep' if record.is_sweep_member else ''}"
