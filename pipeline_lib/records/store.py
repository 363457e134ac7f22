"""A store, where a team's records are shared: a folder or an object store, reached through fsspec.

In the store a record is a folder PIPELINE/ID, as in the runs folder. Next to the records is the result of the last
parity check that was pushed with them, and the comparisons with other records; no digest covers them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from pipeline_lib.errors import DifferenceError, InputError, PipelineLibError
from pipeline_lib.project.project import Project
from pipeline_lib.project.store_address import file_system, is_url, resolve_address
from pipeline_lib.records.layout import CHECKS, PARITY
from pipeline_lib.records.record import ID, Record

_PIPELINE = re.compile(r"[a-z][a-z0-9_]*")
_MAGIC = re.compile(r"[*?\[]")
"""What fsspec reads as a pattern in a list of paths."""


def store_of(project: Project) -> str:
    """The address of the project's store, a folder as an absolute path.

    Raises InputError where settings.ini names none, and for a folder that is not there or is the runs folder.
    """
    settings = project.root / "settings.ini"
    if not project.store:
        raise InputError(
            f"{settings}: found no store, expected the folder or address where the team's records are; add "
            "`store = /mnt/team/runs` or `store = s3://bucket/runs` to its [project] section"
        )
    address = resolve_address(project.store, project.root)
    if not is_url(address):
        folder = Path(address)
        if folder.is_relative_to(project.runs.resolve()):
            raise InputError(f"{settings}: store: found the runs folder, expected another place; correct it")
        if not folder.is_dir():
            raise InputError(f"{settings}: store: found no folder {folder}, expected it; make it, or mount its disk")
    return address


@dataclass(frozen=True)
class Store:
    """Where records are shared: a file system of fsspec and a folder in it."""

    system: Any
    folder: str

    @classmethod
    def at(cls, url: str) -> "Store":
        """The store at a folder or URL; InputError for a password in it, or where no installed package can open it."""
        system, folder = file_system(url, "the address of the store", "a folder or a URL such as s3://bucket/runs")
        return cls(system, folder.rstrip("/"))

    def path(self, record: Record, name: str) -> str:
        """The path of a record's file in the store."""
        return f"{self.folder}/{record.pipeline}/{record.id}/{name}"

    def parity_path(self, record: Record, manifest_digest: str) -> str:
        """The path of the result of a record's last parity check; `manifest_digest` is the SHA-256 of its manifest."""
        return f"{self.checks_path(record, manifest_digest)}/{PARITY}"

    def checks_path(self, record: Record, manifest_digest: str) -> str:
        """The folder of the results of a record's checks."""
        return f"{self.folder}/{record.pipeline}/{CHECKS}/{record.id}-{manifest_digest[:16]}"

    def read(self, path: str) -> bytes | None:
        """A file's bytes, None where there is no such file."""
        try:
            content: bytes = self.system.cat_file(path)
        except FileNotFoundError:
            return None
        return content

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The bytes of files by path, without those that are not there; an object store is asked for many at once."""
        if not paths:
            return {}
        if any(map(_MAGIC.search, paths)):
            contents: dict[str, Any] = {path: self.read(path) for path in paths}
        else:
            by_stripped = self.system.cat(list(paths), on_error="return")
            contents = {path: by_stripped[self.system._strip_protocol(path)] for path in paths}
        missing = (NoneType, FileNotFoundError, NotADirectoryError)
        contents = {path: content for path, content in contents.items() if not isinstance(content, missing)}
        for content in contents.values():
            if isinstance(content, BaseException):
                raise content
        return contents

    def digest(self, path: str) -> str | None:
        """SHA-256 of a file in the store, None where there is no such file."""
        try:
            with self.system.open(path, "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def send(self, source: Path, path: str, digest: str) -> None:
        """Write a file and read it back; DifferenceError when other bytes arrived."""
        if path.startswith("/"):  # not in an object store: it has no folders, and would make a bucket
            self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            self.system.put_file(str(source), path)
        except FileNotFoundError as error:
            raise InputError(
                f"{path}: found no such place, expected a folder or bucket that exists; make it"
            ) from error
        if self.digest(path) != digest:
            raise DifferenceError(f"{path}: found other bytes than were sent, expected the same; push again")

    def pipelines(self) -> list[str]:
        """Names of the folders in the store that can be pipelines, sorted."""
        return [name for name in self.names(self.folder) if _PIPELINE.fullmatch(name)]

    def ids(self, pipeline: str) -> list[str]:
        """IDs of a pipeline's folders in the store, oldest first."""
        return [name for name in self.names(f"{self.folder}/{pipeline}") if ID.fullmatch(name)]

    def names(self, folder: str) -> list[str]:
        """Names in a folder of the store, sorted; none where there is no such folder."""
        try:
            self.system.invalidate_cache()
            paths = self.system.ls(folder, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)


@contextmanager
def open_store(url: str) -> Iterator[Store]:
    """The store at a URL; an exception of its protocol's package inside the block becomes an InputError."""
    try:
        yield Store.at(url)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise InputError(f"{url}: found {error}, expected a folder that can be written; name another") from error
    except (ConnectionError, TimeoutError) as error:
        raise InputError(
            f"{url}: found {error or type(error).__name__}, expected a store that answers; check network and address"
        ) from error
    except (PipelineLibError, OSError):
        raise
    except Exception as error:
        if type(error).__module__ == "builtins":
            raise
        raise InputError(
            f"{url}: found {type(error).__name__}: {error}, expected a place to read and write; check address and "
            "credentials"
        ) from error
