"""A library's input as columns of a plan: the same ones from a whole matrix as column by column."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.library_input import LibraryColumns, library_column

NUMBERS = np.array([[1.0, -0.0, np.nan], [2.0, np.inf, 5e-324], [3.0, 0.1, -7.0], [4.0, 1e30, 0.0]])
FRAME = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])


@pytest.mark.parametrize(
    "data",
    [
        FRAME,
        FRAME.assign(c=np.arange(4)),
        FRAME.astype("float32"),
        FRAME.astype("Float64"),
        NUMBERS,
        np.asfortranarray(NUMBERS),
        NUMBERS[:, ::-1],
        NUMBERS.astype("float32"),
        NUMBERS.astype(object),
        sparse.csr_matrix(np.nan_to_num(NUMBERS)),
    ],
    ids=["frame", "mixed", "single", "nullable", "array", "fortran", "reversed", "array32", "objects", "sparse"],
)
def test_numbers_are_the_same_from_each_container(data: Any) -> None:
    build = Builder()
    columns = LibraryColumns(data, {name: build.input(name, "float64") for name in "abc"})
    for index, name in enumerate("abc"):
        alone = library_column(data, index, "float64")
        assert columns[name].tobytes() == alone.tobytes()
        assert columns[name].dtype == np.float64


def test_columns_are_the_plans_own() -> None:
    build = Builder()
    frame = FRAME.copy()
    columns = LibraryColumns(frame, {name: build.input(name, "float64") for name in "abc"})
    columns["a"][0] = 9.0
    assert frame["a"][0] == 1.0


def test_columns_of_other_dtypes_are_converted_one_by_one() -> None:
    build = Builder()
    before = {"vector": build.input("vector", "vector", width=2), "c": build.input("c", "float64")}
    columns = LibraryColumns(NUMBERS, before)
    assert columns["vector"].tolist() == NUMBERS[:, :2].T.tolist()
    assert columns["c"].tolist()[1:] == NUMBERS[1:, 2].tolist()
    texts = LibraryColumns(FRAME[["a"]].astype(str), {"a": build.input("a", "str")})
    assert texts["a"].tolist() == ["1.0", "2.0", "3.0", "4.0"]
