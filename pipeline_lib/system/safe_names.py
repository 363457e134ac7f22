"""What may lie in a record: plain files of its own, under names that every system reads as the same."""

import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

LONGEST_NAME = 255
"""Bytes that a name may have, in UTF-8: the limit of the common file systems."""
_UNSEEN = ("Cc", "Cf", "Cs")  # control characters, marks that turn the direction of writing, half characters


def name_problem(name: str) -> str | None:
    """What is wrong with a file's name, relative to its record and with forward slashes; None when nothing is."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name:
        return "found an absolute path or a backslash, expected a name relative to the record"
    if not {"", ".", ".."}.isdisjoint(parts):
        return "found a path that leaves its folder or names none, expected plain names between slashes"
    if any(unicodedata.category(character) in _UNSEEN for character in name):
        return "found a character that cannot be seen, expected printable ones"
    if any(len(part.encode()) > LONGEST_NAME for part in parts):
        return f"found a name of more than {LONGEST_NAME} bytes, expected a shorter one"
    return None


def name_problems(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that no record may list, each with the reason: bad ones, and those that differ only in case."""
    seen: dict[str, str] = {}
    for name in names:
        problem = name_problem(name)
        first = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if problem is None and first != name:
            problem = f"found a name that some systems read as {first}, expected names that differ by more than case"
        if problem:
            yield name, problem


def unsafe_files(folder: Path) -> dict[str, str]:
    """What lies below a folder and may not lie in a record, by name, with the reason. Empty folders are among it."""
    strange, files = {}, []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            strange[name] = "found a link, expected a file of the record itself"
        elif stat.S_ISDIR(found.st_mode):
            if not any(path.iterdir()):
                strange[name] = "found an empty folder, expected only the files that were sealed"
        elif not stat.S_ISREG(found.st_mode):
            strange[name] = "found a special file, expected only plain files"
        elif found.st_nlink > 1:
            strange[name] = (
                "found a file that has another name elsewhere (a hard link), expected one of the record alone"
            )
        else:
            files.append(name)
    return strange | dict(name_problems(files))


def remove_unsafe_files(folder: Path) -> list[str]:
    """Remove what may not lie in a record; the names of what was removed, empty folders left out."""
    removed = []
    for name in sorted(unsafe_files(folder), reverse=True):  # what is in a folder comes before the folder
        path = folder / name
        if path.is_symlink() or not path.is_dir():
            removed.append(name)
            path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return removed


def is_valid_manifest(manifest: Mapping[str, Any]) -> bool:
    """Whether the parts of a sealed manifest are of the kinds that sealing writes."""
    files, hashes, fields = manifest.get("files"), manifest.get("hashes") or {}, manifest.get("sensitive") or []
    kinds = {"status": str, "reference": str, "digest": str}
    return (
        isinstance(files, dict)
        and isinstance(hashes, dict)
        and isinstance(fields, list)
        and all(isinstance(digest, str) for digest in files.values())
        and all(isinstance(digest, str | None) for digest in hashes.values())
        and all(isinstance(field, str) for field in fields)
        and all(isinstance(manifest.get(name, ""), kind) for name, kind in kinds.items())
    )
