"""Where a project's things are: the facts of settings.ini, the folders, the pipeline modules."""

import importlib
import re
import sys
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pipeline_lib.errors import InputError

GENERATED = ("steps", "pipelines")
"""The folders of the library that are written by export and by nobody else."""


@dataclass(frozen=True)
class Project:
    """A checkout with a settings.ini: its root folder, library name and folders."""

    root: Path
    library: str
    notebooks: Path
    params: Path
    runs: Path

    @property
    def package(self) -> Path:
        """Folder of the library."""
        return self.root / self.library

    def shown(self, path: Path) -> str:
        """A path as messages name it: from the project's root, with forward slashes."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def pipelines(self) -> list[str]:
        """Names of the pipelines that have a notebook."""
        return sorted(path.stem for path in (self.notebooks / "pipelines").glob("[!._]*.ipynb"))

    def research_notebook(self, pipeline: str) -> Path:
        """The notebook that papermill runs for a pipeline."""
        return self.notebooks / "research" / f"{pipeline}.ipynb"

    def import_pipeline(self, pipeline: str) -> ModuleType:
        """Import the module that the pipeline's notebook exports.

        Raises InputError when there is no such module or the import fails.
        """
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        name = f"{self.library}.pipelines.{pipeline}"
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise InputError(self._not_importable(name, pipeline, error)) from error
        except Exception as error:
            raise InputError(
                f"{name}: found {type(error).__name__} on import: {error}\n"
                f"expected a module that imports; fix nbs/pipelines/{pipeline}.ipynb and run `make export`"
            ) from error

    def _not_importable(self, name: str, pipeline: str, error: ModuleNotFoundError) -> str:
        if error.name and not name.startswith(error.name):
            return (
                f"{name}: found no package {error.name!r} to import, expected the research requirements; "
                "run `make setup`, or pip install 'nb-pipeline-lib[opaque,research,examples]'"
            )
        known = ", ".join(self.pipelines()) or "none"
        return (
            f"found no pipeline {pipeline!r}, expected one of: {known}; "
            f"write nbs/pipelines/{pipeline}.ipynb (`pipeline-lib new {pipeline}`) and run `make export`"
        )


def find_project(start: Path | None = None) -> Project:
    """The project that a folder lies in: the nearest settings.ini with a [project] section, upwards.

    Raises InputError when there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "settings.ini").is_file():
            return _read(folder)
    raise InputError(
        f"found no settings.ini in {here} or above it, expected to stand inside a project; go to the project's folder"
    )


def check_name(name: str) -> str:
    """A pipeline's name, refused unless it can name a module and a notebook."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(
            f"found the name {name!r}, expected lower-case letters, digits and underscores, a letter first"
        )
    return name


def _read(root: Path) -> Project:
    facts = ConfigParser()
    try:
        facts.read(root / "settings.ini", encoding="utf-8")
        section = facts["project"]
        return Project(
            root=root,
            library=section["lib_name"],
            notebooks=root / section["nbs_path"],
            params=root / section["params_path"],
            runs=root / section["runs_path"],
        )
    except (ConfigError, KeyError, UnicodeDecodeError) as error:
        raise InputError(
            f"settings.ini: found {error}, expected a [project] section with lib_name, nbs_path, "
            "params_path and runs_path"
        ) from error
