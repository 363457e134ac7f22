"""What of a record goes to an MLflow server: pages and facts, the data of the model; raw rows only on request."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.forgotten import Forgotten, forgotten_in
from pipeline_lib.records.layout import (
    COMPILE_REPORT,
    ENVIRONMENT,
    MANIFEST,
    METRICS,
    NOTEBOOK,
    PARAMETERS,
    PARAMS_FILE,
    REPORT,
    TRAINING,
)
from pipeline_lib.records.record import REPAIR, Record
from pipeline_lib.records.seal import verify
from pipeline_lib.records.transfer import SensitiveError, check_sensitive
from pipeline_lib.records.without_rows import PUSHED, write_without_rows
from pipeline_lib.scoring.installed import ARTIFACT, FACTS, FORMAT
from pipeline_lib.system.files import canonical_json, files_below, sha256_file, write_atomic

_FACTS = (REPORT, PARAMS_FILE, PARAMETERS, METRICS, ENVIRONMENT, TRAINING, COMPILE_REPORT, MANIFEST)
PAGES, DATA = "record", "data"


@dataclass(frozen=True)
class Contents:
    """What is asked for: raw rows of the evidence with the executed notebook, and sensitive fields."""

    include_rows: bool = False
    include_sensitive: bool = False

    def __str__(self) -> str:
        parts = ("pages", *["rows"] * self.include_rows, *["sensitive fields"] * self.include_sensitive)
        return ", ".join(parts)


def check_loggable(record: Record, contents: Contents) -> None:
    """Raise InputError for a record that is no finished, whole run, or whose rows may not be logged."""
    status = record.status()
    if status != "finished":
        raise InputError(
            f"{record.reference}: found a run that is {status}, expected a finished one; log the run that "
            "`pipeline-lib run` brought to its end"
        )
    problems = verify(record)
    if problems:
        raise InputError(f"{record.reference}: {problems[0]}; {REPAIR.format(record.reference)}")
    manifest = record.manifest()
    if contents.include_rows and not record.evidence.is_dir():
        raise InputError(f"{record.reference}: found no rows, as they were forgotten; leave out --include-rows")
    fields = manifest.get("sensitive") or ()
    if contents.include_rows and fields and not contents.include_sensitive:
        raise SensitiveError(
            f"{record.reference}: found rows with the sensitive fields {', '.join(fields)}, expected none to leave "
            "their place; leave out --include-rows, or say --include-sensitive if those who can read the server may "
            "read them"
        )


def write_pages(record: Record, folder: Path, contents: Contents) -> None:
    """Write the files that people read into `folder`; of a record with sensitive fields those of a copy without rows.

    Raises SensitiveError where the artifact may hold values of such a field.
    """
    shown = _shown(record, folder.parent, contents)
    folder.mkdir()
    for name in _FACTS:
        if (shown.folder / name).is_file():
            shutil.copyfile(shown.folder / name, folder / name)
    if contents.include_rows:
        shutil.copytree(record.evidence, folder / record.evidence.name)
        shutil.copyfile(record.notebook, folder / NOTEBOOK)


def _shown(record: Record, folder: Path, contents: Contents) -> Record:
    manifest = record.manifest()
    if not manifest.get("sensitive") or contents.include_sensitive or forgotten_in(manifest):
        check_sensitive(record.reference, manifest, include_sensitive=contents.include_sensitive)
        return record
    copy = Record(folder / "copy" / record.pipeline / record.id)
    copy.folder.mkdir(parents=True)
    write_without_rows(record, copy, Forgotten("", PUSHED))
    check_sensitive(record.reference, copy.manifest(), include_sensitive=False)
    return copy


def write_data(record: Record, folder: Path, project: Project) -> None:
    """Write the model's data into `folder`: the artifact, and which record it is of, with the digest of each file."""
    shutil.copytree(record.artifact, folder / ARTIFACT)
    facts = {
        "format": FORMAT,
        "pipeline": record.pipeline,
        "record": record.reference,
        "digest": record.manifest()["digest"],
        "library": project.library,
        "trust": list(project.trust),
        "files": {path.relative_to(folder).as_posix(): sha256_file(path) for path in files_below(folder)},
    }
    write_atomic(folder / FACTS, canonical_json(facts))
