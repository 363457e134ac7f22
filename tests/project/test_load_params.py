"""`load_params`: a parameters file by its path from the root, wherever the code runs."""

from pathlib import Path

import pytest
from pydantic import Field

from pipeline_lib import BaseParams, InputError, load_params

SETTINGS = "[project]\nlib_name = bank\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"


class Params(BaseParams):
    seed: int
    depth: int = Field(gt=0)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; the working folder is that of a pipeline notebook."""
    (tmp_path / "settings.ini").write_text(SETTINGS)
    (tmp_path / "params").mkdir()
    (tmp_path / "nbs" / "pipelines").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "nbs" / "pipelines")
    return tmp_path


def cell(source: str) -> dict[str, object]:
    """The names after a notebook's cell, which has no file."""
    names: dict[str, object] = {"Params": Params}
    exec(source, names)  # noqa: S102  a cell
    return names


CELL = 'from pipeline_lib import load_params\nparams = load_params("params/boats.yml", Params)'


def test_a_cell_reads_the_file_of_its_project(root: Path) -> None:
    (root / "params" / "boats.yml").write_text("seed: 3\ndepth: 2\n")
    assert cell(CELL)["params"] == Params(seed=3, depth=2)


def test_a_parameter_that_the_file_lacks_is_named_with_the_file(root: Path) -> None:
    (root / "params" / "boats.yml").write_text("# c\nseed: x\n")
    with pytest.raises(InputError) as caught:
        cell(CELL)
    assert str(caught.value).split("\n") == [
        "params/boats.yml: depth: missing key, expected a value; add it",
        "params/boats.yml:2: seed: found 'x', expected a valid integer",
    ]


def test_a_missing_file_is_named(root: Path) -> None:
    with pytest.raises(InputError, match=r"^params/boats\.yml: found no such file"):
        cell(CELL)


def test_the_project_of_the_calling_module_is_found_from_elsewhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    with pytest.raises(InputError, match="found no such file"):
        load_params("params/boats.yml", Params)  # this module is of the checkout, which has no boats


def test_outside_of_a_project_the_function_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.project.data_path.package_folder", lambda name: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^load_params: found no settings\.ini"):
        cell(CELL)
