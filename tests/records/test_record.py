"""The run record: sealing, verifying, statuses and references."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import Record, all_records, begin_record, checks_folder, create_record, write_manifest
from pipeline_lib.records.reference import find_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file
from pipeline_lib.system.locks import is_locked, locked

pytestmark = pytest.mark.core


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, "lib", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")


def make(project: Project, name: str, day: int, status: str, *, scratch: bool = False) -> Record:
    """A record of a given day, so that order and prefixes are known."""
    parent = project.runs / name / "scratch" if scratch else project.runs / name
    record = Record(parent / f"202611{day:02}T000000-aaaaaa")
    record.folder.mkdir(parents=True)
    if status in ("finished", "failed"):
        seal(record, {"status": status})
    else:
        write_manifest(record, {"status": status})
    return record


@pytest.fixture
def sealed(project: Project) -> Record:
    record = create_record(project.runs, "houses")
    record.artifact.mkdir()
    (record.artifact / "model.json").write_bytes(b"{}")
    (record.folder / "log.txt").write_bytes(b"ok\n")
    seal(record, {"status": "finished"})
    return record


class Clock:
    """A clock that stands where it is told."""

    def __init__(self, text: str) -> None:
        self.text = text

    def now(self, zone: object) -> datetime:
        return datetime.fromisoformat(f"{self.text}+00:00")

    strptime = staticmethod(datetime.strptime)


def test_names_sort_in_the_order_in_which_runs_began_whatever_the_clock_does(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(project, "houses", 23, "failed")  # named in whole seconds
    stray = project.runs / "houses" / "20261399T000000-aaaaaa"
    stray.mkdir()
    begun = []
    for moment in ("2026-11-23T00:00:00", "2026-11-23T00:00:00.5", "2026-11-23T00:00:00.5", "2026-11-22T23:59:59"):
        monkeypatch.setattr("pipeline_lib.records.record.datetime", Clock(moment))
        begun.append(create_record(project.runs, "houses"))
    assert [record.id[:18] for record in begun] == [
        "20261123T000000001",
        "20261123T000000500",
        "20261123T000000501",
        "20261123T000000502",
    ]
    assert all_records(project.runs)[1:] == begun


def test_runs_that_begin_at_once_have_names_of_their_own(project: Project) -> None:
    with ThreadPoolExecutor(16) as pool:
        records = list(pool.map(lambda _: create_record(project.runs, "houses"), range(64)))
    assert len({record.id.partition("-")[0] for record in records}) == 64
    assert len(all_records(project.runs)) == 64


def test_a_record_is_locked_from_the_moment_it_can_be_seen_until_its_run_ends(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    rename = Path.rename

    def looking(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        seen.append(Record(target).status())
        return moved

    monkeypatch.setattr(Path, "rename", looking)
    with begin_record(project.runs, "houses", facts={"mode": "run"}) as record:
        assert record.status() == "running"
        assert record.manifest()["mode"] == "run"
    assert seen == ["running"]
    assert record.status() == "killed"


def test_a_record_that_is_sealed_while_somebody_looks_is_not_called_killed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make(project, "houses", 1, "running")

    def sealing(folder: Path) -> bool:
        seal(record, {"status": "finished"})
        return False

    monkeypatch.setattr("pipeline_lib.records.record.is_locked", sealing)
    assert record.status() == "finished"


def test_a_link_to_a_record_is_no_run_of_its_own(project: Project) -> None:
    record = make(project, "houses", 1, "finished")
    record.folder.with_name("20261102T000000-bbbbbb").symlink_to(record.folder)
    assert all_records(project.runs) == [record]


def test_a_record_is_named_by_pipeline_and_time(project: Project) -> None:
    record, scratch = create_record(project.runs, "houses"), create_record(project.runs, "houses", scratch=True)
    assert record.reference == f"houses/{record.id}"
    assert scratch.reference == f"houses@scratch/{scratch.id}"
    assert record.pipeline == scratch.pipeline == "houses"
    assert scratch.folder.parent.name == "scratch"
    names = [path.name for path in (record.artifact, record.evidence, record.report, record.notebook)]
    assert names == ["artifact", "evidence", "report.html", "notebook.ipynb"]
    assert record.id != create_record(project.runs, "houses").id


def test_a_sealed_record_verifies(sealed: Record) -> None:
    assert verify(sealed) == []
    assert sealed.status() == "finished"
    assert sealed.manifest()["format"] == 1
    assert set(sealed.manifest()["files"]) == {"artifact/model.json", "log.txt"}


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_any_flipped_byte_is_found(sealed: Record, mask: int) -> None:
    for name in (MANIFEST, "artifact/model.json", "log.txt"):
        path = sealed.folder / name
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :])
            assert verify(sealed), f"{name}, byte {at}"
        path.write_bytes(whole)
    assert verify(sealed) == []


def test_a_shortened_or_reformatted_manifest_is_found(sealed: Record) -> None:
    path = sealed.folder / MANIFEST
    whole = path.read_bytes()
    for content in (whole[:-1], whole + b"\n", whole.replace(b"  ", b" "), b"", b"[]"):
        path.write_bytes(content)
        assert verify(sealed)


def test_extra_missing_changed_and_linked_files_are_named(sealed: Record, tmp_path: Path) -> None:
    (sealed.folder / "extra.txt").touch()
    (sealed.folder / "log.txt").unlink()
    (sealed.artifact / "model.json").write_bytes(b"[]")
    (sealed.folder / "link").symlink_to(tmp_path)
    os.mkfifo(sealed.folder / "pipe")
    problems = "\n".join(verify(sealed))
    assert "extra.txt: found a file that was not sealed" in problems
    assert "log.txt: found no such file" in problems
    assert "artifact/model.json: found other bytes" in problems
    assert "link: found a link" in problems
    assert "pipe: found a special file" in problems


def test_a_link_to_the_same_bytes_does_not_stand_for_a_file(sealed: Record, tmp_path: Path) -> None:
    log = sealed.folder / "log.txt"
    log.rename(tmp_path / "elsewhere.txt")
    log.symlink_to(tmp_path / "elsewhere.txt")
    assert verify(sealed) == ["log.txt: found a link, expected a file of the record itself"]


def test_an_unsealed_record_is_running_while_locked_and_killed_after(project: Project) -> None:
    record = make(project, "houses", 1, "running")
    with locked(record.folder):
        assert is_locked(record.folder)
        assert record.status() == "running"
        with pytest.raises(BlockingIOError), locked(record.folder):
            pytest.fail("two holders of one lock")
    assert not is_locked(record.folder)
    assert record.status() == "killed"
    assert "expected a sealed record" in verify(record)[0]


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff", b'{"status": "perfect"}', b"{}", b"[" * 200_000])
def test_a_record_without_a_readable_manifest_is_damaged(project: Project, content: bytes | None) -> None:
    record = create_record(project.runs, "houses")
    if content is None:
        (record.folder / MANIFEST).unlink()
    else:
        (record.folder / MANIFEST).write_bytes(content)
    assert record.status() == "damaged"
    assert verify(record)


def test_json_of_the_record_is_none_until_written(sealed: Record) -> None:
    assert sealed.read_json("artifact/model.json") == {}
    assert sealed.read_json("absent.json") is None


def test_records_are_listed_oldest_first_and_scratch_apart(project: Project) -> None:
    late, early = make(project, "a", 2, "finished"), make(project, "b", 1, "failed")
    scratch = make(project, "a", 3, "scratch", scratch=True)
    stray = project.runs / "a" / "notes"
    stray.mkdir()
    (stray / MANIFEST).write_text("{}")
    assert all_records(project.runs) == [early, late]
    assert all_records(project.runs, scratch=True) == [scratch]


def test_references(project: Project) -> None:
    older, newer = make(project, "houses", 1, "finished"), make(project, "houses", 2, "finished")
    failed = make(project, "houses", 3, "failed")
    scratch = make(project, "houses", 4, "scratch", scratch=True)
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


def test_a_new_record_has_a_manifest_from_its_first_moment(project: Project) -> None:
    for scratch, status in ((False, "killed"), (True, "scratch")):
        record = create_record(project.runs, "houses", scratch=scratch)
        assert record.status() == status
        assert record.manifest()["reference"] == record.reference
        assert list(record.folder.parent.glob(".*")) == []


def test_a_run_that_dies_before_its_first_manifest_leaves_nothing_that_looks_like_a_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(record: Record, manifest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline_lib.records.record.write_manifest", interrupt)
    with pytest.raises(KeyboardInterrupt):
        create_record(project.runs, "houses")
    assert all_records(project.runs) == []
    assert list((project.runs / "houses").iterdir()) == []


def test_links_special_files_and_empty_folders_are_not_sealed(sealed: Record, tmp_path: Path) -> None:
    (sealed.folder / "link").symlink_to(tmp_path)
    os.mkfifo(sealed.artifact / "pipe")
    (sealed.folder / "a" / "b").mkdir(parents=True)
    seal(sealed, {"status": "finished"})
    assert verify(sealed) == []
    assert tmp_path.is_dir()
    (sealed.folder / "later").mkdir()
    assert verify(sealed) == ["later: found an empty folder, expected only the files that were sealed"]


def test_every_file_is_flushed_before_the_manifest_is_written(sealed: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr("pipeline_lib.records.seal.flush_tree", lambda folder: done.append("flush"))
    monkeypatch.setattr("pipeline_lib.records.seal.write_atomic", lambda path, content: done.append(path.name))
    seal(sealed, {"status": "finished"})
    assert done == ["flush", MANIFEST]


def test_a_record_under_another_name_is_found(sealed: Record) -> None:
    seal(sealed, {"status": "finished", "reference": sealed.reference})
    other = Record(sealed.folder.rename(sealed.folder.with_name("20261101T000000-bbbbbb")))
    assert verify(other) == [f"found the record of {sealed.reference}, expected {other.id}"]


@pytest.mark.parametrize(
    "change",
    [
        {"files": ["a"]},
        {"files": None},
        {"files": {"log.txt": 3}},
        {"digest": 7},
        {"note": float("nan")},
        {"note": "\ud800"},
    ],
)
def test_a_manifest_of_another_shape_is_a_problem(sealed: Record, change: dict[str, object]) -> None:
    content = json.dumps({**sealed.manifest(), **change})
    (sealed.folder / MANIFEST).write_text(content)
    (problem,) = verify(sealed)
    assert problem.startswith("manifest.json: found ")


def test_a_listed_file_outside_the_record_is_a_problem(sealed: Record, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("x")
    manifest = {key: value for key, value in sealed.manifest().items() if key != "digest"}
    manifest["files"][str(outside)] = sha256_file(outside)
    manifest["digest"] = sha256_bytes(canonical_json(manifest))
    (sealed.folder / MANIFEST).write_bytes(canonical_json(manifest))
    assert verify(sealed)[0].startswith(f"{outside}: found an absolute path")


def test_broken_json_in_a_record_is_named(sealed: Record) -> None:
    (sealed.folder / "params.json").write_text("{")
    with pytest.raises(InputError, match=r"params\.json: found a damaged file .*expected JSON"):
        sealed.read_json("params.json")


def test_an_unsealed_record_names_the_way_to_a_sealed_one(project: Project) -> None:
    scratch = make(project, "houses", 4, "scratch", scratch=True)
    assert "`pipeline-lib run` with the parameters of houses makes one" in verify(scratch)[0]


def test_when_every_run_failed_the_newest_is_named(project: Project) -> None:
    make(project, "houses", 1, "failed")
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
    make(project, "houses", 1, "finished")
    with pytest.raises(InputError, match="expected a run by name"):
        find_record(reference, project)


def test_a_damaged_run_is_not_passed_over(project: Project) -> None:
    make(project, "houses", 1, "finished")
    damaged = make(project, "houses", 2, "finished")
    (damaged.folder / MANIFEST).write_text("{")
    assert find_record("houses", project) == damaged


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("houses/2026", "found 2 runs whose name begins with"),
        ("houses/1999", "expected one of the runs of houses: houses/20261101T000000-aaaaaa (finished)"),
        ("houses@best", "found no run 'houses@best'"),
        ("boats", "pipelines with runs: houses"),
    ],
)
def test_references_that_name_no_one_run(project: Project, reference: str, message: str) -> None:
    make(project, "houses", 1, "finished")
    make(project, "houses", 2, "failed")
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


def test_later_checks_live_beside_the_record_and_follow_its_manifest(sealed: Record) -> None:
    before = checks_folder(sealed)
    assert before.parent == sealed.folder.parent / ".checks"
    seal(sealed, {"status": "failed"})
    assert checks_folder(sealed) != before
    assert verify(sealed) == []


@pytest.mark.parametrize(
    "change",
    [{"sensitive": [1]}, {"sensitive": 5}, {"hashes": 5}, {"status": ["finished"]}, {"reference": 7}, {"files": []}],
)
def test_a_manifest_of_other_kinds_of_parts_is_damaged(tmp_path: Path, change: dict[str, Any]) -> None:
    record = create_record(tmp_path, "houses")
    content: dict[str, Any] = {"format": 1, "status": "finished", "reference": record.reference, "files": {}} | change
    content["digest"] = sha256_bytes(canonical_json(content))
    (record.folder / MANIFEST).write_bytes(canonical_json(content))
    assert verify(record)[0].startswith("manifest.json: found")


def test_a_record_under_another_pipelines_name_is_not_its(tmp_path: Path) -> None:
    project = Project(tmp_path, "town", tmp_path / "nbs", tmp_path / "params", tmp_path)
    record = create_record(tmp_path, "houses")
    seal(record, {"status": "finished", "reference": record.reference})
    (tmp_path / "castles").mkdir()
    shutil.copytree(record.folder, tmp_path / "castles" / record.id)
    with pytest.raises(InputError, match=f"found the record of {record.reference}, expected its own; move it there"):
        find_record("castles", project)
    assert find_record("houses", project) == record


def test_a_damaged_file_points_to_verify_and_pull(tmp_path: Path) -> None:
    record = create_record(tmp_path, "houses")
    (record.folder / "metrics.json").write_text("{")
    with pytest.raises(InputError, match=rf"`pipeline-lib verify {record.reference}` .*`pipeline-lib pull .* URL`"):
        record.read_json("metrics.json")


def test_of_many_runs_that_begin_alike_five_are_named(tmp_path: Path) -> None:
    project = Project(tmp_path, "lib", tmp_path, tmp_path, tmp_path)
    for _ in range(7):
        create_record(tmp_path, "houses")
    with pytest.raises(InputError, match=r"found 7 runs .*: (\w+-\w+, ){4}\w+-\w+ and 2 more$"):
        find_record("houses/2", project)
