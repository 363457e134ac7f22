"""The environment of a record, built anew from the lock file in a folder of its own."""

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
_OWN = (RECORD_VARIABLE, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


def build_environment(record: Record, project: Project, folder: Path, progress: Callable[[str], None]) -> Path:
    """Make a virtual environment of the record's Python and locked packages; the path of its interpreter.

    The lock is the recorded commit's, or the tree's where git does not know that one. The project itself is
    installed from the tree, without dependencies. Raises InputError where uv or a lock is missing, RunError where
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
    _uv_runs(uv, project, "venv", "--quiet", "--python", version, str(folder / "env"))
    _uv_runs(uv, project, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock))
    own = ("--no-deps", "--no-build-isolation", "--editable", str(project.root))
    _uv_runs(uv, project, "pip", "install", "--quiet", "--python", str(python), *own)
    return python


def recorded_variables(record: Record) -> dict[str, str]:
    """This process's variables, with those that may change a bit as the record has them."""
    recorded: Mapping[str, Any] = (record.read_json(ENVIRONMENT) or {}).get("variables", {})
    ours = {*describe_environment()["variables"], *_OWN}
    return {name: value for name, value in os.environ.items() if name not in ours} | dict(recorded)


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise InputError("found no uv, expected it to build an environment from the lock; run `make setup`")
    return found


def _lock(record: Record, project: Project) -> tuple[bytes, str]:
    """The lock file's bytes, and where they come from."""
    commit = (record.manifest().get("git") or {}).get("commit")
    if commit:
        command = ["git", "-C", str(project.root), "show", f"{commit}:./{LOCK}"]
        try:
            content = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 (our words)
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


def _uv_runs(uv: str, project: Project, *words: str) -> None:
    command = [uv, *words]
    result = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        reason = " ".join(re.sub(r"[^\x20-\x7e]", " ", result.stderr).split())  # uv draws a tree of causes
        raise RunError(
            f"`uv {' '.join(words[:2])}` failed: {reason or 'no message'}\n"
            "expected an interpreter and packages from uv's cache or a package index; go online, or omit --fresh-env"
        )
