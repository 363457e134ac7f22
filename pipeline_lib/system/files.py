"""Files: atomic writes, canonical JSON, digests."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError

_WINDOWS = os.name == "nt"
_BLOCK_BYTES = 1 << 16  # most files are smaller; a larger buffer takes longer to allocate than they take to read


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, two-space indent, UTF-8 and a final newline: equal values give equal bytes."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def read_json(path: Path, remedy: str = "write it again") -> Any:
    """The content of a JSON file; None when there is no such file.

    Raises InputError, with `remedy`, when the file holds no JSON.
    """
    try:
        return json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: found a damaged file ({error}), expected JSON; {remedy}") from error


def write_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file by a rename, so that readers find the old content or the new one, never a part.

    With `durable`, the file survives a power cut once this returns; without, the caller flushes it later.
    """
    part = path.with_name(f".{path.name}.{os.getpid():x}-{secrets.token_hex(4)}.part")  # for writers at the same time
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to report
            part.unlink()
        raise
    if durable:
        flush(path.parent)


def flush_tree(folder: Path) -> None:
    """Make every file and name below a folder durable."""
    for path in (*files_below(folder), *(Path(parent) for parent, _, _ in os.walk(folder))):
        flush(path)


def flush(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, durable; of Windows, which opens no folders, a file's bytes."""
    if _WINDOWS and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files_below(folder: Path) -> Iterator[Path]:
    """Regular files below a folder, sorted by path; symbolic links are neither followed nor listed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (thousands of text paths)
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def sha256_tree(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder, in hex, without `__pycache__`."""
    total = hashlib.sha256()
    for path in files_below(folder):
        if "__pycache__" in path.relative_to(folder).parts:
            continue
        total.update(f"{path.relative_to(folder).as_posix()}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()
