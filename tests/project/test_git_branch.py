"""A branch with one changed file is written, and nothing else of the checkout changes."""

from pathlib import Path

import pytest
from harbours import clone, commit, git, repository

from pipeline_lib.errors import InputError
from pipeline_lib.project.git_branch import branch_tips, uncommitted_files, write_branch
from pipeline_lib.project.project import Project

POINTER = "champions/boats.yml"


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


def state(folder: Path) -> list[str]:
    """What must stay: the commit and branch at hand, the index, and files that differ."""
    questions = (["rev-parse", "HEAD"], ["symbolic-ref", "HEAD"], ["ls-files", "--stage"], ["status", "--porcelain"])
    return [git(folder, *question) for question in questions]


def test_a_branch_has_one_file_more_and_the_checkout_stays(anna: Project) -> None:
    (anna.root / "notes.txt").write_text("mine")
    git(anna.root, "add", "notes.txt")
    (anna.root / "settings.ini").write_text("changed")
    before = state(anna.root)
    tip = write_branch(anna.root, "retrain/boats-1", POINTER, b"reference: x\n", "Retrain boats\n\nBetter.\n")
    assert state(anna.root) == before
    assert git(anna.root, "diff", "--name-status", "main", tip) == f"A\t{POINTER}\n"
    assert git(anna.root, "show", f"{tip}:{POINTER}") == "reference: x\n"
    assert git(anna.root, "log", "-1", "--format=%an %s %b", tip).split() == ["Anna", "Retrain", "boats", "Better."]
    assert git(anna.root, "rev-parse", "retrain/boats-1^").strip() == before[0].strip()


def test_a_project_below_the_repository_and_a_branch_that_is_there(tmp_path: Path) -> None:
    inner = repository(tmp_path / "anna")
    (inner.root / "part").mkdir()
    (inner.root / "part" / "settings.ini").write_text((inner.root / "settings.ini").read_text())
    commit(inner.root)
    for text in (b"one\n", b"two\n"):
        write_branch(inner.root / "part", "retrain/boats-1", POINTER, text, "Retrain")
    assert git(inner.root, "show", f"retrain/boats-1:part/{POINTER}") == "two\n"
    assert git(inner.root, "rev-list", "--count", "main..retrain/boats-1") == "1\n"


def test_tips_are_found_here_and_where_they_were_fetched(anna: Project, tmp_path: Path) -> None:
    tip = write_branch(anna.root, "retrain/boats-1", POINTER, b"x\n", "Retrain")
    write_branch(anna.root, "other/retrain/boats-1", POINTER, b"y\n", "Another")
    ben = clone(anna, tmp_path / "ben")
    assert branch_tips(anna.root, "retrain/boats-1") == [tip]
    assert branch_tips(ben.root, "retrain/boats-1") == [tip]
    assert branch_tips(ben.root, "retrain/boats-2") == []


def test_without_a_user_of_git_a_commit_is_the_programs(anna: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    git(anna.root, "config", "--unset", "user.name")
    git(anna.root, "config", "--unset", "user.email")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    tip = write_branch(anna.root, "retrain/boats-1", POINTER, b"x\n", "Retrain")
    assert git(anna.root, "log", "-1", "--format=%an <%ae>", tip).strip() == (
        "pipeline-lib retrain <pipeline-lib@localhost>"
    )


def test_what_git_refuses_is_said_and_no_branch_is_left(anna: Project) -> None:
    git(anna.root, "branch", "retrain")
    with pytest.raises(InputError, match=r"git update-ref: found .*retrain.*, expected a branch to be written"):
        write_branch(anna.root, "retrain/boats-1", POINTER, b"x\n", "Retrain")
    assert branch_tips(anna.root, "retrain/boats-1") == []


def test_files_in_no_commit(anna: Project, tmp_path: Path) -> None:
    assert uncommitted_files(anna.root) == []
    (anna.root / "new.txt").write_text("x")
    (anna.root / "settings.ini").write_text("x")
    (anna.root / "runs").mkdir()
    (anna.root / "runs" / "ignored").write_text("x")
    assert uncommitted_files(anna.root) == ["new.txt", "settings.ini"]
    assert uncommitted_files(tmp_path) is None
