"""native/tables.h holds the tables and constants of portable_math, and is not stale."""

from pathlib import Path

import pytest

from pipeline_lib.compiled.portable_math import exponentials
from tools.native_tables import HEADER, main, text


def test_the_header_is_that_of_the_modules() -> None:
    assert HEADER.read_text(encoding="utf-8") == text(), "run python -m tools.native_tables"


def test_a_stale_header_is_seen_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    header = tmp_path / "tables.h"
    header.write_text(text().replace("0x1", "0x2", 1), encoding="utf-8")
    monkeypatch.setattr("tools.native_tables.HEADER", header)
    assert main(["--check"]) == 1
    assert "stale: run python -m tools.native_tables" in capsys.readouterr().out
    assert main() == 0
    assert main(["--check"]) == 0


def test_doubles_are_written_without_rounding() -> None:
    cells = text().split("exp_table[256]")[1].split("};")[0].split("/*")[1].split("*/")[1].split(",")
    numbers = [float.fromhex(cell) for cell in cells if cell.strip()]
    assert numbers == [number for row in exponentials.ROWS for number in row]
