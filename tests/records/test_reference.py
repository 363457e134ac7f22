"""References to records, and what a message names where there is no such record."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from small_records import dated_record

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import create_record
from pipeline_lib.records.reference import find_record
from pipeline_lib.records.seal import seal

pytestmark = pytest.mark.core


def test_references(project: Project) -> None:
    older, newer = dated_record(project, "houses", 1, "finished"), dated_record(project, "houses", 2, "finished")
    failed = dated_record(project, "houses", 3, "failed")
    scratch = dated_record(project, "houses", 4, "scratch", scratch=True)
    expected: dict[str, Any] = {
        "houses": newer,
        "houses@latest": failed,
        "houses@scratch": scratch,
        "houses/20261101": older,
        f"houses/{newer.id}": newer,
        scratch.reference: scratch,
        f"{older.folder}/{MANIFEST}": older,
        str(older.folder): older,
    }
    assert {reference: find_record(reference, project) for reference in expected} == expected


def test_when_every_run_failed_the_newest_is_named(project: Project) -> None:
    dated_record(project, "houses", 1, "failed")
    with pytest.raises(InputError, match="`houses@latest` is the newest"):
        find_record("houses", project)


@pytest.mark.parametrize(
    "reference",
    [
        "houses@",
        "houses/",
        "houses@newest",
        "houses@latest/2026",
        "~",
        "x" * 300,
        "",
        "../houses",
        "houses/..",
        "a\0b",
        "houses/\u202e1",
    ],
)
def test_a_reference_of_no_known_form_is_refused(project: Project, reference: str) -> None:
    dated_record(project, "houses", 1, "finished")
    with pytest.raises(InputError, match="expected a run by name"):
        find_record(reference, project)


def test_a_damaged_run_is_not_passed_over(project: Project) -> None:
    dated_record(project, "houses", 1, "finished")
    damaged = dated_record(project, "houses", 2, "finished")
    (damaged.folder / MANIFEST).write_text("{")
    assert find_record("houses", project) == damaged


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("houses/2026", "found 2 runs whose name begins with"),
        ("houses/1999", "expected one of the runs of houses: houses/20261101T000000-aaaaaa (finished)"),
        ("houses@best", "houses@best: found no METRIC"),
        ("boats", "pipelines with runs: houses"),
    ],
)
def test_references_that_name_no_one_run(project: Project, reference: str, message: str) -> None:
    dated_record(project, "houses", 1, "finished")
    dated_record(project, "houses", 2, "failed")
    with pytest.raises(InputError) as caught:
        find_record(reference, project)
    assert message in str(caught.value)


def test_without_runs_the_way_to_make_one_is_named(project: Project) -> None:
    with pytest.raises(InputError, match=r"none yet$"):
        find_record("houses", project)
    project.params.mkdir()
    (project.params / "houses.yml").touch()
    with pytest.raises(InputError, match=r"none yet; `pipeline-lib run params/houses\.yml`"):
        find_record("houses", project)


def test_a_record_under_another_pipelines_name_is_not_its(tmp_path: Path) -> None:
    project = Project(tmp_path, "town", tmp_path / "nbs", tmp_path / "params", tmp_path)
    record = create_record(tmp_path, "houses")
    seal(record, {"status": "finished", "reference": record.reference})
    (tmp_path / "castles").mkdir()
    shutil.copytree(record.folder, tmp_path / "castles" / record.id)
    with pytest.raises(InputError, match=f"found the record of {record.reference}, expected its own; move it there"):
        find_record("castles", project)
    assert find_record("houses", project) == record


def test_of_many_runs_that_begin_alike_five_are_named(tmp_path: Path) -> None:
    project = Project(tmp_path, "lib", tmp_path, tmp_path, tmp_path)
    for _ in range(7):
        create_record(tmp_path, "houses")
    with pytest.raises(InputError, match=r"found 7 runs .*: (\w+-\w+, ){4}\w+-\w+ and 2 more$"):
        find_record("houses/2", project)


def test_a_name_alone_never_means_a_member_of_a_sweep(project: Project) -> None:
    ran = dated_record(project, "houses", 1, "finished")
    members = [dated_record(project, "houses", day, "finished", sweep="houses-1") for day in (2, 3)]
    assert find_record("houses", project) == ran
    assert find_record("houses@latest", project) == members[-1]
    assert [find_record(member.reference, project) for member in members] == members
    newer = dated_record(project, "houses", 4, "finished")
    assert find_record("houses", project) == newer


def test_where_only_a_sweep_ran_its_members_are_named(project: Project) -> None:
    for day in (1, 2):
        dated_record(project, "houses", day, "finished", sweep="houses-1")
    message = (
        r"found no run 'houses', expected one of the runs of houses: houses/20261101T000000-aaaaaa \(finished, of a "
        r"sweep\), .*; name a member of a sweep by its ID, as the sweep prints it; `houses@latest` is the newest$"
    )
    with pytest.raises(InputError, match=message):
        find_record("houses", project)
