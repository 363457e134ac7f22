"""A virtual environment with the Python and the locked packages of a record."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import ENVIRONMENT
from pipeline_lib.records.record import RECORD_VARIABLE, Record
from pipeline_lib.system.environment import describe_environment

LOCK = "requirements.lock"
_OF_THIS_PROCESS = (RECORD_VARIABLE, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would lead the new interpreter to this one's packages."""


def build_environment(record: Record, project: Project, folder: Path, progress: Callable[[str], None]) -> Path:
    """Make a virtual environment with the record's Python and locked packages; the path of its interpreter.

    The lock is the recorded commit's, or the checkout's where git does not have that commit. The project itself is
    installed from the checkout, without dependencies. Raises InputError where uv or a lock is missing, RunError where
    an installation fails.
    """
    uv = _uv()
    text, origin = _lock(record, project)
    lock = folder / LOCK
    lock.write_bytes(text)
    version = (record.read_json(ENVIRONMENT) or {}).get("python", {}).get("version")
    if not version:
        raise InputError(f"{record.reference}: found no Python version in {ENVIRONMENT}, expected one; run again")
    python = folder / "env" / "bin" / "python"
    progress(f"building Python {version} with {origin}")
    _run_uv(uv, project, "venv", "--quiet", "--python", version, str(folder / "env"))
    _run_uv(uv, project, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock))
    this_project = ("--no-deps", "--no-build-isolation", "--editable", str(project.root))
    _run_uv(uv, project, "pip", "install", "--quiet", "--python", str(python), *this_project)
    return python


def recorded_variables(record: Record) -> dict[str, str]:
    """This process's variables, except that those which may change a bit are as in the record."""
    recorded: Mapping[str, Any] = (record.read_json(ENVIRONMENT) or {}).get("variables", {})
    replaced = {*describe_environment()["variables"], *_OF_THIS_PROCESS}
    return {name: value for name, value in os.environ.items() if name not in replaced} | dict(recorded)


def _uv() -> str:
    of_python = Path(sys.executable).with_name("uv")
    uv = str(of_python) if of_python.is_file() else shutil.which("uv")
    if uv is None:
        raise InputError("found no uv, expected it to build an environment from the lock; run `make setup`")
    return uv


def _lock(record: Record, project: Project) -> tuple[bytes, str]:
    """The lock file's content, and a description of its origin."""
    commit = (record.manifest().get("git") or {}).get("commit")
    if commit:
        command = ["git", "-C", str(project.root), "show", f"{commit}:./{LOCK}"]
        try:
            content = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 (our own words)
        except (OSError, subprocess.CalledProcessError):
            content = b""
        if content:
            return content, f"{LOCK} of commit {commit[:12]}"
    if not (project.root / LOCK).is_file():
        raise InputError(
            f"found no {LOCK} in {'the recorded commit or in ' if commit else ''}{project.root}, expected the "
            "lock file; `make lock` writes it"
        )
    return (project.root / LOCK).read_bytes(), f"{LOCK} of the tree"


def _run_uv(uv: str, project: Project, *words: str) -> None:
    command = [uv, *words]
    result = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        reason = " ".join(re.sub(r"[^\x20-\x7e]", " ", result.stderr).split())  # uv draws its causes as a tree
        raise RunError(
            f"`uv {' '.join(words[:2])}` failed: {reason or 'no message'}\n"
            "expected an interpreter and packages from uv's cache or a package index; go online, or omit --fresh-env"
        )
