"""A process that runs members of a sweep, one after the other: `python -m pipeline_lib.sweeps.worker`.

Tasks come as lines of JSON on standard input, answers go as such to standard output, which the runs themselves
cannot write to.
"""

import functools
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline_lib.errors import PipelineLibError, RunError
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.record import Record
from pipeline_lib.runner.cache.lookup import Answer as Known
from pipeline_lib.runner.cache.lookup import recall
from pipeline_lib.runner.preflight import check_request
from pipeline_lib.runner.run import run_request
from pipeline_lib.runner.warm.client import ADDRESS
from pipeline_lib.runner.warm.cold_only import hidden_modules_here
from pipeline_lib.sweeps.local_pool import no_answer
from pipeline_lib.sweeps.members import sources_of
from pipeline_lib.system.fingerprint import packages_digest
from pipeline_lib.system.jupyter_imports import allow_fast_jupyter_imports

OTHER_SOURCES = (
    "found other notebooks, code or parameters than the sweep began with, expected the same for every member; sweep "
    "again, on another machine once its checkout is up to date"
)
OTHER_PACKAGES = "found that packages changed since the sweep began, expected the same for every member; sweep again"
_UNKNOWN = ("AttributeError:", "ColdOnlyError:", "ImportError:", "ModuleNotFoundError:")


def main() -> None:
    """Answer tasks until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    allow_fast_jupyter_imports()
    hidden = hidden_modules_here()
    packages = hidden.packages if hidden else packages_digest()
    if ADDRESS in os.environ:
        from pipeline_lib.runner.warm.provisioner import start_kernels_warm

        start_kernels_warm()
    with suppress(KeyboardInterrupt):  # between two runs; within one, it seals the record
        for line in sys.stdin:
            answers.write(f"{json.dumps(work(json.loads(line), packages))}\n")
            answers.flush()


def work(task: dict[str, Any], packages: str) -> dict[str, Any]:
    """Run one member; where its record is, what it measured, or why it failed. This process has imported `packages`."""
    started = time.monotonic()
    runs = Path(task["runs"])
    changed = _changed(task, packages)
    if changed:
        return no_answer(changed)
    told = Known(None) if task["force"] else recall(task["params_file"], task["overrides"], runs=runs)
    answer = functools.partial(_answer, started, known=bool(told.record), again=told.reason)
    try:
        record = told.record or _run(task, runs)
        parity = parity_of(record, task["library"]) if task["parity"] else None
        changed = _changed(task, packages)
    except RunError as error:
        folder = str(error.folder) if error.folder else None
        return answer(folder=folder, error=str(error).partition("\n")[0])
    except (PipelineLibError, OSError) as error:
        return answer(error=str(error).partition("\n")[0])
    if changed:
        return answer(folder=str(record.folder), error=changed)
    return answer(folder=str(record.folder), metrics=record.read_json(METRICS), parity=parity)


def _changed(task: dict[str, Any], packages: str) -> str:
    """Why this member would not be one of its sweep, or is none; empty where it is."""
    try:
        if sources_of(Path(task["params_file"])) != task["sources"]:
            return OTHER_SOURCES
        return "" if task["packages"] == packages == packages_digest() else OTHER_PACKAGES
    except (PipelineLibError, OSError) as error:  # a file that goes meanwhile
        return str(error)


def _run(task: dict[str, Any], runs: Path) -> Record:
    """A new run. Where a warm kernel refuses, or does not know a name, a cold one decides."""
    try:
        return _run_once(task, runs)
    except RunError as error:
        manifest = Record(error.folder).manifest() if error.folder and ADDRESS in os.environ else {}
        if not str((manifest.get("error") or {}).get("message")).startswith(_UNKNOWN):
            raise
    from pipeline_lib.runner.warm.provisioner import cold_kernels

    with cold_kernels():
        return _run_once(task, runs)


def _run_once(task: dict[str, Any], runs: Path) -> Record:
    began = time.time_ns()
    request = check_request(Path(task["params_file"]), task["overrides"], exported=True)
    return run_request(request, began, runs=runs, timeout=task["timeout"], facts={"sweep": task["sweep"]})


def parity_of(record: Record, library: str) -> bool:
    """Whether a record's parity is exact; checked unless it was."""
    from pipeline_lib.parity.check import check_parity
    from pipeline_lib.records.index import read_parity

    kept = read_parity(record)
    return bool(kept["exact"]) if kept else check_parity(record, library=library).exact


def _answer(started: float, **found: Any) -> dict[str, Any]:
    empty = {"folder": None, "metrics": None, "parity": None, "error": None}
    return empty | found | {"seconds": round(time.monotonic() - started, 3)}


if __name__ == "__main__":
    main()
