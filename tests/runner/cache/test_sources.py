"""Which raw data have a fingerprint; without one no run is reused."""

import pytest
from boats import cache_entry, cached, finished_run, reason, write

from pipeline_lib.project.project import Project
from pipeline_lib.runner.cache.sources import fingerprint_sources


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
def test_without_fingerprints_of_all_raw_data_no_run_is_reused_and_the_reason_is_named(
    project: Project, module: str, message: str
) -> None:
    (project.root / "data" / "linked").mkdir()
    (project.root / "data" / "linked" / "link").symlink_to("/etc/hostname")
    write(project.root, "harbour/pipelines/boats.py", f"{module}\n")
    record = finished_run(project)
    assert reason(project).startswith("no run can be reused: ")
    assert message in reason(project)
    assert message in cache_entry(record)["unanswerable"]


@pytest.mark.parametrize(
    ("source", "path"),
    [("data", "data/boats.csv"), ("ABSOLUTE", "data/boats.csv"), ("shipped:csv/b.csv", "../shipped")],
)
def test_a_source_is_a_file_or_folder_of_the_project_or_of_a_package(
    project: Project, monkeypatch: pytest.MonkeyPatch, source: str, path: str
) -> None:
    write(project.root.parent, "shipped/__init__.py", "raise AssertionError('imported')")
    write(project.root.parent, "shipped/csv/b.csv", "1\n")
    monkeypatch.syspath_prepend(project.root.parent)
    source = source.replace("ABSOLUTE", str(project.root / "data/boats.csv"))
    write(project.root, "harbour/pipelines/boats.py", f"SOURCES: list[str] = [{source!r}]\n")
    before = fingerprint_sources(project, "boats")
    assert before.unknown == ""
    assert list(before.fingerprints) == [source]
    write(project.root, f"{path}/csv/b.csv" if path.startswith("..") else path, "2\n")
    assert fingerprint_sources(project, "boats") != before


def test_a_pipeline_without_raw_data_has_an_empty_list(project: Project) -> None:
    write(project.root, "harbour/pipelines/boats.py", "SOURCES = []\n")
    record = finished_run(project)
    assert cached(project) == record
