"""Raw data that take long to load are kept beside the records, and read from there while nothing about them changes."""

import functools
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import GENERATED, find_project
from pipeline_lib.records.layout import RAW_DATA
from pipeline_lib.runner.cache.sources import fingerprints
from pipeline_lib.system.files import canonical_json, read_json, sha256_bytes, sha256_file, sha256_tree, write_atomic
from pipeline_lib.system.fingerprint import fingerprint
from pipeline_lib.system.locks import locked

Raw = TypeVar("Raw")
_LISTED = "files.json"


class NotKeptWarning(UserWarning):
    """Raw data that cannot be kept exactly: they are loaded each time."""


def keep_raw(load: Callable[[], Raw]) -> Callable[[], Raw]:
    """Decorate a pipeline module's slow `load`: what it returned is read from a file while nothing has changed.

    What counts is the bytes of the module's `SOURCES`, of the generated library, of the installed packages, and Python
    and machine. `load` returns a DataFrame or a mapping of them; where Arrow does not give one back exactly as it was,
    or SOURCES have no fingerprint, `load` is called each time, with a NotKeptWarning. A `load` that is defined in a
    notebook is called each time. One state is kept for each pipeline, in the project's runs folder.
    """

    @functools.wraps(load)
    def kept() -> Raw:
        module = sys.modules[load.__module__]
        if load.__module__ == "__main__" or not getattr(module, "__file__", None):
            return load()
        project = find_project(Path(str(module.__file__)).parent)
        pipeline = load.__module__.rpartition(".")[2]
        sources = fingerprints(project, pipeline)
        if sources.unknown:
            warnings.warn(f"raw data are loaded each time: {sources.unknown}", NotKeptWarning, stacklevel=2)
            return load()
        code = {name: sha256_tree(project.package / name) for name in GENERATED}
        key = sha256_bytes(canonical_json([sources.fingerprints, code, fingerprint()]))
        place = project.runs / pipeline / RAW_DATA
        found = _read(place, key)
        return found if found is not None else _loaded(load, place, key)

    return kept


def _loaded(load: Callable[[], Raw], place: Path, key: str) -> Raw:
    raw = load()
    frames = raw if isinstance(raw, Mapping) else {"": raw}
    problem = _problem(frames)
    if problem is None:
        try:
            _write(place, key, frames)
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


def _problem(frames: Mapping[Any, Any]) -> str | None:
    """Why frames do not come back from Arrow as they were; None where they do."""
    import pandas as pd
    import pyarrow as pa

    for name, frame in frames.items():
        if not isinstance(name, str) or not isinstance(frame, pd.DataFrame):
            return f"found {type(frame).__name__}"
        if not frame.columns.is_unique or not all(isinstance(column, str) for column in frame.columns):
            return "found column names that are no texts, or stand twice"
        objects = [column for column in frame.columns if pd.api.types.is_object_dtype(frame[column].dtype)]
        if objects or pd.api.types.is_object_dtype(frame.index.dtype) or frame.attrs:  # None and NaN are one to Arrow
            return f"found {objects or 'an index or attributes'} that may hold any object"
        try:
            pd.testing.assert_frame_equal(pa.Table.from_pandas(frame).to_pandas(), frame, check_exact=True)
        except (AssertionError, pa.ArrowException, TypeError, ValueError) as error:
            return f"found {str(error).partition(chr(10))[0]}"
    return None


def _write(place: Path, key: str, frames: Mapping[str, Any]) -> None:
    """Replace what is kept; `files.json` comes last, and vouches for the rest."""
    import pyarrow as pa
    from pyarrow.feather import write_feather

    place.mkdir(parents=True, exist_ok=True)
    with locked(place, wait=True):
        (place / _LISTED).unlink(missing_ok=True)
        for old in place.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        listed = []
        for number, (name, frame) in enumerate(frames.items()):
            path = place / f"{number}.arrow"
            write_feather(pa.Table.from_pandas(frame), str(path), compression="uncompressed")
            listed.append([name, path.name, sha256_file(path)])
        write_atomic(place / _LISTED, canonical_json({"key": key, "files": listed}))


def _read(place: Path, key: str) -> Any:
    """What is kept under a key, as `load` returned it; None where that is not there, or not whole."""
    from pyarrow.feather import read_table

    if not place.is_dir():
        return None
    with locked(place, wait=True):
        try:
            listed = read_json(place / _LISTED)
        except InputError:
            return None
        if not listed or listed["key"] != key:
            return None
        paths = [(name, place / file, digest) for name, file, digest in listed["files"]]
        if not all(path.is_file() and sha256_file(path) == digest for _, path, digest in paths):
            return None
        frames = {name: read_table(str(path)).to_pandas() for name, path, _ in paths}
    return frames[""] if list(frames) == [""] else frames
