"""A run that failed or was killed runs again as it was asked for; its record stays and the new one names it."""

import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import SCRATCH, Project
from pipeline_lib.records.layout import PARAMS_FILE
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.execute import Progress
from pipeline_lib.runner.preflight import check_request
from pipeline_lib.runner.run import run_request, source_hashes
from pipeline_lib.system.locks import locked_temporary_folder

RESUMED = "resumed_from"
"""The manifest's word for the run that a run took up again."""


def resume_run(
    record: Record, project: Project, *, timeout: int | None = None, progress: Progress = lambda line: None
) -> Record:
    """Run again, with its own parameters and overrides, a run that failed or was killed; the new record.

    The cells run from the first, since a kernel's state dies with it. What notebook and library are now is what
    runs; `progress` is told when it is other than recorded. Raises InputError for a run of another status, and
    whatever `run_pipeline` raises.
    """
    manifest = _resumable(record)
    began = time.time_ns()
    with _parameters(record, project, manifest) as path:
        request = check_request(path, manifest.get("overrides", ()))
        recorded = manifest.get("hashes") or {}
        for name, now in source_hashes(request).items():
            if recorded.get(name, now) != now:
                progress(f"found another {name} than {record.reference} had; today's runs")
        facts = {RESUMED: record.reference, "parameters_file": manifest["parameters_file"]}
        return run_request(
            request, began, runs=record.folder.parent.parent, timeout=timeout, progress=progress, facts=facts
        )


def _resumable(record: Record) -> dict[str, Any]:
    """The manifest of a record that can be taken up again."""
    remedies = {
        "finished": f"there is nothing left to do; `pipeline-lib run {_asked(record)} --force` runs again",
        "running": "wait for its end, or end it",
        SCRATCH: "open the research notebook and run it again",
    }
    status = record.status()
    problems = verify(record) if status == "failed" else []
    if status not in ("failed", "killed") or problems:
        remedy = remedies.get(status, f"`pipeline-lib run {_asked(record)}` makes another")
        found = f"a damaged run ({problems[0]})" if problems else f"a run that is {status}"
        raise InputError(f"{record.reference}: found {found}, expected one that failed or was killed; {remedy}")
    manifest = record.manifest()
    if not isinstance(manifest.get("parameters_file"), str):
        raise InputError(
            f"{record.reference}: found no parameters in it, expected those that the run was asked for; "
            f"`pipeline-lib run params/{record.pipeline}.yml` makes another run"
        )
    return manifest


def _asked(record: Record) -> str:
    """The parameters file that a run was asked for with, and what was set over it, as typed."""
    try:
        manifest = record.manifest()
    except InputError:
        manifest = {}
    overrides = (f" --set {shlex.quote(text)}" for text in manifest.get("overrides") or ())
    return f"{manifest.get('parameters_file') or f'params/{record.pipeline}.yml'}{''.join(overrides)}"


@contextmanager
def _parameters(record: Record, project: Project, manifest: dict[str, Any]) -> Iterator[Path]:
    """The parameters file as recorded, under its own name; the project's own where the run died before it was kept."""
    given = project.root / manifest["parameters_file"]
    kept = record.folder / PARAMS_FILE
    if not kept.is_file():
        yield given
        return
    project.runs.mkdir(parents=True, exist_ok=True)  # inside the project, which is found by the file's place
    with locked_temporary_folder("resume", project.runs) as folder:
        yield Path(shutil.copy(kept, folder / given.name))
