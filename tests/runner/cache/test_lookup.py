"""When a finished run is reused, and every change that makes it run again."""

import os
import shutil
from pathlib import Path

import pytest
from boats import Change, cache_entry, cached, finished_run, reason, write

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import CACHE_ENTRY, IMPORTS, INDEX
from pipeline_lib.records.record import Record
from pipeline_lib.runner.cache.lookup import lookup
from pipeline_lib.system.files import canonical_json


def test_the_newest_finished_run_is_reused_while_nothing_changes(project: Project) -> None:
    assert lookup(project.params / "boats.yml").reason == ""
    first = finished_run(project)
    assert cached(project) == first
    second = finished_run(project)
    finished_run(project, status="failed")
    assert cached(project) == second
    assert not (second.folder / IMPORTS).exists()


def test_overrides_are_part_of_the_request_in_any_order(project: Project) -> None:
    record = finished_run(project, "seed=1", "depth=2")
    assert cached(project, "depth=2", "seed=1") == record
    assert cached(project) is None
    assert cached(project, "seed=1") is None


CHANGES: dict[str, tuple[Change, str]] = {
    "the research notebook": (lambda root: write(root, "nbs/research/boats.ipynb", "{ }"), "notebook changed"),
    "the lock": (lambda root: write(root, "requirements.lock", "numpy==2.5\n"), "requirements.lock changed"),
    "a missing lock": (lambda root: (root / "requirements.lock").unlink(), "requirements.lock changed"),
    "an imported step": (lambda root: write(root, "harbour/steps/masts.py", "\n"), "harbour/steps/masts.py changed"),
    "an imported package": (lambda root: write(root, "harbour/__init__.py", "\n"), "harbour/__init__.py changed"),
    "a removed module": (lambda root: (root / "harbour/steps/masts.py").unlink(), "masts.py (gone) changed"),
    "the pipeline's notebook": (lambda root: write(root, "nbs/pipelines/boats.ipynb", "{ }"), "boats.ipynb changed"),
    "the raw data": (lambda root: write(root, "data/boats.csv", "length\n"), "raw data data/boats.csv changed"),
    "a package over a module": (lambda root: write(root, "harbour/steps/masts/__init__.py", ""), "steps/masts, which"),
    "bytecode beside a module": (lambda root: write(root, "harbour/steps/masts.pyc", ""), "masts.pyc, which"),
    "a file over an installed package": (lambda root: write(root, "nbs/research/numpy.py", ""), "numpy.py, which"),
    "a file over the standard library": (lambda root: write(root, "random.py", ""), ", random.py, which"),
    "a file over the library": (lambda root: write(root, "nbs/research/harbour.py", ""), "harbour.py, which"),
    "another version": (
        lambda root: (root.parent / "site/numpy-2.4.0.dist-info").rename(root.parent / "site/numpy-2.4.1.dist-info"),
        "package numpy-2.4.0.dist-info changed",
    ),
    "another build": (
        lambda root: write(root.parent, "site/ropes-1.0.dist-info/RECORD", "other"),
        "package ropes-1.0.dist-info changed",
    ),
    "a new package": (lambda root: write(root.parent, "site/nets-1.dist-info/RECORD", ""), "package nets-1.dist-info"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_a_run_depends_on_runs_again_and_is_named(project: Project, name: str) -> None:
    record = finished_run(project)
    change, message = CHANGES[name]
    change(project.root)
    text = reason(project)
    assert message in text
    assert text.startswith("runs again: ")
    assert record.reference in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPENBLAS_CORETYPE", "Haswell"), ("NPY_DISABLE_CPU_FEATURES", "AVX2"), ("OMP_NUM_THREADS", "1")],
)
def test_a_variable_that_chooses_the_arithmetic_runs_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv(name, raising=False)  # the tests themselves may run with it
    finished_run(project)
    monkeypatch.setenv(name, value)
    assert f"variable {name} changed" in reason(project)


@pytest.mark.parametrize(("fact", "function"), [("cpu", "_cpu"), ("threads", "cpu_count"), ("system", "_libc")])
def test_another_machine_runs_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, fact: str, function: str
) -> None:
    finished_run(project)
    monkeypatch.setattr(f"pipeline_lib.system.fingerprint.{function}", lambda: "another")
    assert f"{fact} changed" in reason(project)


def test_another_python_runs_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    finished_run(project)
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert "Python changed" in reason(project)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root, "harbour/steps/sails.py", "x = 1\n"),
        lambda root: write(root, "harbour/steps/nets.py", ""),
        lambda root: write(root, "nbs/research/other.ipynb", "{}"),
        lambda root: write(root, "nbs/research/notes.py", ""),
        lambda root: write(root, "data/other.csv", "1\n"),
        lambda root: write(root, "harbour/steps/__pycache__/masts.cpython-311.pyc", "cached"),
        lambda root: write(root, "random/readme.txt", "a folder, no package"),
        lambda root: os.utime(root / "harbour/steps/masts.py"),
    ],
)
def test_a_change_of_what_the_run_did_not_import_does_not_matter(project: Project, change: Change) -> None:
    record = finished_run(project)
    change(project.root)
    assert cached(project) == record


