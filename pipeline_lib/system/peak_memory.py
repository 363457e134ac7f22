"""The largest resident memory that a process has had, as Linux counts it."""

import re
from pathlib import Path

_HIGH_WATER_MARK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class PeakMemory:
    """The largest resident memory of a process, in bytes, at the last reading; None where the system does not say.

    Its child processes are not counted.
    """

    def __init__(self) -> None:
        self.bytes: int | None = None

    def read(self, pid: int | None) -> None:
        """Read it while the process lives; later readings replace earlier ones."""
        found = peak_memory(pid) if pid else None
        self.bytes = self.bytes if found is None else found


def peak_memory(pid: int) -> int | None:
    """The largest resident memory of a living process, in bytes; None elsewhere than on Linux, and once it has ended.

    >>> import os
    >>> peak = peak_memory(os.getpid())
    >>> peak is None or peak > 1_000_000
    True
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = _HIGH_WATER_MARK.search(status)
    return int(found[1]) * 1024 if found else None
