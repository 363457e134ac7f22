"""A project `harbour` with one pipeline, boats, and the records that its runs leave, as far as the cache reads them."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import CACHE_ENTRY, IMPORTS, PARAMETERS
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.cache.imported_files import ImportedFiles
from pipeline_lib.runner.cache.lookup import cache_key, lookup, write_cache_entry
from pipeline_lib.runner.cache.watched_files import WatchedFiles
from pipeline_lib.system.files import canonical_json, sha256_file
from pipeline_lib.system.fingerprint import fingerprint

Change = Callable[[Path], object]
FILES = {
    "settings.ini": "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n",
    "params/boats.yml": "seed: 0\n",
    "requirements.lock": "numpy==2.4\n",
    "nbs/research/boats.ipynb": "{}",
    "nbs/pipelines/boats.ipynb": "{}",
    "harbour/__init__.py": "",
    "harbour/pipelines/__init__.py": "",
    "harbour/pipelines/boats.py": 'SOURCES = ["data/boats.csv"]\n',
    "harbour/steps/__init__.py": "",
    "harbour/steps/masts.py": "",
    "harbour/steps/sails.py": "",
    "data/boats.csv": "length,price\n",
}
IMPORTED = [name for name in FILES if name.startswith("harbour") and "sails" not in name] + [
    "nbs/pipelines/boats.ipynb"
]
"""The files that a run of the pipeline imports: all but one step."""


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def leave_imports(record: Record, files: ImportedFiles, **changed: object) -> None:
    """Write the list that a kernel leaves in its record."""
    content = {**asdict(files), "facts": fingerprint(), **changed}
    (record.folder / IMPORTS).write_bytes(canonical_json(content))


def finished_run(
    project: Project,
    *overrides: str,
    during: Change = lambda root: None,
    status: str = "finished",
    watched: WatchedFiles | None = None,
    sweep: str | None = None,
    parameters: object = None,
    **left: object,
) -> Record:
    """The record of a run, or of a member of `sweep`, with these parameters.

    `during` changes the project while it runs, `left` is in the list that its kernel leaves, `watched` has the files
    that were opened during it.
    """
    began_ns = time.time_ns()
    record = create_record(project.runs, "boats")
    key = cache_key(project, "boats", project.params / "boats.yml", overrides)
    digests = {f"project:{name}": sha256_file(project.root / name) for name in IMPORTED}
    leave_imports(record, ImportedFiles(digests, ("harbour",), ()), **left)
    during(project.root)
    write_cache_entry(record, key, began_ns, watched or WatchedFiles())
    (record.folder / PARAMETERS).write_bytes(canonical_json(parameters))
    seal(record, {"status": status, "reference": record.reference, **({"sweep": sweep} if sweep else {})})
    return record


def cached(project: Project, *overrides: str) -> Record | None:
    """The record that a lookup returns."""
    return lookup(project.params / "boats.yml", overrides).record


def reason(project: Project, *overrides: str) -> str:
    """Why a lookup returns no record."""
    run = lookup(project.params / "boats.yml", overrides)
    assert run.record is None
    return run.reason


def cache_entry(record: Record) -> dict[str, Any]:
    entry: dict[str, Any] = record.read_json(CACHE_ENTRY)
    return entry
