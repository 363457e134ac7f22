"""A later template is merged: nothing of a person's is lost, and what both changed is named."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project import template, update
from pipeline_lib.project.init import create_project
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.project.template import VERSION_FILE, Names, house_files
from pipeline_lib.project.update import update_project


def git(project: Project, *words: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    command = ["git", "-C", str(project.root), *identity, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def commit(project: Project) -> None:
    git(project, "add", "-A")
    git(project, "commit", "--quiet", "-m", "work")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A committed project as `init` makes it."""
    create_project(tmp_path / "own", "credit_lab")
    project = find_project(tmp_path / "own")
    git(project, "init", "--quiet")
    commit(project)
    return project


def edit(project: Project, path: str, old: str, new: str) -> None:
    text = (project.root / path).read_text(encoding="utf-8")
    assert old in text
    (project.root / path).write_text(text.replace(old, new), encoding="utf-8")


def later(**changes: tuple[str, str]) -> Mapping[str, bytes]:
    """The template with a text replaced in some files; Makefile and others are named without dots."""
    house = house_files(Names.of("credit_lab"))
    for name, (old, new) in changes.items():
        (path,) = (path for path in house if path.replace(".", "_") == name)
        assert old.encode() in house[path]
        house[path] = house[path].replace(old.encode(), new.encode())
    return house


def texts(project: Project) -> dict[str, bytes]:
    paths = [path for path in project.root.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in paths}


def test_the_same_template_changes_nothing(project: Project) -> None:
    edit(project, "Makefile", "--cov-report=term", "--cov-report=html")  # not committed, and not touched
    before = texts(project)
    assert update_project(project).changes == ()
    assert texts(project) == before


def test_a_file_that_was_not_changed_becomes_the_templates(project: Project) -> None:
    house = later(Makefile=("--cov-report=term", "--cov-report=xml"))
    result = update_project(project, house)
    assert list(map(str, result.changes)) == ["updated: Makefile"]
    assert (project.root / "Makefile").read_bytes() == house["Makefile"]
    assert git(project, "status", "--porcelain").split() == ["M", ".pipeline_lib/template/Makefile", "M", "Makefile"]
    assert update_project(project, house).changes == ()


def test_changes_of_both_sides_are_merged(project: Project) -> None:
    edit(project, "Makefile", "## open JupyterLab on the notebooks", "## explore")
    edit(project, "settings.ini", "dev =\n", "dev =\n    lightgbm>=4.6\n")
    commit(project)
    house = later(Makefile=("--cov-report=term", "--cov-report=xml"))
    result = update_project(project, house)
    assert (list(map(str, result.changes)), result.conflicts) == (["merged: Makefile"], [])
    text = (project.root / "Makefile").read_text(encoding="utf-8")
    assert "## explore" in text
    assert "--cov-report=xml" in text
    assert "lightgbm>=4.6" in (project.root / "settings.ini").read_text(encoding="utf-8")
    commit(project)
    assert update_project(project, house).changes == ()


def test_a_conflict_is_marked_and_named_and_nothing_is_lost(project: Project) -> None:
    edit(project, "Makefile", "--cov-report=term", "--cov-report=html")
    commit(project)
    house = later(Makefile=("--cov-report=term", "--cov-report=xml"))
    result = update_project(project, house)
    assert list(map(str, result.changes)) == ["conflict, 1 to resolve: Makefile"]
    assert result.conflicts == ["Makefile"]
    text = (project.root / "Makefile").read_text(encoding="utf-8")
    for part in ("<<<<<<< this project", "--cov-report=html", "--cov-report=xml", ">>>>>>> template now"):
        assert part in text
    assert update_project(project, house).changes == ()  # the same template once more: the marks are yours to resolve
    commit(project)
    with pytest.raises(InputError, match="Makefile: found conflict marks of an earlier merge"):
        update_project(project, later(Makefile=("--cov-report=term", "--cov-report=json")))
    (project.root / "Makefile").write_bytes(house["Makefile"])
    commit(project)
    assert update_project(project, house).changes == ()


