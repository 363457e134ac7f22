"""Which data files a process has opened: raw data that a pipeline reads without naming it in `SOURCES`.

Python's audit hook sees each `open`, each connection to an SQLite file, other programs that are started, and
connections to a network. It cannot see readers that open files in native code (a path given to Arrow, polars or
DuckDB): `watched_files` has what the operating system reports of them.
"""

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
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
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn")
_ABOUT_THE_MACHINE = ("uname", "lscpu", "ldconfig", "gcc")
"""Programs by which libraries ask for facts of the machine, which have digests of their own."""
ONLY_FILES = "whose result has no fingerprint, expected files; keep the result in a file and name that in SOURCES"
"""The end of the message for a `load` that starts a program or connects to a host."""
_EVENTS = ("open", "sqlite3.connect", "socket.connect", *_PROGRAMS)
_LIBRARY = Path(__file__).resolve().parents[2]
"""The folder of this library, whose templates make pages and new projects and change no result."""
_recordings: list["OpenedFiles"] = []


class OpenedFiles:
    """Paths that were opened for reading, without those that this process itself had opened for writing.

    `unknown` describes what `load` did whose reading is not known: programs it started, hosts it connected to. `load`
    is the code of that function; without it everything that is recorded counts as its own.
    """

    def __init__(self, load: CodeType | None = None) -> None:
        self.written: set[str] = set()
        self.unknown: list[str] = []
        self._read: set[str] = set()
        self._load = load

    def add(self, path: str, *, writes: bool) -> None:
        """Record one call of `open`."""
        if writes:
            self.written.add(path)
        elif path not in self.written:
            self._read.add(path)

    def add_unknown(self, act: str) -> None:
        """Record that `load` did something; nothing where it is not running."""
        if act not in self.unknown and (self._load is None or _is_running(self._load)):
            self.unknown.append(act)

    def undeclared(self, project: Project, pipeline: str, record: Path | None = None) -> list[str]:
        """The data files that neither `SOURCES` nor `data_path` names, as messages show them, sorted."""
        return [project.shown(Path(path)) for path in undeclared_paths(set(self._read), project, pipeline, record)]


def undeclared_paths(paths: Iterable[str], project: Project, pipeline: str, record: Path | None = None) -> list[str]:
    """Those of some paths that are data files which neither `SOURCES` nor `data_path` names, without links, sorted.

    Files with a digest of their own do not count: code, notebooks, parameters, installed packages, records and the
    `record` that is being written.
    """
    declared = (*map(str, source_paths(project, pipeline)), *map(os.path.realpath, named_paths()))
    known = (*known_folders(project), *([os.path.realpath(record)] if record else []))
    own = tuple(os.path.realpath(folder) for folder in (project.notebooks, project.params))
    return sorted(
        path
        for path in {os.path.realpath(path) for path in paths}
        if not path.endswith(_CODE)
        and not is_below(path, known)
        and not (path.endswith(_WRITTEN) and is_below(path, own))
        and not is_below(path, declared)
        and not _is_hidden(path, project)
        and os.path.isfile(path)  # noqa: PTH113 (thousands of paths)
    )


def record_opened_files(load: CodeType | None = None) -> OpenedFiles:
    """Record from here on, until this process ends, the files that it opens; `load` as in `OpenedFiles`."""
    opened = OpenedFiles(load)
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
    if not _recordings or event not in _EVENTS:
        return
    if event in ("open", "sqlite3.connect"):
        _add_file(event, arguments)
        return
    act = _connection(arguments[1]) if event == "socket.connect" else _program(event, arguments)
    for recording in list(_recordings) if act else ():
        recording.add_unknown(act)


def _add_file(event: str, arguments: tuple[Any, ...]) -> None:
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


def _program(event: str, arguments: tuple[Any, ...]) -> str:
    """What was started; empty for programs that only describe the machine."""
    if event in ("os.fork", "os.forkpty"):
        return "started another process"
    command = arguments[0]
    if event == "pty.spawn":
        command = command[0]
    words = os.fsdecode(command).split() if event == "os.system" else [os.fsdecode(command)]
    program = os.path.basename(words[0]) if words else ""  # noqa: PTH119 (a text)
    return f"started {program}" if program not in _ABOUT_THE_MACHINE else ""


def _connection(address: Any) -> str:
    """What was connected to: a host with its port, or the path of a local socket."""
    if isinstance(address, tuple) and len(address) > 1:
        return f"connected to {address[0]}:{address[1]}"
    return f"connected to {os.fsdecode(address)}" if isinstance(address, str | bytes) else "connected to a network"


def _is_running(code: CodeType) -> bool:
    """Whether a function is running in this thread, or in the main thread, which may wait for this one."""
    main = sys._current_frames().get(threading.main_thread().ident or 0)
    return any(_is_on_stack(frame, code) for frame in (sys._getframe(), main))


def _is_on_stack(frame: FrameType | None, code: CodeType) -> bool:
    while frame:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def known_folders(project: Project) -> tuple[str, ...]:
    """Folders and files whose content a run's other digests cover, and those of the system."""
    own = [project.runs, project.root / ".git"]
    own += [project.root / name for name in ("settings.ini", "pyproject.toml", "setup.py", "requirements.lock")]
    own += [_LIBRARY / "project" / "templates", _LIBRARY / "records" / "templates"]
    installed = [*site_folders(), Path(os.__file__).parent, Path(sys.prefix), Path(sys.base_prefix)]
    return (*_SYSTEM, *(os.path.realpath(path) for path in (*own, *installed)))


def _is_hidden(path: str, project: Project) -> bool:
    """Whether a file lies in a hidden folder of the user's home (caches, settings), outside the project."""
    home = os.path.realpath(Path.home())
    if is_below(path, (os.path.realpath(project.root),)) or not is_below(path, (home,)):
        return False
    return os.path.relpath(path, home).startswith(".")


def is_below(path: str, folders: tuple[str, ...]) -> bool:
    """Whether a path is one of these folders, or in one."""
    return any(path == folder or path.startswith(f"{folder.rstrip(os.sep)}{os.sep}") for folder in folders)
