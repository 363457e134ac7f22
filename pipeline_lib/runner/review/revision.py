"""The project at a git revision, compared with the working tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.git import ask_git
from pipeline_lib.project.notebooks import notebook_files
from pipeline_lib.project.project import Project

_SHOWN = 8


@dataclass(frozen=True)
class Change:
    """A file that differs: its path from the project's root, its bytes then and now, None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class Revision:
    """A commit of the project that changes are counted from.

    `name` is what a person wrote. Where that revision has gone on since the working tree left it, `commit` is their
    last common one, and `is_common` is True.
    """

    project: Project
    name: str
    commit: str
    is_common: bool

    def read(self, path: str) -> bytes | None:
        """A file's bytes at the commit, by its path from the project's root; None where it is not there."""
        return ask_git(self.project.root, "cat-file", "blob", f"{self.commit}:./{path}")

    def is_ancestor(self, commit: str) -> bool:
        """Whether another commit is this one or comes before it."""
        if not commit.isalnum():
            return False
        return ask_git(self.project.root, "merge-base", "--is-ancestor", commit, self.commit) is not None

    def changes(self) -> list[Change]:
        """Notebooks, parameters files and pointers to champions that differ from the working tree, by path."""
        before = set(self._listed())
        paths = sorted(before | set(_present(self.project)))
        found = []
        for path in paths:
            file = self.project.root / path
            old = self.read(path) if path in before else None
            new = file.read_bytes() if file.is_file() else None
            if old != new:
                found.append(Change(path, old, new))
        return found

    def _listed(self) -> Iterator[str]:
        project = self.project
        folders = [project.shown(folder) for folder in (project.notebooks, project.params)]
        listed = ask_git(project.root, "ls-tree", "-r", "-z", "--name-only", self.commit, "--", *folders, "champions")
        for name in (listed or b"").decode(errors="surrogateescape").split("\0"):
            if _is_reviewed(project, name):
                yield name


def find_revision(project: Project, name: str) -> Revision:
    """The commit that a revision and the working tree have in common, by the revision's name.

    Raises InputError outside git, and for a name that git does not know.
    """
    if ask_git(project.root, "rev-parse", "--git-dir") is None:
        raise InputError(f"{project.root}: found no git repository, expected one with earlier commits; `git init`")
    tip = ask_git(project.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if not tip or not name.strip():
        branches = _branches(project)
        raise InputError(
            f"found no revision {name!r}, expected a branch ({branches}), a tag or a commit that is in this clone; "
            "name one; `git fetch` brings those of a colleague, `git log --oneline` lists commits"
        )
    commit = tip.decode().strip()
    common = (ask_git(project.root, "merge-base", commit, "HEAD") or tip).decode().strip()
    return Revision(project, name, common, common != commit)


def _branches(project: Project) -> str:
    """The branches of this clone, its remotes' last, the first of them."""
    listed = ask_git(project.root, "branch", "--all", "--format=%(refname:short)") or b""
    names = [name for name in listed.decode(errors="replace").split() if not name.endswith("/HEAD")]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are {', '.join(names[:_SHOWN])}{more}" if names else "there is none yet"


def _present(project: Project) -> Iterator[str]:
    files = [*notebook_files(project.notebooks), *project.params.glob("*.yml")]
    for path in [*files, *(project.root / "champions").glob("*.yml")]:
        if _is_reviewed(project, project.shown(path)):
            yield project.shown(path)


def _is_reviewed(project: Project, name: str) -> bool:
    """Whether a file is a notebook, a parameters file or a pointer; working copies begin with `_` or `.`."""
    path = Path(name)
    if any(part.startswith(("_", ".")) for part in path.parts):
        return False
    below = (project.shown(project.params), "champions")
    return path.suffix == ".ipynb" or (path.suffix == ".yml" and path.parent.as_posix() in below)
