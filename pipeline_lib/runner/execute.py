"""Execution of a research notebook by papermill, in a kernel of its own."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_lib.project.notebooks import Cell
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.project import Project
from pipeline_lib.project.redaction import Redactor
from pipeline_lib.records.manifest import Failure
from pipeline_lib.records.record import RECORD_VARIABLE, Record
from pipeline_lib.runner.failed_cell import INJECTED, CellError, failure_of_run, own_numbers
from pipeline_lib.runner.preflight import Request
from pipeline_lib.system.environment import environment_variable
from pipeline_lib.system.jupyter_imports import fast_jupyter_imports
from pipeline_lib.system.locks import locked_temporary_folder
from pipeline_lib.system.peak_memory import PeakMemory

Progress = Callable[[str], None]
_SECONDS_TO_START = 600
"""How long a living kernel may take to become ready; one that dies is noticed at once."""
_LONGEST_SOCKET_FOLDER = 80
"""Characters of a socket's folder; the system allows 107 bytes for the whole path, names and ports included."""
_NOT_FOUND = ("FileNotFoundError", "IOException")
"""Errors of Python, pandas, Arrow and polars, and of DuckDB, for a file that does not exist."""
_PATHS = re.compile(r"""['"]([^'"]+)['"]|(?:^|: )([^\s'"]+)$""")


@dataclass(frozen=True)
class Execution:
    """How a notebook is executed: seconds that a cell may take, what shows progress, what takes out secrets.

    `memory` takes the kernel's largest resident memory.
    """

    timeout: int | None
    progress: Progress
    redact: Redactor
    memory: PeakMemory = field(default_factory=PeakMemory)


def execute(request: Request, record: Record, execution: Execution) -> Failure | None:
    """Execute the notebook; why that failed, or None. The notebook so far is kept in every case, without secrets."""
    with fast_jupyter_imports():
        from papermill import execute_notebook
        from papermill.exceptions import PapermillExecutionError

        from pipeline_lib.runner.papermill_engine import ENGINE, KERNEL

    notebook = request.project.research_notebook(request.pipeline)
    try:
        with environment_variable(RECORD_VARIABLE, str(record.folder)), _kernel_config() as config:
            execute_notebook(
                str(notebook).replace("{", "{{").replace("}", "}}"),  # papermill formats the path
                None,
                engine_name=ENGINE,
                kernel_name=KERNEL,
                language="python",
                destination=record.notebook,
                parameters=params_to_json(request.params),
                cwd=notebook.parent,
                config=config,
                timeout=execution.timeout,
                start_timeout=_SECONDS_TO_START,
                redact=execution.redact,
                memory=execution.memory,
                **_progress_hooks(request.cells, execution.progress),
            )
    except PapermillExecutionError:
        return None  # it counts every error, in cells tagged `raises-exception` too; any other is a CellError
    except CellError as error:
        error.message += _data_path_hint(request.project, notebook, error.name, error.message)
        return failure_of_run(request.cells, record, error)
    except KeyboardInterrupt:
        return failure_of_run(request.cells, record, CellError("interrupted", ""))
    except Exception as error:  # a dead kernel, a time-out, a kernel that never starts: the run must still be sealed
        return failure_of_run(request.cells, record, CellError(type(error).__name__, str(error)))
    return None


@contextmanager
def _kernel_config() -> Iterator[Any]:
    """Connect to the kernel through sockets in a folder of this run alone.

    A TCP port is chosen before it is bound, so two kernels that start together may get the same one; and any user of
    the machine can connect to it. Where the folder's path is too long for a socket, TCP is used.
    """
    from traitlets.config import Config

    with locked_temporary_folder("kernel") as folder:
        settings = {"connection_file": f"{folder}/connection.json"}
        if len(str(folder)) < _LONGEST_SOCKET_FOLDER:
            settings |= {"transport": "ipc", "ip": f"{folder}/socket"}
        yield Config({"KernelManager": settings})


def _progress_hooks(own: Sequence[Cell], progress: Progress) -> dict[str, Callable[..., None]]:
    """A line for each executed cell, with its number in the research notebook, of which `own` are the cells."""
    numbers = own_numbers(own)
    started: dict[int, float] = {}

    def on_cell_start(cell: Any, cell_index: int) -> None:
        started[cell_index] = time.monotonic()

    def on_cell_executed(cell: Any, cell_index: int, execute_reply: Any) -> None:
        first = first_line(cell.source)
        seconds = time.monotonic() - started[cell_index]
        if INJECTED in cell.metadata.get("tags", ()):
            return
        with suppress(BrokenPipeError):  # the reader of the progress has gone
            progress(f"  cell {numbers[cell_index]:>2} of {len(own)}  {seconds:6.1f} s  {first[:64]}")

    return {"on_cell_start": on_cell_start, "on_cell_executed": on_cell_executed}


def first_line(source: str) -> str:
    """The line by which a cell is recognised: the first one of code, or of a cell of comments the first one."""
    lines = [line for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.lstrip().startswith("#")), lines[0] if lines else "")


def _data_path_hint(project: Project, notebook: Path, name: str, message: str) -> str:
    """What to write where a cell names a file as it is called from the project's root; empty for other errors."""
    if name not in _NOT_FOUND:
        return ""
    for match in _PATHS.finditer(message):
        path = match[1] or match[2]
        inside = not Path(path).is_absolute() and ".." not in Path(path).parts
        if inside and (project.root / path).exists() and not (notebook.parent / path).exists():
            return (
                f"; found {path} in the project's folder, expected it in {project.shown(notebook.parent)}, where the "
                f'notebook runs; write data_path("{path}") of pipeline_lib'
            )
    return ""
