"""Reproduction in an environment that is built from the recorded commit's lock."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from edits import edit_json
from example import ROOT

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import RECORD_VARIABLE, Record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner import fresh_environment as freshenv
from pipeline_lib.runner.fresh_environment import build_environment, recorded_variables
from pipeline_lib.runner.reproduce import reproduce


@pytest.fixture
def project() -> Project:
    return find_project(ROOT)


def reseal(record: Record, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = record.manifest()
    change(manifest)
    seal(record, {key: value for key, value in manifest.items() if key not in ("files", "digest", "format")})


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be executed: git shows a lock, everything else ends well."""
    commands: list[list[str]] = []

    def run(command: list[str], **options: Any) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(stdout=b"locked", stderr="", returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_fresh_environment_is_built_from_the_recorded_commits_lock(
    copy: Record, project: Project, calls: list[list[str]], tmp_path: Path
) -> None:
    said: list[str] = []
    python = build_environment(copy, project, tmp_path, said.append)
    version = copy.read_json("environment.json")["python"]["version"]
    commit = copy.manifest()["git"]["commit"]
    assert said == [f"building Python {version} with requirements.lock of commit {commit[:12]}"]
    assert (tmp_path / "requirements.lock").read_bytes() == b"locked"
    show, venv, sync, install = calls
    assert show[-2:] == ["show", f"{commit}:./requirements.lock"]
    assert (venv[1], venv[3:]) == ("venv", ["--python", version, str(tmp_path / "env")])
    assert sync[1:3] == ["pip", "sync"]
    assert sync[-2:] == ["--require-hashes", str(tmp_path / "requirements.lock")]
    assert install[-4:] == ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    assert str(python) == install[install.index("--python") + 1]


def test_the_trees_lock_serves_where_git_does_not_know_the_commit(
    copy: Record, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshenv, "_run_uv", lambda *words: None)
    reseal(copy, lambda manifest: manifest.update(git={"commit": "0" * 40}))
    said: list[str] = []
    build_environment(copy, project, tmp_path, said.append)
    assert said[0].endswith("requirements.lock of the tree")
    elsewhere = Project(tmp_path, project.library, project.notebooks, project.params, project.runs)
    (tmp_path / "requirements.lock").unlink()
    with pytest.raises(InputError, match=r"found no requirements\.lock in the recorded commit or in"):
        build_environment(copy, elsewhere, tmp_path, said.append)


def test_an_environment_that_cannot_be_built_is_reported(
    copy: Record, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho '  No interpreter found for Python 9' >&2\nexit 2\n")
    uv.chmod(0o755)
    monkeypatch.setattr(freshenv, "_uv", lambda: str(uv))
    with pytest.raises(
        RunError, match=r"`uv venv --quiet` failed: No interpreter .*\n.*go online, or omit --fresh-env"
    ):
        reproduce(copy, project, fresh_environment=True)
    monkeypatch.undo()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    uv.unlink()
    with pytest.raises(InputError, match="found no uv, expected it to build"):
        build_environment(copy, project, tmp_path, lambda line: None)


def test_the_recorded_variables_take_the_place_of_ours(copy: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_json(copy.folder / "environment.json", lambda found: found.update(variables={"TZ": "UTC"}))
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv(RECORD_VARIABLE, "/record")
    monkeypatch.setenv("KEPT", "yes")
    variables = recorded_variables(copy)
    assert (variables["TZ"], variables["KEPT"]) == ("UTC", "yes")
    assert not {"OMP_NUM_THREADS", "PYTHONPATH", RECORD_VARIABLE} & set(variables)


def test_an_error_in_the_fresh_environment_is_this_commands_error(
    copy: Record, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def python(*arguments: object) -> Path:
        (copy_of_params,) = project.runs.glob(".reproduce-*/houses.yml")
        copy_of_params.unlink()
        return Path(sys.executable)

    monkeypatch.setattr("pipeline_lib.runner.reproduce.build_environment", python)
    with pytest.raises(InputError, match=r"in the fresh environment: .*found no such file"):
        reproduce(copy, project, fresh_environment=True)


@pytest.mark.slow
def test_the_recorded_environment_repeats_the_record(copy: Record, project: Project) -> None:
    try:
        reproduction = reproduce(copy, project, fresh_environment=True)
    except RunError as error:
        pytest.skip(f"no environment can be built here: {error}")
    assert reproduction.identical
