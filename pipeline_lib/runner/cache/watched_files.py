"""Which files are opened while a run is executed, by whichever reader: native code and child processes, too.

Python's audit hook (`opened_files`) knows what Python opens in one process. Here the operating system reports each
file that is opened in the project, and in places outside it that the project's code mentions; but not by whom. So a
file that only the system reports may be another program's, and a run that may have read it is reused as long as the
file stays the same.
"""

import os
import re
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.project.project import GENERATED, Project
from pipeline_lib.runner.cache.opened_files import is_below, known_folders, undeclared_paths
from pipeline_lib.runner.cache.sources import source_paths
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file
from pipeline_lib.system.inotify import FileEvents

_MOST_OUTSIDE = 1000
"""Folders that are watched below one folder outside the project that a text mentions."""
_UNWATCHED = ("__pycache__", "node_modules")
_PROSE = (".md", ".rst")
"""Documents, which people read and write during a run."""
_MENTIONED = re.compile(r"""(?<=["'\s=:])((?:~?/|\.\./)[^"'\\\n*?{\[]*)([*?{\[]?)""")
"""A path from the root, the home or a parent folder, up to its first placeholder, and that."""
_VARIABLE = re.compile(r"""["']([A-Za-z_]\w*)["']""")
"""A quoted name, which may be that of an environment variable."""


@dataclass
class WatchedFiles:
    """Files that were `read` and `replaced`, and folders that were `listed`, as absolute paths without links.

    `problem` says why that is not known.
    """

    read: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    problem: str = ""

    def unnamed(
        self,
        project: Project,
        pipeline: str,
        record: Path | None = None,
        *,
        written: Iterable[str] = (),
        named: Iterable[str] = (),
    ) -> list[str]:
        """Data files that may have been read and that neither `SOURCES` nor `data_path` names, sorted.

        Files that Python has `written`, and files in or below what the kernel `named` by `data_path`, do not count.
        """
        own, below = {*map(os.path.realpath, written)}, tuple(map(os.path.realpath, named))
        files = undeclared_paths(self.read, project, pipeline, record)
        return [file for file in files if not (file.endswith(_PROSE) or file in own or is_below(file, below))]

    def digests(self, project: Project, files: Iterable[str]) -> dict[str, str]:
        """Digests of these files, and of each folder around one that was listed, as `digests_now` compares them."""
        around = {str(parent) for file in files for parent in Path(file).parents}.intersection(self.listed)
        return digests_now(
            project, [*(project.shown(Path(file)) for file in files), *map(_folder_name(project), around)]
        )

    def changed(self, files: Iterable[str], started_ns: int) -> Iterator[str]:
        """Those of these files that were replaced, removed, or written since a time (nanoseconds of the epoch)."""
        ended_ns = time.time_ns()  # a later time was set by another machine's clock
        for file in files:
            try:
                written_ns = Path(file).stat().st_mtime_ns
            except FileNotFoundError:  # another program has removed it meanwhile
                yield file
                continue
            if file in self.replaced or started_ns < written_ns <= ended_ns:
                yield file


@contextmanager
def watched_files(project: Project, pipeline: str, texts: Sequence[str] = ()) -> Iterator[WatchedFiles]:
    """Watch the project, and paths outside it in `texts`; the result is complete when the context ends."""
    watched = WatchedFiles()
    try:
        events = FileEvents()
    except (OSError, AttributeError) as error:  # no inotify on this system, or too many programs use it
        watched.problem = _problem(error)
        yield watched
        return
    try:
        try:
            events.start(_watched_paths(project, pipeline, texts))
        except OSError as error:
            watched.problem = _problem(error)
        yield watched
    finally:
        events.stop()
        watched.read, watched.listed = _resolved(events.read()), _resolved(events.listed())
        watched.replaced = _resolved(events.replaced())
        if events.lost:
            watched.problem = "found more files opened than the system reports, expected fewer at once"


