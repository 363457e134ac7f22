"""The record of a run: a folder that looks finished only if the run is, and that never changes afterwards.

While its runner lives the folder is locked. The manifest, written last by an atomic rename, seals it.
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
from pipeline_lib.project.project import SCRATCH
from pipeline_lib.records.layout import ARTIFACT, CHECKS, EVIDENCE, MANIFEST, NOTEBOOK, REPORT
from pipeline_lib.system.files import canonical_json, read_json, sha256_bytes, sha256_file, sha256_tree, write_atomic
from pipeline_lib.system.locks import is_locked, locked

FORMAT = 1
"""Format number of the manifest. A library that writes a later format must still read this one."""
RECORD_VARIABLE = "PIPELINE_LIB_RECORD"
"""Environment variable with the record's folder, which the runner sets for the kernel."""
SEALED = ("finished", "failed")
DAMAGED = "damaged"
ID = re.compile(r"(?P<time>\d{8}T\d{6}(\d{3})?)-[0-9a-f]{6}")
"""The name of a record's folder."""
REPAIR = "`pipeline-lib verify {0}` names all that is damaged; move it away, then `pipeline-lib pull {0} URL`"
_TICK = timedelta(milliseconds=1)
"""The resolution of the time in an ID."""


@dataclass(frozen=True)
class Record:
    """One run's folder. `reference` is the name people use: `houses/20261123T074512482-8f3a2c`.

    A scratch record, made in Jupyter, is `houses@scratch/20261123T074512482-8f3a2c`.
    """

    folder: Path

    @property
    def id(self) -> str:
        """Name of the folder: UTC start time in milliseconds, later than every earlier ID, and six hex digits.

        IDs with whole seconds are from older versions.
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
        """Pipeline and ID."""
        return f"{self.pipeline}{f'@{SCRATCH}' if self.is_scratch else ''}/{self.id}"

    @property
    def is_sweep_member(self) -> bool:
        """Whether a sweep ran it; False for a damaged manifest, which does not say so."""
        try:
            return self.manifest().get("sweep") is not None
        except InputError:
            return False

    @property
    def artifact(self) -> Path:
        """Folder of the artifact that production loads."""
        return self.folder / ARTIFACT

    @property
    def evidence(self) -> Path:
        """Folder of the rows and outputs that production must repeat."""
        return self.folder / EVIDENCE

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.folder / REPORT

    @property
    def notebook(self) -> Path:
        """The executed notebook."""
        return self.folder / NOTEBOOK

    def manifest(self) -> dict[str, Any]:
        """The manifest as JSON values; InputError when it is missing or no JSON object."""
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

        A run that is neither sealed nor locked was killed: its runner is gone.
        """
        status = self._written_status()
        if status != "running" or is_locked(self.folder):
            return status
        status = self._written_status()  # the runner may have sealed and unlocked it between the two reads
        return "killed" if status == "running" else status

    def _written_status(self) -> str:
        try:
            status = str(self.manifest().get("status"))
        except InputError:
            return DAMAGED
        return status if status in (*SEALED, "running", SCRATCH) else DAMAGED

    def read_json(self, name: str) -> Any:
        """The content of a JSON file of the record; None where the run did not write it.

        Raises InputError when the file is no JSON.
        """
        return read_json(self.folder / name, REPAIR.format(self.reference))


@contextmanager
def begin_record(
    runs: Path, pipeline: str, *, scratch: bool = False, facts: Mapping[str, Any] | None = None
) -> Iterator[Record]:
    """Make the record of a new run, locked inside the block; its first manifest has these facts.

    IDs sort by start and are unique, whatever the clock does and however many runs begin at once.
    """
    parent = runs / pipeline / SCRATCH if scratch else runs / pipeline
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as lock:
        with locked(parent, wait=True):  # one at a time, so that each sees all earlier IDs
            record = Record(parent / _next_id(parent))
            part = Record(parent / f".{record.id}.part")
            part.folder.mkdir()
            lock.enter_context(locked(part.folder))
        try:
            status = SCRATCH if scratch else "running"
            write_manifest(part, {"status": status, "reference": record.reference, **(facts or {})})
            part.folder.rename(record.folder)
        except BaseException:
            shutil.rmtree(part.folder, ignore_errors=True)
            raise
        yield record


def create_record(
    runs: Path, pipeline: str, *, scratch: bool = False, facts: Mapping[str, Any] | None = None
) -> Record:
    """Make the record of a new run and unlock it: for a run in Jupyter, which has no runner."""
    with begin_record(runs, pipeline, scratch=scratch, facts=facts) as record:
        return record


def _next_id(parent: Path) -> str:
    """An ID that sorts after all others, even when the clock was set back."""
    newest = max((time for path in parent.iterdir() if (time := _timestamp(path.name))), default=None)
    now = datetime.now(UTC)
    if newest and now < newest + _TICK:
        now = newest + _TICK
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}-{secrets.token_hex(3)}"


def _timestamp(name: str) -> datetime | None:
    """The time in an ID, or in the temporary name `.ID.part`."""
    match = ID.search(name)
    try:
        return datetime.strptime(f"{match['time']:0<18}000Z", "%Y%m%dT%H%M%S%f%z") if match else None
    except ValueError:  # a thirteenth month
        return None


def write_manifest(record: Record, manifest: dict[str, Any]) -> None:
    """Write the manifest of a record that is not sealed (`running`, `scratch`)."""
    write_atomic(record.folder / MANIFEST, canonical_json({"format": FORMAT, **manifest}))


def all_records(runs: Path, *, scratch: bool = False) -> list[Record]:
    """Every record below the runs folder, oldest first."""
    pattern = f"*/{SCRATCH}/*/{MANIFEST}" if scratch else f"*/*/{MANIFEST}"
    folders = [path.parent for path in runs.glob(pattern)]
    records = [Record(folder) for folder in folders if ID.fullmatch(folder.name) and not folder.is_symlink()]
    return sorted(records, key=lambda record: (record.id, record.pipeline))


def checks_folder(record: Record) -> Path:
    """The folder of later checks' results: next to the record's folder, named by the digest of its manifest."""
    digest = sha256_file(record.folder / MANIFEST)
    if record.is_scratch:  # its manifest does not change when another model is compiled
        trees = (sha256_tree(folder) for folder in (record.artifact, record.evidence))
        digest = sha256_bytes("\n".join((digest, *trees)).encode())
    return record.folder.parent / CHECKS / f"{record.id}-{digest[:16]}"
