"""Locks on folders: the system releases a lock when its process ends, even when it is killed.

Windows opens no folders: there a hidden file beside the folder is locked, and a folder that is renamed has no lock.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline_lib.system.file_locks import LOCKS_FOLDERS, lock_file

PREFIX = "pipeline-lib-"
"""Starts the names of this library's folders in the system's temporary folder."""


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder's lock inside the block; renaming the folder keeps the lock.

    Raises BlockingIOError when another process holds it; with `wait`, waits until it is released.
    """
    descriptor = _open(folder)
    try:
        lock_file(descriptor, wait=wait)
        yield
    finally:
        _close(descriptor, folder)


def is_locked(folder: Path) -> bool:
    """Whether a running process holds the folder's lock; False where there is no such folder."""
    try:
        descriptor = _open(folder)
    except FileNotFoundError:
        return False
    try:
        lock_file(descriptor, shared=True)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        _close(descriptor, folder)


def _open(folder: Path) -> int:
    """A descriptor to lock. Raises FileNotFoundError where there is no such folder."""
    if LOCKS_FOLDERS:
        return os.open(folder, os.O_RDONLY)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {folder}")
    return os.open(_lock_path(folder), os.O_RDWR | os.O_CREAT)


def _close(descriptor: int, folder: Path) -> None:
    os.close(descriptor)
    if not LOCKS_FOLDERS:
        with suppress(OSError):  # another process has it open
            _lock_path(folder).unlink()


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def locked_temporary_folder(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """A temporary folder that is locked inside the block: cleanup removes the unlocked ones, whose process was killed.

    It is among the system's temporary folders, named `PREFIX` and `kind`, or a hidden one in `parent`, named `kind`.
    """
    prefix = f".{kind}-" if parent else f"{PREFIX}{kind}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name, locked(Path(name)):
        yield Path(name)
