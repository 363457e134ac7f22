"""A command in one checkout never runs the code of another one that shares its environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib import InputError
from pipeline_lib.project.checkout import check_loaded_package, package_folder
from pipeline_lib.project.init import create_project
from pipeline_lib.project.project import find_project

COPIED = ("nbs", "params", "pipeline_lib", "settings.ini", "pyproject.toml", "requirements.lock")
MESSAGE = "found the package pipeline_lib loaded from"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A second checkout, in which one pipeline notebook was changed and exported by hand."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(source, folder / name, ignore=ignored) if source.is_dir() else shutil.copy(source, folder)
    for path in (folder / "nbs/pipelines/houses.ipynb", folder / "pipeline_lib/pipelines/houses.py"):
        text = path.read_text(encoding="utf-8")
        assert "alpha=params.estimator.alpha" in text
        path.write_text(text.replace("alpha=params.estimator.alpha", "alpha=params.estimator.alpha * 100"))
    return folder


def command(folder: Path, *words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command of this environment in another folder; PYTHONPATH is `path`."""
    code = "from pipeline_lib.cli.main import main; main()"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {} if path is None else {"PYTHONPATH": str(path)}
    line = [sys.executable, "-P", "-c", code, *words]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(
    "words",
    [("run", "params/houses.yml"), ("export", "--check"), ("export",), ("runs",), ("sweep", "params/houses.yml")],
    ids=" ".join,
)
def test_every_command_in_another_checkout_is_refused_and_writes_nothing(clone: Path, words: tuple[str, ...]) -> None:
    before = sorted(clone.rglob("*"))
    ended = command(clone, *words)
    assert ended.returncode == 2
    assert f"{MESSAGE} {ROOT / 'pipeline_lib'}, expected {clone / 'pipeline_lib'}" in ended.stderr
    assert f"run `make setup` in {clone} and use its .venv" in ended.stderr
    assert sorted(clone.rglob("*")) == before


def test_a_pythonpath_that_brings_in_another_checkout_is_named(clone: Path) -> None:
    ended = command(ROOT, "runs", path=clone)
    assert ended.returncode == 2
    assert f"{MESSAGE} {clone / 'pipeline_lib'}, expected {ROOT / 'pipeline_lib'}" in ended.stderr
    assert f"would run here; unset PYTHONPATH, which names {clone}\n" in ended.stderr
    assert "make setup" not in ended.stderr  # it would change nothing
    assert command(ROOT, "runs").returncode == 0
    elsewhere = command(clone, "runs", path=clone.parent / "empty")
    assert f"run `make setup` in {clone} and use its .venv" in elsewhere.stderr


def test_a_parameters_file_of_another_checkout_is_refused(clone: Path) -> None:
    ended = command(ROOT, "run", str(clone / "params" / "houses.yml"))
    assert ended.returncode == 2
    assert MESSAGE in ended.stderr
    assert not (clone / "runs").exists()


def test_a_notebook_of_another_checkout_cannot_start_a_run(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline_lib import start_run
    from pipeline_lib.pipelines import houses

    monkeypatch.chdir(clone / "nbs" / "research")
    with pytest.raises(InputError, match=MESSAGE):
        start_run(houses, {})


def test_this_checkout_and_a_folder_without_a_project_are_not_refused(tmp_path: Path) -> None:
    assert package_folder("pipeline_lib") == find_project(ROOT).package
    check_loaded_package("pipeline_lib", ROOT)
    check_loaded_package("no_such_package", tmp_path)
    assert command(tmp_path, "--version").returncode == 0
    assert MESSAGE not in command(tmp_path, "runs").stderr


def test_another_projects_environment_starts_no_kernel(tmp_path: Path) -> None:
    create_project(tmp_path / "credit-lab")
    command = [sys.executable, "-P", "-m", "pipeline_lib", "run", "params/deliveries.yml"]
    folder = tmp_path / "credit-lab"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 (this Python)
    assert done.returncode == 2
    assert "found no package credit_lab in the environment" in done.stderr
    assert str(folder / ".venv" / "bin" / "pipeline-lib") in done.stderr
    assert not (folder / "runs").exists()
    shown = subprocess.run([*command[:4], "runs"], cwd=folder, capture_output=True, check=False)  # noqa: S603
    assert shown.returncode == 0  # what starts no kernel works
