"""What can go wrong, with the exit code each kind ends the command line with."""

from pathlib import Path


class PipelineLibError(Exception):
    """Base of all errors that this library raises on purpose.

    A message says what was found, what was expected, and what to do.
    """

    exit_code: int = 3


class DifferenceError(PipelineLibError):
    """A check found a difference (exit code 1)."""

    exit_code = 1


class InputError(PipelineLibError):
    """Bad input or use: a parameter, a notebook, a row, a reference (exit code 2)."""

    exit_code = 2


class RunError(PipelineLibError):
    """The research run itself failed; its record, where there is one, is kept in `folder`.

    The exit code is 3, or that of the signal by which somebody asked for the end: 130, 143.
    """

    def __init__(self, message: str, folder: Path | None = None, exit_code: int = 3) -> None:
        super().__init__(message)
        self.folder = folder
        self.exit_code = exit_code
