"""Whether a record may be packaged: as a champion may be promoted, from a checkout that is what it says."""

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.git import ask_git
from pipeline_lib.project.project import Project
from pipeline_lib.records.promotable import problems_of
from pipeline_lib.records.record import Record


def check_packageable(record: Record, project: Project) -> None:
    """Raise InputError, with every reason, for a record that may not be packaged.

    It is as it was sealed and made of committed files, and `parity --full` is exact; the checkout's generated modules
    are fresh, and its files are committed.
    """
    problems = [f"{record.reference}: {problem}" for problem in problems_of(record)]
    stale = check_export(project)
    if stale:
        problems.append(f"found {len(stale)} generated modules that are not fresh ({stale[0]}); `make export`")
    status = ask_git(project.root, "status", "--porcelain", "--untracked-files=normal")
    if status is None:
        problems.append("found no git repository, expected one that has every file of the project; `git init`, commit")
    elif status.strip():
        changed = [line[3:] for line in status.decode(errors="replace").splitlines()]
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        problems.append(f"found files that are not committed ({', '.join(changed[:3])}{more}); commit or ignore them")
    if problems:
        raise InputError("\n".join(problems))
