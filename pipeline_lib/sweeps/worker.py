"""A process that runs members of a sweep one after the other: `python -m pipeline_lib.sweeps.worker`.

Tasks arrive as lines of JSON on standard input; results leave as lines of JSON on what was standard output, which the
runs themselves cannot write to.
"""

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipeline_lib.errors import PipelineLibError, RunError
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.record import Record
from pipeline_lib.runner.cache.lookup import CachedRun, lookup
from pipeline_lib.runner.preflight import check_request
from pipeline_lib.runner.run import describe_invocation, run_request
from pipeline_lib.runner.warm.client import ADDRESS
from pipeline_lib.runner.warm.cold_only import hidden_modules_here
from pipeline_lib.sweeps.members import sources_of
from pipeline_lib.sweeps.task import Task, TaskResult
from pipeline_lib.system.fingerprint import packages_digest
from pipeline_lib.system.jupyter_imports import allow_fast_jupyter_imports

OTHER_SOURCES = (
    "found other notebooks, code or parameters than at the start of the sweep, expected the same for every member; "
    "sweep again, on another machine once its checkout is up to date"
)
OTHER_PACKAGES = "found that packages changed since the sweep began, expected the same for every member; sweep again"
_COLD_DECIDES = ("AttributeError:", "ColdOnlyError:", "ImportError:", "ModuleNotFoundError:")
"""Beginnings of messages that a warm kernel may cause itself: a cold run decides."""


def main() -> None:
    """Run tasks until standard input ends."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    allow_fast_jupyter_imports()
    hidden = hidden_modules_here()
    packages = hidden.packages if hidden else packages_digest()
    if ADDRESS in os.environ:
        from pipeline_lib.runner.warm.provisioner import start_kernels_warm

        start_kernels_warm()
    with suppress(KeyboardInterrupt):  # between two runs; within one, it seals the record
        for line in sys.stdin:
            result = run_task(Task.from_json(json.loads(line)), packages)
            results.write(f"{json.dumps(result.to_json())}\n")
            results.flush()


def run_task(task: Task, packages: str) -> TaskResult:
    """Run one member: its record, metrics and parity, or why it failed. `packages` is the digest of this process's."""
    started = time.monotonic()
    changed = _changed(task, packages)
    if changed:
        return TaskResult(error=changed)
    known = CachedRun(None) if task.force else _lookup(task)
    result = TaskResult(cached=bool(known.record), cache_miss=known.reason)
    try:
        record = known.record or _run(task)
        parity = _parity(record, task.library) if task.parity else None
        changed = _changed(task, packages)
    except RunError as error:
        folder = str(error.folder) if error.folder else None
        result = replace(result, folder=folder, error=str(error).partition("\n")[0])
    except (PipelineLibError, OSError) as error:
        result = replace(result, error=str(error).partition("\n")[0])
    else:
        result = replace(result, folder=str(record.folder), error=changed or None)
        if not changed:
            result = replace(result, metrics=record.read_json(METRICS), parity=parity)
    return replace(result, seconds=round(time.monotonic() - started, 3))


def _lookup(task: Task) -> CachedRun:
    return lookup(task.params_file, task.overrides, runs=Path(task.runs), parameters=task.parameters)


def _parity(record: Record, library: str) -> bool:
    from pipeline_lib.parity.check import read_or_check_parity  # slow to import, and most members are not checked

    return bool(read_or_check_parity(record, library)["exact"])


def _changed(task: Task, packages: str) -> str:
    """Why this member does not belong to its sweep; empty where it does."""
    try:
        if sources_of(Path(task.params_file)) != task.sources:
            return OTHER_SOURCES
        return "" if task.packages == packages == packages_digest() else OTHER_PACKAGES
    except (PipelineLibError, OSError) as error:  # a file that vanishes while it is read
        return str(error)


def _run(task: Task) -> Record:
    """A new run. Where a warm kernel refuses, or does not know a name, a cold one decides."""
    try:
        return _run_once(task)
    except RunError as error:
        manifest = Record(error.folder).manifest() if error.folder and ADDRESS in os.environ else {}
        if not str((manifest.get("error") or {}).get("message")).startswith(_COLD_DECIDES):
            raise
    from pipeline_lib.runner.warm.provisioner import cold_kernels

    with cold_kernels():
        return _run_once(task)


def _run_once(task: Task) -> Record:
    started = time.time_ns()
    request = check_request(Path(task.params_file), task.overrides, exported=True)
    invocation = replace(describe_invocation(request), sweep=task.sweep)
    return run_request(request, started, invocation=invocation, runs=Path(task.runs), timeout=task.timeout)


if __name__ == "__main__":
    main()
