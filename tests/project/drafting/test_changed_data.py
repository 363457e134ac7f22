"""Raw data that changed after the draft are refused with the column, what was expected, and where to decide."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drafts import ROWS, Drafted, draft, loans, written

from pipeline_lib.errors import InputError

DAYS = pd.date_range("2024-01-01", periods=ROWS, freq="9h").strftime("%Y-%m-%d")
COUNTS = np.arange(ROWS) % 30
DATA = loans(n=COUNTS, at=DAYS, ok=np.arange(ROWS) % 3 == 0)
DECIDE = "in the pipeline notebook"


def refused(folder: Path, changed: Any, suffix: str = ".csv", data: pd.DataFrame = DATA, **options: Any) -> list[str]:
    """The lines with which a draft of `data` refuses changed rows, or bytes, in its file."""
    path = written(folder, data, suffix)
    drafted = Drafted(draft(path, **options), path)
    assert len(drafted.module.load(drafted.params)) == ROWS
    written(folder, changed, suffix)
    with pytest.raises(InputError) as caught:
        drafted.module.load(drafted.params)
    return str(caught.value).replace(f"data/loans{suffix}: ", "").split("\n")


def changed(column: str, *values: Any) -> pd.DataFrame:
    """The rows with these values in a column, from the fifth on."""
    cells = DATA[column].astype("object")
    cells.iloc[4 : 4 + len(values)] = values
    return DATA.assign(**{column: cells})


def more_fields(*rows: int) -> bytes:
    """The file with a field beyond the header in these rows."""
    header, *lines = DATA.to_csv(index=False).splitlines()
    return "\n".join([header, *(f"{line},9" if n in rows else line for n, line in enumerate(lines)), ""]).encode()


CSV: dict[str, tuple[Any, str]] = {
    "removed": (DATA.drop(columns="n"), "n: found no such column, expected it, as when the pipeline was drafted; give "
                f"it this name in the file, or take it out of `Row` and the lists of columns {DECIDE}"),
    "renamed": (DATA.rename(columns={"n": "N"}), "n: found no such column ('N' is new), expected it"),
    "text": (changed("n", "abc", "n/a?"), "n: found 2 of 60 values that do not fit (the first: 'abc', line 6), "
             "expected numbers; correct them, add them to `MISSING`, or make it text: `str` in `Row`, CATEGORIES in "
             f"place of INTEGERS {DECIDE}"),
    "fraction": (changed("n", 3.5), "n: found 1 of 60 values that do not fit (the first: '3.5', line 6), expected w"),
    "missing number": (changed("n", None), "n: found 1 of 60 values missing (the first: line 6), expected none; fill "
                       f"them in, or allow them: `float | None` in `Row`, NUMBERS in place of INTEGERS {DECIDE}"),
    "missing fraction": (changed("income", None), "income: found 1 of 60 values missing, expected none, as `Row` says; "
                         f"fill them in, or write `float | None` for it in `Row` {DECIDE}"),
    "missing text": (changed("home", None), "home: found 1 of 60 values missing, expected none, as `Row` says"),
    "missing flag": (changed("ok", None), "ok: found 1 of 60 values missing (the first: line 6), expected none; fill "
                     f"them in, or allow them: `str | None` in `Row`, CATEGORIES in place of FLAGS {DECIDE}"),
    "no flag": (changed("ok", "perhaps"), "ok: found 1 of 60 values that do not fit (the first: 'perhaps', line 6), "
                "expected true or false"),
    "date": (changed("at", "13.02.2024", "soon"), "at: found 2 of 60 values that do not fit (the first: '13.02.2024', "
             f"line 6), expected dates as %Y-%m-%d; correct them, or change the format in `load` {DECIDE}"),
    "missing date": (changed("at", None), "at: found 1 of 60 values missing, expected none, as `Row` says"),
    "empty": (b"", "found an empty file, expected a header and rows; write the data into it"),
    "header alone": (DATA.head(0), "rate: found no row with a value that `load` keeps, expected rows"),
    "semicolons": (DATA.to_csv(index=False, sep=";").encode(), "found no column 'at' (the file has sep=';'"),
    "more fields": (more_fields(9), "found lines that are no rows of the header (Expected 7 fields in line 11, saw 8), "
                    "expected as many fields in each as the header has (7, separated by ','); correct the line"),
    "more fields first": (more_fields(0), "found lines that are no rows of the header (Expected 7 fields in line 2, "),
    "more fields in all": (more_fields(*range(ROWS)), "found 7 names in the header and 8 fields in the rows, expected"),
    "encoding": (changed("home", "höme").to_csv(index=False).encode("cp1252"), "found UnicodeDecodeError: "),
}  # fmt: skip


@pytest.mark.parametrize("case", CSV)
def test_a_changed_csv_file(tmp_path: Path, case: str) -> None:
    content, line = CSV[case]
    assert refused(tmp_path, content)[0].startswith(line)


def test_a_file_that_is_written_otherwise_is_described(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, CSV["semicolons"][0])
    assert "(the file has sep=';', decimal='.', encoding='utf-8'), expected data as when the pipeline was" in line
    assert line.endswith(f"write them so, or change `load` {DECIDE}")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".xlsx"])
def test_a_changed_file_of_another_format(tmp_path: Path, suffix: str) -> None:
    place = "row 6 of the sheet" if suffix == ".xlsx" else "row 5"
    words = changed("n", "abc").astype({"n": "str"} if suffix != ".xlsx" else {})
    (line,) = refused(tmp_path, words, suffix)
    assert line.startswith(f"n: found 1 of 60 values that do not fit (the first: 'abc', {place}), expected numbers")
    (line,) = refused(tmp_path, DATA.drop(columns=["n"]), suffix)
    assert line.startswith("n: found no such column, expected it")
    (line,) = refused(tmp_path, b"no", suffix)
    assert line.startswith("found no ")


def test_every_column_is_named(tmp_path: Path) -> None:
    both = changed("n", "abc").assign(ok=changed("ok", None)["ok"]).drop(columns="income")
    assert [line.partition(":")[0] for line in refused(tmp_path, both)] == ["income", "n", "ok"]


def test_a_class_that_is_gone(tmp_path: Path) -> None:
    labels = DATA.assign(rate=np.where(COUNTS % 2, "yes", "no"))
    (line,) = refused(tmp_path, labels.assign(rate=["no"] * 59 + ["yes"]), data=labels)
    assert line.startswith(
        "rate: found 1 rows of the class 'yes', expected two or more, to fit and to test; bring such"
    )
    (line,) = refused(tmp_path, labels.assign(rate="perhaps"), data=labels)
    assert line.startswith("rate: found no row with a value that `load` keeps, expected rows")


def test_a_sensitive_value_is_not_shown(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, changed("n", "Ms Miller"), sensitive=("n",))
    assert "(the first: line 6)" in line
    assert "Miller" not in line


def test_an_error_of_other_code_is_told_with_its_own_words(tmp_path: Path) -> None:
    path = written(tmp_path, DATA)
    drafted = Drafted(draft(path), path)

    def broken(*given: Any, **options: Any) -> pd.DataFrame:
        raise ValueError("out of order\nmore")

    drafted.module.pd = type("Pandas", (), {"read_csv": staticmethod(broken)})
    with pytest.raises(InputError, match=r"^data/loans.csv: found ValueError: out of order \(the file has sep=','"):
        drafted.module.load(drafted.params)
