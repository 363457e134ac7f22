"""Results of operations that are kept for a while: compiling asks for those of the same rows several times."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Kept = dict[Any, Any]
_KEPT: ContextVar[dict[str, Kept] | None] = ContextVar("kept results", default=None)


@contextmanager
def kept_results(*, keep: bool = True) -> Iterator[None]:
    """Keep results until the end of the block; with `keep=False` compute each of them, as outside of such a block."""
    token = _KEPT.set({} if keep else None)
    try:
        yield
    finally:
        _KEPT.reset(token)


def kept_of(kind: str) -> Kept | None:
    """The results of one kind that are kept; None where none are."""
    kept = _KEPT.get()
    return None if kept is None else kept.setdefault(kind, {})
