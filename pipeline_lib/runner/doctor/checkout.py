"""The doctor's checks of the project's files: notebooks, export, parameters, git."""

import shutil
import subprocess
from collections.abc import Iterator

from pipeline_lib.project.export import check_export
from pipeline_lib.project.notebooks import unclean_notebooks
from pipeline_lib.project.project import Project
from pipeline_lib.runner.doctor.finding import Finding, counted
from pipeline_lib.runner.preflight import check_parameters_agree

_DRIVERS = {
    "merge.jupyternotebook.driver": "merges cell by cell",
    "diff.jupyternotebook.command": "differences cell by cell",
}


def pipelines(project: Project) -> str:
    """How many pipelines a project has."""
    count = len(project.pipelines())
    return f"{count} pipeline{'' if count == 1 else 's'}"


def check_clean(project: Project) -> Iterator[Finding]:
    """Notebooks without outputs and transient metadata."""
    lines = [
        f"{project.shown(path)}: found outputs or transient metadata; run `pipeline-lib clean`"
        for path, _ in unclean_notebooks(project.notebooks, project.shown)
    ]
    yield from counted("notebooks", "warn", lines, "clean")


def check_exported(project: Project) -> Iterator[Finding]:
    """The library is what the notebooks export: a run refuses any other."""
    yield from counted("export", "problem", [str(problem) for problem in check_export(project)], "fresh")


def check_parameters(project: Project) -> Iterator[Finding]:
    """Parameters files fit, and the notebooks' cells have their values."""
    success = f"files and cells of {pipelines(project)} agree"
    yield from counted("parameters", "problem", check_parameters_agree(project), success)


def check_git(project: Project) -> Iterator[Finding]:
    """Git merges and compares notebooks by cell."""
    if not shutil.which("git"):
        yield Finding("git", "warn", "found no git, expected it, so that records name the commit; install it")
        return
    if _git(project, "rev-parse", "--git-dir") is None:
        yield Finding(
            "git", "warn", "found no repository, expected one, so that records name the commit; run `git init`"
        )
        return
    attributes = project.root / ".gitattributes"
    text = attributes.read_text(encoding="utf-8") if attributes.is_file() else ""
    wrong = []
    if "merge=jupyternotebook" not in text:
        line = "`*.ipynb merge=jupyternotebook diff=jupyternotebook`"
        wrong.append(f"found no driver for notebooks in .gitattributes, expected {line}; add the line")
    for setting, meaning in _DRIVERS.items():
        command = _git(project, "config", setting)
        if not command:
            wrong.append(f"found no {setting} ({meaning}), expected nbdev's; run `make setup`")
        elif not shutil.which(command.split()[0], path=None) and not (project.root / command.split()[0]).is_file():
            wrong.append(f"found {setting} = {command}, expected a program that is there; run `make setup`")
    yield from counted("git", "warn", wrong, "notebooks are merged and compared cell by cell")


def _git(project: Project, *arguments: str) -> str | None:
    """What git prints; None where it fails."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None
