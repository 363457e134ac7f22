"""Leftovers of ended processes are found and removed; what a living process uses is not touched."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline_lib.cli.records import clean_leftovers
from pipeline_lib.project.project import Project
from pipeline_lib.records.cleanup import find_leftovers
from pipeline_lib.records.record import begin_record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.locks import PREFIX, locked, locked_temporary_folder


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
    with begin_record(project.runs, "houses") as living:
        (leftover,) = find_leftovers(project)
        assert leftover.path == killed.folder
        assert f"pipeline-lib resume {killed.reference}" in leftover.remedy
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
    assert leftover.description == "a run that ended before it began"
    leftover.remove()
    assert find_leftovers(project) == []


def test_temporary_folders_are_left_alone_while_they_are_locked_or_fresh(project: Project) -> None:
    temporary = project.root / "tmp"
    gone = [temporary / f"{PREFIX}{kind}-gone" for kind in ("kernel", "export", "warm", "sweep", "parity")]
    gone += [project.runs / ".resume-gone", project.runs / ".reproduce-gone"]
    for folder in (*gone, temporary / f"{PREFIX}kernel-fresh", temporary / "another-program"):
        folder.mkdir()
    with locked_temporary_folder("warm") as warm, locked_temporary_folder("reproduce", project.runs) as living:
        assert find_leftovers(project) == []
        for folder in (*gone, warm, living, temporary / "another-program"):
            old(folder)
        assert {leftover.path for leftover in find_leftovers(project)} == set(gone)


def test_temporary_folders_are_one_line_and_the_words_fit_what_was_done(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = create_record(project.runs, "houses")
    for name in ("one", "two"):
        folder = project.root / "tmp" / f"{PREFIX}kernel-{name}"
        folder.mkdir()
        (folder / "data").write_bytes(bytes(600_000))
        old(folder)
    (project.runs / ".resume-fresh").mkdir()

    def cleaned(*, remove: bool = False, verbose: bool = False) -> str:
        clean_leftovers(project, remove=remove, verbose=verbose)
        return capsys.readouterr().out

    assert cleaned().splitlines() == [
        f"runs/houses/{killed.id}: a killed run; `pipeline-lib resume {killed.reference}` would run it again",
        "temporary folders of ended processes, of any project: 2, 1.2 MB",
        "runs/.resume-fresh: younger than a minute, not removed",
        "nothing was removed; `pipeline-lib clean --leftovers --yes` removes these",
    ]
    assert "kernel-one: the temporary folder" in cleaned(verbose=True)
    assert cleaned(remove=True).splitlines() == [
        f"removed runs/houses/{killed.id}: a killed run",
        "removed temporary folders of ended processes, of any project: 2, 1.2 MB",
        "runs/.resume-fresh: younger than a minute, not removed",
    ]
    assert cleaned() == "runs/.resume-fresh: younger than a minute, not removed\n"


def test_every_folder_of_a_process_is_found_once_it_is_killed(project: Project) -> None:
    code = (
        "import os\nfrom pipeline_lib.runner.warm.client import WarmServer\n"
        "server = WarmServer([])\nos.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "TMPDIR": str(project.root / "tmp")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=60)  # noqa: S603 (this Python)
    (left,) = (project.root / "tmp").iterdir()
    (leftover,) = (old(left), *find_leftovers(project))[1:]
    leftover.remove()
    assert list((project.root / "tmp").iterdir()) == []


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
