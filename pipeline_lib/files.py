"""Files that are either whole or absent: canonical JSON, digests, atomic writes."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, two-space indent, UTF-8 and a final newline: equal values give equal bytes."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written, and that survives a power cut once this returns."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """Make every file below a folder durable, whoever wrote it."""
    for path in files_below(folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for parent, _, _ in os.walk(folder):
        flush_folder(Path(parent))


def files_below(folder: Path) -> Iterator[Path]:
    """Regular files below a folder, sorted by name; links are not followed and not listed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_tree(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder, in hex."""
    total = hashlib.sha256()
    for path in files_below(folder):
        total.update(f"{path.relative_to(folder).as_posix()}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()
