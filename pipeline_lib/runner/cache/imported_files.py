"""Which of the project's own files a process has imported: what a run depends on besides installed packages."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import CodeType
from typing import Any

from pipeline_lib.project.generated_modules import HEADER, generated_header
from pipeline_lib.project.project import GENERATED, Project
from pipeline_lib.records.layout import IMPORTS
from pipeline_lib.runner.cache.asked_sources import asked_since
from pipeline_lib.runner.cache.opened_files import record_opened_files
from pipeline_lib.runner.cache.sources import fingerprint_named
from pipeline_lib.runner.warm.cold_only import hidden_modules_here
from pipeline_lib.system.files import canonical_json, read_json, sha256_file, write_atomic
from pipeline_lib.system.fingerprint import site_folders

_FRAMEWORK = Path(__file__).resolve().parents[3]
"""The folder that holds this library; usually the project's root."""
_STANDARD_LIBRARY = Path(os.__file__).resolve().parent
_IMPORTABLE = (".py", ".pyc", ".so", ".pyd")
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class ImportedFiles:
    """Imported files of the project: their `digests` by name, and the top-level `packages` they belong to.

    A file's name is `project:PATH`; `machinery:PATH` for this library where it is outside the project; for a BLAS
    that is part of no package `python:PATH` (below `sys.prefix`) or `system:PATH`. `outside` lists modules that are
    neither the project's nor installed: they have no digest.
    """

    digests: dict[str, str]
    packages: tuple[str, ...]
    outside: tuple[str, ...]

    def __or__(self, other: "ImportedFiles") -> "ImportedFiles":
        """Both; of two digests of a file the left one, so that a comparison with the file shows the change."""
        packages, outside = sorted({*self.packages, *other.packages}), sorted({*self.outside, *other.outside})
        return ImportedFiles({**other.digests, **self.digests}, tuple(packages), tuple(outside))


def find_imported(
    project: Project,
    packages: Collection[str] = (),
    known: Mapping[str, str] = _NONE,
    seen: set[tuple[str, str]] | None = None,
) -> ImportedFiles:
    """The project's files that this process has imported, and the notebooks that generated modules come from.

    `packages` limits the search to modules of these packages; `known` are digests that are kept. Modules in `seen`
    (name and file) are skipped, the others are added to it.
    """
    digests: dict[str, str] = {}
    tops, outside = set(), set()
    for module, path in _loaded(packages, set() if seen is None else seen):
        file_name = _name(project, path) if path.is_file() else None
        if file_name is None:
            outside.add(module)
            continue
        tops.add(module.partition(".")[0])
        for name in (file_name, *_notebook(project, path)):
            file = file_at(project, name)
            digests[name] = known.get(name) or (sha256_file(file) if file.is_file() else "")
    return ImportedFiles(digests, tuple(sorted(tops)), tuple(sorted(outside)))


