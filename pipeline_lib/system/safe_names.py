"""Which files a record may hold: regular files of its own, with names that are the same on every system."""

import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_NAME_BYTES = 255  # in UTF-8: the limit of the common file systems
_INVISIBLE = ("Cc", "Cf", "Cs")  # Unicode categories: control, format (such as direction marks), surrogates


def name_problem(name: str) -> str | None:
    """What is wrong with a file's name, relative to its record and with forward slashes; None for a good name."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name:
        return "found an absolute path or a backslash, expected a name relative to the record"
    if not {"", ".", ".."}.isdisjoint(parts):
        return "found a path that leaves its folder or names none, expected plain names between slashes"
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        return "found a character that cannot be seen, expected printable ones"
    if any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        return f"found a name of more than {MAX_NAME_BYTES} bytes, expected a shorter one"
    return None


def name_problems(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that no record may list, each with the reason: bad ones, and those that differ only in case."""
    seen: dict[str, str] = {}
    for name in names:
        problem = name_problem(name)
        first = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if problem is None and first != name:
            problem = f"found a name that some systems read as {first}, expected names that differ by more than case"
        if problem:
            yield name, problem


def unsafe_files(folder: Path) -> dict[str, str]:
    """Everything below a folder that a record may not hold, empty folders too: the reason by name."""
    unsafe, files = {}, []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            unsafe[name] = "found a link, expected a file of the record itself"
        elif stat.S_ISDIR(status.st_mode):
            if not any(path.iterdir()):
                unsafe[name] = "found an empty folder, expected only the files that were sealed"
        elif not stat.S_ISREG(status.st_mode):
            unsafe[name] = "found a special file, expected only plain files"
        elif status.st_nlink > 1:
            unsafe[name] = (
                "found a file that has another name elsewhere (a hard link), expected one of the record alone"
            )
        else:
            files.append(name)
    return unsafe | dict(name_problems(files))


def remove_unsafe_files(folder: Path) -> list[str]:
    """Remove everything that a record may not hold; returns the removed names, without empty folders."""
    removed = []
    for name in sorted(unsafe_files(folder), reverse=True):  # a folder's files before the folder
        path = folder / name
        if path.is_symlink() or not path.is_dir():
            removed.append(name)
            path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return removed