def test_bytes_are_compared_so_a_change_that_is_undone_does_not_matter(project: Project) -> None:
    record = finished_run(project)
    write(project.root, "harbour/steps/masts.py", "x = 1\n")
    assert cached(project) is None
    write(project.root, "harbour/steps/masts.py", "")
    assert cached(project) == record


@pytest.mark.parametrize("file", ["manifest.json", CACHE_ENTRY, "metrics.json"])
def test_a_damaged_record_is_not_reused_but_an_older_whole_one_is(project: Project, file: str) -> None:
    older, newer = finished_run(project), finished_run(project)
    content = newer.folder / file
    content.write_bytes(content.read_bytes()[:-9] + b"\0" * 9 if content.exists() else b"never sealed")
    assert cached(project) == older
    shutil.rmtree(older.folder)
    assert cached(project) is None


def test_an_unsealed_record_is_not_reused(project: Project) -> None:
    record = finished_run(project)
    manifest = {key: value for key, value in record.manifest().items() if key not in ("digest", "files")}
    (record.folder / "manifest.json").write_bytes(canonical_json({**manifest, "status": "running"}))
    assert cached(project) is None


def test_input_that_a_run_refuses_is_left_to_the_run(project: Project) -> None:
    finished_run(project)
    for path in (
        project.params / "ships.yml",
        project.root / "nowhere" / "boats.yml",
        Path("/boats.yml"),
        Path("a\0b"),
    ):
        assert lookup(path).record is None
        assert lookup(path).reason == ""


def test_a_run_in_a_copied_runs_folder_is_reused(project: Project, tmp_path: Path) -> None:
    record = finished_run(project)
    shutil.copytree(project.runs, tmp_path / "copied")
    copied = lookup(project.params / "boats.yml", runs=tmp_path / "copied").record
    assert copied == Record(tmp_path / "copied" / "boats" / record.id)


def test_a_run_of_a_moved_project_is_reused(project: Project, tmp_path: Path) -> None:
    record = finished_run(project)
    shutil.copytree(project.root, tmp_path / "moved")
    moved = find_project(tmp_path / "moved")
    assert cached(moved) == Record(moved.runs / "boats" / record.id)
    assert cache_entry(record)["modules"] == ["harbour"]


def test_a_damaged_index_never_gives_another_run(project: Project) -> None:
    record = finished_run(project)
    finished_run(project, "seed=1")
    assert cached(project) == record
    index = project.runs / INDEX
    whole = index.read_bytes()
    for position in range(0, len(whole), len(whole) // 40):
        index.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        assert cached(project) in (record, None)
    for content in (b"", b"no database" * 500, whole[:5000]):
        index.write_bytes(content)
        assert cached(project) == record
    index.unlink(missing_ok=True)
    assert cached(project) == record


def member(project: Project, parameters: dict[str, object], *overrides: str) -> Record | None:
    """The record that a member of a sweep with these parameters is answered with."""
    return lookup(project.params / "boats.yml", overrides, parameters=parameters).record


def test_a_member_of_a_sweep_is_a_run_that_had_its_parameters_however_requested(project: Project) -> None:
    ran = finished_run(project, parameters={"seed": 0, "depth": 2.0})
    assert member(project, {"seed": 0, "depth": 2.0}, "depth=2.0") == ran
    assert member(project, {"depth": 2.0, "seed": 0}, "seed=0", "depth=2") == ran
    for other in ({"seed": 1, "depth": 2.0}, {"seed": 0, "depth": 2}, {"seed": False, "depth": 2.0}, {"seed": 0}, {}):
        assert member(project, other, "depth=2.0") is None
    write(project.root, "params/boats.yml", "seed: 0  # the same, written otherwise\n")
    assert member(project, {"seed": 0, "depth": 2.0}, "depth=2.0") == ran
    assert cached(project) is None
    write(project.root, "harbour/steps/masts.py", "\n")
    assert member(project, {"seed": 0, "depth": 2.0}, "depth=2.0") is None


def test_a_member_is_never_another_run_where_the_index_is_damaged(project: Project) -> None:
    ran = finished_run(project, parameters={"seed": 0})
    finished_run(project, "seed=1", parameters={"seed": 1})
    assert member(project, {"seed": 0}, "seed=0") == ran
    index = project.runs / INDEX
    whole = index.read_bytes()
    for position in range(0, len(whole), len(whole) // 40):
        index.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        assert member(project, {"seed": 0}, "seed=0") in (ran, None)
    (ran.folder / "params.json").write_bytes(b"{")
    index.unlink()
    assert member(project, {"seed": 0}, "seed=0") is None


def test_a_run_is_never_a_member_of_a_sweep_but_a_member_may_be(project: Project) -> None:
    swept = finished_run(project, "seed=1", sweep="boats-1", parameters={"seed": 1})
    assert member(project, {"seed": 1}, "seed=1") == swept
    assert (
        reason(project, "seed=1")
        == f"{swept.reference} is a member of a sweep, which boats never means: a run of its own"
    )
    ran = finished_run(project, "seed=1", parameters={"seed": 1})
    finished_run(project, "seed=1", sweep="boats-2", parameters={"seed": 1})
    assert cached(project, "seed=1") == ran
