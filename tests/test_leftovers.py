"""What runs leave behind is found and removed; what lives is left alone."""

import os
import time
from pathlib import Path

import pytest

from pipeline_lib.execute import KERNEL_FOLDER
from pipeline_lib.leftovers import find_leftovers
from pipeline_lib.locks import locked, locked_folder
from pipeline_lib.project import Project
from pipeline_lib.record import begun_record, create_record, seal
from pipeline_lib.resume import FOLDER


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project, and a temporary folder of its own."""
    for name in ("nbs", "params", "lib", "runs", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return Project(tmp_path, "lib", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")


def old(path: Path) -> Path:
    os.utime(path, (time.time() - 3600,) * 2)
    return path


def test_a_killed_run_is_found_and_removed_and_no_other(project: Project) -> None:
    killed = create_record(project.runs, "houses")
    sealed = create_record(project.runs, "houses")
    seal(sealed, {"status": "failed", "reference": sealed.reference})
    scratch = create_record(project.runs, "houses", scratch=True)
    with begun_record(project.runs, "houses") as living:
        (leftover,) = find_leftovers(project)
        assert leftover.path == killed.folder
        assert f"pipeline-lib resume {killed.reference}" in leftover.kind
        leftover.remove()
    assert not killed.folder.exists()
    assert all(record.folder.is_dir() for record in (sealed, scratch, living))


def test_an_interrupted_removal_leaves_nothing_that_looks_like_a_record(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_record(project.runs, "houses")
    with monkeypatch.context() as context:
        context.setattr("shutil.rmtree", lambda path: None)
        find_leftovers(project)[0].remove()
    (leftover,) = find_leftovers(project)
    assert leftover.kind == "a run that ended before it began"
    leftover.remove()
    assert find_leftovers(project) == []


def test_temporary_folders_are_left_alone_while_they_are_locked_or_fresh(project: Project) -> None:
    gone = project.root / "tmp" / f"{KERNEL_FOLDER}gone"
    gone.mkdir()
    resumed = project.runs / f"{FOLDER}gone"
    resumed.mkdir()
    (project.root / "tmp" / f"{KERNEL_FOLDER}fresh").mkdir()
    with locked_folder(KERNEL_FOLDER) as living:
        assert {leftover.path for leftover in find_leftovers(project)} == set()
        for folder in (gone, resumed, living):
            old(folder)
        assert {leftover.path for leftover in find_leftovers(project)} == {gone, resumed}


def test_half_written_files_are_found_and_notebooks_stay(project: Project) -> None:
    part = old_file(project.notebooks / ".houses.ipynb.part")
    old_file(project.notebooks / "houses.ipynb")
    old_file(project.notebooks / "_lab_houses.ipynb")
    (leftover,) = find_leftovers(project)
    assert leftover.path == part
    leftover.remove()
    assert len(list(project.notebooks.iterdir())) == 2


def old_file(path: Path) -> Path:
    path.touch()
    return old(path)


def test_a_run_that_is_just_beginning_is_waited_for(project: Project) -> None:
    parent = project.runs / "houses"
    parent.mkdir()
    (parent / ".20261123T000000000-aaaaaa.part").mkdir()
    with locked(parent / ".20261123T000000000-aaaaaa.part"):
        assert find_leftovers(project) == []
    assert len(find_leftovers(project)) == 1
