"""Records travel whole or not at all: a folder and an object store, cut short, changed, hostile."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner

from pipeline_lib.cli import main as cli
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import Record, all_records, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.records.transfer import pull, push
from pipeline_lib.system.files import canonical_json, sha256_bytes
from pipeline_lib.system.locks import is_locked


def sealed(runs: Path, status: str = "finished", **facts: Any) -> Record:
    record = create_record(runs, "boats")
    (record.folder / "artifact").mkdir()
    (record.folder / "artifact" / "plan.json").write_text("{}")
    (record.folder / "report.html").write_text(record.id)
    seal(record, {"status": status, "reference": record.reference, **facts})
    return record


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A shared place: a folder, or a store of objects that knows no folders to rename."""
    yield str(tmp_path / "shared") if request.param == "folder" else "memory://shared/runs"
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return tmp_path / "theirs"


def there(url: str, record: Record, name: str) -> Any:
    """A file of a pushed record, opened to be changed."""
    return fsspec.open(f"{url}/{record.pipeline}/{record.id}/{name}", "wb")


def same(one: Record, other: Record) -> bool:
    files = [
        {path.relative_to(r.folder): path.read_bytes() for path in r.folder.rglob("*") if path.is_file()}
        for r in (one, other)
    ]
    return files[0] == files[1]


def test_a_pushed_record_is_pulled_byte_for_byte(mine: Path, theirs: Path, url: str) -> None:
    older, record = sealed(mine), sealed(mine)
    failed = sealed(mine, status="failed")
    for each in (older, record, failed):
        assert push(each, url).endswith(f"{each.pipeline}/{each.id}")
    pulled = pull("boats", url, theirs)
    assert pulled == Record(theirs / "boats" / record.id)
    assert same(pulled, record)
    assert same(pull(failed.reference, url, theirs), failed)
    assert same(pull(older.reference[:-2], url, theirs), older)
    assert sorted(path.name for path in (theirs / "boats").iterdir()) == sorted([older.id, record.id, failed.id])


def test_what_is_there_already_is_not_sent_nor_fetched_again(mine: Path, theirs: Path, url: str) -> None:
    record = sealed(mine)
    copied: list[str] = []
    push(record, url, progress=copied.append)
    assert copied == ["artifact/plan.json", "report.html", MANIFEST]
    push(record, url, progress=copied.append)
    assert len(copied) == 3
    pull("boats", url, theirs, progress=copied.append)
    pull("boats", url, theirs, progress=copied.append)
    assert copied[3:] == [record.reference]


def test_a_place_that_cannot_be_a_folder_is_bad_input_and_a_damaged_record_says_what_to_do(
    mine: Path, tmp_path: Path
) -> None:
    record = sealed(mine)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a folder that can be written; name another"):
        push(record, str(tmp_path / "file"))
    (record.folder / "report.html").write_text("{")
    with pytest.raises(
        InputError, match=rf"`pipeline-lib verify {record.reference}` names .*pull {record.reference} URL"
    ):
        push(record, str(tmp_path / "shared"))


def test_pushing_and_pulling_again_changes_nothing(mine: Path, theirs: Path, url: str) -> None:
    record = sealed(mine)
    assert push(record, url) == push(record, url)
    first = pull("boats", url, theirs)
    stamp = (first.folder / MANIFEST).stat().st_mtime_ns
    assert pull("boats", url, theirs) == first
    assert (first.folder / MANIFEST).stat().st_mtime_ns == stamp


def test_a_push_cut_short_is_no_record_there_and_is_finished_by_the_next(
    mine: Path, theirs: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sealed(mine)
    with monkeypatch.context() as patch:
        patch.setattr("pipeline_lib.records.transfer.Store.digest", lambda self, path: None)
        with pytest.raises(DifferenceError, match="found other bytes than were sent"):
            push(record, url)
    with pytest.raises(InputError, match=r"found no run 'boats', expected a finished one; there: boats/"):
        pull("boats", url, theirs)
    push(record, url)
    assert same(pull("boats", url, theirs), record)


def test_bytes_that_changed_there_are_not_pulled_and_a_push_mends_them(mine: Path, theirs: Path, url: str) -> None:
    record = sealed(mine)
    push(record, url)
    with there(url, record, "report.html") as stream:
        stream.write(b"other")
    with pytest.raises(DifferenceError, match=r"report\.html: found other bytes"):
        pull("boats", url, theirs)
    assert list((theirs / "boats").iterdir()) == []
    push(record, url)
    assert same(pull("boats", url, theirs), record)


def test_a_file_that_is_missing_there_is_reported(mine: Path, theirs: Path, url: str) -> None:
    record = sealed(mine)
    push(record, url)
    fsspec.core.url_to_fs(url)[0].rm(f"{fsspec.core.url_to_fs(url)[1]}/boats/{record.id}/report.html")
    with pytest.raises(DifferenceError, match="expected every file"):
        pull("boats", url, theirs)
    assert all_records(theirs) == []


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}"])
def test_a_damaged_manifest_there_is_reported(mine: Path, theirs: Path, url: str, content: bytes) -> None:
    record = sealed(mine)
    push(record, url)
    with there(url, record, MANIFEST) as stream:
        stream.write(content)
    for reference in ("boats", record.reference):
        with pytest.raises(DifferenceError, match="found a damaged manifest"):
            pull(reference, url, theirs)


