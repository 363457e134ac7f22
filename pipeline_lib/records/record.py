"""The run record on disk: a folder that cannot look finished unless it is, and never changes afterwards.

While its runner lives the folder is locked; the manifest, written last by an atomic rename, seals it with a
digest of every file and of itself.
"""

import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import SCRATCH, Project, find_project
from pipeline_lib.system.files import (
    canonical_json,
    files_below,
    flush_tree,
    read_json,
    sha256_bytes,
    sha256_file,
    sha256_tree,
    write_atomic,
)
from pipeline_lib.system.locks import is_locked, locked
from pipeline_lib.system.safe_names import is_valid_manifest, name_problems, remove_unsafe_files, unsafe_files

FORMAT = 1
MANIFEST = "manifest.json"
GIVEN = "params.yml"
PARAMETERS = "params.json"
METRICS = "metrics.json"
ENVIRONMENT = "environment.json"
TRAINING = "training.json"
COMPILE_REPORT = "compile.json"
GIT_DIFF = "git.diff"
RECORD_VARIABLE = "PIPELINE_LIB_RECORD"
"""Environment variable by which the runner tells the kernel which record is its own."""
SEALED = ("finished", "failed")
DAMAGED = "damaged"
ID = re.compile(r"(?P<time>\d{8}T\d{6}(\d{3})?)-[0-9a-f]{6}")
"""What a record's folder is called."""
REPAIR = "`pipeline-lib verify {0}` names all that is damaged; move it away, then `pipeline-lib pull {0} URL`"
_TICK = timedelta(milliseconds=1)
_REFERENCE = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(@(?P<which>latest|scratch))?(/(?P<id>[0-9A-Za-z-]+))?")
_EXPECTED = "expected a run by name (NAME, NAME@latest, NAME@scratch, NAME/ID) or a record's path"


@dataclass(frozen=True)
class Record:
    """One run's folder. `reference` is how people name it: `houses/20261123T074512482-8f3a2c`.

    A scratch record, made in Jupyter, is `houses@scratch/20261123T074512482-8f3a2c`.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The run's own name: UTC time of its start in milliseconds, later than every earlier name, and six hex digits.

        Names that end in whole seconds are older.
        """
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
        status = self._written_status()
        if status != "running" or is_locked(self.folder):
            return status
        status = self._written_status()  # its runner may have sealed it, and let go, between the two looks
        return "killed" if status == "running" else status

    def _written_status(self) -> str:
        try:
            status = str(self.manifest().get("status"))
        except InputError:
            return DAMAGED
        return status if status in (*SEALED, "running", SCRATCH) else DAMAGED

    def read_json(self, name: str) -> Any:
        """A JSON file of the record; None where the run did not get as far as writing it.

        Raises InputError when the file is no JSON.
        """
        return read_json(self.folder / name, REPAIR.format(self.reference))


@contextmanager
def begun_record(
    runs: Path, pipeline: str, *, scratch: bool = False, facts: Mapping[str, Any] | None = None
) -> Iterator[Record]:
    """The record of a new run, locked inside the block, with a manifest of these facts from its first moment.

    Names sort by time and never meet, whatever the clock does and however many begin at once.
    """
    parent = runs / pipeline / SCRATCH if scratch else runs / pipeline
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as lock:
        with locked(parent, wait=True):  # one at a time, so that each sees the names before its own
            record = Record(parent / _next_id(parent))
            begun = Record(parent / f".{record.id}.part")
            begun.folder.mkdir()
            lock.enter_context(locked(begun.folder))
        try:
            status = SCRATCH if scratch else "running"
            write_manifest(begun, {"status": status, "reference": record.reference, **(facts or {})})
            begun.folder.rename(record.folder)
        except BaseException:
            shutil.rmtree(begun.folder, ignore_errors=True)
            raise
        yield record


def create_record(runs: Path, pipeline: str, *, scratch: bool = False) -> Record:
    """The record of a new run that nobody holds: of one in Jupyter, which has no runner."""
    with begun_record(runs, pipeline, scratch=scratch) as record:
        return record


