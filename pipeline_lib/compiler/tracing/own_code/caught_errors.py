"""Errors that own code catches, but that only the recorder caused: they are refusals, whatever own code does with them.

`try: ord(letter) except TypeError: return 0` would take the wrong way in silence: `ord` knows no recorded value, and
raises an error that the library's own values do not raise. Only a trace function sees such an error.
"""

import dis
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType, FrameType, TracebackType
from typing import Any

from pipeline_lib.compiler.tracing.own_code.guards import is_own_frame
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import PLAN, TraceRefusedError, line_of

_OURS = (
    "Recorded",
    "RowCount",
    "StandIn",
    "Method",
    "BatchTruth",
    "Unique",
    "OwnFunction",
    "LibraryFunction",
    "Silent",
)
"""Names of the recorder's classes, as Python's messages show them."""


@lru_cache(maxsize=1024)
def catches_errors(code: CodeType) -> bool:
    """Whether code, or a function inside it, has an exception handler."""
    return any(map(catches_errors, (each for each in code.co_consts if isinstance(each, CodeType)))) or any(
        instruction.opname == "PUSH_EXC_INFO" for instruction in dis.get_instructions(code)
    )


@contextmanager
def latching_errors(recording: Recording) -> Iterator[None]:
    """Keep an error that a recorded object caused as the recording's refusal."""

    def on_event(frame: FrameType, event: str, argument: Any) -> Any:
        if not is_own_frame(frame):
            return None
        if event == "exception" and recording.refusal is None:
            _, error, traceback = argument
            if isinstance(error, TypeError | AttributeError) and _is_caused_here(traceback) and _names_ours(error):
                recording.refusal = TraceRefusedError(
                    f"{line_of(frame.f_code, frame.f_lineno)}: found {type(error).__name__}: {error}, which only the "
                    f"recording raises: the recorder has no rule for it; {PLAN}"
                )
        return on_event

    before = sys.gettrace()
    if getattr(before, "__module__", "").startswith(__package__):  # an outer function catches errors, too
        yield
        return
    sys.settrace(on_event)
    try:
        yield
    finally:
        sys.settrace(before)


def _is_caused_here(traceback: TracebackType | None) -> bool:
    """Whether an operation of the frame itself raised the error, not a `raise` or a function that it called."""
    if traceback is None or traceback.tb_next is not None:
        return False
    raised = next(
        (each for each in dis.get_instructions(traceback.tb_frame.f_code) if each.offset == traceback.tb_lasti), None
    )
    return raised is not None and raised.opname not in ("RAISE_VARARGS", "RERAISE")


def _names_ours(error: Exception) -> bool:
    return any(name in str(error) for name in _OURS)
