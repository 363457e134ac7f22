"""A project without pipelines, for the drafts of this room."""

import shutil
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.project.project import Project, find_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with a library of another name."""
    root = tmp_path / "project"
    for folder in ("nbs/steps", "nbs/pipelines", "bank/steps", "bank/pipelines", "data"):
        (root / folder).mkdir(parents=True)
    (root / "settings.ini").write_text(
        "[project]\nlib_name = bank\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (root / "pyproject.toml").write_text(text.replace('"pipeline_lib"', '"bank"'), encoding="utf-8")
    for name in ("steps", "pipelines"):
        (root / "bank" / name / "__init__.py").touch()
    shutil.copy(ROOT / "pipeline_lib" / "__init__.py", root / "bank" / "__init__.py")
    return find_project(root)
