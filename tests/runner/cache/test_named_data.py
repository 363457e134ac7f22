"""Raw data that a run names by `data_path`: noticed when it changes, named in the record, kept by its digest."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from boats import cache_entry, cached, finished_run, reason, write

from pipeline_lib.project import data_path as data_path_module
from pipeline_lib.project.data_path import remember
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import IMPORTS
from pipeline_lib.runner.cache import imported_files
from pipeline_lib.runner.cache.imported_files import follow_imports, named_data
from pipeline_lib.runner.cache.opened_files import opened_files
from pipeline_lib.runner.cache.raw_data import NotKeptWarning, _load_and_write, _read
from pipeline_lib.runner.cache.sources import fingerprint_named
from pipeline_lib.system.files import sha256_bytes, sha256_file

NAME = "data/masts.csv"


@pytest.fixture(autouse=True)
def masts(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that SOURCES does not name, written long before any run; nothing is remembered afterwards."""
    monkeypatch.setattr(data_path_module, "_named", {})
    write(project.root, NAME, "height\n9\n")
    os.utime(project.root / NAME, (1e9, 1e9))
    return project.root / NAME


def named(project: Project, *names: str) -> dict[str, str]:
    """What a kernel writes after `data_path` has returned these."""
    remember(project.root / name for name in names)
    return fingerprint_named(project)


def test_a_run_is_reused_until_a_file_changes_that_it_named(project: Project, masts: Path) -> None:
    record = finished_run(project, data_paths=named(project, NAME))
    assert cached(project) == record
    masts.write_text("height\n8\n")
    assert f"raw data {NAME} changed" in reason(project)
    masts.write_text("height\n9\n")
    assert cached(project) == record
    masts.unlink()
    assert f"raw data {NAME} changed" in reason(project)


def test_a_file_that_no_run_named_changes_nothing(project: Project, masts: Path) -> None:
    record = finished_run(project)
    masts.write_text("height\n8\n")
    assert cached(project) == record


def test_the_record_names_it_as_it_names_sources(project: Project) -> None:
    entry = cache_entry(finished_run(project, data_paths=named(project, NAME)))
    assert list(entry["sources"]) == ["data/boats.csv", NAME]
    assert entry["sources"][NAME] == sha256_file(project.root / NAME)
    assert entry["unanswerable"] == ""


def test_each_file_of_a_folder_counts(project: Project) -> None:
    write(project.root, "many/a.csv", "1")
    os.utime(project.root / "many" / "a.csv", (1e9, 1e9))
    record = finished_run(project, data_paths=named(project, "many"))
    assert cached(project) == record
    write(project.root, "many/b.csv", "2")
    assert "raw data many changed" in reason(project)


def test_a_folder_with_links_is_never_reused(project: Project) -> None:
    (project.root / "many").mkdir()
    (project.root / "many" / "linked.csv").symlink_to(project.root / NAME)
    finished_run(project, data_paths=named(project, "many"))
    assert "data_path: found many gone or a folder with links, expected files" in reason(project)


@pytest.mark.parametrize("text", ["height\n8\n", "height\n9\n"], ids=["other", "written again"])
def test_a_file_written_during_the_run_is_never_reused(project: Project, masts: Path, text: str) -> None:
    paths = named(project, NAME)
    finished_run(project, data_paths=paths, during=lambda root: masts.write_text(text))
    assert f"found {NAME} changed during the run" in reason(project)


def test_what_is_named_needs_no_sources(project: Project, masts: Path) -> None:
    with opened_files() as opened:
        pd.read_csv(masts)
    assert opened.undeclared(project, "boats") == [NAME]
    remember([masts])
    assert opened.undeclared(project, "boats") == []


def test_a_kernel_lists_the_digests_of_the_first_time(
    project: Project, masts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    shell = SimpleNamespace(events=SimpleNamespace(register=lambda event, function: written.append(function)))
    monkeypatch.setitem(imported_files.sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(imported_files, "_loaded", lambda packages, seen: iter(()))
    follow_imports(tmp_path, project, "boats", {})
    (after_cell,) = written
    assert callable(after_cell)
    after_cell(None)
    assert named_data(tmp_path) == {}
    remember([masts])
    after_cell(None)
    masts.write_text("height\n8\n")
    after_cell(None)
    assert named_data(tmp_path) == {NAME: sha256_bytes(b"height\n9\n")}
    assert json.loads((tmp_path / IMPORTS).read_bytes())["undeclared"] == []


def load_named(project: Project) -> pd.DataFrame:
    remember([project.root / NAME])
    return pd.read_csv(project.root / NAME)


def test_kept_raw_data_are_read_until_a_named_file_changes_and_name_it_again(
    project: Project, masts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.runs / "boats" / "raw"
    loaded = _load_and_write(lambda: load_named(project), folder, "key", project, "boats")
    monkeypatch.setattr(data_path_module, "_named", {})  # another process
    pd.testing.assert_frame_equal(_read(folder, "key", project), loaded)
    assert fingerprint_named(project) == {NAME: sha256_file(masts)}
    masts.write_text("height\n8\n")
    assert _read(folder, "key", project) is None


def test_raw_data_that_changed_while_they_were_loaded_are_not_kept(project: Project, masts: Path) -> None:
    def load() -> pd.DataFrame:
        frame = load_named(project)
        masts.write_text("height\n8\n")
        return frame

    folder = project.runs / "boats" / "raw"
    with pytest.warns(NotKeptWarning, match=r"found data/masts\.csv, changed by load, expected frames"):
        _load_and_write(load, folder, "key", project, "boats")
    assert not folder.exists()
