"""`data_path` finds a file of the project wherever the code runs, and remembers it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from boats import FILES, write
from example import ROOT

from pipeline_lib import InputError, data_path
from pipeline_lib.project import data_path as module
from pipeline_lib.project.data_path import named_paths

CODE = "from pipeline_lib import data_path\n\n\ndef found(path='data/boats.csv'):\n    return data_path(path)\n"
PRINT = "from pipeline_lib import data_path; print(data_path('data/boats.csv'))"
Found = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a project `harbour`, which is not the working folder; nothing is remembered afterwards."""
    monkeypatch.setattr(module, "_named", {})
    for name, text in FILES.items():
        write(tmp_path / "harbour", name, text)
    write(tmp_path, "elsewhere/notes.txt", "")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "harbour"


def called_in(path: Path | None, folder: Path) -> Found:
    """A function that calls data_path, in a module of this path, or in a notebook's cell of this folder."""
    space: dict[str, object] = {} if path is None else {"__file__": str(path)}
    os.chdir(folder)
    exec(CODE, space)  # noqa: S102 (the code above)
    function = space["found"]
    assert callable(function)
    return function


def test_the_file_is_the_same_in_a_module_a_notebook_a_test_and_a_command(root: Path) -> None:
    expected = root / "data" / "boats.csv"
    pipeline, test = root / "harbour" / "pipelines" / "boats.py", root / "tests" / "test_boats.py"
    elsewhere = root.parent / "elsewhere"
    assert called_in(pipeline, elsewhere)() == expected
    assert called_in(test, elsewhere)() == expected
    for folder in ("", "nbs/research", "nbs/pipelines"):
        assert called_in(None, root / folder)() == expected
    assert called_in(pipeline, elsewhere)("harbour/../data/boats.csv") == expected
    assert called_in(pipeline, elsewhere)(str(expected)) == expected
    assert called_in(pipeline, elsewhere)("data") == expected.parent
    assert named_paths() == [expected, expected.parent]


def test_a_process_in_the_folder_of_the_notebooks_finds_it(root: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", PRINT]
    ended = subprocess.run(  # noqa: S603 (our own)
        command, cwd=root / "nbs" / "research", env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout == f"{root / 'data' / 'boats.csv'}\n"


def test_code_outside_of_any_project_means_the_checkout_of_this_package(root: Path) -> None:
    assert called_in(root.parent / "script.py", root.parent)("settings.ini") == ROOT / "settings.ini"


def test_without_a_project_the_error_names_where_one_was_looked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "package_folder", lambda name: None)
    with pytest.raises(
        InputError, match=r"found no settings\.ini .* in or above .*elsewhere, expected a project; call"
    ):
        called_in(None, root.parent / "elsewhere")()


@pytest.mark.parametrize("path", ["../elsewhere/notes.txt", "/etc/passwd", "..", ".", "data/..", "data/../../x"])
def test_a_path_that_leaves_the_project_is_refused(root: Path, path: str) -> None:
    with pytest.raises(InputError, match=r"expected a file or folder inside the project .*; copy it there"):
        called_in(None, root)(path)
    assert named_paths() == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("data/boat.csv", r"found no data/boat\.csv in the project .*, did you mean data/boats\.csv\?"),
        ("data/2026/q.csv", r"found no data/2026/q\.csv .* expected raw data; put it there or correct the path"),
        ("data/a\0b", "found no data/a\0b in the project"),
        ("", "found '', expected the path of a raw file"),
        (None, "found None, expected the path of a raw file"),
        (7, "found 7, expected the path of a raw file"),
    ],
)
def test_a_path_that_does_not_exist_is_refused(root: Path, path: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        called_in(None, root)(path)
    assert named_paths() == []


def test_a_link_to_data_outside_of_the_project_is_a_path_of_the_project(root: Path) -> None:
    (root / "data" / "linked.txt").symlink_to(root.parent / "elsewhere" / "notes.txt")
    assert called_in(None, root)("data/linked.txt") == root / "data" / "linked.txt"


def test_code_of_another_checkout_is_refused(root: Path) -> None:
    write(root, "settings.ini", FILES["settings.ini"].replace("harbour", "pipeline_lib"))
    with pytest.raises(InputError, match="the code of another checkout would run here"):
        called_in(None, root)()


def test_a_setting_that_is_wrong_is_named_and_not_passed_over(root: Path) -> None:
    write(root, "settings.ini", FILES["settings.ini"].replace("nbs_path = nbs", "nbs_path = ../nbs"))
    with pytest.raises(InputError, match=r"nbs_path: found '\.\./nbs'"):
        called_in(None, root)()


def test_this_test_has_a_file_of_this_project() -> None:
    assert data_path("params/houses.yml") == ROOT / "params" / "houses.yml"
