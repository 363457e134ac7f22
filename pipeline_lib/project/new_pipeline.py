"""The first version of a new pipeline: notebooks, parameters and a parity test that run as they are."""

import builtins
import keyword
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_exportable, export
from pipeline_lib.project.project import SCRATCH, Project, check_name
from pipeline_lib.system.files import write_atomic

TEMPLATES = Path(__file__).parent / "templates" / "new"


def create_pipeline(project: Project, name: str) -> list[str]:
    """Write the files of a new pipeline and export it; returns their paths from the project's root.

    Raises InputError, before anything is written, for a name that is used already or that no module can have, and for
    a library that cannot be exported.
    """
    check_new_name(name)
    targets = new_files(project, name)
    return write_new(
        project, name, {path: fill(template, project, name).encode() for template, path in targets.items()}
    )


def check_new_name(name: str) -> None:
    """Raise InputError for a name that no pipeline can have."""
    if keyword.iskeyword(check_name(name)) or name in dir(builtins) or name == SCRATCH:
        raise InputError(f"found the name {name!r}, which Python or this library uses, expected another; choose one")


def new_files(project: Project, name: str) -> dict[str, Path]:
    """Where the files of a new pipeline are written, by the name of their template."""
    return {
        "pipeline.ipynb": project.notebooks / "pipelines" / f"{name}.ipynb",
        "research.ipynb": project.research_notebook(name),
        "params.yml": project.params / f"{name}.yml",
        "test.py": project.root / "tests" / "parity" / f"test_{name}.py",
    }


def check_unused(project: Project, paths: list[Path]) -> None:
    """Raise InputError where one of the paths exists, or the library cannot be exported."""
    existing = [project.shown(path) for path in paths if path.exists()]
    if existing:
        raise InputError(f"found {', '.join(existing)} already, expected a new name; choose another or remove them")
    check_exportable(project)


def write_new(project: Project, name: str, contents: Mapping[Path, bytes] | Mapping[Path, bytes | Path]) -> list[str]:
    """Write the files of a new pipeline, all or none, and export it; returns their paths from the project's root.

    A content that is a path is copied from there. Raises InputError, before anything is written, where a file exists
    already; on any failure what was written is removed again.
    """
    check_unused(project, list(contents))
    module = project.package / "pipelines" / f"{name}.py"
    folders = {folder for path in contents for folder in path.parents if not folder.exists()}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, content) if isinstance(content, bytes) else _copy(content, path)
        export(project)
    except BaseException:
        for path in (*contents, module):
            path.unlink(missing_ok=True)
        for folder in sorted(folders, reverse=True):  # the inner ones first
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise
    return [*(project.shown(path) for path in contents), project.shown(module)]


def fill(template: str, project: Project, name: str) -> str:
    """A template's text with the names of the pipeline, the package and the parameters folder."""
    text = (TEMPLATES / template).read_text(encoding="utf-8").replace("NAME", name)
    text = text.replace("pipeline_lib.pipelines", f"{project.library}.pipelines")
    text = text.replace('"PARAMS"', f'"{project.params.name}"').replace("PARAMS/", f"{project.params.name}/")
    return text.replace("LIBRARY", project.library)


def _copy(source: Path, target: Path) -> None:
    """Copy a file of any size: whole or not at all."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
