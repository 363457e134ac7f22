"""Raw data that a run reads without naming it in SOURCES: noticed, so that no run is answered by an older one."""

import http.client
import multiprocessing
import os
import platform
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from pipeline_lib.project.project import Project
from pipeline_lib.runner.cache.opened_files import OpenedFiles, _recordings, opened_files, record_opened_files
from pipeline_lib.runner.cache.raw_data import NotKeptWarning, _load_and_write


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose pipeline `boats` names one of its files."""
    project = Project(tmp_path, "harbour", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")
    for folder in (project.notebooks, project.params, project.runs, project.package / "pipelines", tmp_path / "data"):
        folder.mkdir(parents=True)
    (project.package / "pipelines" / "boats.py").write_text('SOURCES = ["data/boats.csv"]\n')
    for name in ("boats.csv", "other.csv"):
        (tmp_path / "data" / name).write_text("length,price\n1.5,2\n")
    return project


def read(project: Project, *names: str) -> list[str]:
    with opened_files() as opened:
        for name in names:
            pd.read_csv(project.root / name)
    return opened.undeclared(project, "boats")


def test_a_file_that_sources_does_not_name_is_listed(project: Project) -> None:
    assert read(project, "data/boats.csv", "data/other.csv") == ["data/other.csv"]
    assert read(project, "data/boats.csv") == []


def test_every_way_that_python_opens_a_file_is_seen(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root / "data")
    sqlite3.connect("boats.db").execute("create table boats (length)").connection.close()
    with opened_files() as opened:
        os.close(os.open("other.csv", os.O_RDONLY))
    assert opened.undeclared(project, "boats") == ["data/other.csv"]
    with opened_files() as opened:
        sqlite3.connect("boats.db").close()
    assert opened.undeclared(project, "boats") == ["data/boats.db"]
    with opened_files() as opened, open(b"other.csv"):  # noqa: PTH123 (bytes)
        pass
    assert opened.undeclared(project, "boats") == ["data/other.csv"]
    with opened_files() as opened, Path("other.csv").open("r+"):
        pass
    assert opened.undeclared(project, "boats") == ["data/other.csv"]


def test_what_has_a_digest_of_its_own_or_was_written_here_does_not_count(project: Project) -> None:
    parameters, code, made = project.params / "boats.yml", project.package / "own.py", project.root / "made.csv"
    parameters.write_text("seed: 0\n")
    code.write_text("")
    with opened_files() as opened:
        parameters.read_text()
        code.read_text()
        made.write_text("a\n1\n")
        pd.read_csv(made)
        Path("/etc/hostname").exists()
        Path(pd.__file__).read_bytes()
    assert opened.undeclared(project, "boats") == []


@pytest.mark.parametrize("folder", ["nbs/research", "params", "harbour"])
def test_data_among_notebooks_parameters_or_code_counts(project: Project, folder: str) -> None:
    (project.root / folder).mkdir(exist_ok=True)
    (project.root / folder / "x.csv").write_text("a\n1\n")
    assert read(project, f"{folder}/x.csv") == [f"{folder}/x.csv"]


def test_a_link_is_the_file_that_it_leads_to(project: Project) -> None:
    (project.root / "linked.csv").symlink_to(project.root / "data" / "boats.csv")
    assert read(project, "linked.csv") == []


def test_nothing_is_recorded_outside_the_context(project: Project) -> None:
    with opened_files() as opened:
        pass
    (project.root / "data" / "other.csv").read_text()
    assert opened.undeclared(project, "boats") == OpenedFiles().undeclared(project, "boats") == []


def test_raw_data_that_sources_does_not_name_are_not_kept(project: Project) -> None:
    folder = project.runs / "boats" / "raw"
    with pytest.warns(NotKeptWarning, match=r"load reads data/other\.csv, expected every raw file in SOURCES"):
        _load_and_write(lambda: pd.read_csv(project.root / "data/other.csv"), folder, "key", project, "boats")
    assert not folder.exists()
    _load_and_write(lambda: pd.read_csv(project.root / "data/boats.csv"), folder, "key", project, "boats")
    assert folder.is_dir()


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server on this machine that accepts connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def connect(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.close()


def in_a_thread(act: Callable[[], object]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def in_a_process() -> None:
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()


ACTS: dict[str, tuple[Callable[[int], object], list[str]]] = {
    "cat": (lambda port: subprocess.check_output(["cat", "/dev/null"]), ["started cat"]),  # noqa: S607
    "a shell": (lambda port: subprocess.check_output("cat /dev/null", shell=True), ["started sh"]),  # noqa: S602, S607
    "os.system": (lambda port: os.system("/bin/cat /dev/null"), ["started cat"]),  # noqa: S605
    "a process": (lambda port: in_a_process(), ["started another process"]),
    "a thread": (lambda port: in_a_thread(lambda: subprocess.run(["true"], check=True)), ["started true"]),  # noqa: S607
    "a host": (connect, ["connected to 127.0.0.1"]),
    "facts of the machine": (lambda port: (subprocess.run(["uname"], check=True), platform.platform()), []),  # noqa: S607
    "nothing": (lambda port: len("nothing"), []),
}


@pytest.mark.parametrize("act", ACTS)
def test_programs_and_connections_of_load_are_listed(port: int, act: str) -> None:
    run, expected = ACTS[act]

    def load() -> None:
        run(port)

    def fit() -> None:
        run(port)

    opened = record_opened_files(load.__code__)
    try:
        fit()
        assert opened.unknown == []
        load()
    finally:
        _recordings.remove(opened)
    assert [text.partition(f":{port}")[0] for text in opened.unknown] == expected
    with opened_files() as everything:
        fit()
    assert everything.unknown == opened.unknown


def native(project: Project) -> pd.DataFrame:
    return pd.read_parquet(project.root / "data" / "x.parquet")


def from_a_program(project: Project) -> pd.DataFrame:
    lines = subprocess.check_output(["cat", project.root / "data" / "other.csv"], text=True).splitlines()  # noqa: S603, S607
    return pd.DataFrame({"lines": lines})


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (native, r"found data/x\.parquet opened while load ran, expected every raw file in SOURCES"),
        (from_a_program, r"found that load started cat, whose result has no fingerprint, expected files"),
    ],
)
def test_raw_data_of_native_readers_and_programs_are_not_kept(
    project: Project, load: Callable[[Project], pd.DataFrame], message: str
) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(project.root / "data" / "x.parquet")
    folder = project.runs / "boats" / "raw"
    with pytest.warns(NotKeptWarning, match=message):
        _load_and_write(lambda: load(project), folder, "key", project, "boats")
    assert not folder.exists()
    sources = 'SOURCES = ["data/x.parquet"]\n'
    (project.package / "pipelines" / "boats.py").write_text(sources)
    _load_and_write(lambda: native(project), folder, "key", project, "boats")
    assert folder.is_dir()
