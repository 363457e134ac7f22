"""Rows without names of their own: columns by position, and the values of the only column."""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform, is_dataframe
from pipeline_lib.rows.containers import NamedColumns, column_label, is_instance, with_names
from pipeline_lib.rows.schema import RowSchema

PAIR = RowSchema((Column("size", "number", nullable=True), Column("zone", "string")))
TEXT = RowSchema((Column("review", "string"),))
ROWS = {"size": [1.5, None, 3.0], "zone": ["a", "b", "c"]}
WORDS = ["good", "bad"]


@pytest.mark.parametrize(
    "rows",
    [
        np.array([[1.5, "a"], [np.nan, "b"], [3.0, "c"]], dtype=object),
        [[1.5, "a"], [None, "b"], [3.0, "c"]],
        [(1.5, "a"), (float("nan"), "b"), (3.0, "c")],
        pl.DataFrame(ROWS),
        pl.DataFrame(ROWS).with_columns(pl.col("zone").cast(pl.Categorical)),
        pa.table(ROWS),
        pd.DataFrame(ROWS).set_axis(["size", "zone"], axis=1),
    ],
    ids=["array", "lists", "tuples", "polars", "polars categories", "arrow", "frame"],
)
def test_rows_in_any_container_are_the_same_table(rows: Any) -> None:
    assert conform(rows, PAIR).to_pydict() == ROWS


@pytest.mark.parametrize(
    "values",
    [
        WORDS,
        tuple(WORDS),
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        np.array([[word] for word in WORDS]),
        pd.Series(WORDS),
        pd.Series(WORDS, index=[7, 8], dtype="category"),
        pl.Series(WORDS),
        pa.array(WORDS),
        pa.chunked_array([WORDS[:1], WORDS[1:]]),
    ],
    ids=lambda values: type(values).__name__,
)
def test_values_of_the_only_column(values: Any) -> None:
    assert conform(values, TEXT).to_pydict() == {"review": WORDS}


@pytest.mark.parametrize("numbers", [[[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]])
def test_integer_names_are_read_as_text(numbers: Any) -> None:
    schema = RowSchema((Column("0", "number"), Column("1", "number")))
    frame = pd.DataFrame(numbers)
    assert conform(frame, schema).to_pydict() == {"0": [1.0, 3.0], "1": [2.0, 4.0]}
    assert conform(frame.to_dict("records"), schema).equals(conform(frame, schema))


def test_names_come_before_positions() -> None:
    data = with_names(np.zeros((3, 2)), PAIR)
    assert isinstance(data, NamedColumns)
    assert (list(data.columns), data.rows) == (["size", "zone"], 3)
    frame = pd.DataFrame(ROWS)
    assert with_names(frame, PAIR) is frame
    assert column_label(3) == "x3"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((3, 3)), "found rows of 3 values, expected 2: size, zone; give every raw column in this order"),
        ([[1.0, "a"], [2.0]], "found rows of 1 to 2 values, expected as many in each"),
        (["a", "b"], "found a list of values, expected rows with 2 values each, size, zone"),
        (np.zeros(2), "found an array of one dimension, expected rows with 2 values each"),
        (pd.Series([1.0]), "found a Series, expected rows with 2 values each, .* one row as a mapping to predict_row"),
        (np.zeros((2, 2, 2)), "found ndarray, expected rows as a DataFrame"),
        ([{"size": 1.0, "zone": "a"}, [1.0, "a"]], "found list, expected rows as a DataFrame"),
        (7, "found int, expected rows as a DataFrame"),
    ],
)
def test_rows_of_another_shape_are_refused(rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        conform(rows, PAIR)


def test_a_refused_value_of_an_array_is_shown_with_its_row() -> None:
    with pytest.raises(InputError, match=r"zone: found 3.5 .* in row 1, expected text"):
        conform(np.array([[1.0, "a"], [2.0, 3.5]], dtype=object), PAIR)
    with pytest.raises(InputError, match="size: found inf in row 1, expected a finite number"):
        conform(np.array([[1.0], [np.inf]]), RowSchema((Column("size", "number", finite=True),)))


def test_a_library_that_another_thread_imports_just_now_has_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", ModuleType("pandas"))  # as import begins: without its classes
    assert not is_instance([1.0], "pandas", "Series", "DataFrame")
    assert not is_dataframe({"x": [1.0]})
