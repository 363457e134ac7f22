"""Which files a record may hold, and with which names."""

import os
from pathlib import Path

import pytest

from pipeline_lib.system.safe_names import name_problem, name_problems, remove_unsafe_files, unsafe_files

pytestmark = pytest.mark.core


@pytest.mark.parametrize("name", ["a", "artifact/model.json", "..a", "a..", "größe.json", "a b", "x" * 255])
def test_plain_names_pass(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "names none"),
        (".", "leaves its folder"),
        ("../x", "leaves its folder"),
        ("a/../x", "leaves its folder"),
        ("a//b", "names none"),
        ("a/", "names none"),
        ("/etc/passwd", "absolute path"),
        ("a\\b", "backslash"),
        ("C:\\x", "backslash"),
        ("a\0b", "cannot be seen"),
        ("a\nb", "cannot be seen"),
        ("report\u202egnp.html", "cannot be seen"),
        ("a\u200bb", "cannot be seen"),
        ("a\udc80", "cannot be seen"),
        ("x" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
    ],
)
def test_other_names_are_refused(name: str, words: str) -> None:
    assert words in str(name_problem(name))


def test_names_that_differ_only_in_case_or_form_are_refused() -> None:
    assert [name for name, _ in name_problems(["a", "A", "b", "é", "e\u0301", "straße", "STRASSE"])] == [
        "A",
        "e\u0301",
        "STRASSE",
    ]


def test_links_special_files_and_strange_names_are_found_and_removed(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    (tmp_path / "link").symlink_to("/")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").write_text("x")
    os.link(tmp_path / "one", tmp_path / "two")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a\u202eb").write_text("x")
    assert set(unsafe_files(tmp_path)) == {"link", "pipe", "empty", "one", "two", "folder/a\u202eb"}
    assert set(remove_unsafe_files(tmp_path)) == {"link", "pipe", "one", "two", "folder/a\u202eb"}
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
