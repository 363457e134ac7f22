"""What can go wrong, with the exit code each kind ends the command line with."""

from typing import ClassVar


class PipelineLibError(Exception):
    """Base of all errors that this library raises on purpose.

    A message says what was found, what was expected, and what to do.
    """

    exit_code: ClassVar[int] = 3


class DifferenceError(PipelineLibError):
    """A check found a difference (exit code 1)."""

    exit_code = 1


class InputError(PipelineLibError):
    """Bad input or use: a parameter, a notebook, a row, a reference (exit code 2)."""

    exit_code = 2


class RunError(PipelineLibError):
    """The research run itself failed (exit code 3); its record is kept."""

    exit_code = 3
