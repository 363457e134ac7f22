"""The first version of a new pipeline: notebooks, parameters and a parity test that run as they are."""

import builtins
import keyword
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
    if keyword.iskeyword(check_name(name)) or name in dir(builtins) or name == SCRATCH:
        raise InputError(f"found the name {name!r}, which Python or this library uses, expected another; choose one")
    targets = _targets(project, name)
    existing = [project.shown(path) for path in targets.values() if path.exists()]
    if existing:
        raise InputError(f"found {', '.join(existing)} already, expected a new name; choose another or remove them")
    check_exportable(project)
    texts = {target: _fill(template, project, name) for template, target in targets.items()}
    for target, text in texts.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, text.encode())
    export(project)
    return [*(project.shown(path) for path in texts), f"{project.library}/pipelines/{name}.py"]


def _targets(project: Project, name: str) -> dict[str, Path]:
    return {
        "pipeline.ipynb": project.notebooks / "pipelines" / f"{name}.ipynb",
        "research.ipynb": project.research_notebook(name),
        "params.yml": project.params / f"{name}.yml",
        "test.py": project.root / "tests" / "parity" / f"test_{name}.py",
    }


def _fill(template: str, project: Project, name: str) -> str:
    """A template's text with the names of the pipeline, the package and the parameters folder."""
    text = (TEMPLATES / template).read_text(encoding="utf-8").replace("NAME", name)
    text = text.replace("pipeline_lib.pipelines", f"{project.library}.pipelines")
    return text.replace('"PARAMS"', f'"{project.params.name}"').replace("LIBRARY", project.library)
