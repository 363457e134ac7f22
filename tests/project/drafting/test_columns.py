"""What the columns of a raw file hold."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drafts import written

from pipeline_lib.project.drafting.columns import Column, profile
from pipeline_lib.project.drafting.raw_data import read_raw


def column(folder: Path, values: list[Any] | pd.Series, suffix: str = ".csv") -> Column:
    path = written(folder, pd.DataFrame({"other": range(len(values)), "x": values}), suffix)
    return profile(read_raw(path, path.name)).columns["x"]


@pytest.mark.parametrize(
    ("values", "kind", "nullable"),
    [
        (["1", "-2", "30"], "integer", False),
        (["1", "", "30"], "number", True),
        (["1.5", "2", "1e3"], "number", False),
        (["1", "NA", "?"], "number", True),
        (["1", "NA", "unknown"], "text", True),
        (["007", "012", "100"], "text", False),
        (["0", "0.5", "1"], "number", False),
        (["True", "false", "TRUE"], "boolean", False),
        (["True", "", "False"], "text", True),
        (["yes", "no", "yes"], "text", False),
        ([str(2**60), str(2**60 + 1), "3"], "text", False),
        (["", "", ""], "empty", True),
        (["2024-01-01", "", "2024-02-01"], "date", True),
        (["None", "a", "b"], "text", False),
        (["None", "1", "2"], "number", True),
    ],
)
def test_kinds_in_a_csv(tmp_path: Path, values: list[str], kind: str, nullable: bool) -> None:
    found = column(tmp_path, values)
    assert (found.kind, found.nullable) == (kind, nullable)


@pytest.mark.parametrize(
    ("values", "kind", "nullable"),
    [
        (pd.array([1, None, 3], dtype="Int64"), "number", True),
        (pd.array([True, None, False], dtype="boolean"), "text", True),
        ([Decimal("1.50"), None, Decimal("2")], "number", True),
        ([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)], "date", True),
        (pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin"), "date", False),
        (pd.Categorical(["a", "b", None]), "text", True),
        (np.float32([1.5, 2.5, 3.5]), "number", False),
        (["1", "2", "3"], "text", False),
    ],
)
def test_kinds_in_parquet_and_arrow(tmp_path: Path, values: Any, kind: str, nullable: bool) -> None:
    for suffix in (".parquet", ".arrow"):
        found = column(tmp_path, values, suffix)
        assert (found.kind, found.nullable) == (kind, nullable)


@pytest.mark.parametrize(
    ("values", "kind", "nullable"),
    [
        ([1, 2, 3], "integer", False),
        ([1, None, 3.5], "number", True),
        (["007", "008", "009"], "text", False),
        ([1, "two", 3], "text", False),
        ([True, False, True], "boolean", False),
        ([datetime.datetime(2024, 1, 1), None, datetime.datetime(2024, 1, 2)], "date", True),
        (["NA", 2, 3], "number", True),
    ],
)
def test_kinds_in_excel(tmp_path: Path, values: list[Any], kind: str, nullable: bool) -> None:
    found = column(tmp_path, values, ".xlsx")
    assert (found.kind, found.nullable) == (kind, nullable)


def test_what_to_decide_is_noted(tmp_path: Path) -> None:
    assert column(tmp_path, ["1"] * 9 + ["many"]).notes == ("1 of 10 values are not numbers, so it is text",)
    assert "mixes" in column(tmp_path, [1, "two", 3], ".xlsx").notes[0]
    assert column(tmp_path, ["a", "b"]).notes == ()


def test_a_column_without_a_name_is_noted(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,,rate\n1,2,3\n4,5,6\n")
    found = profile(read_raw(path, path.name)).columns
    assert [column.notes for column in found.values()] == [
        (),
        ("the file has no name for this column; this is what pandas calls it",),
        (),
    ]


def test_later_rows_of_a_long_file_may_be_missing(tmp_path: Path) -> None:
    path = written(tmp_path, pd.DataFrame({"x": ["a"] * 3000, "n": np.arange(3000)}))
    whole, part = (profile(read_raw(path, path.name, limit)).columns for limit in (5000, 1000))
    assert [(column.kind, column.nullable) for column in whole.values()] == [("text", False), ("integer", False)]
    assert [(column.kind, column.nullable) for column in part.values()] == [("text", True), ("number", True)]
