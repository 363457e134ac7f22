"""The failure of a run in one of its cells, numbered as in the research notebook.

papermill executes a copy with one more cell, which sets the parameters. A message that counted it would lead to the
wrong cell of the notebook that its reader has open.
"""

import re
from collections.abc import Sequence
from pathlib import Path
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


_FRAME = re.compile(r"(?:Cell In\[\d+\], line \d+.*|File (?P<file>.+?):\d+(?P<function>, in [^(]+)?.*)")
"""The heading of a frame in IPython's traceback: a cell, or a file with the function."""
_ARROW = re.compile(r"-+> *(?P<line>\d+) ?(?P<code>.*)")
"""The line of a frame at which it was left."""
_MOST_FRAMES = 6


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


def failure_text(failure: Failure, notebook: str, root: Path) -> str:
    """A failure as a message: first where and what, then a line for each frame of the cell and of the project's files.

    `notebook` is how the message names the research notebook, `root` the project's folder.
    """
    if failure.cell is None:
        return failure.message
    cell = f"cell {failure.cell} (id {failure.cell_id})" if failure.cell_id else f"cell {failure.cell}"
    frames = _own_frames(failure.traceback or "", root)
    return "\n".join([f"{notebook}: {cell}: {failure.message}", *(f"  {frame}" for frame in frames)])


def _own_frames(traceback: str, root: Path) -> list[str]:
    """The lines through which an error came, outermost first; those of libraries are left out."""
    frames: list[str] = []
    where = ""
    for line in traceback.splitlines():
        heading, arrow = _FRAME.fullmatch(line), _ARROW.fullmatch(line)
        if heading:
            where = "line {line}" if heading["file"] is None else _file_frame(heading, root)
        elif arrow and where:
            frames.append(f"{where.format(line=arrow['line'])}: {arrow['code'].strip()}")
    return [*frames[:1], "…", *frames[-_MOST_FRAMES + 1 :]] if len(frames) > _MOST_FRAMES else frames


def _file_frame(heading: re.Match[str], root: Path) -> str:
    """How a frame in a file is named, with a place for its line; empty for a file that is not the project's."""
    path = Path(heading["file"]).expanduser()
    if not path.is_relative_to(root) or "site-packages" in path.parts:
        return ""
    shown = path.relative_to(root).as_posix().replace("{", "{{").replace("}", "}}")
    return f"{shown}:{{line}}{heading['function'] or ''}"
