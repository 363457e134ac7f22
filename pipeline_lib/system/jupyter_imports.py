"""Importing Jupyter's tools without the part that takes longest and that notebooks have no use for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_GRAMMAR = "rfc3987_syntax"
"""What jsonschema judges internationalised addresses with, where it is installed. A notebook's schema has none, and
its grammar takes as long to compile as all the rest takes to import."""
_allowed = False


def allow_fast_jupyter_imports() -> None:
    """Say that this process runs nobody's code but this library's and its pipelines'."""
    global _allowed
    _allowed = True


@contextmanager
def fast_jupyter_imports() -> Iterator[None]:
    """For a while let a first import of jsonschema do without the grammar of addresses, where that is allowed."""
    if not _allowed or _GRAMMAR in sys.modules:
        yield
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # what the import system takes for "there is none"
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]
