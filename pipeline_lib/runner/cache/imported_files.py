"""Which files of its own a process has imported: what a run rests upon besides installed packages."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline_lib.project.generated_modules import HEADER, generated_header
from pipeline_lib.project.project import GENERATED, Project
from pipeline_lib.records.layout import IMPORTS
from pipeline_lib.runner.warm.cold_only import hidden_modules_here
from pipeline_lib.system.files import canonical_json, read_json, sha256_file, write_atomic
from pipeline_lib.system.fingerprint import site_folders

_MACHINERY = Path(__file__).resolve().parents[3]
_STANDARD_LIBRARY = Path(os.__file__).resolve().parent
_IMPORTABLE = (".py", ".pyc", ".so", ".pyd")
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Imported:
    """Own files that were imported: `files` are digests by name, `tops` the first names of their modules.

    A file's name is `project:PATH`, for this library where it lies elsewhere `machinery:PATH`, for a BLAS that came
    with no package `python:PATH` (below its prefix) or `system:PATH`. `outside` are modules from places that are
    neither the project nor installed packages: nothing vouches for them.
    """

    files: dict[str, str]
    tops: tuple[str, ...]
    outside: tuple[str, ...]

    def __or__(self, other: "Imported") -> "Imported":
        """Both; of a file with two digests the left one, so that a comparison with the file shows the change."""
        tops, outside = sorted({*self.tops, *other.tops}), sorted({*self.outside, *other.outside})
        return Imported({**other.files, **self.files}, tuple(tops), tuple(outside))


def imported(
    project: Project,
    packages: Collection[str] = (),
    known: Mapping[str, str] = _NONE,
    seen: set[tuple[str, str]] | None = None,
) -> Imported:
    """What this process has imported of its own files, and the notebooks that generated modules came from.

    `packages` leaves out modules of other packages than these; files that are `known` keep their digests. Modules
    that are `seen`, by name and file, are left out, the others join them.
    """
    files: dict[str, str] = {}
    tops, outside = set(), set()
    for name, path in _loaded(packages, set() if seen is None else seen):
        own_name = _name(project, path) if path.is_file() else None
        if own_name is None:
            outside.add(name)
            continue
        tops.add(name.partition(".")[0])
        for own in (own_name, *_notebook(project, path)):
            file = file_at(project, own)
            files[own] = known.get(own) or (sha256_file(file) if file.is_file() else "")
    return Imported(files, tuple(sorted(tops)), tuple(sorted(outside)))


def linear_algebra() -> Imported:
    """The BLAS and thread libraries that this process has loaded and no package vouches for."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return Imported({}, (), ())
    loaded = [Path(info["filepath"]).resolve() for info in threadpool_info()]
    prefix = Path(sys.prefix).resolve()
    names = {
        f"python:{path.relative_to(prefix)}" if path.is_relative_to(prefix) else f"system:{str(path)[1:]}": path
        for path in loaded
        if not any(path.is_relative_to(folder) for folder in site_folders())
    }
    return Imported({name: sha256_file(path) for name, path in names.items()}, (), ())


def file_at(project: Project, name: str) -> Path:
    """The file that a name means in this project."""
    home, _, path = name.partition(":")
    homes = {"project": project.root, "machinery": _MACHINERY, "python": Path(sys.prefix), "system": Path("/")}
    return homes[home] / path


def changed_files(project: Project, files: Mapping[str, str]) -> Iterator[str]:
    """Of files by their digests, those that are other now or gone, as messages name them."""
    for name, digest in files.items():
        path = file_at(project, name)
        if not path.is_file():
            yield f"{name.partition(':')[2]} (gone)"
        elif sha256_file(path) != digest:
            yield name.partition(":")[2]


def shadows(project: Project, found: Imported, search: Iterable[Path], installed: Collection[str]) -> list[str]:
    """Files and packages that Python could take for an imported module in place of it, sorted.

    They lie where Python looks before or beside it: in the folders of `search` under the first name of an own, an
    `installed` or a standard module, or beside an imported file under its name.
    """
    names = {*found.tops, *installed, *sys.stdlib_module_names}
    places = [(_place(project, folder, number), folder, names) for number, folder in enumerate(search)]
    for place, stems in _packages_of(found.files).items():
        places.append((f"{place}/", file_at(project, place), stems))
    entries = {f"{label}{entry}" for label, folder, stems in places for entry in _importable(folder, stems)}
    return sorted(entry for entry in entries if not {entry, f"{entry}/__init__.py"} & found.files.keys())


