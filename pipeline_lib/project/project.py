"""A project: the settings in settings.ini, its folders, its pipeline modules."""

import contextlib
import importlib
import re
import sys
from collections.abc import Mapping
from configparser import ConfigParser, SectionProxy
from configparser import Error as ConfigError
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from pipeline_lib.errors import InputError
from pipeline_lib.project.checkout import check_installed_package, check_loaded_package
from pipeline_lib.project.keep_runs import KEEP_ALL, KeepRuns, parse_keep
from pipeline_lib.project.store_address import check_address
from pipeline_lib.system.files import sha256_tree

GENERATED = ("steps", "pipelines")
"""The folders of the package that only export writes."""
ROW_KEY_LENGTH = 16
"""Characters of `row_key`: SipHash has a key of 128 bits."""
SCRATCH = "scratch"
"""The folder of a pipeline's runs from Jupyter; no pipeline can have this name."""


@dataclass(frozen=True)
class Project:
    """A checkout with a settings.ini: its root folder, package name, folders, and the address of its team's store.

    `store` is empty where settings.ini names none; a relative folder begins at the root. `trust` are the packages
    whose classes an opaque step of the project may hold. `row_key` is the key, 16 letters or digits, of the hashes of
    training rows; it follows from the package's name where settings.ini names none. `keep` says how many finished runs
    of each pipeline `prune` leaves.
    """

    root: Path
    library: str
    notebooks: Path
    params: Path
    runs: Path
    store: str = ""
    trust: tuple[str, ...] = ()
    row_key: str = field(default="", repr=False)
    keep: KeepRuns = KEEP_ALL

    def __post_init__(self) -> None:
        """The key where settings.ini names none."""
        if not self.row_key:
            derived = sha256(f"row_key of {self.library}".encode()).hexdigest()[:ROW_KEY_LENGTH]
            object.__setattr__(self, "row_key", derived)

    @property
    def package(self) -> Path:
        """Folder of the package."""
        return self.root / self.library

    def shown(self, path: Path) -> str:
        """A path as messages name it: from the project's root, with forward slashes."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def generated_digests(self) -> dict[str, str]:
        """A digest of the files in each of the `GENERATED` folders, by folder."""
        return {name: sha256_tree(self.package / name) for name in GENERATED}

    def pipelines(self) -> list[str]:
        """Names of the pipelines that have a notebook."""
        return sorted(path.stem for path in (self.notebooks / "pipelines").glob("[!._]*.ipynb"))

    def research_notebook(self, pipeline: str) -> Path:
        """The notebook that papermill runs for a pipeline."""
        return self.notebooks / "research" / f"{pipeline}.ipynb"

    def check_loaded(self) -> None:
        """Raise InputError where the loaded package is another checkout's."""
        check_loaded_package(self.library, self.root)

    def check_installed(self) -> None:
        """Raise InputError where this environment has no package of the project: it is another project's."""
        check_installed_package(self.library, self.root)

    def import_pipeline(self, pipeline: str) -> ModuleType:
        """Import the module that the pipeline's notebook exports; the project's root stays on `sys.path`.

        Raises InputError when there is no such module or the import fails.
        """
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        name = f"{self.library}.pipelines.{pipeline}"
        self.check_loaded()
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise InputError(self._not_importable(name, pipeline, error)) from error
        except Exception as error:
            raise InputError(
                f"{name}: found {type(error).__name__} on import: {error}\n"
                f"expected a module that imports; fix {self._pipeline_notebook(pipeline)} and run `make export`"
            ) from error

    def _pipeline_notebook(self, pipeline: str) -> str:
        return self.shown(self.notebooks / "pipelines" / f"{pipeline}.ipynb")

    def _not_importable(self, name: str, pipeline: str, error: ModuleNotFoundError) -> str:
        missing = error.name or ""
        notebook = self._pipeline_notebook(pipeline)
        if missing not in (name, name.rpartition(".")[0], self.library):
            generated = missing.startswith(tuple(f"{self.library}.{part}." for part in GENERATED))
            return f"{name}: " + (
                f"found no module {missing}, expected the export of its notebook; run `make export`"
                if generated
                else f"found no package {missing!r} to import, expected it in this environment; run `make setup` and "
                "use .venv/bin; where settings.ini does not name the package, add it and run `make lock` first"
            )
        if pipeline in self.pipelines():
            return f"found no module {name}, expected the export of {notebook}; run `make export`"
        known = ", ".join(self.pipelines()) or "none"
        return (
            f"found no pipeline {pipeline!r}, expected one of: {known}; "
            f"write {notebook} (`pipeline-lib new {pipeline}`) and run `make export`"
        )


