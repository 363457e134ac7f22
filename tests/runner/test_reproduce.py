"""Reproduction: a record's notebook runs again, and what it learns is compared with the record."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from edits import edit_json, nudge_fitted_value
from example import HOUSES, ROOT

from pipeline_lib.cli import main as cli
from pipeline_lib.errors import InputError
from pipeline_lib.project.exported_cells import exported_cells
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import FITTED_STATE
from pipeline_lib.records.record import Record, checks_folder, write_manifest
from pipeline_lib.records.seal import seal
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
    result = reproduce(copy, project, progress=lines.append)
    assert result.identical, str(result)
    assert result.code_changes == ()
    assert str(result).splitlines()[0].startswith(f"{copy.reference}: identical")
    assert result.again.status() == "finished"
    assert result.again.folder.is_relative_to(checks_folder(copy))
    assert json.loads((checks_folder(copy) / "reproduce.json").read_bytes())["identical"] is True
    assert any(line.startswith("cell") or " cell " in line for line in lines)
    assert not list(project.runs.glob(".reproduce-*"))


@pytest.mark.slow
def test_a_run_with_another_seed_is_reproduced_with_that_seed(tmp_path: Path, project: Project) -> None:
    record = run_pipeline(HOUSES, overrides=["seed=1"], runs=tmp_path / "runs")
    result = reproduce(record, project)
    assert result.identical
    assert result.again.read_json("params.json")["seed"] == 1


def test_one_ulp_in_a_learned_value_is_named_first(
    copy: Record, project: Project, again: Callable[[Change], None]
) -> None:
    again(lambda record: nudge_fitted_value(record.folder / FITTED_STATE, 'yeo_johnson.lambda_dict_["Lot.Area"]'))
    result = reproduce(copy, project)
    lines = str(result).splitlines()
    assert not result.identical
    assert lines[0] == f"{copy.reference}: different"
    assert lines[1].startswith("learned state: 1 of 2,")
    assert lines[2].startswith('  first: yeo_johnson.lambda_dict_["Lot.Area"]: 0.10966')
    assert lines[3] == "  by step: yeo_johnson 1"
    assert "environment: same, as far as it is recorded" in lines[-2]


def test_another_metric_is_different_and_another_environment_alone_is_reported(
    copy: Record, project: Project, again: Callable[[Change], None]
) -> None:
    again(
        lambda record: edit_json(
            record.folder / "environment.json", lambda content: content["packages"].update(numpy="1")
        )
    )
    alone = reproduce(copy, project)
    assert alone.identical
    assert "environment: 1 differ\n  numpy: " in str(alone)
    again(lambda record: edit_json(record.folder / "metrics.json", lambda content: content.update(rmse=1.0)))
    assert not reproduce(copy, project).identical
    assert len(list((checks_folder(copy) / "reproduced" / "houses").iterdir())) == 1


def test_a_record_without_learned_state_says_so(
    copy: Record, project: Project, again: Callable[[Change], None]
) -> None:
    again(lambda record: (record.folder / FITTED_STATE).unlink())
    result = reproduce(copy, project)
    assert result.identical
    assert "learned state: not compared" in str(result)
    again(lambda record: (record.evidence / "evidence.json").unlink())
    assert not reproduce(copy, project).identical


def test_changed_cells_of_notebook_and_library_are_reported(copy: Record, project: Project) -> None:
    assert code_changes(copy, project) == []

    def edit_library(content: Any) -> None:
        cell = next(cell for cell in content if cell["cell"] == "build-numbers")
        cell["source"] = cell["source"].replace("BINARISED", "OTHERS")

    edit_json(copy.folder / "library.json", edit_library)
    edit_json(copy.notebook, lambda content: content["cells"][1].update(source="other = 1"))
    reseal(copy, lambda manifest: manifest["hashes"].update(notebook="0"))
    notebook, library = code_changes(copy, project)
    assert notebook.startswith("nbs/research/houses.ipynb: cell 2 (id ")
    assert "`other = 1` → `" in notebook
    assert library.startswith("nbs/pipelines/houses.ipynb: cell ")
    assert "OTHERS" in library
    (copy.folder / "library.json").unlink()
    assert "the record has none" in code_changes(copy, project)[-1]


def test_changed_prose_is_reported_as_prose(copy: Record, project: Project) -> None:
    reseal(copy, lambda manifest: manifest["hashes"].update(notebook="0"))
    assert code_changes(copy, project) == [
        "nbs/research/houses.ipynb: prose, tags or outputs; every code cell is as recorded"
    ]


def test_every_exported_cell_is_kept_with_its_place(project: Project) -> None:
    cells = {(cell["notebook"], cell["cell"]): cell for cell in exported_cells(project)}
    cell = cells["nbs/steps/00_years.ipynb", "transformer"]
    assert cell["module"] == "pipeline_lib/steps/years.py"
    assert cell["source"].startswith("class ElapsedYears(")
    assert isinstance(cell["number"], int)


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
    message = r"(?s)checkout that refuses.*params\.yml:\d+: gone.*`git checkout a{12}`, then"
    with pytest.raises(InputError, match=message):
        reproduce(copy, project)


def test_the_command_prints_and_ends_with_1_when_something_differs(
    copy: Record, again: Callable[[Change], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    again(lambda record: None)
    result = CliRunner().invoke(cli.commands, ["reproduce", str(copy.folder)])
    assert (result.exit_code, "identical" in result.output) == (0, True)
    again(lambda record: edit_json(record.folder / "metrics.json", lambda content: content.update(rmse=1.0)))
    result = CliRunner().invoke(cli.commands, ["reproduce", str(copy.folder), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["comparison"]["sections"]["metrics"]["differences"][0].startswith("rmse: ")
