"""Which files of some folders are opened, by any reader in any process of the machine: Linux's inotify(7).

An event names a file, not the process that opened it.
"""

import ctypes
import errno
import os
import select
import struct
import threading
from collections.abc import Iterable, Iterator

# Values of Linux's <sys/inotify.h>.
_ACCESS, _CLOSE_WRITE, _CLOSE_NOWRITE, _OPEN, _MOVED_TO, _CREATE = 0x1, 0x8, 0x10, 0x20, 0x80, 0x100
_OVERFLOW, _FOLDER = 0x4000, 0x40000000
_WATCHED = _ACCESS | _CLOSE_WRITE | _CLOSE_NOWRITE | _OPEN | _MOVED_TO | _CREATE
_UNREADABLE = (errno.ENOENT, errno.EACCES)
_HEADER = struct.Struct("iIII")
"""`struct inotify_event` without the name: watch, mask, cookie, length of the name."""
_BUFFER = 1 << 16


class FileEvents:
    """The events of files and folders from `start` to `stop`; a thread reads them from the kernel's short queue.

    `lost` tells that some events were dropped, because they came faster than they were read.
    """

    def __init__(self) -> None:
        self.lost = False
        self._masks: dict[str, int] = {}
        self._watches: dict[int, str] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify")
        self._stop, self._stopping = os.pipe()
        self._thread = threading.Thread(target=self._follow, name="file-events", daemon=True)

    def start(self, paths: Iterable[str]) -> None:
        """Watch these folders, each without the folders in it, and single files.

        What this user may not read, or is gone, is left out. Raises OSError where the system allows no more watches.
        """
        self._thread.start()
        for path in paths:
            watch = self._libc.inotify_add_watch(self._queue, os.fsencode(path), _WATCHED)
            if watch < 0 and ctypes.get_errno() in _UNREADABLE:
                continue
            self._watches.setdefault(self._checked(watch, path), path)

    def stop(self) -> None:
        """Read the events so far and end."""
        os.close(self._stopping)
        if self._thread.ident:
            self._thread.join()
        os.close(self._stop)
        os.close(self._queue)

    def read(self) -> list[str]:
        """Files that were opened for reading; one that was opened to be read and written counts once it was read."""
        return [path for path, mask in self._masks.items() if not mask & _FOLDER and _is_read(mask)]

    def listed(self) -> list[str]:
        """Folders whose entries were listed."""
        return [path for path, mask in self._masks.items() if mask & _FOLDER and mask & _OPEN]

    def replaced(self) -> list[str]:
        """Files that were made, or moved to their place."""
        return [path for path, mask in self._masks.items() if not mask & _FOLDER and mask & (_CREATE | _MOVED_TO)]

    def _checked(self, result: int, path: str) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
        return result

    def _follow(self) -> None:
        poll = select.poll()
        poll.register(self._queue, select.POLLIN)
        poll.register(self._stop, select.POLLHUP)
        stopping = False
        while not stopping:
            stopping = any(number == self._stop for number, _ in poll.poll())
            for watch, mask, name in self._events():
                self.lost |= bool(mask & _OVERFLOW)
                folder = self._watches.get(watch)
                if folder is not None:
                    path = f"{folder}{os.sep}{name}" if name else folder
                    self._masks[path] = self._masks.get(path, 0) | mask

    def _events(self) -> Iterator[tuple[int, int, str]]:
        """All events in the queue: watch, mask and the name in the folder."""
        while True:
            try:
                content = os.read(self._queue, _BUFFER)
            except BlockingIOError:
                return
            position = 0
            while position < len(content):
                watch, mask, _, length = _HEADER.unpack_from(content, position)
                position += _HEADER.size
                yield watch, mask, os.fsdecode(content[position : position + length].rstrip(b"\0"))
                position += length


def _is_read(mask: int) -> bool:
    return bool(mask & (_ACCESS | _CLOSE_NOWRITE)) or (bool(mask & _OPEN) and not mask & _CLOSE_WRITE)
