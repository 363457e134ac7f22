"""A project of one's own: the template, under the name of its package, in a new folder."""

import importlib.util
import keyword
import re
import secrets
import shutil
import string
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import ROW_KEY_LENGTH
from pipeline_lib.project.template import FRAMEWORK, Names, first_files, house_files, pristine_files
from pipeline_lib.system.files import flush_tree

_SETTINGS = "settings.ini"
_KEY_COMMENT = "key of the hashes that tell which rows a model has seen: under another one older runs cannot tell"
_BEFORE_KEY = b"runs_path = runs\n"
_FOLDERS = {"build", "champions", "data", "dist", "docs", "nbs", "params", "runs", "steps", "pipelines", "tests"}
"""Folders of a project: a package of this name would be one of them."""
_OTHER_NAMES = {"feature-engine": "feature_engine", "scikit-learn": "sklearn", "fsspec": "fsspec"}
"""Packages that the framework requires and that are imported under another name."""


def create_project(folder: Path, name: str = "") -> tuple[str, list[str]]:
    """Write a new project into a folder that does not exist yet or is empty; its package, and its paths.

    `name` is that of its package; by default the folder's name, with underscores. The files are written next to the
    folder and renamed, so that there is a whole project or none. Raises InputError for a folder with anything in it,
    and for a name that no package can have or that another one has.
    """
    folder = folder.resolve()
    library = check_package_name(name, from_folder=False) if name else _name_of(folder)
    _check_empty(folder)
    names = Names.of(library)
    house = house_files(names)
    files = {**house, **first_files(names), **pristine_files(house, names.version)}
    files[_SETTINGS] = _with_row_key(files[_SETTINGS])
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    part.mkdir()
    try:
        for path, content in files.items():
            target = part / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        flush_tree(part)
        _check_empty(folder)
        with suppress(FileNotFoundError):
            folder.rmdir()  # Windows does not rename onto a folder, even an empty one
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return library, sorted(files)


def check_package_name(name: str, *, from_folder: bool) -> str:
    """Return the name of a project's package. Raises InputError where no package can have it, or another one has."""
    problem = _name_problem(name)
    if problem:
        source = "the folder's name as that of the package, " if from_folder else "the package name "
        remedy = "choose one with --name, for example --name credit_lab"
        raise InputError(f"found {source}{name!r}, {problem}; {remedy}")
    return name


def _with_row_key(settings: bytes) -> bytes:
    """The template's settings with a key of the project's own, which no template and no other project has."""
    key = "".join(secrets.choice(string.ascii_letters) for _ in range(ROW_KEY_LENGTH))
    lines = f"# {_KEY_COMMENT}\nrow_key = {key}\n"
    return settings.replace(_BEFORE_KEY, _BEFORE_KEY + lines.encode(), 1)


def _name_of(folder: Path) -> str:
    return check_package_name(re.sub(r"[-. ]+", "_", folder.name.lower()), from_folder=True)


def _name_problem(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        return "expected lower-case letters, digits and underscores, a letter first, and no word of Python"
    if name == __name__.partition(".")[0]:
        return "which is the framework's own package, expected another"
    if name in _FOLDERS:
        return "which is a folder of every project, expected another"
    if name in sys.stdlib_module_names or name in _required() or _is_installed(name):
        return "which would hide an installed package of that name, expected another"
    return ""


def _required() -> set[str]:
    """Import names of the packages that the framework requires, whether they are installed here or not."""
    lines = metadata.requires(FRAMEWORK) or []
    found = {match[0].lower() for line in lines if (match := re.match(r"[\w.-]+", line))}
    return {_OTHER_NAMES.get(name, name.replace("-", "_")) for name in found}


def _is_installed(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # a folder without __init__.py hides nothing


def _check_empty(folder: Path) -> None:
    if folder.is_dir():
        names = sorted(path.name for path in folder.iterdir())
        if names == [".git"]:
            raise InputError(
                f"found an empty git repository in {folder}, expected a new or empty folder; name a new folder, then "
                f"move the repository there: mv {folder / '.git'} NEW_FOLDER/"
            )
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise InputError(
                f"found {', '.join(names[:3])}{more} in {folder}, expected a new or empty folder; name another"
            )
        if folder == Path.cwd():  # it is replaced, and a shell would stay in the folder that is gone
            raise InputError(f"found the working folder {folder}, expected another; go up with cd .. and name it there")
    elif folder.exists() or folder.is_symlink():
        raise InputError(f"found the file {folder}, expected a new or empty folder; name another")
