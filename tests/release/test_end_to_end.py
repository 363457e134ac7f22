"""From a new project to a package that answers through every door of another environment, bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harbours import commit, git, person

from pipeline_lib.parity.clean_environments import clean, find_uv
from pipeline_lib.parity.door_answers import first_difference
from pipeline_lib.parity.doors import DOORS, Doors
from pipeline_lib.parity.process_settings import Preparation
from pipeline_lib.project.project import find_project
from pipeline_lib.records.record import all_records

pytestmark = pytest.mark.slow


def run(folder: Path, *arguments: str, python: str = sys.executable, own: bool = True) -> str:
    """The output of a command of Python in a folder."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables |= {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])} if own else {}
    done = subprocess.run(  # noqa: S603 (own command)
        [python, "-P", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_from_a_run_to_every_door_of_an_installed_package(tmp_path: Path) -> None:
    run(tmp_path, "-m", "pipeline_lib", "init", "prices")
    root = tmp_path / "prices"
    git(root, "init", "--quiet")
    person(root, "Anna")
    commit(root)
    run(root, "-m", "pipeline_lib", "run", "params/deliveries.yml")
    full = run(root, "-m", "pipeline_lib", "parity", "deliveries", "--full")
    assert "parity: exact" in full
    assert "doors: predict CSV" in full
    run(root, "-m", "pipeline_lib", "package", "deliveries", "--out", str(tmp_path / "dist"))
    (wheel,) = (tmp_path / "dist").glob("*.whl")

    place = tmp_path / "elsewhere"
    place.mkdir()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = clean(version)(Preparation(place, (), "pipeline_lib", {})).python
    extras = ["uvicorn", "prometheus-client", "httptools", "sqlalchemy"]
    install = [find_uv(), "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, *extras], check=True)  # noqa: S603
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)  # noqa: S603
    assert "100 rows give the bits" in run(place, "-m", "deliveries_model", "self-test", python=python, own=False)

    (record,) = all_records(find_project(root).runs)
    doors = Doors(record, place, ref="deliveries_model", python=python)
    try:
        for name, door in DOORS.items():
            assert first_difference(doors, door(doors)) is None, name
        answers = DOORS["HTTP rows"](doors)
        answers["prediction"][5] += 1e-9
        assert first_difference(doors, answers) is not None
    finally:
        doors.close()
