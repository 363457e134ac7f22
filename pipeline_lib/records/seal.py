"""Sealing a record with a digest of every file and of the manifest itself, and verifying that nothing changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import SCRATCH
from pipeline_lib.records.forgotten import FORGOTTEN, forgotten_in
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import FORMAT, Record
from pipeline_lib.system.files import canonical_json, files_below, flush_tree, sha256_bytes, sha256_file, write_atomic
from pipeline_lib.system.safe_names import name_problems, remove_unsafe_files, unsafe_files


def seal(record: Record, manifest: dict[str, Any]) -> None:
    """Flush every file, list it with its digest, and write the manifest last.

    Links, special files and empty folders are removed: no digest covers them.
    """
    remove_unsafe_files(record.folder)
    flush_tree(record.folder)
    digests = {name: sha256_file(record.folder / name) for name in _file_names(record.folder)}
    content = {"format": FORMAT, **manifest, "files": digests}
    content["digest"] = sha256_bytes(canonical_json(content))
    write_atomic(record.folder / MANIFEST, canonical_json(content))


def verify(record: Record) -> list[str]:
    """What is not as it was sealed, one problem a line; empty when every byte is."""
    try:
        manifest = record.manifest()
    except InputError as error:
        return [str(error)]
    status = record.status()
    if status in ("running", "killed", SCRATCH):
        again = f"`pipeline-lib run` with the parameters of {record.pipeline} makes one"
        return [f"{MANIFEST}: found status {status!r}, expected a sealed record; {again}"]
    problem = manifest_problem(manifest, (record.folder / MANIFEST).read_bytes())
    if problem:
        return [f"{MANIFEST}: {problem}"]
    reference = str(manifest.get("reference", record.id))
    renamed = [] if reference.endswith(record.id) else [f"found the record of {reference}, expected {record.id}"]
    return [*renamed, *_file_problems(record.folder, manifest["files"])]


def is_valid_manifest(manifest: Mapping[str, Any]) -> bool:
    """Whether the values of a sealed manifest have the types that sealing writes."""
    files, hashes, fields = manifest.get("files"), manifest.get("hashes") or {}, manifest.get("sensitive") or []
    types = {"status": str, "reference": str, "digest": str}
    return (
        isinstance(files, dict)
        and isinstance(hashes, dict)
        and isinstance(fields, list)
        and all(isinstance(digest, str) for digest in files.values())
        and all(isinstance(digest, str | None) for digest in hashes.values())
        and all(isinstance(field, str) for field in fields)
        and all(isinstance(manifest.get(name, ""), kind) for name, kind in types.items())
        and ("metric" not in manifest or Metric.from_json(manifest["metric"]) is not None)
        and (FORGOTTEN not in manifest or forgotten_in(manifest) is not None)
    )


def manifest_problem(manifest: dict[str, Any], content: bytes) -> str | None:
    """What is wrong with a sealed manifest, read from these bytes; None where it is as it was sealed."""
    if not is_valid_manifest(manifest) or "digest" not in manifest:
        return "found a damaged manifest, expected digests of all files and of itself; run again"
    covered_values = {key: value for key, value in manifest.items() if key != "digest"}
    try:
        covered = sha256_bytes(canonical_json(covered_values)) == manifest["digest"]
        canonical = canonical_json(manifest) == content
    except ValueError:  # a NaN, half a surrogate pair
        covered = canonical = False
    if covered and canonical:
        return None
    return "found bytes that its own digest does not cover, expected it as it was sealed; run again"


def _file_names(folder: Path) -> list[str]:
    return [name for path in files_below(folder) if (name := path.relative_to(folder).as_posix()) != MANIFEST]


def _file_problems(folder: Path, files: dict[str, str]) -> list[str]:
    """Files that were added, removed or changed since the seal."""
    badly_named = dict(name_problems(files))
    unsafe = unsafe_files(folder)
    unlisted = {name for name in _file_names(folder) if name not in files and name not in unsafe}
    problems = [*badly_named.items(), *((name, why) for name, why in unsafe.items() if name not in badly_named)]
    problems += ((name, "found a file that was not sealed, expected no such file") for name in sorted(unlisted))
    problems += (
        (name, problem)
        for name, digest in files.items()
        if name not in badly_named and name not in unsafe and (problem := _change(folder / name, digest))
    )
    return [f"{name}: {problem}" if name.isprintable() else f"{name!r}: {problem}" for name, problem in problems]


def _change(path: Path, digest: str) -> str | None:
    try:
        if not path.is_file():
            return "found no such file, expected the one that was sealed"
        if sha256_file(path) != digest:
            return f"found other bytes than were sealed, expected sha256 {digest[:12]}…"
    except OSError as error:
        return f"found {error}, expected a file that can be read"
    return None
