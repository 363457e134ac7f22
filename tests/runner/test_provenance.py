"""The commit of a run, and what differs from it."""

import subprocess
from pathlib import Path

from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record
from pipeline_lib.runner.provenance import record_commit


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)  # noqa: S603, S607


def test_the_difference_from_the_commit_is_kept_whatever_its_bytes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first")
    (tmp_path / "latin.txt").write_bytes(b"th\xe9\n")
    (tmp_path / "new file").touch()
    (tmp_path / "runs" / "houses").mkdir(parents=True)
    record = Record(tmp_path / "runs" / "houses")
    described = record_commit(Project(tmp_path, "lib", tmp_path, tmp_path, tmp_path / "runs"), record)
    assert described is not None
    assert described.to_json() == {"commit": described.commit, "changed": True, "untracked": ["new file"]}
    assert b"-caf\xe9\n+th\xe9\n" in (record.folder / "git.diff").read_bytes()


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    assert record_commit(Project(tmp_path, "lib", tmp_path, tmp_path, tmp_path), Record(tmp_path)) is None
