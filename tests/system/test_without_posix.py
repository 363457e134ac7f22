"""Scoring and serving where the system is not POSIX: no module of theirs needs one, and locks work with Windows' call.

Nothing here runs on Windows. The modules and names that Windows does not have are hidden in a process of Linux.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.system.file_locks import lock_file
from pipeline_lib.system.locks import is_locked, locked

RECORD = next((ROOT / "tests" / "data" / "records" / "daily").iterdir())
MODULES = "fcntl resource termios tty pty pwd grp syslog crypt readline _posixshmem uvloop"
"""What Python has on POSIX alone, and a package that is not built for Windows."""
NAMES = "fork geteuid getuid setsid killpg sched_getaffinity confstr WNOHANG O_CLOEXEC O_DIRECTORY chown"
SIGNALS = "SIGHUP SIGKILL SIGCHLD SIGUSR1 SIGPIPE SIGALRM"
HIDE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
# the standard library and other packages have their own ways on Windows: they are loaded first
import asyncio, concurrent.futures, ctypes, logging.handlers, multiprocessing, os, signal, socket, subprocess, tempfile
import fcntl as posix
import click, numpy, prometheus_client, pyarrow.csv, pyarrow.parquet, pyarrow.dataset, pydantic, uvicorn.supervisors
for name in {MODULES!r}.split():
    sys.modules[name] = None
for name in {NAMES!r}.split():
    vars(os).pop(name, None)
for name in {SIGNALS!r}.split():
    vars(signal).pop(name, None)
vars(socket).pop("AF_UNIX", None)
real = ctypes.CDLL
def library(name, *rest, **options):
    if name is None:
        raise TypeError("Windows has no library of the process")
    return real(name, *rest, **options)
ctypes.CDLL = library
"""
ROOMS = ("errors", "system", "rows", "compiled", "scoring", "answers", "watching", "serving", "cli")
IMPORT = f"""
import importlib, pkgutil
import pipeline_lib
from pathlib import Path
done = 0
for room in {ROOMS!r}:
    folder = Path(pipeline_lib.__file__).parent / room
    for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]:
        parts = path.relative_to(folder.parents[1]).with_suffix("").parts
        importlib.import_module(".".join(parts).removesuffix(".__init__"))
        done += 1
print(done)
"""
SCORE = """
import json, os, sys
from pathlib import Path
import pyarrow.parquet as pq
from pipeline_lib.cli.main import main
sys.argv = ["pipeline-lib", "predict", *sys.argv[1:]]
main()
"""


def run(code: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run code where POSIX is hidden."""
    command = [sys.executable, "-c", HIDE + textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603 (own command)


def test_the_production_rooms_import_without_posix() -> None:
    done = run(IMPORT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 120


@pytest.mark.parametrize("line", ["import fcntl", "import os; os.fork", "import signal; signal.SIGHUP"])
def test_what_needs_posix_is_seen(line: str) -> None:
    assert run(line).returncode == 1


def test_a_file_is_scored_without_posix(tmp_path: Path) -> None:
    tables = [str(RECORD / "evidence" / name) for name in ("inputs.parquet", "context.parquet")]
    arguments = (str(RECORD), tables[0], str(tmp_path / "out.csv"), "--context", tables[1], "--allow-unproven")
    hidden = run(f"{FAKE_LOCKS}{SCORE}", *arguments, folder=tmp_path)
    assert hidden.returncode == 0, hidden.stdout + hidden.stderr
    here = [sys.executable, "-m", "pipeline_lib", "predict", str(RECORD), tables[0], str(tmp_path / "here.csv")]
    subprocess.run([*here, *arguments[3:]], check=True, capture_output=True, cwd=ROOT)  # noqa: S603
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.csv", "out.csv"]


FAKE_LOCKS = """
import types
def locking(descriptor, mode, count):
    posix.flock(descriptor, posix.LOCK_EX | posix.LOCK_NB)
def unlink(path, **options):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        locking(descriptor, 2, 1)
        remove(path, **options)
    finally:
        os.close(descriptor)
remove, os.unlink = os.unlink, unlink
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
"""
"""Windows' call, and that no file is removed which another has open."""
LOCKS = """
from pathlib import Path
from pipeline_lib.system.locks import is_locked, locked
folder = Path(sys.argv[1])
print(is_locked(folder / "nowhere"))
with locked(folder):
    print(is_locked(folder))
    try:
        with locked(folder):
            print("twice")
    except BlockingIOError as error:
        print(error)
print(sorted(path.name for path in folder.parent.iterdir()))
"""


def test_a_folder_is_locked_through_a_file_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    done = run(FAKE_LOCKS + LOCKS, str(folder))
    assert done.stdout.splitlines() == ["False", "True", "another process holds the lock", "['parts']"], done.stderr


def test_a_file_that_another_holds_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    with path.open("rb") as one, path.open("rb") as other:
        lock_file(one.fileno())
        with pytest.raises(BlockingIOError):
            lock_file(other.fileno())
        with pytest.raises(BlockingIOError):
            lock_file(other.fileno(), shared=True)
    with path.open("rb") as later:
        lock_file(later.fileno(), wait=True)
        assert os.fstat(later.fileno()).st_size == 0


def test_a_folder_is_locked_itself_where_the_system_can(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert is_locked(tmp_path)
        assert list(tmp_path.parent.glob(f".{tmp_path.name}.lock")) == []
    assert not is_locked(tmp_path)
