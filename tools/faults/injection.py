"""Disk faults, injected into this process: its k-th write fails."""

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
"""A full disk stays full: every write from the k-th on fails."""


class Injection:
    """Counts this process's writes below some folders, from `begin()` on, and makes the k-th fail.

    A write is an open for writing, a write, a flush, a rename or removal. With k = 0 they are only counted. Paths that
    contain one of `folders` count.
    """

    def __init__(self, name: str, k: int, folders: Sequence[str]) -> None:
        self.folders = folders
        self.error = (ONCE | LASTING)[name]
        self.lasting = name in LASTING
        self.k = k
        self._shared = mmap.mmap(-1, 8)  # a forked runner counts for its parent

    @property
    def count(self) -> int:
        """The number of writes so far."""
        return int.from_bytes(self._shared[:8], "big")

    def step(self, path: Any) -> None:
        """Count one write; OSError for the k-th."""
        if not any(folder in str(path) for folder in self.folders):
            return
        count = self.count + 1
        self._shared[:8] = count.to_bytes(8, "big")
        if self.k and (count == self.k or (self.lasting and count > self.k)):
            raise OSError(self.error, os.strerror(self.error), str(path))

    def begin(self) -> None:
        """Replace the functions that write, until this process ends."""
        opened = self._opened(io.open)
        for module in (builtins, io):
            patch.object(module, "open", opened).start()
        names = ["mkdir", "rename", "replace", "link", "symlink"]
        if not self.lasting:  # a full disk still allows removals
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
    """A file whose writes are counted."""

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
