"""Canonical JSON, atomic writes and digests of files."""

import hashlib
import math
from pathlib import Path

import pytest

from pipeline_lib.system.files import (
    canonical_json,
    files_below,
    flush_tree,
    sha256_bytes,
    sha256_file,
    sha256_tree,
    write_atomic,
)

pytestmark = pytest.mark.core


def test_canonical_json_sorts_keys_keeps_unicode_and_ends_with_a_newline() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_canonical_json_refuses_numbers_that_json_cannot_hold(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"x": value})


def test_an_atomic_write_replaces_and_leaves_no_part(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError("disk full")

    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    monkeypatch.setattr("pipeline_lib.system.files.os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"


def test_files_below_are_sorted_and_links_left_out(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c", "b/z", "a"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)] == ["a", "b/z", "c"]


def test_flushing_a_tree_reaches_every_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_text("a")
    flushed: list[int] = []
    monkeypatch.setattr("pipeline_lib.system.files.os.fsync", flushed.append)
    flush_tree(tmp_path)
    assert len(flushed) == 3


def test_digests_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == sha256_bytes(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_a_tree_digest_covers_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    first = sha256_tree(tmp_path)
    (tmp_path / "a").write_bytes(b"abd")
    changed = sha256_tree(tmp_path)
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_tree(tmp_path) == first
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, changed, sha256_tree(tmp_path)}) == 3
