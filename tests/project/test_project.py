"""Finding a project and importing its pipelines."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, check_name, find_project, library_around, trust_around

pytestmark = pytest.mark.core

SETTINGS = "[project]\nlib_name = tinyproj\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    (tmp_path / "settings.ini").write_text(SETTINGS)
    for folder in ("tinyproj/pipelines", "nbs/pipelines"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tinyproj" / "__init__.py").touch()
    (tmp_path / "tinyproj" / "pipelines" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield find_project(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tinyproj"]:
        del sys.modules[name]


def test_a_project_is_found_from_any_folder_below(project: Project) -> None:
    assert find_project(project.root / "nbs" / "pipelines") == project
    assert project.library == "tinyproj"
    assert project.package == project.root / "tinyproj"
    assert project.runs == project.root / "runs"
    assert project.params == project.root / "params"
    assert project.research_notebook("a") == project.root / "nbs" / "research" / "a.ipynb"


def test_packages_that_opaque_steps_may_hold_are_named_in_the_settings(project: Project) -> None:
    assert project.trust == ()
    (project.root / "settings.ini").write_text(f"{SETTINGS}trust = category_encoders, imblearn\n")
    assert find_project(project.root).trust == ("category_encoders", "imblearn")
    assert trust_around(project.root / "nbs") == ("category_encoders", "imblearn")
    assert trust_around(project.root.parent) == ()


def test_the_key_of_row_hashes_follows_from_the_package_where_the_settings_name_none(project: Project) -> None:
    found = find_project(project.root)
    assert len(found.row_key) == 16
    assert found.row_key == project.row_key
    text = SETTINGS.replace(f"lib_name = {project.library}", "lib_name = other_lab")
    (project.root / "settings.ini").write_text(text)
    assert find_project(project.root).row_key not in ("", found.row_key)
    (project.root / "settings.ini").write_text(f"{SETTINGS}row_key = abcdefghijkLMN12\n")
    own = find_project(project.root)
    assert own.row_key == "abcdefghijkLMN12"
    assert own.row_key not in repr(own)


@pytest.mark.parametrize("key", ["short", "abcdefghijklmnopq", "abcdefgh-jklmnop", "äbcdefghijklmnop"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(project: Project, key: str) -> None:
    (project.root / "settings.ini").write_text(f"{SETTINGS}row_key = {key}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row_key: found \d+ characters, expected 16 letters or digits") as caught:
        find_project(project.root)
    assert key not in str(caught.value)


def test_the_working_folder_is_where_the_search_starts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.notebooks)
    assert find_project() == project


def test_outside_a_project_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no settings\.ini"):
        find_project(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[project]\nlib_name = a\n", "nbs_path: found '', expected a folder"),
        (b"no section", r"settings\.ini: found File contains no section headers"),
        (b"[project]\nlib_name = \xff\n", r"settings\.ini: found 'utf-8' codec"),
        (SETTINGS.replace("tinyproj", "../x").encode(), r"lib_name: found '\.\./x', expected the name of a package"),
        (SETTINGS.replace("= runs", "= /etc").encode(), "runs_path: found '/etc', expected a folder inside"),
        (SETTINGS.replace("= nbs", "= .").encode(), r"nbs_path: found '\.', expected a folder inside"),
    ],
)
def test_incomplete_settings_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "settings.ini").write_bytes(content)
    with pytest.raises(InputError, match=message):
        find_project(tmp_path)


@pytest.mark.parametrize("content", ["", "[tool]\nx = 1\n"])
def test_settings_of_other_programs_are_passed_over(project: Project, content: str) -> None:
    (project.notebooks / "settings.ini").write_text(content)
    assert find_project(project.notebooks) == project


def test_paths_are_shown_from_the_root(project: Project) -> None:
    assert project.shown(project.root / "nbs" / "a.ipynb") == "nbs/a.ipynb"
    assert project.shown(project.root.parent) == str(project.root.parent)


def test_working_copies_are_no_pipelines(project: Project) -> None:
    for name in ("b", "a", "_draft", ".hidden"):
        (project.notebooks / "pipelines" / f"{name}.ipynb").touch()
    assert project.pipelines() == ["a", "b"]


def test_a_pipeline_is_imported_by_name(project: Project) -> None:
    (project.package / "pipelines" / "good.py").write_text("VALUE = 3\n")
    assert project.import_pipeline("good").VALUE == 3
    assert project.import_pipeline("good").__name__ == "tinyproj.pipelines.good"


def test_for_an_unknown_pipeline_the_known_ones_are_listed(project: Project) -> None:
    with pytest.raises(InputError, match="expected one of: none"):
        project.import_pipeline("absent")
    (project.notebooks / "pipelines" / "known.ipynb").touch()
    with pytest.raises(InputError, match="found no pipeline 'absent', expected one of: known"):
        project.import_pipeline("absent")


def test_a_missing_package_and_a_missing_pipeline_have_different_messages(project: Project) -> None:
    (project.package / "pipelines" / "needy.py").write_text("import no_such_package_here\n")
    with pytest.raises(InputError, match="found no package 'no_such_package_here'"):
        project.import_pipeline("needy")


def test_for_a_pipeline_that_was_not_exported_export_is_the_remedy(project: Project) -> None:
    (project.notebooks / "pipelines" / "fresh.ipynb").touch()
    with pytest.raises(InputError, match=r"found no module tinyproj\.pipelines\.fresh, .*make export"):
        project.import_pipeline("fresh")


@pytest.mark.parametrize("imported", ["tinyproj.steps.absent", "tinyproj.pipelines.absent"])
def test_for_a_missing_step_module_export_is_the_remedy(project: Project, imported: str) -> None:
    (project.package / "steps").mkdir()
    (project.package / "pipelines" / "stepless.py").write_text(f"import {imported}\n")
    with pytest.raises(InputError, match=f"found no module {imported}, expected the export .*make export"):
        project.import_pipeline("stepless")


def test_a_missing_package_whose_name_begins_like_the_librarys_is_named(project: Project) -> None:
    (project.package / "pipelines" / "needy2.py").write_text("import tinyp\n")
    with pytest.raises(InputError, match="found no package 'tinyp'"):
        project.import_pipeline("needy2")


def test_a_pipeline_that_raises_on_import_is_named(project: Project) -> None:
    (project.package / "pipelines" / "broken.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match=r"tinyproj\.pipelines\.broken: found ZeroDivisionError"):
        project.import_pipeline("broken")


def test_names_of_pipelines() -> None:
    assert check_name("houses_2") == "houses_2"


@pytest.mark.parametrize("name", ["", "Houses", "2houses", "a-b", "../a", "a\n", "_a"])
def test_names_that_no_module_can_have_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="found the name"):
        check_name(name)


def test_the_library_around_folders_is_the_first_projects(tmp_path: Path) -> None:
    assert library_around(tmp_path) == "pipeline_lib"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "settings.ini").write_text(
        "[project]\nlib_name = prices\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    assert library_around(tmp_path, tmp_path / "own" / "runs") == "prices"
    (tmp_path / "own" / "settings.ini").write_text("damaged\n")
    assert library_around(tmp_path / "own", tmp_path) == "pipeline_lib"
