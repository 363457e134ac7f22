"""A research notebook in a kernel of its own: papermill executes it, and whatever happens is told by its cell."""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import cells, read_notebook
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.record import RECORD_VARIABLE, Record
from pipeline_lib.runner.preflight import Request
from pipeline_lib.system.jupyter_imports import fast_jupyter_imports
from pipeline_lib.system.locks import locked_temporary_folder

Progress = Callable[[str], None]
_SECONDS_TO_START = 600
"""How long a kernel may take to answer while it lives; one that dies is seen at once."""
_LONGEST_SOCKET_FOLDER = 80  # the system allows 107 bytes for a socket's whole name
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def execute(request: Request, record: Record, timeout: int | None, progress: Progress) -> dict[str, Any] | None:
    """Execute the notebook; what went wrong, or None. Whatever happens the notebook so far is kept."""
    with fast_jupyter_imports():
        from papermill import execute_notebook
        from papermill.exceptions import PapermillExecutionError

        from pipeline_lib.runner.papermill_engine import ENGINE

    notebook = request.project.research_notebook(request.pipeline)
    try:
        with _environment(RECORD_VARIABLE, str(record.folder)), _kernel_config() as config:
            execute_notebook(
                str(notebook).replace("{", "{{").replace("}", "}}"),  # papermill formats the path
                None,
                engine_name=ENGINE,
                destination=record.notebook,
                parameters=params_to_json(request.params),
                cwd=notebook.parent,
                config=config,
                timeout=timeout,
                start_timeout=_SECONDS_TO_START,
                **_progress_hooks(notebook, request.project, progress),
            )
    except PapermillExecutionError as error:
        return _cell_error(record, error.ename, error.evalue, error.traceback)
    except KeyboardInterrupt:
        return _cell_error(record, "interrupted", "")
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

    with locked_temporary_folder("kernel") as folder:
        settings = {"connection_file": f"{folder}/connection.json"}
        if len(str(folder)) < _LONGEST_SOCKET_FOLDER:
            settings |= {"transport": "ipc", "ip": f"{folder}/socket"}
        yield Config({"KernelManager": settings})


def _progress_hooks(notebook: Path, project: Project, progress: Progress) -> dict[str, Callable[..., None]]:
    total = len(cells(read_notebook(notebook, project.shown(notebook)))) + 1  # papermill adds the parameters
    started: dict[int, float] = {}

    def on_cell_start(cell: Any, cell_index: int) -> None:
        started[cell_index] = time.monotonic()

    def on_cell_executed(cell: Any, cell_index: int, execute_reply: Any) -> None:
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        seconds = time.monotonic() - started[cell_index]
        with suppress(BrokenPipeError):  # nobody reads any more
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


def unfinished(record: Record) -> dict[str, Any] | None:
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


def _cell_error(record: Record, name: str, message: str, traceback: Sequence[str] = ()) -> dict[str, Any]:
    """An error with the cell it happened in: the one that is marked, else the last that was started."""
    text = f"{name}: {message}".strip().rstrip(":")
    try:
        everything = read_notebook(record.notebook, record.notebook.name)["cells"]
    except InputError:  # none yet: the kernel did not start, or the disk is full
        return {"message": text}
    marks = [cell["metadata"].get("papermill", {}) for cell in everything]
    started = [number for number, mark in enumerate(marks, start=1) if mark.get("start_time")]
    failed = [number for number in started if marks[number - 1].get("exception")]
    chosen = failed[:1] or started[-1:]
    error = _at_cell(chosen[0], everything[chosen[0] - 1], text) if chosen else {"message": text}
    return error | ({"traceback": _COLOURS.sub("", "\n".join(traceback))} if traceback else {})


def _at_cell(number: int, cell: dict[str, Any], message: str) -> dict[str, Any]:
    source = "".join(cell["source"])
    return {"message": message, "cell": number, "cell_id": cell.get("id", ""), "source": source}
