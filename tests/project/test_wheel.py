"""The framework's wheel carries the framework and its templates; steps and pipelines are a project's own."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.project.init import create_project
from pipeline_lib.project.template import TEMPLATE

UV = Path(sys.executable).with_name("uv")
SOURCES = ("setup.py", "settings.ini", "pyproject.toml", "README.md")


def build(sources: Path, out: Path, **variables: str) -> set[str]:
    """The names in the wheel of a folder."""
    command = [str(UV), "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    environment = {**os.environ, **variables}
    subprocess.run([*command, "--out-dir", str(out), str(sources)], check=True, env=environment)  # noqa: S603
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return set(archive.namelist())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This checkout's package and the files next to it: building writes into the folder."""
    folder = tmp_path / "sources"
    shutil.copytree(ROOT / "pipeline_lib", folder / "pipeline_lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    return folder


def generated(names: set[str], library: str) -> set[str]:
    return {name for name in names if name.startswith((f"{library}/steps/", f"{library}/pipelines/"))}


def test_the_frameworks_wheel_carries_no_steps_and_no_pipelines(copy: Path, tmp_path: Path) -> None:
    names = build(copy, tmp_path / "wheel")
    assert generated(names, "pipeline_lib") == set()
    modules = {path.relative_to(copy).as_posix() for path in (copy / "pipeline_lib").rglob("*.py")}
    assert modules - names == generated(modules, "pipeline_lib")
    template = {path.relative_to(ROOT).as_posix() for path in TEMPLATE.rglob("*") if path.is_file()}
    assert {name for name in template if "/.ruff_cache/" not in name and "__pycache__" not in name} <= names


def test_the_wheel_for_the_parity_of_this_checkouts_steps_carries_them(copy: Path, tmp_path: Path) -> None:
    names = build(copy, tmp_path / "wheel", PIPELINE_LIB_EXAMPLES="1")
    assert {"pipeline_lib/steps/years.py", "pipeline_lib/pipelines/houses.py"} <= names


def test_a_projects_wheel_carries_its_own(tmp_path: Path) -> None:
    create_project(tmp_path / "own", "credit_lab")
    names = build(tmp_path / "own", tmp_path / "wheel")
    assert generated(names, "credit_lab") == {
        "credit_lab/pipelines/__init__.py",
        "credit_lab/pipelines/deliveries.py",
        "credit_lab/steps/__init__.py",
        "credit_lab/steps/rush_hour.py",
    }
    assert {"credit_lab/predict.py", "credit_lab/py.typed"} <= names
    assert not any(name.startswith(("pipeline_lib/", "tests/", "nbs/")) for name in names)
