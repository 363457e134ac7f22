"""A later template for an existing project, merged with what the project has changed.

    pristine template (base) ---> the project's file (ours)
               \\--------------> the later template (theirs)

`git merge-file` merges the three. What both sides changed is marked as a conflict in the file; nothing is dropped.
"""

import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, project_settings
from pipeline_lib.project.template import PRISTINE, VERSION_FILE, Names, house_files, pristine_files
from pipeline_lib.system.files import write_atomic

_MARK = b"<<<<<<< "
_LABELS = ("this project", "template before", "template now")


@dataclass(frozen=True)
class Change:
    """What an update does to one file: `content` to write, or None where the file stays as it is."""

    path: str
    verdict: str
    content: bytes | None = None

    @property
    def is_conflict(self) -> bool:
        """Whether the file has marks for a person to resolve."""
        return self.verdict.startswith("conflict")

    def __str__(self) -> str:
        return f"{self.verdict}: {self.path}"


@dataclass(frozen=True)
class Update:
    """An update that is done: the versions of the template, and every file that is new, changed or left."""

    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def conflicts(self) -> list[str]:
        """Files with marks for a person to resolve."""
        return [change.path for change in self.changes if change.is_conflict]


def update_project(project: Project, house: Mapping[str, bytes] | None = None) -> Update:
    """Merge the installed framework's template, or `house`, into a project.

    A file that the project has not changed becomes the template's; one that only the project changed stays; else both
    changes are merged. A file that the project removed stays removed. Raises InputError, before anything is written,
    for a project that `init` did not make, an older framework, a file with conflict marks from before, and changes
    that are not committed in a file that would be written.
    """
    before = _version(project)
    names = Names.of(project.library, project_settings(project.root).get("name", ""))
    if _numbers(names.version) < _numbers(before):
        raise InputError(
            f"found pipeline_lib {names.version} and the template of {before}, expected a newer framework; "
            "correct nb-pipeline-lib in settings.ini, then make lock and make setup"
        )
    house = house_files(names) if house is None else house
    base = _pristine(project)
    changes = [
        change
        for path in sorted({*base, *house})
        if (change := _change(project, path, base.get(path), house.get(path)))
    ]
    pristine = pristine_files(house, names.version)
    stale = [path for path in base if path not in house]
    if changes or any(_read(project, path) != content for path, content in pristine.items()) or stale:
        _check_committed(project, [change.path for change in changes if change.content is not None])
    for change in changes:
        if change.content is not None:
            _write(project, change.path, change.content)
    for path, content in pristine.items():
        if _read(project, path) != content:
            _write(project, path, content)
    for path in stale:
        (project.root / PRISTINE / path).unlink()
    return Update(before, names.version, tuple(changes))


def _change(project: Project, path: str, base: bytes | None, new: bytes | None) -> Change | None:
    """What to do with one file; None where there is nothing to say."""
    ours = _read(project, path)
    if base == new or ours == new:
        return None
    if new is None:
        return Change(path, "left, no longer in the template")
    if ours is None:
        return Change(path, "wrote", new) if base is None else Change(path, "left out, removed in this project")
    if _MARK in ours:
        raise InputError(
            f"{path}: found conflict marks of an earlier merge, expected none; resolve them, commit, and try again"
        )
    if ours == base:
        return Change(path, "updated", new)
    merged, conflicts = _merge(ours, base or b"", new)
    if merged == ours:
        return None
    return Change(path, f"conflict, {conflicts} to resolve" if conflicts else "merged", merged)


def _merge(ours: bytes, base: bytes, new: bytes) -> tuple[bytes, int]:
    """The three-way merge of a file's texts, and its number of conflicts."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("ours", "base", "new")]
        for path, content in zip(paths, (ours, base, new), strict=True):
            path.write_bytes(content)
        labels = [word for label in _LABELS for word in ("-L", label)]
        result = _git(Path(folder), "merge-file", "-p", *labels, *map(str, paths))
    if result.returncode > 127:
        raise InputError(
            f"found `git merge-file` failing ({result.stderr.decode(errors='replace').strip()}), expected a merge of "
            "text files; correct that and try again"
        )
    return result.stdout, result.returncode


def _check_committed(project: Project, paths: Iterable[str]) -> None:
    """Raise InputError where git could not bring back what an update overwrites."""
    if _git(project.root, "rev-parse", "--is-inside-work-tree").returncode:
        raise InputError(
            f"found no git repository in {project.root}, expected one, so that an update can be undone; "
            "git init, git add and git commit first"
        )
    existing = [path for path in paths if (project.root / path).exists()]
    if not existing:
        return
    status = _git(project.root, "status", "--porcelain", "--untracked-files=all", "--ignored", "--", *existing)
    changed = sorted({line[3:] for line in status.stdout.decode(errors="replace").splitlines()})
    if changed:
        raise InputError(
            f"found changes that are not committed in {', '.join(changed)}, expected none in files that the update "
            "writes; commit them and try again"
        )


def _git(folder: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError as error:
        raise InputError("found no git, expected it to merge the template; install git") from error


def _version(project: Project) -> str:
    content = _read(project, VERSION_FILE)
    if content is None:
        raise InputError(
            f"found no {VERSION_FILE} in {project.root}, expected a project that `pipeline-lib init` made; "
            "bring the folder .pipeline_lib back from git"
        )
    return content.decode(errors="replace").strip()


def _pristine(project: Project) -> dict[str, bytes]:
    folder = project.root / PRISTINE
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _read(project: Project, path: str) -> bytes | None:
    file = project.root / path
    return file.read_bytes() if file.is_file() else None


def _write(project: Project, path: str, content: bytes) -> None:
    target = project.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target.resolve() if target.is_symlink() else target, content)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version such as 0.10.2, which compare as versions do."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
