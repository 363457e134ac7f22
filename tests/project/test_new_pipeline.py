"""A new pipeline's first files."""

import shutil
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.new_pipeline import create_pipeline
from pipeline_lib.project.notebooks import cells, parameters_cell, read_notebook
from pipeline_lib.project.project import Project, find_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with a library of another name."""
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = prices\nnbs_path = nbs\nparams_path = wishes\nruns_path = runs\n"
    )
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(text.replace('"pipeline_lib"', '"prices"'), encoding="utf-8")
    for name in ("steps", "pipelines"):
        (tmp_path / "nbs" / name).mkdir(parents=True)
        (tmp_path / "prices" / name).mkdir(parents=True)
        (tmp_path / "prices" / name / "__init__.py").touch()
    shutil.copy(ROOT / "pipeline_lib" / "__init__.py", tmp_path / "prices" / "__init__.py")
    return find_project(tmp_path)


def test_all_files_are_written_and_exported(project: Project) -> None:
    written = create_pipeline(project, "boats")
    assert written == [
        "nbs/pipelines/boats.ipynb",
        "nbs/research/boats.ipynb",
        "wishes/boats.yml",
        "tests/parity/test_boats.py",
        "prices/pipelines/boats.py",
    ]
    assert all((project.root / path).is_file() for path in written)
    assert check_export(project) == []
    assert project.pipelines() == ["boats"]


def test_files_name_pipeline_library_and_folders(project: Project) -> None:
    texts = {path: (project.root / path).read_text(encoding="utf-8") for path in create_pipeline(project, "boats")}
    assert not any(word in text for text in texts.values() for word in ("NAME", "LIBRARY", "PARAMS"))
    assert 'ROOT / "wishes" / "boats.yml"' in texts["tests/parity/test_boats.py"]
    assert 'library="prices"' in texts["tests/parity/test_boats.py"]
    assert "prices.pipelines import boats as pipeline" in texts["nbs/research/boats.ipynb"]
    research = project.research_notebook("boats")
    assert "test_share" in parameters_cell(read_notebook(research, "boats"), "boats").source


def test_an_existing_name_is_refused_and_nothing_is_written(project: Project) -> None:
    project.params.mkdir()
    (project.params / "boats.yml").write_text("mine: 1\n")
    with pytest.raises(InputError, match=r"found wishes/boats\.yml already"):
        create_pipeline(project, "boats")
    assert (project.params / "boats.yml").read_text() == "mine: 1\n"
    assert project.pipelines() == []


def test_a_library_that_cannot_be_exported_is_refused_and_nothing_is_written(project: Project) -> None:
    (project.package / "steps" / "own.py").touch()
    before = sorted(project.root.rglob("*"))
    with pytest.raises(InputError, match=r"prices/steps/own\.py: found a file"):
        create_pipeline(project, "boats")
    assert sorted(project.root.rglob("*")) == before


def test_the_research_notebook_uses_no_name_that_a_pipeline_may_have(project: Project) -> None:
    create_pipeline(project, "model")
    sources = [cell.source for cell in cells(read_notebook(project.research_notebook("model"), "model"))]
    (using,) = [source for source in sources if "import model" in source]
    assert "import model as pipeline" in using
    assert sum("pipeline." in source for source in sources) >= 3


def test_the_row_of_the_template_can_be_replaced_by_a_draft(project: Project) -> None:
    create_pipeline(project, "boats")
    module = (project.package / "pipelines" / "boats.py").read_text(encoding="utf-8")
    row = module[module.index("#row") :]
    assert "from pydantic import" not in module[: module.index("#row")]
    assert row.index("from pydantic import BaseModel, Field") < row.index("class Row")


@pytest.mark.parametrize("name", ["print", "scratch", "class", "Boats", "1boat", "my-boats", "", "../boats", "a b"])
def test_a_name_that_is_no_module_is_refused(project: Project, name: str) -> None:
    with pytest.raises(InputError, match="found the name"):
        create_pipeline(project, name)
    assert project.pipelines() == []
