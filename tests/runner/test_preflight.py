"""What a run refuses before a kernel starts, and whether parameters cells and files agree."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from example import HOUSES, PARAMETERS, ROOT

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.project.params import read_params
from pipeline_lib.project.params_model import BaseParams
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.runner.preflight import check_parameters_agree, check_request

Research = Callable[..., Path]


@pytest.fixture(autouse=True)
def fresh_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export has tests of its own."""
    monkeypatch.setattr("pipeline_lib.runner.preflight.check_export", lambda project: [])


def test_a_good_request_has_typed_parameters() -> None:
    request = check_request(HOUSES, ["estimator.alpha=0.5"])
    assert request.pipeline == "houses"
    assert request.params.model_dump()["estimator"] == {"kind": "lasso", "alpha": 0.5, "max_iter": 10000}
    assert request.overrides == ("estimator.alpha=0.5",)
    assert request.sensitive == ()


def test_a_parameters_file_that_is_not_there_is_refused_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^params/hauses\.yml: found no such file, did you mean params/houses\.yml\?$"
    ):
        check_request(HOUSES.with_name("hauses.yml"))
    with pytest.raises(InputError, match=r"0123\.yml: found no such file, expected one of: params/.*; name one"):
        check_request(HOUSES.with_name("0123.yml"))


def test_a_stale_library_is_a_difference_and_a_note_beside_other_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = [ExportProblem("pipeline_lib/steps/years.py", "pipeline_lib/steps/years.py: found stale")]
    monkeypatch.setattr("pipeline_lib.runner.preflight.check_export", lambda project: stale)
    with pytest.raises(DifferenceError, match="found stale"):
        check_request(HOUSES)
    with pytest.raises(InputError, match=r"(?s)test_shar.*note: pipeline_lib/steps/years"):
        check_request(HOUSES, ["test_shar=1"])


def test_errors_of_the_file_and_of_the_cell_are_reported_together(research: Research) -> None:
    research(parameters=PARAMETERS.replace("seed = 0", "seed = 'x'"))
    with pytest.raises(InputError) as caught:
        check_request(HOUSES, ["test_share=2"])
    assert "test_share=2" in str(caught.value)
    assert "houses.ipynb: cell 1" in str(caught.value)
    assert "seed: found 'x'" in str(caught.value)


def test_a_parameter_that_file_and_cell_lack_is_one_problem_of_the_file(
    research: Research, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HOUSES.read_text(encoding="utf-8").replace("\nseed: 0\n", "\n")
    research(parameters=PARAMETERS.replace("seed = 0\n", ""))
    shorter = tmp_path / "houses.yml"
    shorter.write_text(text, encoding="utf-8")
    model = find_project(ROOT).import_pipeline("houses").Params
    read = partial(read_params, shorter, model)
    monkeypatch.setattr("pipeline_lib.runner.preflight.read_params", lambda *given, **options: read(shown="p.yml"))
    with pytest.raises(InputError) as caught:
        check_request(HOUSES)
    assert str(caught.value) == "p.yml: seed: missing key, expected a value; add it"
    monkeypatch.setattr("pipeline_lib.runner.preflight.read_params", read_params)
    with pytest.raises(InputError, match=r"houses.ipynb: cell 1 .*: seed: missing key.*; run `pipeline-lib export`"):
        check_request(HOUSES)


def test_a_value_that_json_cannot_carry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Params(BaseParams):
        note: bytes

    module = SimpleNamespace(Params=Params, __name__="m")
    monkeypatch.setattr(Project, "import_pipeline", lambda self, name: module)
    monkeypatch.setattr("pipeline_lib.runner.preflight.read_params", lambda *arguments, **options: Params(note=b"\xff"))
    monkeypatch.setattr("pipeline_lib.runner.preflight.check_declared", lambda *arguments: None)
    with pytest.raises(InputError, match=r"note: found .*expected a value that JSON can carry"):
        check_request(HOUSES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("houses", r"expected params/NAME\.yml; run `pipeline-lib run params/houses\.yml`"),
        ("nbs/research/houses.ipynb", r"found no parameters file, .*run `pipeline-lib run params/houses\.yml`"),
        ("castle", r"found no parameters file, expected params/NAME\.yml; name it"),
    ],
)
def test_another_file_is_refused_with_the_parameters_file_that_may_be_meant(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_request(ROOT / name)


def test_files_and_parameters_cells_agree() -> None:
    assert check_parameters_agree(find_project(ROOT)) == []


@pytest.fixture
def houses_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The checkout with one of its pipelines: to import all takes seconds."""
    (tmp_path / "params").mkdir()
    shutil.copy(HOUSES, tmp_path / "params")
    monkeypatch.setattr(Project, "pipelines", lambda self: ["houses"])
    return replace(find_project(ROOT), params=tmp_path / "params")


def test_a_parameters_cell_that_differs_from_the_file_is_named(research: Research, houses_alone: Project) -> None:
    research(parameters=PARAMETERS.replace("seed = 0", "seed = 1"))
    (problem,) = check_parameters_agree(houses_alone)
    assert f"seed: found 1, expected 0 as in {houses_alone.params}/houses.yml; run `pipeline-lib export`" in problem


def test_a_parameters_cell_that_does_not_fit_is_a_problem(research: Research, houses_alone: Project) -> None:
    research(parameters="seed = 0\n")
    problems = check_parameters_agree(houses_alone)
    assert [line.split(": ")[2] for line in problems] == [
        "test_share",
        "imputation",
        "encoding",
        "estimator",
        "business",
    ]
    remedy = f"; run `pipeline-lib export`, which writes the cell from {houses_alone.params}/houses.yml"
    assert all(remedy in line for line in problems)


def test_a_file_of_no_pipeline_and_a_variant_that_does_not_fit_are_problems(tmp_path: Path) -> None:
    project = replace(find_project(ROOT), params=tmp_path)
    for name in ("houses.yml", "castle.yml"):
        shutil.copy(HOUSES, tmp_path / name)
    (tmp_path / "houses.quick.yml").write_text(HOUSES.read_text().replace("seed: 0", "seed: x"))
    problems = check_parameters_agree(project)
    castle, quick = (next(line for line in problems if name in line) for name in ("castle.yml", "houses.quick.yml"))
    assert "castle.yml: found no pipeline 'castle', expected the parameters of one of: customers, " in castle
    assert "houses.quick.yml:" in quick
    assert "seed: found 'x'" in quick


def test_a_notebook_that_no_run_could_execute_is_a_problem(research: Research, houses_alone: Project) -> None:
    path = research("1")
    assert check_parameters_agree(houses_alone) == []
    path.write_text(path.read_text().replace('"language": "python"', '"language": "R"'))
    (problem,) = check_parameters_agree(houses_alone)
    assert "found a notebook in R, expected Python" in problem
