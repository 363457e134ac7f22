"""Faster imports of Jupyter's tools: without a grammar that no notebook needs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_GRAMMAR = "rfc3987_syntax"
"""The package with which jsonschema checks internationalised addresses, where it is installed. A notebook's schema has
no addresses, and compiling the grammar takes as long as importing everything else."""
_allowed = False


def allow_fast_jupyter_imports() -> None:
    """Let `fast_jupyter_imports` have an effect: this process runs only code of this library and its pipelines."""
    global _allowed
    _allowed = True


@contextmanager
def fast_jupyter_imports() -> Iterator[None]:
    """Inside the block a first import of jsonschema leaves the grammar out, where that is allowed."""
    if not _allowed or _GRAMMAR in sys.modules:
        yield
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # the import system raises ModuleNotFoundError for None
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]