def _next_id(parent: Path) -> str:
    """A name that sorts behind every other, even when the clock has gone back."""
    newest = max((moment for path in parent.iterdir() if (moment := _moment(path.name))), default=None)
    now = datetime.now(UTC)
    if newest and now < newest + _TICK:
        now = newest + _TICK
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}-{secrets.token_hex(3)}"


def _moment(name: str) -> datetime | None:
    """The time in a record's name, or in the name that it has while it is made."""
    found = ID.search(name)
    try:
        return datetime.strptime(f"{found['time']:0<18}000Z", "%Y%m%dT%H%M%S%f%z") if found else None
    except ValueError:  # a thirteenth month
        return None


def write_manifest(record: Record, manifest: dict[str, Any]) -> None:
    """Write a manifest that seals nothing yet (`running`, `scratch`)."""
    write_atomic(record.folder / MANIFEST, canonical_json({"format": FORMAT, **manifest}))


def seal(record: Record, manifest: dict[str, Any]) -> None:
    """Flush every file, list it with its digest, and write the manifest last.

    Links, special files and empty folders are removed: nothing in the record could vouch for them.
    """
    remove_unsafe_files(record.folder)
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
    found = [] if reference.endswith(record.id) else [f"found the record of {reference}, expected {record.id}"]
    return [*found, *_found_problems(record.folder, manifest["files"])]


def all_records(runs: Path, *, scratch: bool = False) -> list[Record]:
    """Every record below the runs folder, oldest first."""
    pattern = f"*/{SCRATCH}/*/{MANIFEST}" if scratch else f"*/*/{MANIFEST}"
    folders = [path.parent for path in runs.glob(pattern)]
    found = [Record(folder) for folder in folders if ID.fullmatch(folder.name) and not folder.is_symlink()]
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
            few = ", ".join(record.id for record in chosen[:5])
            few += f" and {len(chosen) - 5} more" if len(chosen) > 5 else ""
            raise InputError(f"found {len(chosen)} runs whose name begins with {reference}, expected one: {few}")
    else:
        chosen = [record for record in records if which or record.status() in ("finished", DAMAGED)][-1:]
    if not chosen:
        raise InputError(_no_such_record(reference, name, records, project))
    told = {} if chosen[0].status() == DAMAGED else chosen[0].manifest()
    if told.get("reference", chosen[0].reference) != chosen[0].reference:
        other = told["reference"]
        raise InputError(f"{chosen[0].folder}: found the record of {other}, expected its own; move it there")
    return chosen[0]


def as_record(given: Record | str | Path) -> Record:
    """A record as it is, by its path, or by a reference into the project around the working directory."""
    if isinstance(given, Record):
        return given
    return record_at(Path(given)) or find_record(str(given), find_project())


def checks_folder(record: Record) -> Path:
    """Where results of later checks live: beside the record, keyed by its manifest's digest."""
    digest = sha256_file(record.folder / MANIFEST)
    if record.is_scratch:  # its manifest stays when another model is compiled
        trees = (sha256_tree(folder) for folder in (record.artifact, record.evidence))
        digest = sha256_bytes("\n".join((digest, *trees)).encode())
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
    if not is_valid_manifest(manifest) or "digest" not in manifest:
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


def _found_problems(folder: Path, files: dict[str, str]) -> list[str]:
    """What lies in the folder and should not, and what was sealed and is gone or changed."""
    wrong = dict(name_problems(files))
    strange = unsafe_files(folder)
    unlisted = {name for name in _names(folder) if name not in files and name not in strange}
    problems = [*wrong.items(), *((name, problem) for name, problem in strange.items() if name not in wrong)]
    problems += ((name, "found a file that was not sealed, expected no such file") for name in sorted(unlisted))
    problems += (
        (name, problem)
        for name, digest in files.items()
        if name not in wrong and name not in strange and (problem := _change(folder / name, digest))
    )
    return [f"{name}: {problem}" if name.isprintable() else f"{name!r}: {problem}" for name, problem in problems]


def _change(path: Path, digest: str) -> str | None:
    try:
        if not path.is_file():
            return "found no such file, expected the one that was sealed"
        if sha256_file(path) != digest:
            return f"found other bytes than were sealed, expected sha256 {digest[:12]}…"
    except OSError as error:
        return f"found {error}, expected a file that can be read"
    return None
