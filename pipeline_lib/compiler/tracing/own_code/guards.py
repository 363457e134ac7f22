"""Containers that outlive a call, on `self` or among the globals: own code must leave them as they are.

Own code gets a copy of each; after the recording the copies are compared with the originals. Which line changed one is
found by a second run, in which they are compared after each line.
"""

import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.tracing.refusals import SourceLine, TraceRefusedError, line_of, located

STATE = (
    "the result of a row would depend on the calls before",
    "keep it in a local variable, or learn it in `fit`",
)
"""Why own code must not write what outlives a call."""


class Guards:
    """The containers of one recording, and what they held when own code got them."""

    def __init__(self) -> None:
        self._held: list[tuple[Any, Any, Any]] = []

    def add(self, original: Any, copied: Any) -> Any:
        """Guard a container; own code gets the copy."""
        self._held.append((original, copied, _content(copied)))
        return copied

    def changed(self) -> Any:
        """A container that own code has changed; None if there is none."""
        return next((original for original, copied, held in self._held if not _same(held, _content(copied))), None)


def _content(container: Any) -> list[Any]:
    """What a container holds, to be compared by identity; numbers of arrays by their bytes."""
    if isinstance(container, dict):
        return [*dict.keys(container), *dict.values(container)]
    if isinstance(container, np.ndarray):
        shape = [container.dtype, *container.shape]
        return [*shape, *container.ravel()] if container.dtype == object else [*shape, container.tobytes()]
    if isinstance(container, pd.Series | pd.DataFrame):
        return [container.copy()]
    if isinstance(container, list | set):
        return list(container)
    try:  # another library's object, behind its stand-in
        return [pickle.dumps(container._stand_in_for)]
    except Exception:  # it cannot be pickled
        return []


def _same(olds: list[Any], news: list[Any]) -> bool:
    return len(olds) == len(news) and all(
        old is new
        or (isinstance(old, bytes | int | np.dtype) and bool(old == new))
        or (isinstance(old, pd.Series | pd.DataFrame) and old.equals(new))
        for old, new in zip(olds, news, strict=True)
    )


@contextmanager
def finding_change(guards: Guards) -> Iterator[list[SourceLine]]:
    """Compare after each line of own code; the list gets the line that first changed something."""
    found: list[SourceLine] = []
    last: list[SourceLine] = []

    def on_line(frame: FrameType, event: str, argument: Any) -> Any:
        if not is_own_frame(frame):
            return None
        if not found and last and guards.changed() is not None:
            found.append(last[-1])
        last[:] = [line_of(frame.f_code, frame.f_lineno)]
        return on_line

    before = sys.gettrace()
    sys.settrace(on_line)
    try:
        yield found
    finally:
        sys.settrace(before)
        if not found and guards.changed() is not None:
            found.extend(last)


def changed_state(changed: Any, lines: Sequence[SourceLine]) -> TraceRefusedError:
    """The refusal of own code that changed a container which outlives the call, at the first line that did."""
    found = f"found a {type(changed).__name__} changed that outlives the call, on `self` or among the globals"
    text = f"{found}: {STATE[0]}; change a copy of it, or learn it in `fit`"
    return located(lines[0], text) if lines else TraceRefusedError(text)


OWN_MARK = "__recorder__"
"""A name among the substituted builtins, by which frames of own code are known."""


def is_own_frame(frame: FrameType | None) -> bool:
    """Whether a frame runs a copy of own code."""
    return frame is not None and OWN_MARK in frame.f_builtins
