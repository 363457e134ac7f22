"""Locks on folders: the system lets go of one when its holder dies, however it dies."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "pipeline-lib-"
"""How the names of all folders begin that this library makes where the system keeps temporary ones."""


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder's lock; it stays with the folder when that is renamed.

    Raises BlockingIOError when another holds it, or waits for that one to let go.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Whether a living process holds the folder's lock; no folder, no lock."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def locked_temporary_folder(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """A temporary folder, locked while it is used, so that one whose user was killed can be told from it.

    It is the system's, named `PREFIX` and the kind, or a hidden one in `parent`, named by the kind.
    """
    prefix = f".{kind}-" if parent else f"{PREFIX}{kind}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name, locked(Path(name)):
        yield Path(name)
