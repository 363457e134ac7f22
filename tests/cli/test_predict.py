"""`pipeline-lib predict` as a command: its other name, what it says, what it loads."""

import subprocess
import sys
from pathlib import Path

import pytest
import scored
from command_line import invoke
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record

ROWS = [scored.row(code=f"c{number}", size=number or None) for number in range(5)]
LOADED = """
import sys
from pipeline_lib.cli.main import main

sys.argv[0] = "pipeline-lib"
try:
    main()
finally:
    print(*({"pandas", "sklearn", "feature_engine", "distributed", "sqlalchemy"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return scored.proven(tmp_path_factory.mktemp("runs"), scored.echo())


def test_score_is_the_same_command(record: Record, tmp_path: Path) -> None:
    given = scored.write_rows(tmp_path / "rows.csv", ROWS)
    for name in ("predict", "score"):
        result = invoke(name, record.folder, given, tmp_path / f"{name}.csv")
        assert result.output.startswith(f"5 rows by {record.reference} in {tmp_path}/{name}.csv (")
    assert (tmp_path / "predict.csv").read_bytes() == (tmp_path / "score.csv").read_bytes()
    listed = invoke("--help").output
    assert "predict" in listed
    assert "score " not in listed


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_neither_pandas_nor_scikit_learn_is_loaded(record: Record, tmp_path: Path, suffix: str) -> None:
    words = [record.folder, scored.write_rows(tmp_path / f"rows.{suffix}", ROWS), tmp_path / f"out.{suffix}"]
    result = subprocess.run(  # noqa: S603 (this library's own program)
        [sys.executable, "-c", LOADED, "predict", *map(str, words), "--keep", "code"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said, loaded, *_ = [*result.stdout.split("\n"), ""]
    assert said.startswith("5 rows by ")
    assert loaded == ""


def test_a_name_that_is_neither_record_nor_package(tmp_path: Path) -> None:
    for name, either in (("boats_modle", True), ("boats/2026", False)):
        result = invoke("predict", name, tmp_path / "rows.csv", tmp_path / "out.csv")
        assert isinstance(result.exception, InputError)
        assert str(result.exception).endswith(f"{name} is no installed package either") == either
