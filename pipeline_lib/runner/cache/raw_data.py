"""Loaded raw data are kept as Arrow files in the runs folder, and read from there until their key changes."""

import functools
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pipeline_lib.errors import InputError
from pipeline_lib.project.data_path import remember
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.params_model import BaseParams
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import RAW_DATA
from pipeline_lib.runner.cache.asked_sources import asked_count, asked_since
from pipeline_lib.runner.cache.opened_files import ONLY_FILES, OpenedFiles, opened_files
from pipeline_lib.runner.cache.sources import changed_since, digest_at, fingerprint_named, fingerprint_sources
from pipeline_lib.runner.cache.watched_files import WatchedFiles, watched_files
from pipeline_lib.system.files import canonical_json, read_json, sha256_bytes, sha256_file, write_atomic
from pipeline_lib.system.fingerprint import fingerprint
from pipeline_lib.system.locks import locked

Raw = TypeVar("Raw")
Given = ParamSpec("Given")
_STATE = "with-"
"""How the name of a folder begins that holds what `load` returned for some arguments."""
_MOST_STATES = 10
"""States that are kept for a `load` with arguments; the one that was written first goes first."""
_FILES = "files.json"
"""The list of Arrow files with their digests; the key, and the digests of `data_path`, that they are valid for."""


class NotKeptWarning(UserWarning):
    """Raw data that cannot be kept exactly: they are loaded each time."""


def keep_raw(load: Callable[Given, Raw]) -> Callable[Given, Raw]:
    """Decorate a pipeline module's slow `load`: its result is read from a file until something changes.

    The key has the arguments of `load` (parameters, or plain values), the digests of the module's `SOURCES`, of what it
    names by `data_path`, of the generated library, of the installed packages, and Python and machine. `load` returns a
    DataFrame or a mapping of them. It is called each time, with a NotKeptWarning, where Arrow does not return a frame
    exactly as it was, SOURCES have no fingerprint, or an argument is no value; and without a warning where it is
    defined in a notebook. One state is kept for each pipeline, or, where `load` takes arguments, one for each of the
    last ten arguments, in the project's runs folder.
    """

    @functools.wraps(load)
    def load_or_read(*arguments: Given.args, **options: Given.kwargs) -> Raw:
        module = sys.modules[load.__module__]
        call = functools.partial(load, *arguments, **options)
        if load.__module__ == "__main__" or not getattr(module, "__file__", None):
            return call()
        project = find_project(Path(str(module.__file__)).parent)
        pipeline = load.__module__.rpartition(".")[2]
        sources = fingerprint_sources(project, pipeline)
        values = _values_of(arguments, options)
        problem = sources.unknown or values.problem
        if problem:
            warnings.warn(f"raw data are loaded each time: {problem}", NotKeptWarning, stacklevel=2)
            return call()
        code = project.generated_digests()
        key = sha256_bytes(canonical_json([sources.fingerprints, code, fingerprint(), *values.content]))
        folder = project.runs / pipeline / RAW_DATA / values.folder
        raw = _read(folder, key, project)
        return raw if raw is not None else _load_and_write(call, folder, key, project, pipeline)

    return load_or_read


@dataclass(frozen=True)
class _Arguments:
    """The arguments of a call as JSON values, without any an empty list, and the name of their folder.

    `problem` says which argument is no value.
    """

    content: tuple[Any, ...] = ()
    problem: str = ""

    @property
    def folder(self) -> str:
        """Empty without arguments."""
        return f"{_STATE}{sha256_bytes(canonical_json(self.content))[:16]}" if self.content else ""


def _values_of(arguments: tuple[Any, ...], options: Mapping[str, Any]) -> _Arguments:
    """The arguments of `load` in a form that can be compared: parameters as JSON, other values as text with type."""
    if not arguments and not options:
        return _Arguments()
    try:
        positional = [_value_of(value) for value in arguments]
        return _Arguments((positional, {name: _value_of(value) for name, value in options.items()}))
    except TypeError as error:
        return _Arguments(problem=str(error))


def _value_of(value: Any) -> Any:
    if isinstance(value, BaseParams):
        return [type(value).__name__, params_to_json(value)]
    if value is None or isinstance(value, bool | int | float | str | date):
        return [type(value).__name__, repr(value)]
    raise TypeError(
        f"found {type(value).__name__} as an argument of load, expected parameters or a plain value; pass run.params"
    )


