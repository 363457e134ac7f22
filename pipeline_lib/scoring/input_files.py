"""What an INPUT of files names: a file, a glob, a folder of files, or any of these at an address of fsspec."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.project.store_address import file_system

CSV, JSON_LINES, PARQUET, ARROW = "csv", "jsonl", "parquet", "arrow"
FORMATS = (CSV, JSON_LINES, PARQUET, ARROW)
_BY_SUFFIX = {
    ".csv": CSV,
    ".tsv": CSV,
    ".tab": CSV,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".arrow": ARROW,
    ".arrows": ARROW,
    ".feather": ARROW,
    ".ipc": ARROW,
}
_COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
_GLOB = re.compile(r"[*?\[]")
_PARTITION = re.compile(r"([^/=]+)=([^/]*)")
_CHANGING = ("size", "ETag", "etag", "mtime", "LastModified", "updated", "created")
"""What file systems say of a file that changes with its content."""
_NAME_IT = f"rename it, or say --format {'|'.join(FORMATS)}; rows of a database need --query and a connection's name"
_MISSING_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class InputFile:
    """A file of raw rows: `system` is None for a local one, else the fsspec file system that has it.

    `partition` are the columns in its path (`year=2024/month=3`), None for a missing value. `stamp` changes with the
    content.
    """

    path: str
    shown: str
    format: str
    compression: str | None
    delimiter: str
    partition: Mapping[str, str | None]
    size: int
    stamp: str
    system: Any = None

    def open(self) -> Any:
        """The file's bytes, decompressed, as a file of Arrow."""
        if self.compression and not self.size:
            raise InputError(f"{self.shown}: found an empty file, expected {self.compression}; copy it again")
        stream = self.system.open(self.path, "rb") if self.system else pa.OSFile(self.path, "rb")
        return pa.CompressedInputStream(stream, self.compression) if self.compression else stream

    def open_plain(self) -> Any:
        """The file itself, in which a reader may jump; a mapped one that becomes shorter would end the process."""
        return self.system.open(self.path, "rb") if self.system else pa.OSFile(self.path, "rb")


def format_of(name: str, given: str | None = None, *, remedy: str = _NAME_IT) -> tuple[str, str | None, str]:
    """Format, compression and delimiter of a file by its name.

    Raises InputError, which says `remedy`, where the name does not tell.
    """
    suffixes = [suffix.lower() for suffix in Path(name.partition("?")[0]).suffixes]
    compression = _COMPRESSED.get(suffixes[-1]) if suffixes else None
    suffix = next((each for each in reversed(suffixes) if each not in _COMPRESSED), "")
    if given is not None and given not in FORMATS:
        raise InputError(f"--format: found {given!r}, expected one of {', '.join(FORMATS)}")
    found = given or _BY_SUFFIX.get(suffix)
    if found is None:
        raise InputError(
            f"{name}: found the ending {suffix!r}, expected one of {' '.join(_BY_SUFFIX)}, perhaps with "
            f"{' '.join(_COMPRESSED)}; {remedy}"
        )
    if found == PARQUET and compression:
        raise InputError(
            f"{name}: found a compressed Parquet file, expected none: it is so inside; leave the ending out"
        )
    return found, compression, "\t" if suffix in (".tsv", ".tab") else ","


def input_files(given: str, format: str | None = None) -> list[InputFile]:
    """The files that an INPUT names, in the order of their names. Raises InputError where there is none."""
    files = _files_at(given, format) if "://" in given else _local_files(Path(given), format)
    if not files:
        raise InputError(f"{given}: found no file, expected one or more with rows; correct the path")
    partitions = {tuple(file.partition) for file in files}
    if len(partitions) > 1:
        shown = " and ".join(", ".join(names) or "none" for names in sorted(partitions)[:2])
        raise InputError(f"{given}: found files with the columns {shown} in their paths, expected the same in all")
    return files


def _local_files(path: Path, given: str | None) -> list[InputFile]:
    if _GLOB.search(str(path)) and not path.exists():
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else str(path)
        found = [each for each in anchor.glob(pattern) if each.is_file()]
        return [_local_file(each, given) for each in sorted(found)]
    if path.is_dir():
        below = [each for each in sorted(path.rglob("*")) if each.is_file() and not _is_hidden(each.relative_to(path))]
        return [_local_file(each, given) for each in below]
    if not path.exists():
        raise InputError(f"{path}: found no such file, expected one with rows; correct the path")
    if not path.is_file():
        raise InputError(f"{path}: found no regular file, expected one: a file is read more than once; save it first")
    return [_local_file(path, given)]


def _local_file(path: Path, given: str | None) -> InputFile:
    stat = path.stat()
    stamp = f"{stat.st_size}-{stat.st_mtime_ns}"
    return InputFile(str(path), str(path), *format_of(path.name, given), _partition(path), stat.st_size, stamp)


def open_address(url: str) -> tuple[Any, str]:
    """The file system of a file's address and the path in it. Raises InputError where nothing can open it."""
    return file_system(url, "the address of a file", "an address such as s3://bucket/rows.csv")


def _files_at(url: str, given: str | None) -> list[InputFile]:
    system, path = open_address(url)
    try:
        if _GLOB.search(path):
            found = list(system.glob(path))
        elif system.isdir(path):
            root = path.strip("/") + "/"
            found = [each for each in map(str, system.find(path)) if not _is_hidden(Path(each.partition(root)[2]))]
        else:
            found = [path] if system.exists(path) else []
        return [_remote_file(system, each, url, given) for each in sorted(found)]
    except InputError:
        raise
    except Exception as error:  # each file system has errors of its own
        raise InputError(f"{url}: found {type(error).__name__}: {error}, expected rows there; try again") from error


def _remote_file(system: Any, path: str, url: str, given: str | None) -> InputFile:
    info = system.info(path)
    size = int(info.get("size") or 0)
    stamp = "-".join(str(info.get(name, "")) for name in _CHANGING)
    shown = f"{url.partition('://')[0]}://{path.lstrip('/')}"
    return InputFile(path, shown, *format_of(path, given), _partition(Path(path)), size, stamp, system)


def _is_hidden(below: Path) -> bool:
    """Whether tools leave a file out of a folder of rows: `_SUCCESS`, `.part.crc`."""
    return any(part.startswith((".", "_")) and "=" not in part for part in below.parts)


def _partition(path: Path) -> dict[str, str | None]:
    pairs = (_PARTITION.fullmatch(part) for part in path.parts[:-1])
    return {unquote(pair[1]): None if pair[2] == _MISSING_PARTITION else unquote(pair[2]) for pair in pairs if pair}


def changed(files: Sequence[InputFile]) -> list[str]:
    """Names of the files that are no longer as they were when they were listed."""
    return [file.shown for file in files if _stamp_now(file) != file.stamp]


def _stamp_now(file: InputFile) -> str | None:
    try:
        if file.system is not None:
            return _remote_file(file.system, file.path, file.shown, file.format).stamp
        return _local_file(Path(file.path), file.format).stamp
    except FileNotFoundError:
        return None
