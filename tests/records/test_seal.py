"""What a seal covers, and that every change after it is reported."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from small_records import dated_record

from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file

pytestmark = pytest.mark.core


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


def test_an_unsealed_record_names_the_way_to_a_sealed_one(project: Project) -> None:
    scratch = dated_record(project, "houses", 4, "scratch", scratch=True)
    assert "`pipeline-lib run` with the parameters of houses makes one" in verify(scratch)[0]


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
