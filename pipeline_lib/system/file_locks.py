"""The system's lock on an open file: flock of POSIX, or a byte far beyond the end on Windows, which has no flock.

Windows locks ranges of bytes, and other processes cannot read a locked range: ours lies beyond the end of any file.
"""

import os
import time
from importlib import import_module
from typing import Any

fcntl: Any
try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None

LOCKS_FOLDERS = fcntl is not None
"""Whether a folder can be opened and locked itself."""
_FAR = (1 << 31) - 16
"""Its call counts in 32 bits with a sign; no file that is locked here has so many bytes."""
_RETRY = 0.05
"""Seconds between two attempts on Windows, where no call waits for longer than ten."""


def lock_file(descriptor: int, *, wait: bool = False, shared: bool = False) -> None:
    """Lock an open file until it is closed. Raises BlockingIOError where another process holds the lock.

    With `wait`, waits until it is released. A `shared` lock excludes only others that are not; on Windows all.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        return
    while not _lock_byte(descriptor):
        if not wait:
            raise BlockingIOError("another process holds the lock")
        time.sleep(_RETRY)


def _lock_byte(descriptor: int) -> bool:
    """Lock the byte far beyond the end; False where it is locked."""
    windows = import_module("msvcrt")
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        windows.locking(descriptor, windows.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        os.lseek(descriptor, position, os.SEEK_SET)
    return True