def loaded_blas() -> ImportedFiles:
    """The BLAS and thread libraries that this process has loaded and that are part of no installed package."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ImportedFiles({}, (), ())
    paths = [Path(info["filepath"]).resolve() for info in threadpool_info()]
    prefix = Path(sys.prefix).resolve()
    names = {
        f"python:{path.relative_to(prefix)}" if path.is_relative_to(prefix) else f"system:{str(path)[1:]}": path
        for path in paths
        if not any(path.is_relative_to(folder) for folder in site_folders())
    }
    return ImportedFiles({name: sha256_file(path) for name, path in names.items()}, (), ())


def file_at(project: Project, name: str) -> Path:
    """The path of a file name such as `project:PATH`."""
    home, _, path = name.partition(":")
    homes = {"project": project.root, "machinery": _FRAMEWORK, "python": Path(sys.prefix), "system": Path("/")}
    return homes[home] / path


def changed_files(project: Project, digests: Mapping[str, str]) -> Iterator[str]:
    """Files whose digest is another now, or that are gone, as messages name them."""
    for name, digest in digests.items():
        path = file_at(project, name)
        if not path.is_file():
            yield f"{name.partition(':')[2]} (gone)"
        elif sha256_file(path) != digest:
            yield name.partition(":")[2]


def find_shadows(
    project: Project, files: ImportedFiles, search: Iterable[Path], installed: Collection[str]
) -> list[str]:
    """Files and packages that Python could import in place of a module of the run, sorted.

    They lie in a folder of `search` under the top-level name of an own, an `installed` or a standard module, or next
    to an imported file under its name.
    """
    names = {*files.packages, *installed, *sys.stdlib_module_names}
    folders = [(_prefix(project, folder, number), folder, names) for number, folder in enumerate(search)]
    for folder_name, stems in _package_folders(files.digests).items():
        folders.append((f"{folder_name}/", file_at(project, folder_name), stems))
    entries = {f"{prefix}{entry}" for prefix, folder, stems in folders for entry in _importable(folder, stems)}
    return sorted(entry for entry in entries if not {entry, f"{entry}/__init__.py"} & files.digests.keys())


def search_folders(project: Project, pipeline: str) -> list[Path]:
    """Folders in which a run's kernel looks for modules before it looks among installed packages."""
    python_path = [Path(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return list(dict.fromkeys([project.research_notebook(pipeline).parent, project.root, *python_path]))


def follow_imports(
    folder: Path, project: Project, pipeline: str, facts: Mapping[str, str], load: CodeType | None = None
) -> None:
    """After each later cell of this kernel write its imports so far into a record's folder; outside IPython nothing.

    `facts` describe the kernel's environment; the runner compares them with its own. Raw data that `data_path` has
    returned are listed with their digests, and data files that the kernel opens and nothing names; also
    what `load`, by its code, does whose reading is not known.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    files = ImportedFiles({}, (), ())
    seen: set[tuple[str, str]] = set()
    opened = record_opened_files(load)
    named = fingerprint_named(project)

    def write(result: object) -> None:
        nonlocal files, named
        (folder / IMPORTS).unlink(missing_ok=True)  # after an error there is no list rather than an old one
        now_seen = set(seen)
        files |= find_imported(project, known=files.digests, seen=now_seen) | loaded_blas()
        seen.update(now_seen)
        refused = getattr(hidden_modules_here(), "refused", "")
        content = {**asdict(files), "facts": dict(facts), "refused": refused}
        named = fingerprint_named(project, named)
        content["data_paths"] = named
        content |= {"undeclared": opened.undeclared(project, pipeline, folder), "unknown": opened.unknown}
        content["asked"] = asked_since()
        content["written"] = sorted(map(os.path.realpath, opened.written))
        write_atomic(folder / IMPORTS, canonical_json(content), durable=False)  # the runner reads it before the seal

    shell.events.register("post_run_cell", write)


def read_imports(folder: Path) -> tuple[ImportedFiles, dict[str, str]] | None:
    """The imports of a record's kernel, and the facts of its environment; None where it wrote none."""
    content = read_json(folder / IMPORTS)
    if content is None:
        return None
    files = ImportedFiles(content["digests"], tuple(content["packages"]), tuple(content["outside"]))
    return files, content["facts"]


def undeclared_files(folder: Path) -> list[str]:
    """Data files that a record's kernel opened and that `SOURCES` does not name."""
    return list((read_json(folder / IMPORTS) or {}).get("undeclared", ()))


def named_data(folder: Path) -> dict[str, str]:
    """Raw data that `data_path` returned in a record's kernel: digests by the path from the project's root."""
    return dict((read_json(folder / IMPORTS) or {}).get("data_paths", {}))


def unknown_reading(folder: Path) -> list[str]:
    """What `load` did in a record's kernel whose reading is not known, such as "started cat"."""
    return list((read_json(folder / IMPORTS) or {}).get("unknown", ()))


def asked_sources(folder: Path) -> list[str]:
    """What a record's kernel asked for by `sql` and `fetch`, such as "queried warehouse"."""
    return list((read_json(folder / IMPORTS) or {}).get("asked", ()))


def written_files(folder: Path) -> list[str]:
    """Absolute paths of the files that a record's kernel wrote."""
    return list((read_json(folder / IMPORTS) or {}).get("written", ()))


def refused_import(folder: Path) -> str:
    """The import that a record's warm kernel refused, even where a cell caught the error; empty where it did not."""
    return str((read_json(folder / IMPORTS) or {}).get("refused", ""))


def _loaded(packages: Collection[str], seen: set[tuple[str, str]]) -> Iterator[tuple[str, Path]]:
    """Loaded modules that are not installed, with their files; modules in `seen` are skipped."""
    installed = tuple(f"{folder}{os.sep}" for folder in (_STANDARD_LIBRARY, *site_folders()))
    for name, module in sorted(sys.modules.copy().items()):  # a copy, as a finalizer may import while it is sorted
        if packages and name.partition(".")[0] not in packages:
            continue
        file = _file(module)
        if not file or name == "__main__" or (name, file) in seen:
            continue
        seen.add((name, file))
        path = _resolved(os.path.abspath(file))  # noqa: PTH100 (as in _resolved)
        if not path.startswith(installed):
            yield name, Path(path)


def _resolved(path: str) -> str:
    """As `os.path.realpath`, but each folder is resolved once, not once for each of thousands of modules."""
    folder, name = os.path.split(path)
    if not name:
        return path
    linked = os.path.islink(path)  # noqa: PTH114 (a path object costs more than the call)
    return os.path.realpath(path) if linked else os.path.join(_resolved_folder(folder), name)  # noqa: PTH118


_resolved_folder = cache(_resolved)


def _file(module: Any) -> str | None:
    """A module's file; a lazy module is not loaded for it."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except (AttributeError, TypeError):
        return None
    return file if isinstance(file, str) else None


def _name(project: Project, path: Path) -> str | None:
    for home, root in (("project", project.root), ("machinery", _FRAMEWORK)):
        if path.is_relative_to(root):
            return f"{home}:{path.relative_to(root).as_posix()}"
    return None


def _prefix(project: Project, folder: Path, number: int) -> str:
    """The prefix of names in a search folder; one outside the project has its number in place of its path."""
    if folder == project.root:
        return "project:"
    return f"{_name(project, folder) or f'PYTHONPATH:{number}'}/"


def _notebook(project: Project, module: Path) -> list[str]:
    """The notebook that a generated module comes from, as a list of at most one name."""
    header = generated_header(module) if module.parent.name in GENERATED else ""
    if not header:
        return []
    notebook = (module.parent / header.removeprefix(HEADER).strip().removesuffix(".")).resolve()
    name = _name(project, notebook)
    return [name] if name else []


def _package_folders(names: Iterable[str]) -> dict[str, set[str]]:
    """Folders on the paths of files, each with the module names that Python looked up in it."""
    folders: dict[str, set[str]] = {}
    for name in names:
        home, _, path = name.partition(":")
        parts = PurePosixPath(path).parts if home in ("project", "machinery") else ()
        for depth in range(1, len(parts)):
            stems = folders.setdefault(f"{home}:{'/'.join(parts[:depth])}", {"__init__"})
            stems.add(parts[depth].partition(".")[0])
    return folders


def _importable(folder: Path, stems: Collection[str]) -> list[str]:
    """Entries of a folder that `import STEM` would find."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    return [
        entry.name
        for entry in entries
        if entry.name.partition(".")[0] in stems
        and (entry.name.endswith(_IMPORTABLE) or Path(entry.path, "__init__.py").is_file())
    ]
