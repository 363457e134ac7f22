"""The errors that this library raises, each with the exit code of the command line."""

from pathlib import Path


class PipelineLibError(Exception):
    """Base of all errors that this library raises on purpose.

    A message says what was found, what was expected, and what to do.

        >>> from pipeline_lib import BaseParams, PipelineLibError
        >>> from pipeline_lib.project.params import params_from_values
        >>> class Params(BaseParams):
        ...     seed: int = 0
        >>> try:
        ...     params_from_values({"seed": "x"}, Params, "cell 2")
        ... except PipelineLibError as error:
        ...     print(type(error).__name__, error.exit_code, error.code)
        ...     print(error)
        InputError 2 parameters-value
        cell 2: seed: found 'x', expected a valid integer
    """

    exit_code: int = 3

    @property
    def code(self) -> str:
        """The kind of this error, such as "row-value"; `pipeline-lib help CODE` says what it means and what to do."""
        from pipeline_lib.refusals.catalog import code_of, raising_module  # read where a code is asked for

        return code_of(str(self), raising_module(self.__traceback__))


class DifferenceError(PipelineLibError):
    """A check found a difference: parity, an export, a comparison (exit code 1)."""

    exit_code = 1


class InputError(PipelineLibError):
    """Bad input or use: a parameter, a notebook, a row, a reference (exit code 2)."""

    exit_code = 2


class RunError(PipelineLibError):
    """The research run itself failed; its record, where there is one, is kept in `folder`.

    The exit code is 3, or that of the signal that stopped the run: 130 (Ctrl-C), 143 (SIGTERM), 129 (SIGHUP).
    """

    def __init__(self, message: str, folder: Path | None = None, exit_code: int = 3) -> None:
        super().__init__(message)
        self.folder = folder
        self.exit_code = exit_code
