"""Resuming: a run that failed or was killed runs again with its own parameters; the new record names the old one."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import SCRATCH, Project
from pipeline_lib.records.layout import PARAMS_FILE
from pipeline_lib.records.record import Record
from pipeline_lib.records.run_command import run_arguments
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.execute import Progress
from pipeline_lib.runner.preflight import check_request
from pipeline_lib.runner.provenance import code_hashes
from pipeline_lib.runner.run import describe_invocation, run_request
from pipeline_lib.system.locks import locked_temporary_folder


def resume_run(
    record: Record, project: Project, *, timeout: int | None = None, progress: Progress = lambda line: None
) -> Record:
    """Run a failed or killed run again, with its own parameters and overrides, and return the new record.

    All cells run, since a kernel's state is lost with the kernel. Notebook and library are the present ones; where
    they differ from the recorded ones, a line for `progress` says so. Raises InputError for a run of another status,
    and whatever `run_pipeline` raises.
    """
    manifest = _check_resumable(record)
    began_ns = time.time_ns()
    with _parameters_file(record, project, manifest) as path:
        request = check_request(path, manifest.get("overrides", ()))
        recorded = manifest.get("hashes") or {}
        for name, now in code_hashes(request).items():
            if recorded.get(name, now) != now:
                progress(f"found another {name} than {record.reference} had; today's runs")
        invocation = replace(
            describe_invocation(request),
            parameters_file=manifest["parameters_file"],
            resumed_from=record.reference,
            sweep=manifest.get("sweep"),  # a member stays one
        )
        runs = record.folder.parent.parent
        return run_request(request, began_ns, invocation=invocation, runs=runs, timeout=timeout, progress=progress)


def _check_resumable(record: Record) -> dict[str, Any]:
    """The manifest of a record that can be resumed; InputError for any other record."""
    remedies = {
        "finished": f"there is nothing left to do; `pipeline-lib run {run_arguments(record)} --force` runs again",
        "running": "wait for its end, or end it",
        SCRATCH: "open the research notebook and run it again",
    }
    status = record.status()
    problems = verify(record) if status == "failed" else []
    if status not in ("failed", "killed") or problems:
        remedy = remedies.get(status, f"`pipeline-lib run {run_arguments(record)}` makes another")
        found = f"a damaged run ({problems[0]})" if problems else f"a run that is {status}"
        raise InputError(f"{record.reference}: found {found}, expected one that failed or was killed; {remedy}")
    manifest = record.manifest()
    if not isinstance(manifest.get("parameters_file"), str):
        raise InputError(
            f"{record.reference}: found no parameters in it, expected those that the run was started with; "
            f"`pipeline-lib run params/{record.pipeline}.yml` makes another run"
        )
    return manifest


@contextmanager
def _parameters_file(record: Record, project: Project, manifest: dict[str, Any]) -> Iterator[Path]:
    """A copy of the recorded parameters file; the project's file where the run died before it was recorded."""
    original = project.root / manifest["parameters_file"]
    recorded = record.folder / PARAMS_FILE
    if not recorded.is_file():
        yield original
        return
    project.runs.mkdir(parents=True, exist_ok=True)  # inside the project, which is found from the file's folder
    with locked_temporary_folder("resume", project.runs) as folder:
        yield Path(shutil.copy(recorded, folder / original.name))
