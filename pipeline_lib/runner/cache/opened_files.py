"""Which data files a process has opened: raw data that a pipeline reads without naming it in `SOURCES`.

Python's audit hook sees each `open` and each connection to an SQLite file. It cannot see readers that open files in
native code (a path given to Arrow, polars or DuckDB), which is why `SOURCES` remains the way to name raw data.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pipeline_lib.project.data_path import named_paths
from pipeline_lib.project.project import Project
from pipeline_lib.runner.cache.sources import source_paths
from pipeline_lib.system.fingerprint import site_folders

_SYSTEM = ("/bin", "/dev", "/etc", "/lib", "/proc", "/run", "/sys", "/usr")
"""Folders of the operating system: devices, time zones, fonts. Raw data is not kept there."""
_CODE = (".py", ".pyc", ".pyi", ".so", ".pyd")
_WRITTEN = (".ipynb", ".yml", ".yaml")
"""Notebooks and parameters; in the project's own folders each has a digest of its own."""
_recordings: list["OpenedFiles"] = []


class OpenedFiles:
    """Paths that were opened for reading, without those that this process itself had opened for writing."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._written: set[str] = set()

    def add(self, path: str, *, writes: bool) -> None:
        """Record one call of `open`."""
        if writes:
            self._written.add(path)
        elif path not in self._written:
            self._read.add(path)

    def undeclared(self, project: Project, pipeline: str, record: Path | None = None) -> list[str]:
        """The data files that neither `SOURCES` nor `data_path` names, as messages show them, sorted.

        Files with a digest of their own do not count: code, notebooks, parameters, installed packages, records and the
        `record` that is being written.
        """
        declared = tuple(map(os.path.realpath, (*source_paths(project, pipeline), *named_paths())))
        known = (*_known_folders(project), *([os.path.realpath(record)] if record else []))
        own = tuple(os.path.realpath(folder) for folder in (project.notebooks, project.params))
        paths = {os.path.realpath(path) for path in set(self._read)}
        return sorted(
            project.shown(Path(path))
            for path in paths
            if not path.endswith(_CODE)
            and not _is_below(path, known)
            and not (path.endswith(_WRITTEN) and _is_below(path, own))
            and not _is_below(path, declared)
            and not _is_hidden(path, project)
            and os.path.isfile(path)  # noqa: PTH113 (thousands of paths)
        )


def record_opened_files() -> OpenedFiles:
    """Record from here on, until this process ends, the files that it opens."""
    opened = OpenedFiles()
    _add_hook()
    _recordings.append(opened)
    return opened


@contextmanager
def opened_files() -> Iterator[OpenedFiles]:
    """Record the files that are opened inside this context."""
    opened = record_opened_files()
    try:
        yield opened
    finally:
        _recordings.remove(opened)


@cache
def _add_hook() -> None:
    sys.addaudithook(_hook)  # for good: Python removes no audit hook


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _recordings or event not in ("open", "sqlite3.connect"):
        return
    path = arguments[0]
    if isinstance(path, bytes | os.PathLike):
        path = os.fsdecode(path)
    if not isinstance(path, str) or not path or path.startswith(":memory:"):
        return
    flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else os.O_RDONLY
    writes = flags & os.O_ACCMODE == os.O_WRONLY or bool(flags & os.O_TRUNC)  # "r+" reads, "w+" does not
    absolute = os.path.abspath(path.removeprefix("file:").partition("?")[0] if event != "open" else path)  # noqa: PTH100
    for recording in list(_recordings):
        recording.add(absolute, writes=writes)


def _known_folders(project: Project) -> tuple[str, ...]:
    """Folders and files whose content a run's other digests cover, and those of the system."""
    own = [project.runs, project.root / ".git"]
    own += [project.root / name for name in ("settings.ini", "pyproject.toml", "setup.py", "requirements.lock")]
    installed = [*site_folders(), Path(os.__file__).parent, Path(sys.prefix), Path(sys.base_prefix)]
    return (*_SYSTEM, *(os.path.realpath(path) for path in (*own, *installed)))


def _is_hidden(path: str, project: Project) -> bool:
    """Whether a file lies in a hidden folder of the user's home (caches, settings), outside the project."""
    home = os.path.realpath(Path.home())
    if _is_below(path, (os.path.realpath(project.root),)) or not _is_below(path, (home,)):
        return False
    return os.path.relpath(path, home).startswith(".")


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip(os.sep)}{os.sep}") for folder in folders)
