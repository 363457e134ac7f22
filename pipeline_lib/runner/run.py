"""One research run: everything checked before a kernel starts, papermill executes, the record is sealed."""

import subprocess
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.evidence.bits import digest
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.project import GENERATED, Project
from pipeline_lib.records.layout import GIT_DIFF, METRICS, PARAMETERS, PARAMS_FILE, TRAINING
from pipeline_lib.records.record import Record, begin_record, write_manifest
from pipeline_lib.records.report import write_report
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.cache.imported_files import refused_import
from pipeline_lib.runner.cache.lookup import ground_of, keep_memory, recall
from pipeline_lib.runner.execute import Progress, execute, unfinished
from pipeline_lib.runner.preflight import Request, check_request
from pipeline_lib.runner.warm.cold_only import ColdOnlyError
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file, sha256_tree, write_atomic
from pipeline_lib.system.safe_names import remove_unsafe_files
from pipeline_lib.system.signals import SignalHandler


def run_pipeline(
    params_file: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: Path | None = None,
    timeout: int | None = None,
    force: bool = False,
    progress: Progress = lambda line: None,
) -> Record:
    """Run a pipeline's research notebook with a parameters file and return its sealed record.

    `overrides` are `key=value` texts, `runs` another folder for the record, `timeout` the seconds that one
    cell may take. A finished run that nothing distinguishes from this one is returned in its place, unless `force`.
    Raises InputError or DifferenceError before anything is written, and RunError, naming the cell, after sealing
    a `failed` record.
    """
    known = None if force else recall(params_file, overrides, runs=runs).record
    if known:
        return known
    began = time.time_ns()
    request = check_request(Path(params_file), overrides)
    return run_request(request, began, runs=runs, timeout=timeout, progress=progress)


def run_request(
    request: Request,
    began: int,
    *,
    runs: Path | None = None,
    timeout: int | None = None,
    progress: Progress = lambda line: None,
    facts: Mapping[str, Any] | None = None,
) -> Record:
    """Run what `check_request` has passed since `began` (nanoseconds of the epoch), as `run_pipeline` does.

    The manifest gets these further facts too. Raises RunError after sealing a `failed` record.
    """
    folder = (runs or request.project.runs).resolve()
    begun = {
        "mode": "run",
        "parameters_file": request.project.shown(request.params_file),
        "overrides": list(request.overrides),
        "sensitive": list(request.sensitive),
        **(facts or {}),
    }
    with SignalHandler() as signals, begin_record(folder, request.pipeline, facts=begun) as record:
        manifest = {"status": "running", "reference": record.reference, **begun}
        error = _execute(request, began, record, manifest, signals, timeout, progress)
        manifest |= {"error": error, "status": "failed" if error else "finished"}
        _seal_with_report(record, manifest)
        if manifest["error"]:
            code = signals.exit_code if signals.signal else 3
            raise RunError(_failure(record, manifest["error"]), record.folder, code)
    return record


def _execute(
    request: Request,
    began: int,
    record: Record,
    manifest: dict[str, Any],
    signals: SignalHandler,
    timeout: int | None,
    progress: Progress,
) -> dict[str, Any] | None:
    """Everything up to the seal; what went wrong, or None. Whatever it is, the record can be sealed."""
    started, clock = datetime.now(UTC), time.monotonic()
    manifest["times"] = {"started": started.isoformat(timespec="seconds"), "seconds": 0.0}
    manifest["hashes"] = {}
    try:
        ground = ground_of(request.project, request.pipeline, request.params_file, request.overrides)
        error = _perform(request, record, manifest, timeout, progress)
        if error is None:
            keep_memory(record, ground, began)
        manifest["hashes"] |= _result_hashes(record)
        signals.defer()
    except KeyboardInterrupt:
        error = None
    except Exception as failure:  # a full disk, evidence that nobody can read: the record must still be sealed
        error = _told(failure)
    if signals.signal:
        cell = {key: value for key, value in (error or {}).items() if key in ("cell", "cell_id", "source")}
        again = f"`pipeline-lib resume {record.reference}` runs it again"
        error = {"message": f"interrupted ({signals.signal.name}); {again}"} | cell
    seconds = time.monotonic() - clock
    finished = started + timedelta(seconds=seconds)  # the clock itself may have been set back meanwhile
    manifest["times"] |= {"finished": finished.isoformat(timespec="seconds"), "seconds": round(seconds, 3)}
    return error


