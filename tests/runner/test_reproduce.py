"""Reproduction: a record's notebook runs again, and what it learns is compared with the record."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from edits import edit_json, learned_ulp
from example import HOUSES, ROOT

from pipeline_lib.cli import main as cli
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.cells import exported_cells
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import FITTED_STATE
from pipeline_lib.records.record import RECORD_VARIABLE, Record, checks_folder, write_manifest
from pipeline_lib.records.seal import seal
from pipeline_lib.runner import fresh_environment as freshenv
from pipeline_lib.runner.fresh_environment import build_environment, recorded_variables
from pipeline_lib.runner.reproduce import code_changes, reproduce
from pipeline_lib.runner.run import run_pipeline

Change = Callable[[Record], None]


@pytest.fixture
def project() -> Project:
    return find_project(ROOT)


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch, houses_record: Record) -> Callable[[Change], None]:
    """Puts a changed copy of the record in place of the second run."""

    def put(change: Change) -> None:
        def run(parameters: Path, *, overrides: list[str], runs: Path, progress: object) -> Record:
            assert parameters.read_bytes() == HOUSES.read_bytes()
            assert (parameters.name, overrides) == ("houses.yml", [])
            second = Record(runs / "houses" / "20990101T000000-abcdef")
            shutil.copytree(houses_record.folder, second.folder)
            change(second)
            return second

        monkeypatch.setattr("pipeline_lib.runner.reproduce.run_pipeline", run)

    return put


def reseal(record: Record, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = record.manifest()
    change(manifest)
    seal(record, {key: value for key, value in manifest.items() if key not in ("files", "digest", "format")})


def test_a_second_run_on_the_same_machine_is_identical(copy: Record, project: Project) -> None:
    lines: list[str] = []
    found = reproduce(copy, project, progress=lines.append)
    assert found.identical, str(found)
    assert found.code_changes == ()
    assert str(found).splitlines()[0].startswith(f"{copy.reference}: identical")
    assert found.again.status() == "finished"
    assert found.again.folder.is_relative_to(checks_folder(copy))
    assert json.loads((checks_folder(copy) / "reproduce.json").read_bytes())["identical"] is True
    assert any("cell 10" in line for line in lines)
    assert not list(project.runs.glob(".reproduce-*"))


@pytest.mark.slow
def test_a_run_with_another_seed_is_reproduced_with_that_seed(tmp_path: Path, project: Project) -> None:
    record = run_pipeline(HOUSES, overrides=["seed=1"], runs=tmp_path / "runs")
    found = reproduce(record, project)
    assert found.identical
    assert found.again.read_json("params.json")["seed"] == 1


def test_one_ulp_in_a_learned_value_is_named_first(
    copy: Record, project: Project, again: Callable[[Change], None]
) -> None:
    again(lambda record: learned_ulp(record.folder / FITTED_STATE, 'yeo_johnson.lambda_dict_["Lot.Area"]'))
    found = reproduce(copy, project)
    lines = str(found).splitlines()
    assert not found.identical
    assert lines[0] == f"{copy.reference}: different"
    assert lines[1].startswith("learned state: 1 of 2,")
    assert lines[2].startswith('  first: yeo_johnson.lambda_dict_["Lot.Area"]: 0.10966')
    assert lines[3] == "  by step: yeo_johnson 1"
    assert "environment: same, as far as it is recorded" in lines[-2]


def test_another_metric_is_different_and_another_environment_alone_is_told(
    copy: Record, project: Project, again: Callable[[Change], None]
) -> None:
    again(
        lambda record: edit_json(record.folder / "environment.json", lambda found: found["packages"].update(numpy="1"))
    )
    alone = reproduce(copy, project)
    assert alone.identical
    assert "environment: 1 differ\n  numpy: " in str(alone)
    again(lambda record: edit_json(record.folder / "metrics.json", lambda found: found.update(rmse=1.0)))
    assert not reproduce(copy, project).identical
    assert len(list((checks_folder(copy) / "reproduced" / "houses").iterdir())) == 1


def test_a_record_without_learned_state_says_so(
    copy: Record, project: Project, again: Callable[[Change], None]
) -> None:
    again(lambda record: (record.folder / FITTED_STATE).unlink())
    found = reproduce(copy, project)
    assert found.identical
    assert "learned state: not compared" in str(found)
    again(lambda record: (record.evidence / "evidence.json").unlink())
    assert not reproduce(copy, project).identical


def test_changed_cells_of_notebook_and_library_are_told(copy: Record, project: Project) -> None:
    assert code_changes(copy, project) == []

    def edit_library(found: Any) -> None:
        cell = next(cell for cell in found if cell["cell"] == "build-numbers")
        cell["source"] = cell["source"].replace("BINARISED", "OTHERS")

    edit_json(copy.folder / "library.json", edit_library)
    edit_json(copy.notebook, lambda found: found["cells"][1].update(source="other = 1"))
    reseal(copy, lambda manifest: manifest["hashes"].update(notebook="0"))
    notebook, library = code_changes(copy, project)
    assert notebook.startswith("nbs/research/houses.ipynb: cell 2 (id ")
    assert "`other = 1` → `" in notebook
    assert library.startswith("nbs/pipelines/houses.ipynb: cell ")
    assert "OTHERS" in library
    (copy.folder / "library.json").unlink()
    assert "the record has none" in code_changes(copy, project)[-1]


def test_changed_prose_is_told_as_such(copy: Record, project: Project) -> None:
    reseal(copy, lambda manifest: manifest["hashes"].update(notebook="0"))
    assert code_changes(copy, project) == [
        "nbs/research/houses.ipynb: prose, tags or outputs; every code cell is as recorded"
    ]


def test_every_exported_cell_is_kept_with_its_place(project: Project) -> None:
    cells = {(cell["notebook"], cell["cell"]): cell for cell in exported_cells(project)}
    found = cells["nbs/steps/00_years.ipynb", "transformer"]
    assert found["module"] == "pipeline_lib/steps/years.py"
    assert found["source"].startswith("class ElapsedYears(")
    assert isinstance(found["number"], int)


def test_a_record_that_is_not_finished_and_whole_is_refused(copy: Record, project: Project) -> None:
    (copy.folder / "metrics.json").write_bytes(b"{}")
    with pytest.raises(InputError, match=r"metrics\.json: found other bytes.*\n.*reproduce another run"):
        reproduce(copy, project)
    write_manifest(copy, {"status": "scratch"})
    with pytest.raises(InputError, match="found a record that is scratch, expected a finished one"):
        reproduce(copy, project)


def test_a_checkout_that_no_longer_takes_the_parameters_names_the_commit(copy: Record, project: Project) -> None:
    path = copy.folder / "params.yml"
    path.write_text(path.read_text() + "gone: 1\n")
    reseal(copy, lambda manifest: manifest.update(git={"commit": "a" * 40, "changed": True}))
    told = r"(?s)checkout that refuses.*params\.yml:\d+: gone.*`git checkout a{12}`, then"
    with pytest.raises(InputError, match=told):
        reproduce(copy, project)


def test_the_command_prints_and_ends_with_1_when_something_differs(
    copy: Record, again: Callable[[Change], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    again(lambda record: None)
    result = CliRunner().invoke(cli.commands, ["reproduce", str(copy.folder)])
    assert (result.exit_code, "identical" in result.output) == (0, True)
    again(lambda record: edit_json(record.folder / "metrics.json", lambda found: found.update(rmse=1.0)))
    result = CliRunner().invoke(cli.commands, ["reproduce", str(copy.folder), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["comparison"]["sections"]["metrics"]["differences"][0].startswith("rmse: ")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be executed: git shows a lock, everything else ends well."""
    made: list[list[str]] = []

    def run(command: list[str], **options: Any) -> SimpleNamespace:
        made.append(command)
        return SimpleNamespace(stdout=b"locked", stderr="", returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return made


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


def test_an_environment_that_cannot_be_built_is_told(
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
    found = recorded_variables(copy)
    assert (found["TZ"], found["KEPT"]) == ("UTC", "yes")
    assert not {"OMP_NUM_THREADS", "PYTHONPATH", RECORD_VARIABLE} & set(found)


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
        found = reproduce(copy, project, fresh_environment=True)
    except RunError as error:
        pytest.skip(f"no environment can be built here: {error}")
    assert found.identical