@pytest.mark.parametrize("name", ["../../escaped.txt", "/tmp/escaped.txt", "a//b", "a\\b", "a\0b"])  # noqa: S108
def test_a_manifest_that_names_files_outside_its_record_writes_nothing(
    mine: Path, theirs: Path, url: str, name: str
) -> None:
    record = sealed(mine)
    push(record, url)
    manifest = {key: value for key, value in record.manifest().items() if key != "digest"}
    manifest["files"][name] = sha256_bytes(b"")
    manifest["digest"] = sha256_bytes(canonical_json(manifest))
    with there(url, record, MANIFEST) as stream:
        stream.write(canonical_json(manifest))
    with pytest.raises(DifferenceError, match="expected"):
        pull("boats", url, theirs)
    assert not theirs.exists() or not any(theirs.rglob("*.txt"))


def test_another_record_of_the_same_name_is_never_overwritten(mine: Path, theirs: Path, url: str) -> None:
    record = sealed(mine)
    push(record, url)
    other = Record(theirs / "boats" / record.id)
    other.folder.mkdir(parents=True)
    (other.folder / "report.html").write_text("theirs")
    seal(other, {"status": "finished", "reference": record.reference})
    before = (other.folder / MANIFEST).read_bytes()
    with pytest.raises(InputError, match="found another record of this name"):
        pull("boats", url, theirs)
    with pytest.raises(InputError, match="found another record of this name"):
        push(other, url)
    assert (other.folder / MANIFEST).read_bytes() == before
    assert same(pull("boats", url, mine), record)
    (record.folder / "report.html").write_text("changed")
    with pytest.raises(InputError, match=r"found a damaged one \(report\.html"):
        pull("boats", url, mine)


def test_only_whole_sealed_records_are_pushed(mine: Path, url: str) -> None:
    record = sealed(mine)
    (record.folder / "report.html").write_text("changed")
    with pytest.raises(InputError, match=r"report\.html: found other bytes"):
        push(record, url)
    with pytest.raises(InputError, match="expected a sealed record"):
        push(create_record(mine, "boats"), url)


def test_sensitive_fields_are_copied_only_with_the_option(mine: Path, theirs: Path, url: str) -> None:
    record = sealed(mine, sensitive=["salary"])
    with pytest.raises(InputError, match="found evidence with the sensitive fields salary"):
        push(record, url)
    push(record, url, include_sensitive=True)
    with pytest.raises(InputError, match="--include-sensitive"):
        pull("boats", url, theirs)
    assert not theirs.exists()
    assert same(pull("boats", url, theirs, include_sensitive=True), record)


def test_a_record_that_is_not_there_is_refused_with_those_that_are(mine: Path, theirs: Path, url: str) -> None:
    with pytest.raises(InputError, match="there: no runs of boats"):
        pull("boats", url, theirs)
    one, two = sealed(mine, status="failed"), sealed(mine, status="failed")
    push(one, url)
    push(two, url)
    with pytest.raises(InputError, match=f"expected a finished one; there: {one.reference}, {two.reference}"):
        pull("boats", url, theirs)
    with pytest.raises(InputError, match="found 2 runs that begin with boats/2"):
        pull("boats/2", url, theirs)
    with pytest.raises(InputError, match="Boats"):
        pull("Boats", url, theirs)


def test_an_address_that_nothing_reaches_is_refused(mine: Path) -> None:
    with pytest.raises(InputError, match="which cannot be reached"):
        push(sealed(mine), "nothing-of-that-kind://shared")


class RefusedError(Exception):
    """What a protocol's own package raises."""


def test_an_exception_of_a_protocol_is_one_line(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, path: str) -> bytes:
        raise RefusedError("no credentials")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", refuse)
    with pytest.raises(InputError, match="memory://shared: found RefusedError: no credentials, expected a place"):
        push(sealed(mine), "memory://shared")


def test_what_is_being_pulled_is_held(mine: Path, theirs: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = sealed(mine)
    push(record, url)
    held: list[bool] = []
    monkeypatch.setattr(
        "pipeline_lib.records.transfer.flush_tree",
        lambda folder: held.extend(map(is_locked, (theirs / "boats").glob(".*.part"))),
    )
    pull("boats", url, theirs)
    assert held == [True]


def test_two_pulls_at_once_leave_one_record(
    mine: Path, theirs: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sealed(mine)
    push(record, url)

    def other_first(folder: Path) -> None:
        shutil.copytree(record.folder, theirs / "boats" / record.id)

    monkeypatch.setattr("pipeline_lib.records.transfer.flush_tree", other_first)
    assert same(pull("boats", url, theirs), record)
    assert [path.name for path in (theirs / "boats").iterdir()] == [record.id]


def test_without_the_extra_the_message_names_it(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match="expected the extra share"):
        push(sealed(mine), "folder")


def test_push_and_pull_are_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(names)
    monkeypatch.chdir(tmp_path)
    record = sealed(tmp_path / "runs")
    shared = str(tmp_path / "shared")
    assert f"boats/{record.id}" in CliRunner().invoke(cli.commands, ["push", "boats", shared]).stdout
    shutil.rmtree(tmp_path / "runs")
    said = CliRunner().invoke(cli.commands, ["pull", "boats", shared]).stdout
    assert said == f"{record.reference}: every byte is as it was sealed\nrecord: {record.folder}\n"
    assert verify(record) == []
    assert json.loads((record.folder / MANIFEST).read_bytes())["status"] == "finished"


def test_a_name_alone_never_fetches_a_member_of_a_sweep(mine: Path, theirs: Path, url: str) -> None:
    member = sealed(mine, sweep="boats-1")
    push(member, url)
    with pytest.raises(InputError, match="expected a finished one that is no member of a sweep; there: boats/"):
        pull("boats", url, theirs)
    run, newer = sealed(mine), sealed(mine, sweep="boats-1")
    push(run, url)
    push(newer, url)
    assert same(pull("boats", url, theirs), run)
    assert same(pull(newer.reference, url, theirs), newer)