def _perform(
    request: Request, record: Record, manifest: dict[str, Any], timeout: int | None, progress: Progress
) -> dict[str, Any] | None:
    """Execute the notebook, and judge what it left."""
    manifest["git"] = _git(request.project, record)
    manifest["hashes"] = source_hashes(request)
    write_manifest(record, manifest)
    write_atomic(record.folder / PARAMS_FILE, request.params_file.read_bytes())
    write_atomic(record.folder / PARAMETERS, canonical_json(params_to_json(request.params)))
    error = execute(request, record, timeout, progress)
    strange = remove_unsafe_files(record.folder)
    refused = refused_import(record.folder)
    if refused:  # what the notebook did then is not what it would do in a cold kernel, whether it failed or not
        error = {**(error or {}), "message": f"{ColdOnlyError.__name__}: {refused}"}
    error = error or unfinished(record)
    if error is None and source_hashes(request) != manifest["hashes"]:
        error = {"message": "found notebooks or library code changed during the run, expected none; run again"}
    if error is None and strange:
        error = {"message": f"found {', '.join(strange)} in the record (removed), expected plain files; write those"}
    return error or _other_metrics(request, record)


def _seal_with_report(record: Record, manifest: dict[str, Any]) -> None:
    """Seal whatever there is: a run whose page cannot be drawn, or that left no notebook, is still recorded."""
    try:
        if record.notebook.is_file():
            write_report(record, manifest)
    except Exception as failure:
        error = _told(failure)
        manifest["status"] = "failed"
        manifest["error"] = manifest["error"] or error | {"message": f"report: {error['message']}"}
    try:
        seal(record, manifest)
    except OSError as failure:
        before = f"{_failure(record, manifest['error'])}\n" if manifest["error"] else ""
        raise RunError(
            f"{before}{record.reference}: found {failure} while the record was sealed, expected a folder that can be "
            f"written; it stays unsealed: make room, then `pipeline-lib resume {record.reference}`",
            record.folder,
        ) from failure


def _told(failure: Exception) -> dict[str, Any]:
    if isinstance(failure, OSError):
        return {"message": f"found {failure}, expected files that can be read and written; correct that and run again"}
    return {"message": f"{type(failure).__name__}: {failure}", "traceback": traceback.format_exc()}


def _other_metrics(request: Request, record: Record) -> dict[str, Any] | None:
    """Whether the record's metrics are other than this process, which no cell can change, makes of its evidence."""
    from pipeline_lib.runner.research_run import metrics_of_evidence

    kept = record.read_json(METRICS)
    try:
        computed = metrics_of_evidence(request.module, record, request.params)
        wrong = [name for name, value in computed.items() if kept.get(name) != value]
    except Exception as error:  # the module's own code
        return {"message": f"metrics: {type(error).__name__}: {error}, when computed again from the evidence"}
    if wrong:
        name = wrong[0]
        return {
            "message": f"metrics: {name}: found {kept.get(name)!r} in the record, expected {computed[name]!r} as "
            "computed from its evidence; call run.metrics(...) once, last, on what run.evidence(...) returns"
        }
    return None


def _failure(record: Record, error: dict[str, Any]) -> str:
    where = f" in cell {error['cell']} of the executed notebook (id {error['cell_id']})" if "cell" in error else ""
    return (
        f"{record.reference}: the run failed{where}: {error['message']}\n"
        f"the notebook so far and the error are kept; `pipeline-lib lab {record.reference}` opens it, "
        f"`pipeline-lib show {record.reference}` shows the error, `pipeline-lib resume {record.reference}` runs again"
    )


def source_hashes(request: Request) -> dict[str, str]:
    """Digests of the research notebook, the generated library and the parameters, as they are now."""
    project = request.project
    library = canonical_json({name: sha256_tree(project.package / name) for name in GENERATED})
    return {
        "notebook": sha256_file(project.research_notebook(request.pipeline)),
        "library": sha256_bytes(library),
        "parameters": sha256_bytes(canonical_json(params_to_json(request.params))),
    }


def _result_hashes(record: Record) -> dict[str, str | None]:
    """Digests of raw input, artifact and outputs; None for what the run did not reach."""
    hashes: dict[str, str | None] = {"raw_input": None, "artifact": None, "outputs": None}
    if record.artifact.is_dir():
        hashes["artifact"] = sha256_tree(record.artifact)
    try:
        evidence = read_evidence(record.evidence)
    except InputError:
        return hashes
    training = (record.read_json(TRAINING) or {}).get("digest", "")
    hashes["raw_input"] = sha256_bytes(f"{training}\n{digest(evidence.inputs)}".encode())
    hashes["outputs"] = digest(evidence.outputs)
    return hashes


def _git(project: Project, record: Record) -> dict[str, Any] | None:
    """The commit, and whether files differed from it; the difference itself goes into `git.diff`."""
    commit = _git_output(project, "rev-parse", "HEAD")
    if commit is None:
        return None
    difference = _git_output(project, "diff", "HEAD", "--binary") or b""
    untracked = (_git_output(project, "ls-files", "--others", "--exclude-standard", "-z") or b"").split(b"\0")[:-1]
    if difference:
        write_atomic(record.folder / GIT_DIFF, difference)
    return {
        "commit": commit.decode().strip(),
        "changed": bool(difference),
        "untracked": [name.decode(errors="backslashreplace") for name in untracked],
    }


def _git_output(project: Project, *arguments: str) -> bytes | None:
    command = ["git", "-C", str(project.root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
