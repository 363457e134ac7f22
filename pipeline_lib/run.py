"""One research run: everything checked before a kernel starts, papermill executes, the record is sealed."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline_lib.bits import digest
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.evidence import read_evidence
from pipeline_lib.files import canonical_json, sha256_bytes, sha256_file, sha256_tree, write_atomic
from pipeline_lib.notebooks import cells, read_notebook
from pipeline_lib.params import as_json
from pipeline_lib.preflight import Request, check_request
from pipeline_lib.project import GENERATED, Project
from pipeline_lib.record import (
    GIT_DIFF,
    METRICS,
    PARAMETERS,
    RECORD_VARIABLE,
    TRAINING,
    Record,
    create_record,
    keep_plain_files,
    locked,
    seal,
    write_manifest,
)
from pipeline_lib.report import write_report

Progress = Callable[[str], None]
_LONGEST_SOCKET_FOLDER = 80  # the system allows 107 bytes for a socket's whole name
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run_pipeline(
    params_file: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: Path | None = None,
    timeout: int | None = None,
    progress: Progress = lambda line: None,
) -> Record:
    """Run a pipeline's research notebook with a parameters file and return its sealed record.

    `overrides` are `key=value` texts, `runs` another folder for the record, `timeout` the seconds that one
    cell may take. Raises InputError or DifferenceError before anything is written, and RunError, naming the
    cell, after sealing a `failed` record.
    """
    request = check_request(Path(params_file), overrides)
    record = create_record((runs or request.project.runs).resolve(), request.pipeline)
    with locked(record.folder), _ending_as_interruption():
        return _run(request, record, timeout, progress)


def _run(request: Request, record: Record, timeout: int | None, progress: Progress) -> Record:
    started = datetime.now(UTC)
    clock = time.monotonic()
    manifest: dict[str, Any] = {
        "status": "running",
        "mode": "run",
        "reference": record.reference,
        "parameters_file": request.project.shown(request.params_file),
        "overrides": list(request.overrides),
        "git": _git(request.project, record),
        "sensitive": list(request.sensitive),
        "times": {"started": started.isoformat(timespec="seconds"), "seconds": 0.0},
        "hashes": _source_hashes(request),
    }
    write_manifest(record, manifest)
    write_atomic(record.folder / "params.yml", request.params_file.read_bytes())
    write_atomic(record.folder / PARAMETERS, canonical_json(as_json(request.params)))
    error = _execute(request, record, timeout, progress)
    strange = keep_plain_files(record.folder)
    error = error or _unfinished(record)
    if error is None and _source_hashes(request) != manifest["hashes"]:
        error = {"message": "found notebooks or library code changed during the run, expected none; run again"}
    if error is None and strange:
        error = {"message": f"found {', '.join(strange)} in the record (removed), expected plain files; write those"}
    error = error or _other_metrics(request, record)
    manifest["status"] = "failed" if error else "finished"
    manifest["error"] = error
    manifest["hashes"] |= _result_hashes(record)
    manifest["times"] |= {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
    }
    _report_and_seal(record, manifest)
    if error:
        raise RunError(_failure(record, error), record.folder)
    return record


def _report_and_seal(record: Record, manifest: dict[str, Any]) -> None:
    """Seal whatever there is: a run whose page cannot be drawn, or that left no notebook, is still recorded."""
    try:
        if record.notebook.is_file():
            write_report(record, manifest)
    except Exception as error:
        manifest["status"] = "failed"
        manifest["error"] = manifest["error"] or {"message": f"report: {type(error).__name__}: {error}"}
        raise
    finally:
        seal(record, manifest)


def _execute(request: Request, record: Record, timeout: int | None, progress: Progress) -> dict[str, Any] | None:
    """Execute the notebook; what went wrong, or None. Whatever happens the notebook so far is kept."""
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    notebook = request.project.research_notebook(request.pipeline)
    try:
        with _environment(RECORD_VARIABLE, str(record.folder)), _kernel_config() as config:
            execute_notebook(
                str(notebook).replace("{", "{{").replace("}", "}}"),
                str(record.notebook).replace("{", "{{").replace("}", "}}"),  # papermill formats the path
                parameters=as_json(request.params),
                cwd=notebook.parent,
                progress_bar=False,
                config=config,
                execution_timeout=timeout,
                **_progress_hooks(notebook, request.project, progress),
            )
    except PapermillExecutionError as error:
        return _cell_error(record, error.ename, error.evalue, error.traceback)
    except KeyboardInterrupt:
        return {"message": "found an interruption (keyboard or signal), expected the run to end; run again"}
    except Exception as error:  # a dead kernel, a time-out, a kernel that never starts: the run must still be sealed
        return _cell_error(record, type(error).__name__, str(error))
    return None


@contextmanager
def _kernel_config() -> Iterator[Any]:
    """Talk to the kernel over sockets in a folder of this run alone.

    TCP ports are chosen before they are taken, so two kernels that start together may get the same; and any user
    of the machine can connect to them. Where the folder's name is too long for a socket, ports must do.
    """
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        settings = {"transport": "ipc", "ip": f"{folder}/socket"} if len(folder) < _LONGEST_SOCKET_FOLDER else {}
        yield Config({"KernelManager": settings})


@contextmanager
def _ending_as_interruption() -> Iterator[None]:
    """Let a request to end (SIGTERM, a closed terminal) seal the record as an interruption from the keyboard does."""
    signals = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = [(number, signal.signal(number, signal.default_int_handler)) for number in signals]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _progress_hooks(notebook: Path, project: Project, progress: Progress) -> dict[str, Callable[..., None]]:
    total = len(cells(read_notebook(notebook, project.shown(notebook)))) + 1  # papermill adds the parameters
    started: dict[int, float] = {}

    def on_cell_start(cell: Any, cell_index: int) -> None:
        started[cell_index] = time.monotonic()

    def on_cell_executed(cell: Any, cell_index: int, execute_reply: Any) -> None:
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        seconds = time.monotonic() - started[cell_index]
        progress(f"  cell {cell_index + 1:>2} of {total}  {seconds:6.1f} s  {first[:64]}")

    return {"on_cell_start": on_cell_start, "on_cell_executed": on_cell_executed}


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _unfinished(record: Record) -> dict[str, Any] | None:
    """Why a run that papermill calls complete is not: papermill's notebook is no proof of success."""
    try:
        notebook = read_notebook(record.notebook, record.notebook.name)
    except InputError as error:
        return {"message": str(error)}
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code" or not "".join(cell["source"]).strip():
            continue
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        if errors:
            return _at_cell(number, cell, f"{errors[0]['ename']}: {errors[0]['evalue']}")
        if cell.get("execution_count") is None:
            return _at_cell(number, cell, "found a cell that was not executed, expected all; the kernel had gone")
    results = {"run.compile": record.artifact, "run.evidence": record.evidence, "run.metrics": record.folder / METRICS}
    missing = [call for call, path in results.items() if not path.exists()]
    if missing:
        calls = " and ".join(f"{call}(...)" for call in missing)
        return {"message": f"found no result of {', '.join(missing)}, expected one; let the notebook call {calls}"}
    return None


