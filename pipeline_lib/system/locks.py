"""Locks on folders: the system releases a lock when its process ends, even when it is killed."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "pipeline-lib-"
"""Starts the names of this library's folders in the system's temporary folder."""


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder's lock inside the block; renaming the folder keeps the lock.

    Raises BlockingIOError when another process holds it; with `wait`, waits until it is released.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Whether a running process holds the folder's lock; False where there is no such folder."""
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
    """A temporary folder that is locked inside the block: cleanup removes the unlocked ones, whose process was killed.

    It is among the system's temporary folders, named `PREFIX` and `kind`, or a hidden one in `parent`, named `kind`.
    """
    prefix = f".{kind}-" if parent else f"{PREFIX}{kind}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name, locked(Path(name)):
        yield Path(name)
