"""The raw data of shipped pipelines are what the packages carry, and can be made again."""

import csv
import sqlite3
from pathlib import Path

from tools.example_data import ROOT, gasoline, write

QUERY = "select week, barrels from gasoline order by week"


def rows(path: Path) -> list[tuple[str, float]]:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = database.execute(QUERY).fetchall()
    database.close()
    return found


def test_the_files_in_the_checkout_are_what_the_tool_writes(tmp_path: Path) -> None:
    table, database = write(tmp_path / "data")
    kept = ROOT / "data"
    assert table.read_bytes() == (kept / "titanic.csv").read_bytes()
    assert rows(database) == rows(kept / "us_gasoline.sqlite") == gasoline()
    assert len(gasoline()) == 1355
    assert database.stat().st_size < 100_000


def test_no_text_of_the_register_is_changed() -> None:
    with (ROOT / "data" / "titanic.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.reader(stream))
    assert len(table) == 1310
    assert {len(row) for row in table} == {14}
    assert table[1][:4] == ["1", "1", "Allen, Miss. Elisabeth Walton", "female"]


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write(tmp_path)]
    assert [path.read_bytes() for path in write(tmp_path)] == first
