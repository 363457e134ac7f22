"""The failure of a run in one of its cells, numbered as in the research notebook.

papermill executes a copy with one more cell, which sets the parameters. A message that counted it would lead to the
wrong cell of the notebook that its reader has open.
"""

import re
from collections.abc import Sequence
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import PARAMETERS, Cell, read_notebook
from pipeline_lib.records.manifest import Failure
from pipeline_lib.records.record import Record

INJECTED = "injected-parameters"
"""papermill's tag of the cell that it adds, or replaces where the notebook is an earlier run's."""
_ERROR_MARK = "papermill-error-cell-tag"
"""papermill's tag of the cells with which it marks an error; it removes those of an earlier run."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class CellError(Exception):
    """What a kernel answered to a cell that failed: the error's name, its text, and the lines of its traceback."""

    def __init__(self, name: str, message: str, traceback: Sequence[str] = ()) -> None:
        super().__init__(name, message)
        self.name, self.message, self.traceback = name, message, traceback


def own_numbers(own: Sequence[Cell]) -> list[int]:
    """For each cell of the executed notebook, the number of the research notebook's cell.

    `own` are the research notebook's cells. The cell that papermill adds has the number of the `parameters` cell.
    """
    kept = [cell for cell in own if _ERROR_MARK not in cell.tags]
    numbers = [cell.number for cell in kept]
    if not any(INJECTED in cell.tags for cell in kept):
        parameters = next(index for index, cell in enumerate(kept) if PARAMETERS in cell.tags)
        numbers.insert(parameters + 1, numbers[parameters])
    return numbers


def failure_at(
    own: Sequence[Cell], executed: Sequence[dict[str, Any]], index: int, message: str, traceback: str | None = None
) -> Failure:
    """A failure in the executed notebook's cell at this index, with the cell's number in the research notebook."""
    number = own_numbers(own)[index]
    source = "".join(executed[index]["source"])
    return Failure(message, number, own[number - 1].id, source, traceback)


def failure_of_run(own: Sequence[Cell], record: Record, error: CellError) -> Failure:
    """An error with the cell it happened in: the one marked as failed, else the last that was started."""
    text = ": ".join(part for part in (error.name, error.message) if part)
    plain = _COLOURS.sub("", "\n".join(error.traceback)) if error.traceback else None
    try:
        executed = read_notebook(record.notebook, record.notebook.name)["cells"]
    except InputError:  # none yet: the kernel did not start, or the disk is full
        return Failure(text)
    marks = [cell["metadata"].get("papermill", {}) for cell in executed]
    started = [index for index, mark in enumerate(marks) if mark.get("start_time")]
    failed = [index for index in started if marks[index].get("exception")]
    index = next(iter(failed[:1] or started[-1:]), None)
    if index is None:
        return Failure(text, traceback=plain)
    return failure_at(own, executed, index, text, plain)
