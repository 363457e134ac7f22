"""A project of one's own: whole or not at all, under any package name."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project import init
from pipeline_lib.project.export import check_export, export
from pipeline_lib.project.init import create_project
from pipeline_lib.project.notebooks import clean_notebook, notebook_bytes, notebook_files, read_notebook
from pipeline_lib.project.project import find_project
from pipeline_lib.project.template import PRISTINE, Names, house_files


def test_the_package_is_named_after_the_folder(tmp_path: Path) -> None:
    library, paths = create_project(tmp_path / "Credit-Lab 2")
    assert library == "credit_lab_2"
    project = find_project(tmp_path / "Credit-Lab 2")
    assert (project.library, project.pipelines()) == ("credit_lab_2", ["deliveries"])
    assert sorted(paths) == sorted(
        path.relative_to(project.root).as_posix() for path in project.root.rglob("*") if path.is_file()
    )
    assert [path.name for path in tmp_path.iterdir()] == ["Credit-Lab 2"]


def test_every_placeholder_is_filled(tmp_path: Path) -> None:
    _, paths = create_project(tmp_path / "credit", "credit_lab")
    texts = {path: (tmp_path / "credit" / path).read_text(encoding="utf-8") for path in paths}
    for path, text in texts.items():
        words = ("LIBRARY", "DISTRIBUTION", "FRAMEWORK", "dot_")
        assert [word for word in words if word in text or word in path] == [], path
    assert "name = credit-lab\nlib_name = credit_lab\n" in texts["settings.ini"]
    assert "from credit_lab.steps.rush_hour import RushHour" in texts["nbs/pipelines/deliveries.ipynb"]
    assert "write credit_lab/steps and credit_lab/pipelines from the notebooks" in texts["Makefile"]


def test_only_the_word_itself_is_a_placeholder() -> None:
    names = Names("prices", "my-prices", "1.2")
    assert names.fill("LIBRARY.x LIBRARY_PATH xLIBRARY >=FRAMEWORK DISTRIBUTION") == (
        "prices.x LIBRARY_PATH xLIBRARY >=1.2 my-prices"
    )


@pytest.mark.parametrize("library", ["credit_lab", "zebra", "a"])
def test_the_modules_are_what_the_notebooks_export(tmp_path: Path, library: str) -> None:
    create_project(tmp_path / "own", library)
    project = find_project(tmp_path / "own")
    assert check_export(project) == []
    assert export(project) == []
    (project.package / "steps" / "rush_hour.py").write_text("# other\n")
    assert check_export(project)


def test_the_notebooks_are_clean(tmp_path: Path) -> None:
    create_project(tmp_path / "own", "credit_lab")
    project = find_project(tmp_path / "own")
    paths = notebook_files(project.notebooks)
    assert len(list(paths)) == 3
    for path in notebook_files(project.notebooks):
        assert path.read_bytes() == notebook_bytes(clean_notebook(read_notebook(path, path.name)))


@pytest.mark.parametrize("library", ["credit_lab", "zebra", "credit_scores_of_northern_europe"])
def test_the_code_passes_its_own_checks_of_style(tmp_path: Path, library: str) -> None:
    create_project(tmp_path / "own", library)
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    for words in (["check", "--no-cache", "."], ["format", "--no-cache", "--check", "."]):
        result = subprocess.run(  # noqa: S603
            [*ruff, *words], cwd=tmp_path / "own", capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout
    (tmp_path / "own" / library / "predict.py").write_text("import json\n")
    assert subprocess.run([*ruff, "check", "--no-cache", "."], cwd=tmp_path / "own", check=False).returncode == 1  # noqa: S603


def test_the_template_is_kept_as_it_was(tmp_path: Path) -> None:
    create_project(tmp_path / "own", "credit_lab")
    for path, content in house_files(Names.of("credit_lab")).items():
        own = (tmp_path / "own" / path).read_bytes()
        assert re.sub(rb"# key .*\nrow_key = .*\n", b"", own) == content
        assert (tmp_path / "own" / PRISTINE / path).read_bytes() == content


def test_each_project_draws_a_key_for_the_hashes_of_its_rows(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "other"):
        create_project(tmp_path / name, "credit_lab")
        keys.add(find_project(tmp_path / name).row_key)
    assert len(keys) == 2
    assert all(re.fullmatch("[A-Za-z]{16}", key) for key in keys)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "own_lab").mkdir()
    create_project(tmp_path / "own_lab")
    assert (tmp_path / "own_lab" / "settings.ini").is_file()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("pipeline_lib", "the framework's own package"),
        ("numpy", "would hide an installed package"),
        ("sklearn", "would hide an installed package"),
        ("json", "would hide an installed package"),
        ("tests", "a folder of every project"),
        ("class", "no word of Python"),
        ("1st", "a letter first"),
        ("Credit", "lower-case letters"),
        ("credit-lab", "lower-case letters"),
        ("../up", "lower-case letters"),
        ("é", "lower-case letters"),
    ],
)
def test_a_name_that_no_package_can_have_is_refused(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"found the package name .*{why}.*--name credit_lab"):
        create_project(tmp_path / "own", name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_name_is_no_package_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found the folder's name as that of the package, '2026_lab'.*--name"):
        create_project(tmp_path / "2026-lab")
    assert create_project(tmp_path / "2026-lab", "credit_lab")[0] == "credit_lab"


def test_a_required_package_is_known_where_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "_is_installed", lambda name: False)
    for name in ("sklearn", "feature_engine", "papermill"):
        with pytest.raises(InputError, match="would hide"):
            create_project(tmp_path / "own", name)


def test_a_folder_with_anything_in_it_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"found notes\.txt in .*own, expected a new or empty folder"):
        create_project(tmp_path / "own", "credit_lab")
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["notes.txt"]
    with pytest.raises(InputError, match=r"found the file .*notes\.txt"):
        create_project(tmp_path / "own" / "notes.txt", "credit_lab")


def test_an_empty_repository_is_told_the_way(tmp_path: Path) -> None:
    (tmp_path / "own" / ".git").mkdir(parents=True)
    with pytest.raises(InputError, match=r"found an empty git repository.*mv "):
        create_project(tmp_path / "own", "credit_lab")


def test_the_working_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_lab").mkdir()
    monkeypatch.chdir(tmp_path / "own_lab")
    with pytest.raises(InputError, match=r"found the working folder .*own_lab, expected another; go up with cd \.\."):
        create_project(Path())
    monkeypatch.chdir(tmp_path)
    create_project(Path("own_lab"))
    assert Path("own_lab/settings.ini").is_file()


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "own").symlink_to(tmp_path / "disk")
    create_project(tmp_path / "own", "credit_lab")
    assert (tmp_path / "own").is_symlink()
    assert (tmp_path / "disk" / "settings.ini").is_file()


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline_lib.project import init
init.flush_tree = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
init.create_project(Path(sys.argv[1]), "credit_lab")
"""


def test_a_killed_init_leaves_no_half_project(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "own")]
    result = subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False)  # noqa: S603
    assert result.returncode == -signal.SIGKILL
    assert not (tmp_path / "own").exists()
    create_project(tmp_path / "own", "credit_lab")
    assert (tmp_path / "own" / "settings.ini").is_file()


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(init, "flush_tree", fail)
    with pytest.raises(OSError, match="disk full"):
        create_project(tmp_path / "own", "credit_lab")
    assert list(tmp_path.iterdir()) == []
