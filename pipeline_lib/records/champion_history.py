"""The champions of a pipeline over time: the versions of its pointer in git."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline_lib.errors import InputError
from pipeline_lib.project.git import ask_git
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import Champion, champion_path, parse_champion


@dataclass(frozen=True)
class PointerVersion:
    """One version of a pointer: the champion, or the problem of a file that is none; `commit` is empty before it."""

    commit: str
    champion: Champion | None
    problem: str = ""


def is_in_git(project: Project) -> bool:
    """Whether git knows the project, and so the history of its pointers."""
    return ask_git(project.root, "rev-parse", "--git-dir") is not None


def champion_history(project: Project, pipeline: str) -> list[PointerVersion]:
    """The versions of a pipeline's pointer, newest first; one that no commit has comes before all others.

    A version that removes the pointer is left out. Outside git the only version is the file as it is.
    """
    path = champion_path(project, pipeline)
    present = path.read_bytes() if path.is_file() else None
    versions = list(_committed(project, project.shown(path)))
    newest = ask_git(project.root, "show", f"HEAD:./{project.shown(path)}")
    if present is not None and present != newest:
        versions.insert(0, ("", present))
    return [_version(project, pipeline, commit, content) for commit, content in versions]


def _committed(project: Project, shown: str) -> Iterator[tuple[str, bytes]]:
    """Commits that changed a pointer, with its content there, newest first; of merges only those with a new content."""
    listed = ask_git(project.root, "log", "--full-history", "--format=%H", "--", shown) or b""
    seen: set[bytes] = set()
    for commit in listed.decode().split():
        content = ask_git(project.root, "show", f"{commit}:./{shown}")
        if content is not None and content not in seen:
            seen.add(content)
            yield commit, content


def _version(project: Project, pipeline: str, commit: str, content: bytes) -> PointerVersion:
    shown = project.shown(champion_path(project, pipeline))
    try:
        return PointerVersion(commit, parse_champion(content, pipeline, shown, project.root))
    except InputError as error:
        return PointerVersion(commit, None, str(error).partition("\n")[0])
