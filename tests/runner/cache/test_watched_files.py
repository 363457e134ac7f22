"""Files that native readers and child processes open: reported by the operating system."""

import ctypes
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet
import pytest

from pipeline_lib.project.project import Project
from pipeline_lib.runner.cache.watched_files import WatchedFiles, digests_now, watched_files
from pipeline_lib.system.inotify import FileEvents

Read = Callable[[Path], object]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose pipeline `boats` names one of its files, and a folder of other data."""
    root = tmp_path / "harbour"
    project = Project(root, "harbour", root / "nbs", root / "params", root / "runs")
    for folder in (project.notebooks / "research", project.params, project.runs, project.package / "pipelines"):
        folder.mkdir(parents=True)
    (project.package / "pipelines" / "boats.py").write_text('SOURCES = ["data/boats.csv"]\n')
    write_data(root / "data")
    return project


def write_data(folder: Path) -> None:
    """The same few rows in many formats."""
    (folder / "parts").mkdir(parents=True)
    boats = pd.DataFrame({"length": [1.5, 2.0], "price": [2.0, 3.0]})
    for name in ("boats.csv", "other.csv"):
        boats.to_csv(folder / name, index=False)
    for name in ("x.parquet", "parts/a.parquet", "parts/b.parquet"):
        boats.to_parquet(folder / name)
    boats.to_feather(folder / "x.feather", compression="uncompressed")
    np.save(folder / "x.npy", boats.to_numpy())
    database = sqlite3.connect(folder / "x.db")
    boats.to_sql("boats", database)
    database.close()


def attach(folder: Path) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("attach ? as other", [str(folder / "x.db")])
    assert database.execute("select count(*) from other.boats").fetchone() == (2,)
    database.close()


def read_with_the_c_library(folder: Path) -> None:
    """As a reader without Python: `open`, `read`, `close` of the C library."""
    libc = ctypes.CDLL(None)
    number = libc.open(os.fsencode(folder / "other.csv"), os.O_RDONLY)
    assert libc.read(number, ctypes.create_string_buffer(10), 10) == 10
    libc.close(number)


def map_into_memory(folder: Path) -> None:
    """The map outlives this function in a cycle of references: the file is not closed before the test ends."""
    mapped = pa.memory_map(str(folder / "x.feather"))
    KEPT.append(pa.ipc.open_file(mapped).read_all())


KEPT: list[pa.Table] = []
READERS: dict[str, tuple[Read, list[str]]] = {
    "pandas.read_csv": (lambda folder: pd.read_csv(folder / "other.csv"), ["data/other.csv"]),
    "pandas.read_parquet": (lambda folder: pd.read_parquet(folder / "x.parquet"), ["data/x.parquet"]),
    "pandas.read_parquet of a folder": (
        lambda folder: pd.read_parquet(folder / "parts"),
        ["data/parts/a.parquet", "data/parts/b.parquet"],
    ),
    "pandas.read_feather": (lambda folder: pd.read_feather(folder / "x.feather"), ["data/x.feather"]),
    "pyarrow.parquet": (lambda folder: pa.parquet.read_table(folder / "x.parquet"), ["data/x.parquet"]),
    "pyarrow.dataset": (
        lambda folder: pa.dataset.dataset(folder / "parts").to_table(),
        ["data/parts/a.parquet", "data/parts/b.parquet"],
    ),
    "pyarrow.csv": (lambda folder: pa.csv.read_csv(folder / "other.csv"), ["data/other.csv"]),
    "pyarrow.feather": (lambda folder: pa.feather.read_table(folder / "x.feather"), ["data/x.feather"]),
    "pyarrow.memory_map": (map_into_memory, ["data/x.feather"]),
    "numpy.memmap": (lambda folder: np.memmap(folder / "x.npy", mode="r").sum(), ["data/x.npy"]),
    "sqlite3 attach": (attach, ["data/x.db"]),
    "the C library": (read_with_the_c_library, ["data/other.csv"]),
    "cat": (lambda folder: subprocess.check_output(["cat", folder / "other.csv"]), ["data/other.csv"]),  # noqa: S603, S607
}


def watch(project: Project, read: Callable[[], object], *texts: str) -> WatchedFiles:
    with watched_files(project, "boats", texts) as watched:
        read()
    assert watched.problem == ""
    return watched


def unnamed(project: Project, read: Callable[[], object], *texts: str) -> list[str]:
    return [project.shown(Path(path)) for path in watch(project, read, *texts).unnamed(project, "boats")]


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_is_seen(project: Project, reader: str) -> None:
    read, files = READERS[reader]
    assert unnamed(project, lambda: read(project.root / "data")) == files


def test_nothing_is_listed_that_was_not_opened_is_named_or_was_only_written(project: Project) -> None:
    data = project.root / "data"
    (project.root / "notes.md").write_text("To do.\n")
    (project.root / ".settings").write_text("1\n")

    def work() -> None:
        (data / "other.csv").stat()
        pa.csv.read_csv(data / "boats.csv")  # in SOURCES
        (project.package / "pipelines" / "boats.py").read_text()
        (project.root / "notes.md").read_text()
        (project.root / ".settings").read_text()
        pa.parquet.write_table(pa.table({"a": [1]}), data / "x.parquet")

    assert unnamed(project, work) == []


def test_a_folder_and_a_file_that_links_lead_to_are_watched(project: Project, tmp_path: Path) -> None:
    write_data(tmp_path / "disk")
    (project.root / "linked").symlink_to(tmp_path / "disk")
    (project.root / "data" / "linked.csv").symlink_to(tmp_path / "other.csv")
    (tmp_path / "other.csv").write_text("length\n1\n")
    assert unnamed(project, lambda: pa.parquet.read_table(project.root / "linked" / "x.parquet")) == [
        str(tmp_path / "disk" / "x.parquet")
    ]
    assert unnamed(project, lambda: pa.csv.read_csv(project.root / "data" / "linked.csv")) == [
        str(tmp_path / "other.csv")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "'{folder}/x.parquet'",
        "folder: {folder}\n",
        '"../../../disk/x.*"',
        "disk={folder}/{{name}}.parquet",
        "{folder}/x",
    ],
)
def test_a_folder_outside_the_project_is_watched_where_a_text_mentions_it(
    project: Project, tmp_path: Path, text: str
) -> None:
    write_data(tmp_path / "disk")
    path = tmp_path / "disk" / "x.parquet"
    seen = unnamed(project, lambda: pa.parquet.read_table(path), text.format(folder=tmp_path / "disk"))
    assert seen == ([] if text.endswith("/x") else [str(path)])
    module = project.package / "pipelines" / "boats.py"
    module.write_text(f'{module.read_text()}read("{path}")\n')
    assert unnamed(project, lambda: pa.parquet.read_table(path)) == [str(path)]


def test_a_changed_byte_and_a_new_file_in_a_listed_folder_change_the_digests(project: Project) -> None:
    parts = project.root / "data" / "parts"
    watched = watch(project, lambda: pa.dataset.dataset(parts).to_table())
    digests = watched.digests(project, watched.unnamed(project, "boats"))
    assert set(digests) == {"data/parts/", "data/parts/a.parquet", "data/parts/b.parquet"}
    assert digests_now(project, digests) == digests

    content = (parts / "a.parquet").read_bytes()
    (parts / "a.parquet").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert differing(project, digests) == ["data/parts/a.parquet"]
    (parts / "a.parquet").write_bytes(content)
    assert differing(project, digests) == []
    (parts / "c.parquet").write_bytes(content)
    assert differing(project, digests) == ["data/parts/"]
    (parts / "c.parquet").rename(parts / "a.parquet")
    (parts / "b.parquet").unlink()
    assert differing(project, digests) == ["data/parts/", "data/parts/b.parquet"]


def differing(project: Project, digests: dict[str, str]) -> list[str]:
    return [name for name, digest in digests_now(project, digests).items() if digest != digests[name]]


def test_a_file_that_was_written_or_replaced_meanwhile_counts_as_changed(project: Project) -> None:
    data = project.root / "data"
    old = (data / "x.feather").stat()

    def work() -> None:
        pa.parquet.read_table(data / "x.parquet")
        pa.feather.read_table(data / "x.feather")
        pa.csv.read_csv(data / "other.csv")
        (data / "other.csv").write_text("length\n2\n")
        (data / "new").write_bytes((data / "x.feather").read_bytes())
        os.utime(data / "new", ns=(old.st_atime_ns, old.st_mtime_ns))
        (data / "new").rename(data / "x.feather")

    started_ns = max(file.stat().st_mtime_ns for file in data.iterdir())
    watched = watch(project, work)
    files = watched.unnamed(project, "boats")
    changed = [project.shown(Path(file)) for file in watched.changed(files, started_ns)]
    assert changed == ["data/other.csv", "data/x.feather"]


def test_a_file_that_another_program_removed_meanwhile_counts_as_changed(project: Project) -> None:
    watched = watch(project, lambda: pa.csv.read_csv(project.root / "data" / "other.csv"))
    files = watched.unnamed(project, "boats")
    (project.root / "data" / "other.csv").unlink()
    changed = [project.shown(Path(file)) for file in watched.changed(files, time.time_ns())]
    assert changed == ["data/other.csv"]


def test_what_python_wrote_or_the_kernel_named_does_not_count(project: Project) -> None:
    data = project.root / "data"
    watched = watch(project, lambda: pa.csv.read_csv(data / "other.csv"))
    path = [str(data / "other.csv")]
    assert watched.unnamed(project, "boats", written=path) == []
    assert watched.unnamed(project, "boats", named=path) == watched.unnamed(project, "boats", named=[str(data)]) == []
    assert watched.unnamed(project, "boats", written=[str(data)]) == path  # a nameless file was made in the folder


def test_without_watches_the_problem_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device", "data")

    monkeypatch.setattr("pipeline_lib.system.inotify.FileEvents.start", refuse)
    with watched_files(project, "boats") as watched:
        pass
    assert "found [Errno 28] No space left on device" in watched.problem
    assert "raise fs.inotify.max_user_watches" in watched.problem


def test_events_that_were_lost_are_a_problem(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = FileEvents.stop

    def lose(events: FileEvents) -> None:
        stop(events)
        events.lost = True

    monkeypatch.setattr(FileEvents, "stop", lose)
    with watched_files(project, "boats") as watched:
        pass
    assert watched.problem.startswith("found more files opened than the system reports")
