"""What tox runs sees a record that is not repeated, an environment that fails, and a folder without records."""

import os
import shutil
import sys
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import seal
from tools import matrix

RECORDS = matrix.ROOT / "tests" / "data" / "records" / "tiny"
EXACT, OPAQUE = "20261129T123837487-9fa751", "20261129T123836431-a8bddd"


def nudged(record: Path, folder: Path) -> Record:
    """A sealed copy of a record whose fourth prediction is one unit in the last place higher."""
    copy = Record(Path(shutil.copytree(record, folder / record.parent.name / record.name)))
    outputs = copy.evidence / "outputs.parquet"
    table = pq.read_table(outputs)
    values = table["prediction"].to_numpy().copy()
    values[3] = np.nextafter(values[3], np.inf)
    place = table.column_names.index("prediction")
    pq.write_table(table.set_column(place, "prediction", pa.array(values)), outputs)
    kept = {key: value for key, value in copy.manifest().items() if key not in ("digest", "files")}
    seal(copy, kept)
    return copy


def environment(work: Path, name: str, code: int) -> None:
    """An environment whose Python says what it was called with and ends with `code`."""
    python = work / name / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "{name}: $@"\nexit {code}\n')
    python.chmod(0o755)


@pytest.mark.slow
def test_every_record_is_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    matrix.repeat([RECORDS])
    last = capfd.readouterr().out.splitlines()[-1]
    assert last.endswith(": 2 records repeated bit for bit, of 2")


@pytest.mark.slow
def test_one_bit_in_one_of_two_records_is_seen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(RECORDS / EXACT, tmp_path / "good" / EXACT)
    bad = nudged(RECORDS / EXACT, tmp_path / "then")
    with pytest.raises(SystemExit, match=f"{bad.folder.name} --quick: exit code 1"):
        matrix.repeat([tmp_path])
    assert "1 ULP" in capfd.readouterr().out


def test_opaque_records_are_left_out_by_name_without_their_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(matrix, "_call", lambda folder, *command: calls.append(command))
    monkeypatch.setattr(matrix, "find_spec", lambda name: None)
    matrix.repeat([RECORDS])
    assert [Path(call[-2]).name for call in calls] == [EXACT]
    output = capsys.readouterr().out
    assert ": 1 records repeated bit for bit, of 2" in output
    assert f"not repeated, since its steps need scikit-learn: {RECORDS / OPAQUE}" in output
    with pytest.raises(SystemExit, match="found no record to repeat, expected one"):
        matrix.repeat([tmp_path])


def test_every_environment_repeats_every_record(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    environment(tmp_path, "py311-full", 0)
    environment(tmp_path, "py312-core", 0)
    environment(tmp_path, "crossed", 1)  # tox's own, not one of the matrix
    matrix.crossed(tmp_path, [Path("a"), Path("b")])
    lines = capfd.readouterr().out.splitlines()
    assert f"py311-full: -P {matrix.__file__} repeat a b" in lines
    assert f"py312-core: -P {matrix.__file__} repeat a b" in lines
    assert lines[-1] == "2 of 2 environments repeated every record they can load"


def test_an_environment_that_fails_is_named_after_the_others_ran(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environment(tmp_path, "py311-full", 1)
    environment(tmp_path, "py312-core", 0)
    with pytest.raises(SystemExit, match=r"not repeated in py311-full$"):
        matrix.crossed(tmp_path, [Path("a")])
    assert "1 of 2 environments" in capfd.readouterr().out
    with pytest.raises(SystemExit, match="found no environment"):
        matrix.crossed(tmp_path / "py311-full", [Path("a")])


def test_a_call_sees_no_other_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))
    check = "import os, sys; sys.exit(3 if 'PYTHONPATH' in os.environ else 0)"
    matrix._call(tmp_path, sys.executable, "-c", check)
    with pytest.raises(SystemExit, match="exit code 3"):
        matrix._call(tmp_path, sys.executable, "-c", check, path=tmp_path)


def test_the_matrix_is_that_of_the_settings() -> None:
    tox, settings = ConfigParser(), ConfigParser()
    tox.read(matrix.ROOT / "tox.ini", encoding="utf-8")
    settings.read(matrix.ROOT / "settings.ini", encoding="utf-8")
    extras = {extra.strip() for extra in tox["testenv"]["extras"].removeprefix("\nfull:").split(",")}
    assert extras <= set(settings["extras"])
    lowest = settings["project"]["min_python"].replace(".", "")
    assert {f"py{lowest}-full-lowest", f"py{lowest}-core-lowest"} <= set(tox["tox"]["env_list"].split())
