"""`data_path`: files of the project, found wherever the code runs, and remembered as raw data of the run.

A kernel works in the folder of its notebook, a command in that of its caller, a test anywhere: a relative path means
another file in each. The run cache reads `named_paths` to know which files a run has named.
"""

import difflib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.checkout import package_folder
from pipeline_lib.project.project import Project, project_around

_EXAMPLE = 'data_path("data/credit.csv")'
_named: dict[Path, None] = {}


def data_path(path: str | Path) -> Path:
    """The absolute path of a file or folder of the project, wherever the code runs: notebook, test or command.

    `path` is relative to the project's root. The project is the one that holds the calling module; for code outside of
    a project, and for a notebook's cell, the one around the working folder, else the checkout of this package. The
    file counts as raw data of the run, as those in `SOURCES` do: a run is not reused once the file has changed.

    Raises InputError outside of a project, for a path that leaves the project, and for one that does not exist.

        >>> from pipeline_lib import data_path
        >>> path = data_path("settings.ini")
        >>> path.name, path.is_absolute()
        ('settings.ini', True)
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise InputError(f"data_path: found {path!r}, expected the path of a raw file as text; write {_EXAMPLE}")
    project = project_of_caller(sys._getframe(1).f_globals.get("__file__"), "data_path")
    project.check_loaded()
    result = Path(os.path.normpath(project.root / path))
    if result == project.root or not result.is_relative_to(project.root):
        raise InputError(
            f"data_path: found {os.fspath(path)!r}, expected a file or folder inside the project {project.root}; "
            f"copy it there, or link it, and write for example {_EXAMPLE}"
        )
    if not os.path.exists(result):  # noqa: PTH110 (False for a NUL in a path)
        raise InputError(_missing_text(project, result))
    remember([result])
    return result


def named_paths() -> list[Path]:
    """What `data_path` has returned in this process, each path once."""
    return list(_named)


def remember(paths: Iterable[Path]) -> None:
    """Count paths as returned by `data_path`: for raw data read from a copy that was made of them."""
    _named.update(dict.fromkeys(paths))


def project_of_caller(file: object, function: str) -> Project:
    """The project of a module's file, of the working folder, or of the checkout of this package.

    `function` is what was called. Raises InputError where there is no project.
    """
    package = package_folder(__name__.partition(".")[0])
    starts = [Path(file).absolute().parent] if isinstance(file, str) else []
    starts += [Path.cwd(), *([package.parent] if package else [])]
    for start in starts:
        project = project_around(start)
        if project:
            return project
    raise InputError(
        f"{function}: found no settings.ini with a [project] section in or above "
        f"{', '.join(map(str, dict.fromkeys(starts)))}, expected a project; call it in a checkout of the project"
    )


def _missing_text(project: Project, path: Path) -> str:
    """The message for a path that does not exist, with the closest name in its folder."""
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    closest = path.parent.relative_to(project.root) / near[0] if near else None
    hint = f"did you mean {closest.as_posix()}?" if closest else "expected raw data; put it there or correct the path"
    return f"data_path: found no {path.relative_to(project.root).as_posix()} in the project {project.root}, {hint}"
