"""The run record on disk: a folder that cannot look finished unless it is, and never changes afterwards.

While its runner lives the folder is locked; the manifest, written last by an atomic rename, seals it with a
digest of every file and of itself.
"""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.files import (
    canonical_json,
    files_below,
    flush_tree,
    read_json,
    sha256_bytes,
    sha256_file,
    write_atomic,
)
from pipeline_lib.project import Project

FORMAT = 1
MANIFEST = "manifest.json"
PARAMETERS = "params.json"
METRICS = "metrics.json"
ENVIRONMENT = "environment.json"
TRAINING = "training.json"
COMPILE_REPORT = "compile.json"
GIT_DIFF = "git.diff"
SCRATCH = "scratch"
RECORD_VARIABLE = "PIPELINE_LIB_RECORD"
"""Environment variable by which the runner tells the kernel which record is its own."""
SEALED = ("finished", "failed")
DAMAGED = "damaged"
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
_REFERENCE = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(@(?P<which>latest|scratch))?(/(?P<id>[0-9A-Za-z-]+))?")
_EXPECTED = "expected a run by name (NAME, NAME@latest, NAME@scratch, NAME/ID) or a record's path"


@dataclass(frozen=True)
class Record:
    """One run's folder. `reference` is how people name it: `houses/20261123T074512-8f3a2c`.

    A scratch record, made in Jupyter, is `houses@scratch/20261123T074512-8f3a2c`.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The run's own name: UTC time of its start and six random hex digits."""
        return self.folder.name

    @property
    def pipeline(self) -> str:
        """Name of the pipeline that ran."""
        return self.folder.parent.parent.name if self.is_scratch else self.folder.parent.name

    @property
    def is_scratch(self) -> bool:
        """Whether the run was interactive."""
        return self.folder.parent.name == SCRATCH

    @property
    def reference(self) -> str:
        """The run by name."""
        return f"{self.pipeline}{f'@{SCRATCH}' if self.is_scratch else ''}/{self.id}"

    @property
    def artifact(self) -> Path:
        """Folder of the artifact that production loads."""
        return self.folder / "artifact"

    @property
    def evidence(self) -> Path:
        """Folder of what production must repeat."""
        return self.folder / "evidence"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.folder / "report.html"

    @property
    def notebook(self) -> Path:
        """The executed notebook."""
        return self.folder / "notebook.ipynb"

    def manifest(self) -> dict[str, Any]:
        """The manifest as it stands; InputError when it is missing or no JSON object."""
        content = self.read_json(MANIFEST)
        if content is None:
            raise InputError(
                f"{self.folder}: found no {MANIFEST}, expected a record; name a run as `pipeline-lib runs` does"
            )
        if not isinstance(content, dict):
            raise InputError(f"{self.folder / MANIFEST}: found a damaged manifest, expected a JSON object; run again")
        return content

    def status(self) -> str:
        """`running`, `finished`, `failed`, `killed`, `scratch` or `damaged`.

        A run that is not sealed and whose lock is free was killed: nobody is left to finish it.
        """
        try:
            status = str(self.manifest().get("status"))
        except InputError:
            return DAMAGED
        if status not in (*SEALED, "running", SCRATCH):
            return DAMAGED
        return "killed" if status == "running" and not is_locked(self.folder) else status

    def read_json(self, name: str) -> Any:
        """A JSON file of the record; None where the run did not get as far as writing it.

        Raises InputError when the file is no JSON.
        """
        return read_json(self.folder / name)


def create_record(runs: Path, pipeline: str, *, scratch: bool = False) -> Record:
    """Make a folder for a new run, with a manifest from its first moment; names sort by time and never meet."""
    parent = runs / pipeline / SCRATCH if scratch else runs / pipeline
    parent.mkdir(parents=True, exist_ok=True)
    record = Record(parent / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}")
    begun = Record(parent / f".{record.id}.part")
    begun.folder.mkdir()
    write_manifest(begun, {"status": SCRATCH if scratch else "running", "reference": record.reference})
    begun.folder.rename(record.folder)
    return record


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a record's lock; the system lets go of it when the process dies, however it dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Whether a living process holds the record's lock."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def write_manifest(record: Record, manifest: dict[str, Any]) -> None:
    """Write a manifest that seals nothing yet (`running`, `scratch`)."""
    write_atomic(record.folder / MANIFEST, canonical_json({"format": FORMAT, **manifest}))


def seal(record: Record, manifest: dict[str, Any]) -> None:
    """Flush every file, list it with its digest, and write the manifest last.

    Links, special files and empty folders are removed: nothing in the record could vouch for them.
    """
    keep_plain_files(record.folder)
    flush_tree(record.folder)
    listed = {name: sha256_file(record.folder / name) for name in _names(record.folder)}
    content = {"format": FORMAT, **manifest, "files": listed}
    content["digest"] = sha256_bytes(canonical_json(content))
    write_atomic(record.folder / MANIFEST, canonical_json(content))


def verify(record: Record) -> list[str]:
    """What is not as it was sealed, one problem a line; empty when every byte is."""
    try:
        manifest = record.manifest()
    except InputError as error:
        return [str(error)]
    status = record.status()
    if status in ("running", "killed", SCRATCH):
        again = f"`pipeline-lib run` with the parameters of {record.pipeline} makes one"
        return [f"{MANIFEST}: found status {status!r}, expected a sealed record; {again}"]
    problem = _manifest_problem(record, manifest)
    if problem:
        return [f"{MANIFEST}: {problem}"]
    reference = str(manifest.get("reference", record.id))
    renamed = [] if reference.endswith(record.id) else [f"found the record of {reference}, expected {record.id}"]
    return [*renamed, *_unlisted(record.folder, set(manifest["files"])), *_changed(record.folder, manifest["files"])]


