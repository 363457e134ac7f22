"""Faults of the disk, injected into this process: the k-th thing that it writes fails."""

import builtins
import errno
import io
import mmap
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

ONCE = {"EIO": errno.EIO, "EACCES": errno.EACCES}
LASTING = {"ENOSPC": errno.ENOSPC}
"""A full disk stays full: everything from the k-th on fails."""


class Injection:
    """Counts what this process writes below some folders, from `begin()` on, and lets the k-th fail.

    With k = 0 it only counts. A folder is any whose path contains one of `places`.
    """

    def __init__(self, name: str, k: int, places: Sequence[str]) -> None:
        self.places = places
        self.error = (ONCE | LASTING)[name]
        self.lasting = name in LASTING
        self.k = k
        self._shared = mmap.mmap(-1, 8)  # a forked runner counts for its parent

    @property
    def count(self) -> int:
        """How many things were written."""
        return int.from_bytes(self._shared[:8], "big")

    def step(self, path: Any) -> None:
        """One thing that is written."""
        if not any(place in str(path) for place in self.places):
            return
        count = self.count + 1
        self._shared[:8] = count.to_bytes(8, "big")
        if self.k and (count == self.k or (self.lasting and count > self.k)):
            raise OSError(self.error, os.strerror(self.error), str(path))

    def begin(self) -> None:
        """Stand between this process and the disk for good."""
        opened = self._opened(io.open)
        for module in (builtins, io):
            patch.object(module, "open", opened).start()
        names = ["mkdir", "rename", "replace", "link", "symlink"]
        if not self.lasting:  # a full disk lets go of what is removed
            names += ["unlink", "remove", "rmdir"]
        for name in names:
            patch.object(os, name, self._counted(getattr(os, name))).start()
        patch.object(os, "fsync", self._flushed(os.fsync)).start()

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *words: Any, **options: Any) -> Any:
            self.step(path)
            return real(path, *words, **options)

        return counted

    def _flushed(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def flushed(descriptor: int) -> None:
            self.step(Path(f"/proc/self/fd/{descriptor}").readlink())
            real(descriptor)

        return flushed

    def _opened(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, mode: str = "r", *words: Any, **options: Any) -> Any:
            if set(mode).isdisjoint("wax+") or isinstance(path, int):
                return real(path, mode, *words, **options)
            self.step(path)
            return _File(real(path, mode, *words, **options), lambda: self.step(path))

        return opened


class _File:
    """A file that is written through a fault."""

    def __init__(self, real: Any, step: Callable[[], None]) -> None:
        self._real, self._step = real, step

    def write(self, content: Any) -> Any:
        """Write, or fail."""
        self._step()
        return self._real.write(content)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *error: object) -> None:
        self._real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
