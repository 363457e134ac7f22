"""`prune` spares champions and those before them, by every pointer that this machine knows."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from harbours import clone, commit, compared, finished, git, repository

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.champion import champion_path
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.protected import protected_references
from pipeline_lib.records.record import Record, all_records


@pytest.fixture
def anna(tmp_path: Path) -> Project:
    return repository(tmp_path / "anna")


def promoted(project: Project, count: int) -> list[str]:
    """References of that many champions, one after the other."""
    records = [finished(project) for _ in range(count)]
    for record in records:
        promote(record, project, reason="better")
    return [record.reference for record in records]


def prune(project: Project) -> list[str]:
    """The references that remain when all but the newest run of each pipeline are removed."""
    result = CliRunner().invoke(commands, ["prune", "--keep", "1", "--yes"], obj=project, catch_exceptions=False)
    assert result.exit_code == 0
    return [record.reference for record in all_records(project.runs)]


def test_the_champion_and_the_one_before_stay(anna: Project) -> None:
    first, second, third = promoted(anna, 3)
    others = [finished(anna).reference for _ in range(2)]
    assert protected_references(anna) == {second, third}
    assert prune(anna) == [second, third, others[-1]]
    assert first not in prune(anna)


def test_without_pointers_or_git_nothing_is_protected(project: Project) -> None:
    assert protected_references(project) == set()


def test_champions_of_branches_remotes_and_worktrees_stay(anna: Project, tmp_path: Path) -> None:
    git(anna.root, "checkout", "--quiet", "-b", "feature")
    (on_branch,) = promoted(anna, 1)
    commit(anna.root)
    git(anna.root, "checkout", "--quiet", "main")
    assert protected_references(anna) == {on_branch}
    git(anna.root, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    tree = find_project(tmp_path / "tree")
    (in_worktree,) = promoted(tree, 1)  # not committed
    assert protected_references(anna) == {on_branch, in_worktree}
    ben = clone(anna, tmp_path / "ben")
    assert protected_references(ben) == {on_branch}


def test_both_runs_of_a_conflict_stay(anna: Project, tmp_path: Path) -> None:
    ben = clone(anna, tmp_path / "ben")
    (hers,), (his,) = promoted(anna, 1), promoted(ben, 1)
    for project in (anna, ben):
        commit(project.root)
    git(ben.root, "pull", "--quiet", "--no-rebase", check=False)
    git(ben.root, "branch", "--quiet", "-r", "-d", "origin/main", check=False)
    assert "<<<<<<<" in champion_path(ben, "boats").read_text()
    assert protected_references(ben) == {hers, his}
    newer = finished(ben).reference
    assert prune(ben) == [his, newer]


def test_a_pointer_that_names_no_run_removes_nothing(anna: Project) -> None:
    promoted(anna, 1)
    kept = [finished(anna) for _ in range(2)]
    champion_path(anna, "boats").write_text("lost")
    with pytest.raises(InputError, match=r"champions/boats\.yml: found no run in it, expected the pointer"):
        prune(anna)
    assert set(kept) < set(map(Record, (record.folder for record in all_records(anna.runs))))


def test_a_project_in_a_subfolder_of_its_repository_is_protected_too(tmp_path: Path) -> None:
    project = repository(tmp_path / "team" / "house")
    shutil.move(project.root / ".git", tmp_path / "team" / ".git")
    git(project.root, "checkout", "--quiet", "-b", "feature")
    (on_branch,) = promoted(project, 1)
    commit(project.root)
    git(project.root, "checkout", "--quiet", "main")
    git(project.root, "worktree", "add", "--quiet", str(tmp_path / "tree"), "feature")
    (tmp_path / "tree" / "house" / "champions" / "masts.yml").write_text("masts/20261123T101500-aaaaaa")
    assert protected_references(project) == {on_branch, "masts/20261123T101500-aaaaaa"}


def test_what_a_champion_was_compared_with_stays(anna: Project) -> None:
    baseline, other, champion = finished(anna), finished(anna), finished(anna)
    compared(champion, baseline, "better", "Better than the baseline.")
    promote(champion, anna, reason="first")
    assert prune(anna) == [baseline.reference, champion.reference]
    assert other.reference not in prune(anna)