def _load_and_write(load: Callable[[], Raw], folder: Path, key: str, project: Project, pipeline: str) -> Raw:
    started_ns, before = time.time_ns(), asked_count()
    with watched_files(project, pipeline) as watched, opened_files() as opened:
        raw = load()
    named = fingerprint_named(project)
    queried = ", ".join(asked_since(before))
    unnamed = f"found that load {queried}, which may answer otherwise at any time" if queried else ""
    unnamed = unnamed or _unnamed_reading(opened, watched, project, pipeline)
    if unnamed:
        warnings.warn(f"raw data are loaded each time: {unnamed}", NotKeptWarning, stacklevel=3)
        return raw
    frames = raw if isinstance(raw, Mapping) else {"": raw}
    problem = _problem(frames) or _unknown_data(project, named, started_ns)
    if problem is None:
        try:
            _write(folder, key, named, frames)
        except OSError as error:
            problem = f"found {error}"
    if problem:
        warnings.warn(
            f"raw data are loaded each time: {problem}, expected frames that Arrow gives back as they were; "
            "change what `load` returns, or take @keep_raw away",
            NotKeptWarning,
            stacklevel=3,
        )
    return raw


def _unnamed_reading(opened: OpenedFiles, watched: WatchedFiles, project: Project, pipeline: str) -> str:
    """What `load` read whose later change would go unnoticed; empty where there is nothing."""
    declare = "expected every raw file in SOURCES; add it there"
    undeclared = opened.undeclared(project, pipeline)
    if undeclared:
        return f"found that load reads {', '.join(undeclared)}, {declare}"
    if opened.unknown:
        return f"found that load {', '.join(opened.unknown)}, {ONLY_FILES}"
    files = watched.unnamed(project, pipeline, written=opened.written)
    if files:
        return f"found {', '.join(project.shown(Path(file)) for file in files)} opened while load ran, {declare}"
    return watched.problem


def _problem(frames: Mapping[Any, Any]) -> str | None:
    """Why Arrow does not return the frames exactly as they are; None where it does."""
    import pandas as pd
    import pyarrow as pa

    for name, frame in frames.items():
        if not isinstance(name, str) or not isinstance(frame, pd.DataFrame):
            return f"found {type(frame).__name__}"
        if not frame.columns.is_unique or not all(isinstance(column, str) for column in frame.columns):
            return "found column names that are not text, or not unique"
        objects = [column for column in frame.columns if pd.api.types.is_object_dtype(frame[column].dtype)]
        if objects or pd.api.types.is_object_dtype(frame.index.dtype) or frame.attrs:  # Arrow maps None and NaN to null
            return f"found {objects or 'an index or attributes'} that may hold any object"
        try:
            pd.testing.assert_frame_equal(pa.Table.from_pandas(frame).to_pandas(), frame, check_exact=True)
        except (AssertionError, pa.ArrowException, TypeError, ValueError) as error:
            return f"found {str(error).partition(chr(10))[0]}"
    return None


def _unknown_data(project: Project, named: Mapping[str, str], started_ns: int) -> str | None:
    """Why the digests of what `data_path` named may not be those of what was read; None where they are."""
    linked = [name for name, digest in named.items() if not digest]
    changed = list(changed_since(project, named, started_ns, time.time_ns()))
    if linked or changed:
        return f"found {', '.join(linked or changed)}, {'gone or a folder with links' if linked else 'changed by load'}"
    return None


def _write(folder: Path, key: str, named: Mapping[str, str], frames: Mapping[str, Any]) -> None:
    """Replace the kept frames; `files.json` is written last, with the digests of the others."""
    import pyarrow as pa
    from pyarrow.feather import write_feather

    _make_folder(folder)
    with locked(folder, wait=True):
        (folder / _FILES).unlink(missing_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith(_STATE):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        files = []
        for number, (name, frame) in enumerate(frames.items()):
            path = folder / f"{number}.arrow"
            write_feather(pa.Table.from_pandas(frame), str(path), compression="uncompressed")
            files.append([name, path.name, sha256_file(path)])
        write_atomic(folder / _FILES, canonical_json({"key": key, "data_paths": dict(named), "files": files}))


def _make_folder(folder: Path) -> None:
    """Make a folder of kept frames; of those for arguments the oldest are removed, unless another process uses them."""
    states = sorted(folder.parent.glob(f"{_STATE}*"), key=lambda path: path.stat().st_mtime_ns)
    if folder.name.startswith(_STATE) and folder not in states:
        for old in states[: max(len(states) - _MOST_STATES + 1, 0)]:
            with suppress(BlockingIOError), locked(old):
                shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)


def _read(folder: Path, key: str, project: Project) -> Any:
    """The frames kept under a key, as `load` returned them; None where there are none, or a file is damaged.

    What `data_path` named when they were loaded is unchanged, and counts as named by this process.
    """
    from pyarrow.feather import read_table

    if not folder.is_dir():
        return None
    with locked(folder, wait=True):
        try:
            content = read_json(folder / _FILES)
        except InputError:
            return None
        if not content or content["key"] != key:
            return None
        named = content.get("data_paths", {})
        if any(digest_at(project, name) != digest for name, digest in named.items()):
            return None
        paths = [(name, folder / file, digest) for name, file, digest in content["files"]]
        if not all(path.is_file() and sha256_file(path) == digest for _, path, digest in paths):
            return None
        remember(project.root / name for name in named)
        frames = {name: read_table(str(path)).to_pandas() for name, path, _ in paths}
    return frames[""] if list(frames) == [""] else frames
