"""The champions over time, by the versions of the pointer in git."""

import shutil
from pathlib import Path

import pytest
from harbours import commit, finished, git, repository

from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import champion_path
from pipeline_lib.records.champion_history import champion_history, is_in_git
from pipeline_lib.records.promotion import promote, roll_back


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    """A project with two champions in its history, in a subfolder of its repository."""
    project = repository(tmp_path / "anna" / "house")
    shutil.move(project.root / ".git", tmp_path / "anna" / ".git")
    for reason in ("first", "second"):
        promote(finished(project), project, reason=reason)
        commit(project.root)
    return project


def told(project: Project) -> list[str]:
    """Each version: whether it is committed, and its reason or problem."""
    versions = champion_history(project, "boats")
    texts = (version.champion.reason if version.champion else version.problem for version in versions)
    places = ("in" if version.commit else "not in" for version in versions)
    return [f"{place} git: {text}" for place, text in zip(places, texts, strict=True)]


def test_versions_are_listed_newest_first(anna: Project) -> None:
    assert is_in_git(anna)
    assert told(anna) == ["in git: second", "in git: first"]
    roll_back(anna, "boats", reason="why")
    assert told(anna) == ["not in git: why", "in git: second", "in git: first"]
    commit(anna.root)
    assert told(anna) == ["in git: why", "in git: second", "in git: first"]
    assert champion_history(anna, "masts") == []


def test_a_version_that_was_no_pointer_is_told_and_a_removed_one_leaves_the_history(anna: Project) -> None:
    champion_path(anna, "boats").write_text("broken")
    commit(anna.root)
    assert told(anna)[0].startswith("in git: champions/boats.yml: found ")
    champion_path(anna, "boats").unlink()
    commit(anna.root)
    assert told(anna)[1:] == ["in git: second", "in git: first"]


def test_both_sides_of_a_merge_are_in_the_history(anna: Project) -> None:
    git(anna.root, "branch", "--quiet", "other")
    promote(finished(anna), anna, reason="hers")
    commit(anna.root)
    git(anna.root, "checkout", "--quiet", "other")
    promote(finished(anna), anna, reason="other")
    commit(anna.root)
    git(anna.root, "merge", "--quiet", "main", check=False)
    git(anna.root, "checkout", "--theirs", "champions/boats.yml")
    commit(anna.root)
    assert told(anna)[0] == "in git: hers"
    assert sorted(told(anna)) == [f"in git: {reason}" for reason in ("first", "hers", "other", "second")]


def test_outside_git_only_the_present_pointer_is_known(anna: Project) -> None:
    shutil.rmtree(anna.root.parent / ".git")
    assert not is_in_git(anna)
    assert told(anna) == ["not in git: second"]
