"""The run record: IDs, locks, statuses, the list of records."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from small_records import dated_record

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import Record, all_records, begin_record, checks_folder, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.system.locks import is_locked, locked

pytestmark = pytest.mark.core


class Clock:
    """A clock that always has the same time."""

    def __init__(self, text: str) -> None:
        self.text = text

    def now(self, zone: object) -> datetime:
        return datetime.fromisoformat(f"{self.text}+00:00")

    strptime = staticmethod(datetime.strptime)


def test_names_sort_in_the_order_in_which_runs_began_whatever_the_clock_does(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    dated_record(project, "houses", 23, "failed")  # named in whole seconds
    stray = project.runs / "houses" / "20261399T000000-aaaaaa"
    stray.mkdir()
    begun = []
    for time in ("2026-11-23T00:00:00", "2026-11-23T00:00:00.5", "2026-11-23T00:00:00.5", "2026-11-22T23:59:59"):
        monkeypatch.setattr("pipeline_lib.records.record.datetime", Clock(time))
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


def test_a_record_is_locked_from_when_it_can_be_seen_until_its_run_ends(
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


def test_a_record_that_is_sealed_while_its_status_is_read_is_not_killed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = dated_record(project, "houses", 1, "running")

    def sealing(folder: Path) -> bool:
        seal(record, {"status": "finished"})
        return False

    monkeypatch.setattr("pipeline_lib.records.record.is_locked", sealing)
    assert record.status() == "finished"


def test_a_link_to_a_record_is_no_run_of_its_own(project: Project) -> None:
    record = dated_record(project, "houses", 1, "finished")
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


def test_an_unsealed_record_is_running_while_locked_and_killed_after(project: Project) -> None:
    record = dated_record(project, "houses", 1, "running")
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
    late, early = dated_record(project, "a", 2, "finished"), dated_record(project, "b", 1, "failed")
    scratch = dated_record(project, "a", 3, "scratch", scratch=True)
    stray = project.runs / "a" / "notes"
    stray.mkdir()
    (stray / MANIFEST).write_text("{}")
    assert all_records(project.runs) == [early, late]
    assert all_records(project.runs, scratch=True) == [scratch]


def test_a_new_record_has_a_manifest_from_the_start(project: Project) -> None:
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


def test_broken_json_in_a_record_is_named(sealed: Record) -> None:
    (sealed.folder / "params.json").write_text("{")
    with pytest.raises(InputError, match=r"params\.json: found a damaged file .*expected JSON"):
        sealed.read_json("params.json")


def test_later_checks_live_beside_the_record_and_follow_its_manifest(sealed: Record) -> None:
    before = checks_folder(sealed)
    assert before.parent == sealed.folder.parent / ".checks"
    seal(sealed, {"status": "failed"})
    assert checks_folder(sealed) != before
    assert verify(sealed) == []


def test_a_damaged_file_points_to_verify_and_pull(tmp_path: Path) -> None:
    record = create_record(tmp_path, "houses")
    (record.folder / "metrics.json").write_text("{")
    with pytest.raises(InputError, match=rf"`pipeline-lib verify {record.reference}` .*`pipeline-lib pull .* URL`"):
        record.read_json("metrics.json")