def search_folders(project: Project, pipeline: str) -> list[Path]:
    """Where a run's kernel looks for modules before it looks among installed packages."""
    given = [Path(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return list(dict.fromkeys([project.research_notebook(pipeline).parent, project.root, *given]))


def follow_imports(folder: Path, project: Project, facts: Mapping[str, str]) -> None:
    """From now on write, after each cell of this kernel, what it has imported; nothing outside IPython.

    `facts` describe the kernel's environment and are kept beside.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    found = Imported({}, (), ())
    seen: set[tuple[str, str]] = set()

    def write(result: object) -> None:
        nonlocal found
        (folder / IMPORTS).unlink(missing_ok=True)  # what cannot be told must not seem told
        looked_at = set(seen)
        found |= imported(project, known=found.files, seen=looked_at) | linear_algebra()
        seen.update(looked_at)
        refused = getattr(hidden_modules_here(), "refused", "")
        told = {**asdict(found), "facts": dict(facts), "refused": refused}
        write_atomic(folder / IMPORTS, canonical_json(told), durable=False)  # it is of use to a runner that lives

    shell.events.register("post_run_cell", write)


def read_imports(folder: Path) -> tuple[Imported, dict[str, str]] | None:
    """What a record's kernel has imported, and the facts of its environment; None where it did not tell."""
    told = read_json(folder / IMPORTS)
    if told is None:
        return None
    return Imported(told["files"], tuple(told["tops"]), tuple(told["outside"])), told["facts"]


def refused_import(folder: Path) -> str:
    """What a record's warm kernel would not import, even where a cell has caught that; empty where there is nothing."""
    return str((read_json(folder / IMPORTS) or {}).get("refused", ""))


def _loaded(packages: Collection[str], seen: set[tuple[str, str]]) -> Iterator[tuple[str, Path]]:
    """Loaded modules that are not installed, with their files; those that are `seen` are not looked at again."""
    installed = tuple(f"{folder}{os.sep}" for folder in (_STANDARD_LIBRARY, *site_folders()))
    for name, module in sorted(sys.modules.items()):
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
    """As `os.path.realpath`, which would follow the same folders again for each of thousands of modules."""
    folder, name = os.path.split(path)
    if not name:
        return path
    linked = os.path.islink(path)  # noqa: PTH114 (a path object for each would take longer than the question)
    return os.path.realpath(path) if linked else os.path.join(_resolved_folder(folder), name)  # noqa: PTH118


_resolved_folder = cache(_resolved)


def _file(module: Any) -> str | None:
    """A module's file, without waking a module that loads when first used."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except (AttributeError, TypeError):
        return None
    return file if isinstance(file, str) else None


def _name(project: Project, path: Path) -> str | None:
    for home, root in (("project", project.root), ("machinery", _MACHINERY)):
        if path.is_relative_to(root):
            return f"{home}:{path.relative_to(root).as_posix()}"
    return None


def _place(project: Project, folder: Path, number: int) -> str:
    """How the entries of a searched folder begin; one outside the project goes by its number, not by its path."""
    if folder == project.root:
        return "project:"
    return f"{_name(project, folder) or f'PYTHONPATH:{number}'}/"


def _notebook(project: Project, module: Path) -> list[str]:
    """The notebook that a generated module came from: a run refuses the one without the other."""
    header = generated_header(module) if module.parent.name in GENERATED else ""
    if not header:
        return []
    notebook = (module.parent / header.removeprefix(HEADER).strip().removesuffix(".")).resolve()
    name = _name(project, notebook)
    return [name] if name else []


def _packages_of(files: Iterable[str]) -> dict[str, set[str]]:
    """Folders on the way to files, each with the names that were looked for in it."""
    found: dict[str, set[str]] = {}
    for file in files:
        home, _, path = file.partition(":")
        parts = PurePosixPath(path).parts if home in ("project", "machinery") else ()
        for depth in range(1, len(parts)):
            stems = found.setdefault(f"{home}:{'/'.join(parts[:depth])}", {"__init__"})
            stems.add(parts[depth].partition(".")[0])
    return found


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