def keep_plain_files(folder: Path) -> list[str]:
    """Remove links, special files and empty folders below a folder; the names of the links and special files."""
    removed = []
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            removed.append(path.relative_to(folder).as_posix())
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return removed


def all_records(runs: Path, *, scratch: bool = False) -> list[Record]:
    """Every record below the runs folder, oldest first."""
    pattern = f"*/{SCRATCH}/*/{MANIFEST}" if scratch else f"*/*/{MANIFEST}"
    found = [Record(path.parent) for path in runs.glob(pattern) if _ID.fullmatch(path.parent.name)]
    return sorted(found, key=lambda record: (record.id, record.pipeline))


def record_at(path: Path) -> Record | None:
    """The record whose folder, or manifest, a path names; None when it names neither."""
    folder = path.parent if path.name == MANIFEST else path
    try:
        return Record(folder.resolve()) if (folder / MANIFEST).is_file() else None
    except (OSError, ValueError):  # a name too long, a NUL
        return None


def find_record(reference: str, project: Project) -> Record:
    """The record that a reference names.

    `houses` is the newest finished run (a damaged one counts, so that nobody misses the damage),
    `houses@latest` the newest run whatever became of it, `houses@scratch` the newest interactive one,
    `houses/ID` and `houses@scratch/ID` one run (the first letters of its ID will do); anything else is the
    path of a record. Raises InputError with what there is instead.
    """
    found = record_at(Path(reference))
    if found:
        return found
    parts = _REFERENCE.fullmatch(reference)
    if parts is None or (parts["which"] == "latest" and parts["id"]):
        raise InputError(f"found no run {reference!r}, {_EXPECTED}; `pipeline-lib runs` lists what there is")
    name, which, start = parts["name"], parts["which"], parts["id"]
    records = [r for r in all_records(project.runs, scratch=which == SCRATCH) if r.pipeline == name]
    if start:
        chosen = [record for record in records if record.id.startswith(start)]
        if len(chosen) > 1:
            raise InputError(
                f"found {len(chosen)} runs whose name begins with {reference}, expected one: "
                + ", ".join(record.id for record in chosen)
            )
    else:
        chosen = [record for record in records if which or record.status() in ("finished", DAMAGED)][-1:]
    if not chosen:
        raise InputError(_no_such_record(reference, name, records, project))
    return chosen[0]


def checks_folder(record: Record) -> Path:
    """Where results of later checks live: beside the record, keyed by its manifest's digest."""
    digest = sha256_file(record.folder / MANIFEST)
    return record.folder.parent / ".checks" / f"{record.id}-{digest[:16]}"


def _no_such_record(reference: str, name: str, records: list[Record], project: Project) -> str:
    if records:
        there = ", ".join(f"{record.reference} ({record.status()})" for record in records[-5:])
        latest = f"; `{name}@latest` is the newest" if reference == name else ""
        return f"found no run {reference!r}, expected one of the runs of {name}: {there}{latest}"
    known = ", ".join(sorted({record.pipeline for record in all_records(project.runs)})) or "none yet"
    parameters = project.params / f"{name}.yml"
    make = f"; `pipeline-lib run {project.shown(parameters)}` makes one" if parameters.is_file() else ""
    return f"found no run {reference!r}, {_EXPECTED}; pipelines with runs: {known}{make}"


def _manifest_problem(record: Record, manifest: dict[str, Any]) -> str | None:
    files = manifest.get("files")
    shape = isinstance(files, dict) and all(isinstance(value, str) for value in files.values())
    if not shape or not isinstance(manifest.get("digest"), str):
        return "found a damaged manifest, expected digests of all files and of itself; run again"
    content = {key: value for key, value in manifest.items() if key != "digest"}
    try:
        covered = sha256_bytes(canonical_json(content)) == manifest["digest"]
        whole = canonical_json(manifest) == (record.folder / MANIFEST).read_bytes()
    except ValueError:  # a NaN, half a character pair
        covered = whole = False
    if covered and whole:
        return None
    return "found bytes that its own digest does not cover, expected it as it was sealed; run again"


def _names(folder: Path) -> list[str]:
    return [name for path in files_below(folder) if (name := path.relative_to(folder).as_posix()) != MANIFEST]


def _unlisted(folder: Path, listed: set[str]) -> list[str]:
    problems = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            problems.append(f"{name}: found a link, expected a file of the record itself")
        elif stat.S_ISDIR(mode):
            if not any(path.iterdir()):
                problems.append(f"{name}: found an empty folder, expected only the files that were sealed")
        elif not stat.S_ISREG(mode):
            problems.append(f"{name}: found a special file, expected only plain files")
        elif name not in listed and name != MANIFEST:
            problems.append(f"{name}: found a file that was not sealed, expected no such file")
    return problems


def _changed(folder: Path, files: dict[str, str]) -> list[str]:
    problems = []
    for name, digest in files.items():
        path = folder / name
        if path.is_symlink():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{name}: found a file outside the record, expected its own files only")
        elif not path.is_file():
            problems.append(f"{name}: found no such file, expected the one that was sealed")
        elif sha256_file(path) != digest:
            problems.append(f"{name}: found other bytes than were sealed, expected sha256 {digest[:12]}…")
    return problems
