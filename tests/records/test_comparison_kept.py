"""A kept comparison answers for its own two records alone; a file that is none is as good as none."""

import json
from pathlib import Path

import pytest
from harbours import compared, finished, repository

from pipeline_lib.records.comparison_kept import compared_with, comparison_path, kept_files, read_comparison
from pipeline_lib.records.record import Record


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Record, Record]:
    project = repository(tmp_path / "anna")
    champion, challenger = finished(project), finished(project)
    compared(challenger, champion, "no difference", "No difference\nthat matters.")
    return champion, challenger


def digest(record: Record) -> str:
    return str(record.manifest()["digest"])


def test_a_kept_comparison_is_read_as_one_line(pair: tuple[Record, Record]) -> None:
    champion, challenger = pair
    kept = read_comparison(challenger, digest(champion))
    assert kept is not None
    assert (kept.verdict, kept.not_worse, kept.sentence) == ("no difference", True, "No difference that matters.")
    assert read_comparison(champion, digest(challenger)) is None
    assert list(compared_with(challenger.folder.parents[1], challenger.reference)) == [champion.reference]


@pytest.mark.parametrize("change", ["champion_digest", "challenger_digest", "not_worse", "sentence"])
def test_a_comparison_of_other_records_or_without_its_values_is_none(pair: tuple[Record, Record], change: str) -> None:
    champion, challenger = pair
    path = comparison_path(challenger, digest(champion))
    content = json.loads(path.read_text())
    (content if change in content else content["answers"][0])[change] = 7
    path.write_text(json.dumps(content))
    assert read_comparison(challenger, digest(champion)) is None


def test_a_damaged_file_is_none_and_other_files_do_not_count(pair: tuple[Record, Record]) -> None:
    champion, challenger = pair
    path = comparison_path(challenger, digest(champion))
    path.write_text("{")
    assert read_comparison(challenger, digest(champion)) is None
    (path.parent / "compare-notes.json").write_text("{}")
    assert kept_files(challenger) == [path]
