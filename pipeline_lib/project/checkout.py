"""Whose code runs: the loaded package must be the one whose notebooks are exported, checked and recorded.

Two checkouts of a project (a clone, a `git worktree`) may share one environment, in which the package is installed
from only one of them. In the other checkout every file would look fresh while the first one's code runs.
"""

import importlib.util
import os
import sys
from pathlib import Path

from pipeline_lib.errors import InputError


def check_loaded_package(library: str, root: Path) -> None:
    """Raise InputError where Python loads the package `library` from another folder than `root` holds."""
    loaded, expected = package_folder(library), (root / library).resolve()
    if loaded is not None and loaded != expected:
        raise InputError(
            f"found the package {library} loaded from {loaded}, expected {expected}: the code of another checkout "
            f"would run here; {_remedy(loaded, root)}"
        )


def _remedy(loaded: Path, root: Path) -> str:
    """What to do: a folder that PYTHONPATH names comes before what is installed, in any environment."""
    named = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    if loaded.parent in {Path(folder).resolve() for folder in named}:
        return f"unset PYTHONPATH, which names {loaded.parent}"
    return f"run `make setup` in {root} and use its .venv"


def check_installed_package(library: str, root: Path) -> None:
    """Raise InputError where this environment has no package `library`, which a kernel would import."""
    if package_folder(library) is None:
        raise InputError(
            f"found no package {library} in the environment {sys.prefix}, expected it there; use "
            f"{root / '.venv' / 'bin' / 'pipeline-lib'}, which `make setup` in {root} installs"
        )


def package_folder(name: str) -> Path | None:
    """The folder that a package is, or would be, imported from; None where there is no such package."""
    module = sys.modules.get(name)
    try:
        spec = module.__spec__ if module else importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return Path(folders[0]).resolve() if folders else None
