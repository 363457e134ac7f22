"""The runs that `prune` never removes: champions, those before them, and the runs that they were compared with.

All pointers count that this machine knows: those of this checkout, of the other worktrees of its repository, and of the
tips of local and fetched branches. References are searched in the text, so that a pointer with conflict markers
protects the runs of both sides.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.git import ask_git
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import CHAMPIONS
from pipeline_lib.records.comparison_kept import compared_with
from pipeline_lib.records.record import ID

_REFERENCE = re.compile(rf"\b[a-z][a-z0-9_]*/{ID.pattern}")
_TIPS_AT_ONCE = 200
"""Branches that one call of git is asked about: a command line has a limit."""


def protected_references(project: Project) -> set[str]:
    """References of the runs that pointers to champions name, and of those that these were compared with.

    Raises InputError for a pointer of this checkout in which no reference is found: which run is to stay is not known.
    """
    references: set[str] = set()
    for path in sorted((project.root / CHAMPIONS).glob("*.yml")):
        found = _references(path.read_text(encoding="utf-8", errors="replace"))
        if not found:
            shown = project.shown(path)
            raise InputError(
                f"{shown}: found no run in it, expected the pointer to a champion, which is never removed; "
                f"`git checkout HEAD -- {shown}` restores the last one; remove the file where there is no champion"
            )
        references |= found
    references |= {reference for text in _elsewhere(project) for reference in _references(text)}
    return references | {other for reference in references for other in compared_with(project.runs, reference)}


def _references(text: str) -> set[str]:
    return {match.group() for match in _REFERENCE.finditer(text)}


def _elsewhere(project: Project) -> Iterator[str]:
    """Texts of the pointers in other worktrees, and the lines with references of those at the tips of branches."""
    prefix = (ask_git(project.root, "rev-parse", "--show-prefix") or b"").decode(errors="replace").strip()
    listed = (ask_git(project.root, "worktree", "list", "--porcelain") or b"").decode(errors="surrogateescape")
    for line in listed.splitlines():
        word, _, folder = line.partition(" ")
        if word == "worktree":
            for path in Path(folder, prefix, CHAMPIONS).glob("*.yml"):
                yield path.read_text(encoding="utf-8", errors="replace")
    answer = ask_git(project.root, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes") or b""
    tips = list(dict.fromkeys(answer.decode().split()))
    for start in range(0, len(tips), _TIPS_AT_ONCE):
        some = tips[start : start + _TIPS_AT_ONCE]
        lines = ask_git(
            project.root, "grep", "-h", "-E", "-e", "[a-z0-9_]/[0-9]{8}T", *some, "--", f"{CHAMPIONS}/*.yml"
        )
        yield (lines or b"").decode(errors="replace")