def digests_now(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Digests by name, from the project's root, as they are now; empty where nothing is there.

    The digest of a file is that of its content; that of a folder, whose name ends with `/`, is that of the names in
    it, without hidden ones.
    """
    return {name: _digest(project.root / name, is_folder=name.endswith("/")) for name in sorted(names)}


def _digest(path: Path, *, is_folder: bool) -> str:
    try:
        if not is_folder:
            return sha256_file(path)
        return sha256_bytes(
            canonical_json(sorted(file.name for file in path.iterdir() if not _is_unwatched(file.name)))
        )
    except OSError:
        return ""


def _folder_name(project: Project) -> Callable[[str], str]:
    return lambda path: f"{project.shown(Path(path)).rstrip('/')}/"


def _problem(error: Exception) -> str:
    return (
        f"found {error} while the project's files were to be watched, expected Linux's inotify; raise "
        "fs.inotify.max_user_watches and max_user_instances"
    )


def _resolved(paths: Iterable[str]) -> tuple[str, ...]:
    names = {path for path in paths if not _is_unwatched(os.path.basename(path))}  # noqa: PTH119 (a text)
    return tuple(sorted({os.path.realpath(path) for path in names}))


def _watched_paths(project: Project, pipeline: str, texts: Sequence[str]) -> list[str]:
    """Folders of the project, folders and files that links in them lead to, and those that texts mention."""
    skipped = (*known_folders(project), *map(str, source_paths(project, pipeline)))
    root = os.path.realpath(project.root)
    paths = dict.fromkeys(_folders(root, skipped, root))
    for outside in _mentioned(project, pipeline, texts):
        if is_below(outside, (root, *skipped)) or is_below(root, (outside,)):
            continue
        for count, path in enumerate(_folders(outside, skipped, root)):
            if count == _MOST_OUTSIDE:
                break
            paths[path] = None
    return list(paths)


def _folders(top: str, skipped: tuple[str, ...], root: str) -> Iterator[str]:
    """`top`, the folders below it, near ones first, and what links in them lead to; folders once, no hidden ones."""
    waiting, seen = deque([top]), set()
    while waiting:
        path = waiting.popleft()
        if path in seen or is_below(path, skipped) or (path != root and is_below(root, (path,))):
            continue
        seen.add(path)
        yield path
        with suppress(OSError):  # a file, or a folder of another user
            for entry in os.scandir(path):
                is_link = entry.is_symlink()
                if not _is_unwatched(entry.name) and (is_link or entry.is_dir()):
                    waiting.append(os.path.realpath(entry.path) if is_link else entry.path)


def _is_unwatched(name: str) -> bool:
    return name.startswith(".") or name in _UNWATCHED


def _mentioned(project: Project, pipeline: str, texts: Sequence[str]) -> Iterator[str]:
    """Existing files and folders that the project's own code, the pipeline's research notebook or `texts` mention.

    The value of an environment variable that they name counts as mentioned. The whole home and the whole folder of
    temporary files are left out.
    """
    notebook = project.research_notebook(pipeline)
    contents = [
        *texts,
        *(path.read_text(errors="replace") for path in (*_own_code(project), notebook) if path.is_file()),
    ]
    names = {name for content in contents for name in _VARIABLE.findall(content)}
    contents += [repr(os.environ[name]) for name in sorted(names) if name in os.environ]
    mentions = {match.groups() for content in contents for match in _MENTIONED.finditer(f" {content}")}
    busy = {os.path.realpath(folder) for folder in (Path.home(), tempfile.gettempdir())}
    for mention, placeholder in sorted(mentions):
        whole = mention.rpartition("/")[0] if placeholder else mention.rstrip()
        for base in (notebook.parent, project.root):
            path = os.path.realpath(base / Path(whole).expanduser())
            if os.path.exists(path) and path not in busy:  # noqa: PTH110 (a text)
                yield path


def _own_code(project: Project) -> Iterator[Path]:
    """The modules of the project's package; of a checkout of this library those that notebooks export."""
    is_library = (project.package / "runner" / "cache" / Path(__file__).name).is_file()
    folders = [project.package / name for name in GENERATED] if is_library else [project.package]
    for folder in folders:
        yield from sorted(folder.rglob("*.py"))
