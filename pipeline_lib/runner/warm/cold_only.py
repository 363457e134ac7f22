"""Conditions of an import (variables, files, packages) that may differ from those of the preloading.

Where they differ, the warm process refuses the import and the run is repeated in a cold one.
"""

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
"""Variables that ipykernel sets before a notebook's first cell."""
_OURS = ("PIPELINE_LIB_", "JPY_")
"""Prefixes of variables that differ between processes; no third-party package reads them at import."""


class ColdOnlyError(RuntimeError):
    """A module was preloaded under conditions that have changed. It is no ImportError, because packages catch those."""


def hidden_modules_here() -> Any:
    """The `HiddenModules` of this process, an instance of an unloaded copy of this library; None in a cold process."""
    return next((finder for finder in sys.meta_path if type(finder).__name__ == "HiddenModules"), None)


def check_packages() -> None:
    """Raise ColdOnlyError in a warm process whose installed packages changed since its server started."""
    from pipeline_lib.system.fingerprint import (
        packages_digest,  # imported here: what the server imports itself would be visible in its processes
    )

    hidden = hidden_modules_here()
    if hidden is not None and hidden.packages != packages_digest():
        hidden.refused = (
            "found that packages changed since this warm process imported them, expected none to; start a cold one "
            "(a sweep does so itself)"
        )
        raise ColdOnlyError(hidden.refused)


class EnvironmentAtStart:
    """The environment variables at the start of a process, and which module reads which at import."""

    def __init__(self) -> None:
        self._begun: dict[str, str] = {}
        self._read: dict[str, set[str]] = {}

    @contextmanager
    def watching(self, executing: Sequence[str]) -> Iterator[None]:
        """Record which variables are read while a module executes, the last one of `executing`."""
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
        """Take the present variables as those of the start."""
        self._begun = dict(os.environ)

    def restore(self, name: str, value: str) -> None:
        """Set a variable as a module did at import, unless it is set."""
        self._begun[name] = os.environ.setdefault(name, value)

    def check(self, module: str, wanted: Mapping[str, Any]) -> None:
        """Raise ColdOnlyError where a changed variable was, or may have been, read by the module or its imports."""
        now = dict(os.environ)
        changed = {name for name in self._begun.keys() | now.keys() if self._changed(name, now.get(name))}
        if not changed:
            return
        compiled = any(_compiled(name, one) for name, one in wanted.items())  # its reads are seen by no Python hook
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
    """The file that a top-level import would find now, if it is another than the preloaded one."""
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    if spec is None or spec.origin in ("built-in", "frozen"):
        return None
    current = PathFinder.find_spec(name)
    return current.origin if current is not None and current.origin != spec.origin else None


def check_path(name: str, wanted: Mapping[str, Any]) -> None:
    """Raise ColdOnlyError where the import path now has another file for a module or one it imports."""
    for top in sorted(one for one in wanted if "." not in one):
        file = shadow(top, wanted[top])
        if file is not None:
            raise ColdOnlyError(
                f"found {file} where {name} imports {top}, expected the installed one; rename the file, or start a "
                "cold process (a sweep does so itself)"
            )