def find_project(start: Path | None = None) -> Project:
    """The project that contains a folder: the nearest settings.ini upwards that has a [project] section.

    Raises InputError when there is none, or when a setting is missing.
    """
    here = (start or Path.cwd()).resolve()
    project = project_around(here)
    if project is None:
        raise InputError(
            f"found no settings.ini with a [project] section in {here} or above it, expected a project; "
            "go to the project's folder"
        )
    return project


def project_around(folder: Path) -> Project | None:
    """The project that contains a folder, None where there is none. Raises InputError when a setting is missing."""
    here = folder.resolve()
    for above in (here, *here.parents):
        if (above / "settings.ini").is_file():
            settings = _read_settings(above / "settings.ini")
            if "project" in settings:
                return _project(above, settings["project"])
    return None


def library_around(*folders: Path) -> str:
    """The package of the first project around one of the folders; this one where there is none."""
    for folder in folders:
        with contextlib.suppress(InputError):  # settings.ini is damaged: who needs the project itself says so
            project = project_around(folder)
            if project:
                return project.library
    return __name__.partition(".")[0]


def trust_around(*folders: Path) -> tuple[str, ...]:
    """The packages that the first project around one of the folders trusts in opaque steps; none without a project."""
    for folder in folders:
        with contextlib.suppress(InputError):  # as in `library_around`
            project = project_around(folder)
            if project:
                return project.trust
    return ()


def project_settings(root: Path) -> Mapping[str, str]:
    """The [project] section of a project's settings.ini. Raises InputError where there is none."""
    settings = _read_settings(root / "settings.ini")
    if "project" not in settings:
        raise InputError(f"{root / 'settings.ini'}: found no [project] section, expected one; write it")
    return settings["project"]


def project_of(params_file: Path) -> Project:
    """The project that contains a parameters file; the working folder's where the file's folder does not exist."""
    return find_project(params_file.parent if params_file.parent.is_dir() else None)


def check_name(name: str) -> str:
    """Return a pipeline's name. Raises InputError unless it can name a module and a notebook."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(
            f"found the name {name!r}, expected lower-case letters, digits and underscores, a letter first"
        )
    return name


def _read_settings(path: Path) -> ConfigParser:
    settings = ConfigParser(interpolation=None)
    try:
        settings.read(path, encoding="utf-8")
    except (ConfigError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: found {error}, expected sections of `name = value` lines; fix the line") from error
    return settings


def _project(root: Path, section: SectionProxy) -> Project:
    values = {key: section.get(key, "") for key in ("lib_name", "nbs_path", "params_path", "runs_path")}
    for key, value in values.items():
        inside = value and (root / value).resolve().is_relative_to(root) and (root / value).resolve() != root
        if not inside or (key == "lib_name" and not value.isidentifier()):
            kind = "the name of a package" if key == "lib_name" else "a folder inside the project"
            raise InputError(
                f"{root / 'settings.ini'}: {key}: found {value!r}, expected {kind}; set it in the [project] section"
            )
    notebooks, params, runs = (root / values[key] for key in ("nbs_path", "params_path", "runs_path"))
    store = check_address(section.get("store", ""), f"{root / 'settings.ini'}: store")
    trust = tuple(section.get("trust", "").replace(",", " ").split())
    keep = parse_keep(section.get("keep", ""), str(root / "settings.ini"))
    return Project(root, values["lib_name"], notebooks, params, runs, store, trust, _row_key(root, section), keep)


def _row_key(root: Path, section: SectionProxy) -> str:
    key = section.get("row_key", "").strip()
    if key and not re.fullmatch(rf"[A-Za-z0-9]{{{ROW_KEY_LENGTH}}}", key):
        raise InputError(
            f"{root / 'settings.ini'}: row_key: found {len(key)} characters, expected {ROW_KEY_LENGTH} letters or "
            "digits of ASCII; bring back the key that this project had, else draw another"
        )
    return key
