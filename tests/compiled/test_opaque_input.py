"""What a library gets from the columns of a plan, and what the plan gets from its results."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from pipeline_lib.compiled.opaque_input import library_input, plan_results, result_columns, row_count
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiler.opaque_step import describe_input, result_dtypes
from pipeline_lib.errors import InputError

DAYS = np.array(["2024-02-29", "2025-01-01", "NaT"], dtype="datetime64[us]")


def columns(frame: pd.DataFrame) -> tuple[list[Any], list[str]]:
    """The plan's columns of a frame, and their dtypes."""
    made: list[tuple[Any, str]] = []
    for _, series in frame.items():
        kind = getattr(series.dtype, "kind", "O")
        if kind in "iu":
            made.append((series.to_numpy(dtype=np.int64), "int64"))
        elif kind == "b":
            made.append((series.to_numpy(dtype=bool), "bool"))
        elif kind == "f":
            made.append((series.to_numpy(dtype=float), "float64"))
        elif kind == "M":
            made.append((series.to_numpy().astype("datetime64[us]").view(np.int64), "datetime"))
        else:
            words = [None if value is None or value != value else str(value) for value in series.astype(object)]
            made.append((TextColumn.of(words), "str"))
    return [column for column, _ in made], [dtype for _, dtype in made]


FRAME = pd.DataFrame(
    {
        "size": np.array([1.5, np.nan, 3.0], dtype="f4"),
        "count": np.array([1, 2, 3], dtype="i2"),
        "old": [True, False, True],
        "word": pd.Series(["a", None, "c"], dtype="str"),
        "object": pd.Series(["a", np.nan, "c"], dtype=object),
        "none": pd.Series(["a", None, "c"], dtype=object),
        "class": pd.Categorical(["b", None, "a"], categories=["b", "a", "z"]),
        "day": DAYS.astype("datetime64[ns]"),
    }
)


def test_a_frame_is_as_the_library_had_it() -> None:
    given = describe_input(FRAME)
    assert given["kinds"][:3] == ["float32", "int16", "bool"]
    taken, dtypes = columns(FRAME)
    pd.testing.assert_frame_equal(library_input(given, taken, dtypes, np.arange(3)), FRAME, check_column_type=False)
    one = library_input(given, taken, dtypes, np.array([1]))
    pd.testing.assert_frame_equal(one, FRAME.iloc[[1]].reset_index(drop=True), check_column_type=False)
    assert one["none"][0] is None
    assert one["object"][0] is not None


def test_an_unseen_category_comes_after_the_known_ones() -> None:
    frame = FRAME[["class"]]
    taken = [TextColumn.of(["a", "new", None])]
    made = library_input(describe_input(frame), taken, ["str"], np.arange(3))["class"]
    assert made.cat.categories.tolist() == ["b", "a", "z", "new"]
    assert made.cat.codes.tolist() == [1, 3, -1]


@pytest.mark.parametrize(
    ("values", "dtype", "column"),
    [
        ([True, np.nan, False], "float64", np.array([1.0, np.nan, 0.0])),
        ([date(2024, 2, 29), np.nan, date(2025, 1, 1)], "datetime", DAYS[[0, 2, 1]].view(np.int64)),
    ],
)
def test_truths_and_dates_that_may_be_missing_are_objects(values: list[Any], dtype: str, column: Any) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    made = library_input(describe_input(frame), [column], [dtype], np.arange(3))["x"]
    assert [type(value) for value in made] == [type(value) for value in values]
    assert [value for value in made if value == value] == [value for value in values if value == value]


def test_a_series_keeps_its_name() -> None:
    series = FRAME["word"]
    made = library_input(describe_input(series), [TextColumn.of(["x", None])], ["str"], np.arange(2))
    assert (made.name, made.tolist()[0], bool(made.isna()[1])) == ("word", "x", True)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_an_array_has_the_dtype_of_the_librarys(dtype: str) -> None:
    array = np.array([[1, 2], [3, 4]], dtype=dtype)
    made = library_input(describe_input(array), [np.array([1.0, 3.0]), np.array([2, 4])], ["float64", "int64"], [1, 0])
    assert made.dtype == array.dtype
    assert made.tolist() == array[::-1].tolist()


@pytest.mark.parametrize("form", ["csr", "csc"])
def test_sparse_and_dense_columns_become_one_matrix(form: str) -> None:
    matrix = scipy.sparse.csr_matrix(np.array([[0.0, 2.0, 7.0], [1.0, 0.0, 8.0]]), dtype=np.float32).asformat(form)
    given = describe_input(matrix)
    sparse = SparseColumn.of(matrix[:, :2])
    made = library_input(given, [sparse, np.array([7.0, 8.0])], ["bag", "float64"], np.array([1, 0, 1]))
    assert (made.format, made.dtype) == (form, np.float32)
    assert made.toarray().tolist() == matrix.toarray()[[1, 0, 1]].tolist()


def test_settings_of_earlier_releases_are_read() -> None:
    assert library_input({"names": None}, [np.arange(3)], ["int64"], np.arange(2)).tolist() == [[0.0], [1.0]]
    frame = library_input({"names": ["a"]}, [np.arange(3)], ["int64"], np.arange(2))
    assert frame["a"].tolist() == [0, 1]


def test_results_are_columns_of_the_plan() -> None:
    targets = [np.array([[0.25, 0.75]]), np.array([[0.1, 0.2, 0.7]])]
    assert [name for name, _ in result_columns(targets)] == ["0_x0", "0_x1", "1_x0", "1_x1", "1_x2"]
    assert row_count(targets) == row_count(np.zeros((1, 3))) == row_count(["a"]) == 1
    assert [column.tolist() for column in plan_results(targets, ["float64"] * 5, 1)] == [
        [0.25],
        [0.75],
        [0.1],
        [0.2],
        [0.7],
    ]
    with pytest.raises(InputError, match="found 5 columns from the library, expected 2"):
        plan_results(targets, ["float64"] * 2, 1)


@pytest.mark.parametrize(
    ("method", "output", "dtype"),
    [
        ("predict", np.array([1, 2]), "int64"),
        ("predict", np.array([1, 2], dtype=np.uint8), "int64"),
        ("predict", np.array([True, False]), "bool"),
        ("predict", np.array(["a", "b"]), "str"),
        ("predict", np.array([1, 2], dtype=object), "int64"),
        ("predict", np.array([1.0, 2.0], dtype=np.float32), "float64"),
        ("transform", np.array([1, 2]), "int64"),
        ("transform", pd.DataFrame({"new": [1, 2]}), "float64"),
        ("transform", pd.DataFrame({"kept": [1, 2]}), "int64"),
        ("transform", pd.DataFrame({"t": pd.Categorical(["a", None])}), "str"),
        ("transform", scipy.sparse.csr_matrix(np.eye(2)), "bag"),
    ],
)
def test_the_dtype_of_a_result(method: str, output: Any, dtype: str) -> None:
    """A new column of a frame may have missing values in other rows: it is of numbers."""
    assert list(result_dtypes(method, pd.DataFrame({"kept": [5, 6]}), output).values()) == [dtype]
