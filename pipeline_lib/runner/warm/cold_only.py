"""What a preloaded module found as it was imported, and what a first import would find now: where these differ, a
warm process refuses, and a cold one has to do it."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

KERNEL = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "TERM": "xterm-color",
    "CLICOLOR": "1",
    "FORCE_COLOR": "1",
    "CLICOLOR_FORCE": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
}
"""What ipykernel sets before a notebook's first cell."""
_OURS = ("PIPELINE_LIB_", "JPY_")
"""How variables begin that tell one process from another; no third-party package reads them at its import."""


class ColdOnlyError(RuntimeError):
    """A module was imported ahead under other circumstances than now; no ImportError, which packages catch."""


def warm_stash() -> Any:
    """What this process was forked with: a `Stash`, of a copy of this library that is gone; None in a cold process."""
    return next((finder for finder in sys.meta_path if type(finder).__name__ == "Stash"), None)


def check_packages() -> None:
    """Raise ColdOnlyError in a warm process where other packages are installed now than it was forked with."""
    from pipeline_lib.system.fingerprint import (
        packages_digest,  # here: the server's own imports are seen in its processes
    )

    stash = warm_stash()
    if stash is not None and stash.packages != packages_digest():
        stash.refused = (
            "found that packages changed since this warm process imported them, expected none to; start a cold one "
            "(a sweep does so itself)"
        )
        raise ColdOnlyError(stash.refused)


class Variables:
    """The environment variables of a process as it began, as modules that are brought back set them, and who reads."""

    def __init__(self) -> None:
        self._begun: dict[str, str] = {}
        self._read: dict[str, set[str]] = {}

    @contextmanager
    def watching(self, executing: Sequence[str]) -> Iterator[None]:
        """Note which variables are read while a module executes, the last one of `executing`."""
        kind = type(os.environ)
        original = kind.__getitem__

        def noting(environment: Any, name: str) -> str:
            if executing:
                self._read.setdefault(executing[-1], set()).add(name)
            return original(environment, name)

        kind.__getitem__ = noting  # type: ignore[method-assign]
        try:
            yield
        finally:
            kind.__getitem__ = original  # type: ignore[method-assign]

    def begin(self) -> None:
        """From here on changes count."""
        self._begun = dict(os.environ)

    def restore(self, name: str, value: str) -> None:
        """Set a variable, unless it is set, as a module did."""
        self._begun[name] = os.environ.setdefault(name, value)

    def check(self, module: str, wanted: Mapping[str, Any]) -> None:
        """Raise ColdOnlyError where a variable changed that the module, or one it imports, read or may have read."""
        now = dict(os.environ)
        changed = {name for name in self._begun.keys() | now.keys() if self._changed(name, now.get(name))}
        if not changed:
            return
        compiled = any(_compiled(name, one) for name, one in wanted.items())  # it reads what no hook of Python's sees
        read = changed if compiled else changed & set().union(*map(self._read_by, wanted))
        if read:
            raise ColdOnlyError(
                f"found {', '.join(sorted(read))} changed before the import of {module}, expected the variables with "
                "which this warm process began; set them before it starts, or start a cold one (a sweep does so itself)"
            )

    def _read_by(self, module: str) -> set[str]:
        return self._read.get(module, set())

    def _changed(self, name: str, now: str | None) -> bool:
        begun = self._begun.get(name)
        return now not in (begun, KERNEL.get(name, begun)) and not name.startswith(_OURS)


def _compiled(name: str, module: Any) -> bool:
    origin = str(getattr(getattr(module, "__spec__", None), "origin", "") or "")
    return origin.endswith((".so", ".pyd")) and name.partition(".")[0] not in sys.stdlib_module_names


def shadow(name: str, module: Any) -> str | None:
    """Where a top-level module would be found now, if that is another place than it was imported from."""
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    if spec is None or spec.origin in ("built-in", "frozen"):
        return None
    found = PathFinder.find_spec(name)
    return found.origin if found is not None and found.origin != spec.origin else None


def check_path(name: str, wanted: Mapping[str, Any]) -> None:
    """Raise ColdOnlyError where a module wants one that the import path now has somewhere else."""
    for top in sorted(one for one in wanted if "." not in one):
        place = shadow(top, wanted[top])
        if place is not None:
            raise ColdOnlyError(
                f"found {place} where {name} imports {top}, expected the installed one; rename the file, or start a "
                "cold process (a sweep does so itself)"
            )
