"""Queries and addresses may answer otherwise at any time: no later run is answered, and no raw data are kept."""

from pathlib import Path

import pandas as pd
import pytest
from boats import cache_entry, cached, finished_run, reason

from pipeline_lib.project.project import Project
from pipeline_lib.runner.cache import asked_sources
from pipeline_lib.runner.cache.asked_sources import asked_count, asked_since, note_asked
from pipeline_lib.runner.cache.raw_data import NotKeptWarning, _load_and_write


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_sources, "_asked", [])


def test_what_was_asked_is_listed_once() -> None:
    for act in ("queried a", "queried b", "queried a"):
        note_asked(act)
    assert asked_since() == ["queried a", "queried b"]
    assert asked_since(2) == ["queried a"]
    assert asked_since(asked_count()) == []


def test_a_run_that_asked_is_never_reused(project: Project) -> None:
    record = finished_run(project, asked=["queried depot", "fetched https://h/x.csv"])
    assert cached(project) is None
    assert "found that the run queried depot, fetched https://h/x.csv, which may answer otherwise" in reason(project)
    assert "`reproduce` reads what it kept" in cache_entry(record)["unanswerable"]


def test_a_run_that_asked_for_nothing_is_reused(project: Project) -> None:
    assert finished_run(project, asked=[]) == cached(project)


@pytest.mark.parametrize("asks", [True, False])
def test_raw_data_of_a_query_are_not_kept(project: Project, tmp_path: Path, asks: bool) -> None:
    note_asked("queried before")

    def load() -> pd.DataFrame:
        if asks:
            note_asked("queried depot")
        return pd.DataFrame({"a": [1]})

    if asks:
        with pytest.warns(
            NotKeptWarning, match="found that load queried depot, which may answer otherwise at any time"
        ):
            _load_and_write(load, tmp_path / "raw", "key", project, "boats")
    else:
        _load_and_write(load, tmp_path / "raw", "key", project, "boats")
    assert (tmp_path / "raw").exists() is not asks
