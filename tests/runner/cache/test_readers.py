"""One changed byte in a file that `load` reads, with whichever reader: no later run is answered with the old result."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
import pytest
from boats import cached, finished_run, reason

from pipeline_lib.project import data_path as data_path_module
from pipeline_lib.project.data_path import remember
from pipeline_lib.project.project import Project
from pipeline_lib.runner.cache.opened_files import opened_files
from pipeline_lib.runner.cache.sources import fingerprint_named
from pipeline_lib.runner.cache.watched_files import watched_files

Read = Callable[[Path], object]
BOATS = pd.DataFrame({"length": [1.5, 2.0], "name": ["Ada", "Bo"]})


def query_sqlite(path: Path) -> object:
    database = sqlite3.connect(path)
    try:
        return database.execute("select * from boats").fetchall()
    finally:
        database.close()


def query_sqlite_address(path: Path) -> object:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return database.execute("select * from boats").fetchall()
    finally:
        database.close()


def query_duckdb(path: Path) -> object:
    with duckdb.connect(str(path), read_only=True) as database:
        return database.sql("select * from boats").fetchall()


READERS: dict[str, tuple[str, Read]] = {
    "pandas.read_csv": ("boats.csv", pd.read_csv),
    "pandas.read_csv by Arrow": ("boats.csv", lambda path: pd.read_csv(path, engine="pyarrow")),
    "pandas.read_parquet": ("boats.parquet", pd.read_parquet),
    "pandas.read_feather": ("boats.feather", pd.read_feather),
    "pandas.read_excel": ("boats.xlsx", pd.read_excel),
    "pyarrow.parquet": ("boats.parquet", pa.parquet.read_table),
    "pyarrow.csv": ("boats.csv", pa.csv.read_csv),
    "pyarrow.dataset": ("boats.parquet", lambda path: pa.dataset.dataset(path).to_table()),
    "polars.read_csv": ("boats.csv", pl.read_csv),
    "polars.read_parquet": ("boats.parquet", pl.read_parquet),
    "polars.read_ipc": ("boats.feather", pl.read_ipc),
    "polars.scan_csv": ("boats.csv", lambda path: pl.scan_csv(path).collect()),
    "polars.scan_parquet": ("boats.parquet", lambda path: pl.scan_parquet(path).collect()),
    "duckdb on a CSV": ("boats.csv", lambda path: duckdb.sql(f"select * from '{path}'").fetchall()),  # noqa: S608
    "duckdb.read_parquet": ("boats.parquet", lambda path: duckdb.read_parquet(str(path)).fetchall()),
    "duckdb's own file": ("boats.duckdb", query_duckdb),
    "sqlite3": ("boats.sqlite", query_sqlite),
    "sqlite3 by an address": ("boats.sqlite", query_sqlite_address),
    "openpyxl": ("boats.xlsx", lambda path: list(openpyxl.load_workbook(path).active.values)),
    "openpyxl read only": ("boats.xlsx", lambda path: list(openpyxl.load_workbook(path, read_only=True).active.values)),
}
INSIDE = ["project", "named by data_path", "named in SOURCES"]
OUTSIDE = ["outside, in the module", "outside, in a step", "outside, by a variable", "outside, in the parameters"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of other data, outside the project: the same rows in every format."""
    folder = tmp_path / "disk"
    folder.mkdir()
    BOATS.to_csv(folder / "boats.csv", index=False)
    BOATS.to_parquet(folder / "boats.parquet")
    BOATS.to_feather(folder / "boats.feather", compression="uncompressed")
    BOATS.to_excel(folder / "boats.xlsx", index=False)
    database = sqlite3.connect(folder / "boats.sqlite")
    BOATS.to_sql("boats", database, index=False)
    database.close()
    with duckdb.connect(str(folder / "boats.duckdb")) as written:
        written.execute("create table boats as select 1.5 as length, 'Ada' as name")
    return folder


def run_that_reads(project: Project, read: Callable[[], object], text: str = "", *, declared: bool = False) -> None:
    """The finished run of a kernel whose `load` calls `read`; `text` is in its parameters file."""
    with watched_files(project, "boats", (text,)) as watched, opened_files() as opened:
        read()
    assert watched.problem == ""
    undeclared = opened.undeclared(project, "boats")
    assert not (declared and undeclared)
    finished_run(project, watched=watched, undeclared=undeclared, data_paths=fingerprint_named(project))


def flip_last_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize(
    ("reader", "place"),
    [
        *((reader, "project") for reader in READERS),
        *((reader, "outside, by a variable") for reader in READERS),
        *(("polars.scan_parquet", place) for place in (*INSIDE, *OUTSIDE)),
        *(("openpyxl", place) for place in (*INSIDE, *OUTSIDE)),
    ],
)
def test_one_changed_byte_is_noticed(
    project: Project, files: Path, monkeypatch: pytest.MonkeyPatch, reader: str, place: str
) -> None:
    monkeypatch.setattr(data_path_module, "_named", {})
    name, read = READERS[reader]
    path, text = files / name, ""
    module = project.package / "pipelines" / "boats.py"
    match place:
        case "project" | "named by data_path" | "named in SOURCES":
            path = (files / name).rename(project.root / "data" / name)
            if place == "named by data_path":
                remember([path])
            if place == "named in SOURCES":
                module.write_text(f'SOURCES = ["data/{name}"]\n')
        case "outside, in the module":
            module.write_text(f'{module.read_text()}FILE = "{path}"\n')
        case "outside, in a step":
            (project.package / "steps" / "sails.py").write_text(f'FOLDER = "{files}"\n')
        case "outside, by a variable":
            monkeypatch.setenv("BOATS_FOLDER", str(files))
            module.write_text(f'{module.read_text()}folder = os.environ["BOATS_FOLDER"]\n')
        case "outside, in the parameters":
            text = f"folder: {files}\n"
    declared = place.startswith("named")
    run_that_reads(project, lambda: read(path), text, declared=declared)
    if declared:
        assert cached(project) is not None  # so it is the byte that counts
    flip_last_byte(path)
    assert cached(project) is None, reason(project)


def test_without_the_watch_and_the_hook_it_would_not_be_noticed(project: Project, files: Path) -> None:
    path = (files / "boats.parquet").rename(project.root / "data" / "boats.parquet")
    pl.read_parquet(path)
    record = finished_run(project)
    flip_last_byte(path)
    assert cached(project) == record