def test_the_same_change_on_both_sides_is_none(project: Project) -> None:
    edit(project, "Makefile", "--cov-report=term", "--cov-report=xml")
    commit(project)
    assert update_project(project, later(Makefile=("--cov-report=term", "--cov-report=xml"))).changes == ()


def test_new_removed_and_dropped_files(project: Project) -> None:
    (project.root / "CODEOWNERS").unlink()
    commit(project)
    house = {**later(CODEOWNERS=("Replace", "Exchange")), "docs/guide.md": b"# Guide\n"}
    del house["Dockerfile"]
    result = update_project(project, house)
    assert list(map(str, result.changes)) == [
        "left out, removed in this project: CODEOWNERS",
        "left, no longer in the template: Dockerfile",
        "wrote: docs/guide.md",
    ]
    assert not (project.root / "CODEOWNERS").exists()
    assert (project.root / "Dockerfile").is_file()
    assert (project.root / "docs" / "guide.md").read_bytes() == b"# Guide\n"
    assert update_project(project, house).changes == ()


def test_a_new_file_never_replaces_ones_own(project: Project) -> None:
    (project.root / "guide.md").write_text("mine\n")
    commit(project)
    result = update_project(project, {**later(), "guide.md": b"theirs\n"})
    assert result.conflicts == ["guide.md"]
    text = (project.root / "guide.md").read_text()
    assert "mine" in text
    assert "theirs" in text


def test_changes_that_are_not_committed_are_refused(project: Project) -> None:
    edit(project, "Makefile", "## open JupyterLab on the notebooks", "## explore")
    before = texts(project)
    with pytest.raises(InputError, match="found changes that are not committed in Makefile, expected none"):
        update_project(project, later(Makefile=("--cov-report=term", "--cov-report=xml")))
    assert texts(project) == before
    edit(project, "README.md", "make help", "make  help")  # another file than the update writes
    git(project, "commit", "--quiet", "-m", "work", "Makefile")
    assert update_project(project, later(Makefile=("--cov-report=term", "--cov-report=xml"))).conflicts == []


def test_a_file_that_git_does_not_know_is_refused(project: Project) -> None:
    (project.root / "guide.md").write_text("mine\n")
    with pytest.raises(InputError, match=r"not committed in guide\.md"):
        update_project(project, {**later(), "guide.md": b"theirs\n"})
    assert (project.root / "guide.md").read_text() == "mine\n"


def test_without_a_repository_it_is_refused(tmp_path: Path) -> None:
    create_project(tmp_path / "own", "credit_lab")
    project = find_project(tmp_path / "own")
    with pytest.raises(InputError, match=r"found no git repository in .*git init"):
        update_project(project, later(Makefile=("--cov-report=term", "--cov-report=xml")))


def test_an_older_framework_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "framework_version", lambda: "0.0.9")
    with pytest.raises(InputError, match=r"found pipeline_lib 0\.0\.9 and the template of .*expected a newer"):
        update_project(project)


def test_a_later_version_is_noted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "framework_version", lambda: "10.0")
    result = update_project(project)
    assert result.after == "10.0"
    assert list(map(str, result.changes)) == ["merged: settings.ini"]  # it has a key of the project's own
    assert find_project(project.root).row_key == project.row_key
    assert (project.root / VERSION_FILE).read_text() == "10.0\n"
    assert "nb-pipeline-lib>=10.0" in (project.root / "settings.ini").read_text(encoding="utf-8")


def test_a_project_that_init_did_not_make_is_refused(project: Project) -> None:
    (project.root / VERSION_FILE).unlink()
    with pytest.raises(InputError, match=r"found no \.pipeline_lib/version .*pipeline-lib init"):
        update_project(project)


def test_another_distribution_name_stays(project: Project) -> None:
    edit(project, "settings.ini", "name = credit-lab\n", "name = bank-credit\n")
    commit(project)
    update_project(project, None)
    assert "name = bank-credit\n" in (project.root / "settings.ini").read_text(encoding="utf-8")


def test_a_missing_git_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*words: object, **options: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(update.subprocess, "run", missing)
    with pytest.raises(InputError, match="found no git, expected it"):
        update_project(project, later(Makefile=("--cov-report=term", "--cov-report=xml")))
