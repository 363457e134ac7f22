"""Commands for notebooks: export, clean, new."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import invoke
from example import PARAMETERS, ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project.generated_modules import ExportProblem
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import create_record


def test_checks_of_the_checkout_pass() -> None:
    assert "agree" in invoke("export", "--check").output
    assert invoke("clean", "--check").output == "the notebooks are clean\n"


def test_leftovers_are_listed_and_removed_only_with_yes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(project.runs.parent))
    assert invoke("clean", "--leftovers", project=project).output == "nothing is left behind\n"
    killed = create_record(project.runs, "houses")
    listed = invoke("clean", "--leftovers", project=project)
    assert f"pipeline-lib resume {killed.reference}" in listed.output
    assert "nothing was removed" in listed.output
    assert killed.folder.is_dir()
    assert invoke("clean", "--leftovers", "--yes", project=project).output.startswith("removed ")
    assert not killed.folder.exists()


@pytest.mark.parametrize("options", [("--yes",), ("--leftovers", "--check")])
def test_options_of_clean_that_exclude_each_other_are_refused(options: tuple[str, ...]) -> None:
    assert isinstance(invoke("clean", *options).exception, InputError)


def test_a_stale_library_and_parameters_that_disagree_are_listed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = [ExportProblem("a.py", "a: found stale"), ExportProblem("b.py", "b: found stale")]
    monkeypatch.setattr("pipeline_lib.project.export.check_export", lambda project: stale)
    monkeypatch.setattr(
        "pipeline_lib.runner.preflight.check_parameters_agree", lambda project: ["c: found 1, expected 2"]
    )
    result = invoke("export", "--check")
    assert result.exit_code == 1
    assert "a: found stale\nb: found stale\nc: found 1, expected 2\n3 problems found" in result.output


def test_a_cell_that_disagrees_with_its_file_ends_with_1(research: Callable[..., Path]) -> None:
    research(parameters=PARAMETERS.replace("seed = 0", "seed = 1"))
    result = invoke("export", "--check")
    assert result.exit_code == 1
    assert "seed: found 1, expected 0 as in params/houses.yml" in result.output


def test_export_writes_the_modules_and_names_the_cells_that_it_cannot_write(empty: Project) -> None:
    invoke("new", "boats")
    path = empty.research_notebook("boats")
    content = path.read_text(encoding="utf-8").replace('"alpha = 1.0"', '"alpha = 1.0\\n",\n    "import os"')
    path.write_text(content, encoding="utf-8")
    (empty.package / "pipelines" / "boats.py").unlink()
    result = invoke("export")
    assert result.output == "wrote mine/pipelines/boats.py from nbs/pipelines/boats.ipynb\n"
    assert isinstance(result.exception, InputError)
    assert "found `import os`, expected only `name = literal`; move other code to the next cell" in str(
        result.exception
    )
    assert path.read_text(encoding="utf-8") == content


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Another project, in the working directory."""
    settings = "[project]\nlib_name = mine\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(settings)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace('"pipeline_lib"', '"mine"')
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "mine" / "pipelines").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return find_project(tmp_path)


def test_new_says_what_comes_next_and_export_what_it_wrote(empty: Project) -> None:
    printed = invoke("new", "boats").output
    assert printed.startswith("wrote nbs/pipelines/boats.ipynb\n")
    assert printed.endswith("wrote mine/pipelines/boats.py\nnext: pipeline-lib run params/boats.yml\n")
    assert "nothing to do" in invoke("export").output
    file = empty.params / "boats.yml"
    file.write_text(file.read_text().replace("alpha: 1.0", "alpha: 0.5"))
    written = invoke("export").output
    assert "  alpha: found 1.0, expected 0.5 as in params/boats.yml\n" in written
    assert written.replace("boats", "penguins") in (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    (empty.package / "pipelines" / "boats.py").unlink()
    assert invoke("export").output == "wrote mine/pipelines/boats.py from nbs/pipelines/boats.ipynb\n"


def test_clean_strips_outputs(tmp_path: Path) -> None:
    project = replace(find_project(ROOT), root=tmp_path, notebooks=tmp_path / "nbs")
    shutil.copytree(ROOT / "nbs" / "steps", project.notebooks / "steps")
    path = project.notebooks / "steps" / "00_years.ipynb"
    content = json.loads(path.read_bytes())
    next(cell for cell in content["cells"] if cell["cell_type"] == "code")["execution_count"] = 3
    path.write_text(json.dumps(content))
    found = invoke("clean", "--check", project=project)
    assert found.exit_code == 1
    assert "1 problem found" in found.output
    assert invoke("clean", project=project).output == "cleaned nbs/steps/00_years.ipynb\n"
    assert path.read_bytes() == (ROOT / "nbs" / "steps" / "00_years.ipynb").read_bytes()
