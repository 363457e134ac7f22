"""A branch with one changed file, written without touching the working tree, the index or the present branch.

Only objects and one reference are written: a kill leaves the branch as it was, and maybe objects that git removes by
itself later.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.git import ask_git, git_user
from pipeline_lib.system.locks import locked_temporary_folder

_NONE = "0" * 40
"""What git takes for "no such reference" when a reference is replaced."""


def uncommitted_files(root: Path) -> list[str] | None:
    """Changed files of the repository, and untracked ones below a project's root, sorted; None outside git."""
    tracked = ask_git(root, "diff", "HEAD", "--name-only", "-z")
    untracked = ask_git(root, "ls-files", "--others", "--exclude-standard", "-z")
    if tracked is None or untracked is None:
        return None
    return sorted({name.decode(errors="backslashreplace") for name in (tracked + untracked).split(b"\0") if name})


def branch_tips(root: Path, branch: str) -> list[str]:
    """Commits at the tip of a branch: of the local one, then of those that were fetched."""
    listed = ask_git(root, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes") or b""
    tips = {name: commit for name, _, commit in (line.partition(" ") for line in listed.decode().splitlines())}
    remote = [tip for name, tip in tips.items() if name.startswith("refs/remotes/") and _is_named(name, branch)]
    local = tips.get(f"refs/heads/{branch}")
    return [*([local] if local else []), *remote]


def make_branch(root: Path, branch: str, commit: str) -> None:
    """Make a local branch at a commit, unless there is one of that name."""
    if ask_git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") is None:
        _git(root, "update-ref", f"refs/heads/{branch}", commit, _NONE)


def write_branch(root: Path, branch: str, path: str, content: bytes, message: str) -> str:
    """Make a local branch at HEAD with one commit more, which writes a file; the commit.

    `path` counts from the project's root. A branch that exists is replaced. Raises InputError with what git says.
    """
    before = (ask_git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") or b"").decode().strip()
    prefix = _git(root, "rev-parse", "--show-prefix")
    blob = _git(root, "hash-object", "-w", "--stdin", content=content)
    with locked_temporary_folder("branch") as folder:
        own = {"GIT_INDEX_FILE": str(folder / "index")}
        _git(root, "read-tree", "HEAD", variables=own)
        _git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{prefix}{path}", variables=own)
        tree = _git(root, "write-tree", variables=own)
    commit = _git(root, "commit-tree", tree, "-p", "HEAD", content=message.encode(), variables=_person(root))
    _git(root, "update-ref", "-m", message.partition("\n")[0], f"refs/heads/{branch}", commit, before or _NONE)
    return commit


def _is_named(reference: str, branch: str) -> bool:
    """Whether `refs/remotes/REMOTE/BRANCH` is this branch of some remote."""
    return reference.removeprefix("refs/remotes/").partition("/")[2] == branch


def _person(root: Path) -> dict[str, str]:
    """Variables with an author for the commit, where git has no user configured, as on a CI machine."""
    if git_user(root).endswith(">"):
        return {}
    name, email = "pipeline-lib retrain", "pipeline-lib@localhost"
    defaults = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}
    defaults |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
    return {variable: os.environ.get(variable) or value for variable, value in defaults.items()}


def _git(root: Path, *arguments: str, content: bytes = b"", variables: Mapping[str, str] | None = None) -> str:
    command = ["git", "-C", str(root), *arguments]
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run(command, input=content, capture_output=True, check=False, env=environment)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise InputError(f"git {arguments[0]}: found {said!r}, expected a branch to be written; correct that")
    return done.stdout.decode().strip()