def _other_metrics(request: Request, record: Record) -> dict[str, Any] | None:
    """Whether the record's metrics are other than this process, which no cell can change, makes of its evidence."""
    from pipeline_lib.research import metrics_of_evidence

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


def _cell_error(record: Record, name: str, message: str, traceback: Sequence[str] = ()) -> dict[str, Any]:
    """An error with the cell it happened in: the one that papermill marked, else the last that was started."""
    text = f"{name}: {message}".strip().rstrip(":")
    try:
        everything = read_notebook(record.notebook, record.notebook.name)["cells"]
    except InputError:  # none, or one cut short by a full disk: the first error is the one to tell
        return {"message": text}
    own = [cell for cell in everything if "papermill-error-cell-tag" not in cell["metadata"].get("tags", ())]
    marks = [cell["metadata"].get("papermill", {}) for cell in own]
    started = [number for number, mark in enumerate(marks, start=1) if mark.get("start_time")]
    failed = [number for number in started if marks[number - 1].get("exception")]
    chosen = failed[:1] or started[-1:]
    error = _at_cell(chosen[0], own[chosen[0] - 1], text) if chosen else {"message": text}
    return error | ({"traceback": _COLOURS.sub("", "\n".join(traceback))} if traceback else {})


def _at_cell(number: int, cell: dict[str, Any], message: str) -> dict[str, Any]:
    source = "".join(cell["source"])
    return {"message": message, "cell": number, "cell_id": cell.get("id", ""), "source": source}


def _failure(record: Record, error: dict[str, Any]) -> str:
    where = f" in cell {error['cell']} of the executed notebook (id {error['cell_id']})" if "cell" in error else ""
    return (
        f"{record.reference}: the run failed{where}: {error['message']}\n"
        f"the notebook so far and the error are kept; `pipeline-lib lab {record.reference}` opens it, "
        f"`pipeline-lib show {record.reference}` shows the error"
    )


def _source_hashes(request: Request) -> dict[str, str]:
    project = request.project
    library = canonical_json({name: sha256_tree(project.package / name) for name in GENERATED})
    return {
        "notebook": sha256_file(project.research_notebook(request.pipeline)),
        "library": sha256_bytes(library),
        "parameters": sha256_bytes(canonical_json(as_json(request.params))),
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
