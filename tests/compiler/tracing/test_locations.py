"""Rows and columns by `loc` and `iloc`, and values set where a condition holds, compared with pandas bit for bit."""

import numpy as np
import pandas as pd
import pytest

from tests.compiler.tracing.test_frames import FRAME, OTHER
from tests.support.tracing import check, refusal

GOT = {
    "column": lambda self, X: X.loc[:, "a"],
    "columns": lambda self, X: X.loc[:, ["b", "a"]],
    "slice of names": lambda self, X: X.loc[:, "a":"c"],
    "index": lambda self, X: X.loc[:, X.columns.difference(["t"])],
    "bools": lambda self, X: X.loc[:, X.dtypes == "float64"],
    "all": lambda self, X: X.loc[:],
    "by the own index": lambda self, X: X.loc[X.index, ["a", "b"]],
    "column by number": lambda self, X: X.iloc[:, 0],
    "last column": lambda self, X: X.iloc[:, -1],
    "columns by number": lambda self, X: X.iloc[:, [2, 0]],
    "slice of numbers": lambda self, X: X.iloc[:, 1:3],
    "slice from the end": lambda self, X: X.iloc[:, :-2],
    "Series": lambda self, X: X["a"].loc[:],
}


@pytest.mark.parametrize("name", GOT)
def test_columns_by_location(name):
    check(GOT[name], FRAME, OTHER)


def constant(self, X):
    X.loc[X["a"] > 0, "b"] = 0
    X.loc[X["b"].isna(), "n"] = -1
    X.loc[~X["flag"], "flag"] = True
    X.loc[X["t"] == "x", "t"] = "other"
    X.loc[X["a"] == 7, "a"] = 8.0
    return X


def missing(self, X):
    X.loc[X["a"] > 0, "b"] = np.nan
    X.loc[X["a"] > 0, "n"] = None
    X.loc[X["a"] > 0, "t"] = np.nan
    X.loc[X["a"] > 0, "d"] = pd.NaT
    return X


def columns_of_all_rows(self, X):
    X.loc[X["a"] > 0, "b"] = X["c"] * 2
    X.loc[X["a"] > 0, "a"] = X["n"]
    X.loc[X["flag"], ["b", "c"]] = X["a"]
    X.loc[X["t"].isna(), "d"] = pd.Timestamp("2020-05-05")
    return X


def columns_of_the_same_rows(self, X):
    mask = X["b"] > 0
    X.loc[mask, "b"] = X.loc[mask, "c"] * 2
    X.loc[mask, "a"] += 1
    X.loc[mask, ["b", "c"]] = X.loc[mask, ["c", "n"]].to_numpy(copy=True)
    X.loc[mask, ["b", "c"]] = X.loc[mask, ["b", "c"]] / 2
    part = X[mask]
    X.loc[part.index, "c"] = part["n"]
    X.loc[X[X["flag"]].index, "n"] = 0
    X.loc[X.index[X["a"] > 0], "n"] = 1
    X["part"] = part["n"]
    return X


def some_rows_numbered_anew(self, X):
    mask = X["a"] > 0
    part = X[mask].reset_index(drop=True)
    part["z"] = part["b"] * 2
    X.loc[mask, "z"] = part["z"].values
    return X


def several(self, X):
    X.loc[X["a"] > 0, ["a", "n"]] = [1, 2]
    X.loc[X["a"] > 0, ["b", "c"]] = 0.5
    X.loc[X["a"] > 0, X.columns[:2]] = 4
    X.loc[X["a"] > 4, "a":"b"] = 9
    return X


def new_columns(self, X):
    X.loc[X["a"] > 0, "level"] = 1
    X.loc[X["a"] <= 0, "level"] = X["b"]
    X.loc[X["a"] > 0, "word"] = "high"
    X.loc[X["a"] == 0, "word"] = "none"
    X.loc[:, "copy"] = X["b"]
    X.loc[:, "flag2"] = True
    return X


def positions(self, X):
    X.iloc[:, 0] = 5
    X.iloc[:, [1, 2]] = 0.25
    X.iloc[X["flag"].values, 3] = 7
    X.loc[X["flag"].values, "c"] = 8
    return X


def of_a_part(self, X):
    X[["a", "n"]] = X[["a", "n"]].copy()
    numbers = X[["a", "b"]]
    numbers[numbers > 1] = 0
    numbers[numbers.isna()] = 2.0
    numbers[X["flag"]] = 3
    X[["a", "b"]] = numbers
    column = X["c"]
    column[X["a"] > 0] = -1
    column.loc[X["b"] > 0] = X["n"]
    X["column"] = column
    return X


def functions(self, X):
    X.loc[lambda frame: frame["a"] > 0, "b"] = 1
    X.loc[lambda frame: frame["a"] == 0] = X[["a", "b", "c", "n", "flag", "t", "d"]]
    return X


SET = [
    constant,
    missing,
    columns_of_all_rows,
    columns_of_the_same_rows,
    some_rows_numbered_anew,
    several,
    new_columns,
    positions,
    of_a_part,
    functions,
]


@pytest.mark.parametrize("transform", SET, ids=lambda each: each.__name__)
def test_values_set_by_location(transform):
    check(transform, FRAME, OTHER, FRAME[FRAME["a"] < 0])


def set_in(key, value):
    def transform(self, X):
        X.loc[X["a"] > 0, key] = value(X) if callable(value) else value
        return X

    return transform


def swapped_by_loc(self, X):
    X.loc[:, ["a", "n"]] = X[["n", "a"]].values
    return X


def test_pandas_overwrites_a_view_that_is_set_in_several_columns():
    """Why such a line is refused: both columns become `n`."""
    frame = pd.DataFrame({"a": [1, 2, 3], "n": [5, 6, 7], "b": [0.5, 0.6, 0.7]})
    assert swapped_by_loc(None, frame)["n"].tolist() == [5, 6, 7]


REFUSED = {
    "row by label": (lambda self, X: X.loc[10], "depends on the batch"),
    "row and column": (lambda self, X: X.assign(x=X.loc[10, "a"]), "depends on the batch"),
    "rows by slice": (lambda self, X: X.iloc[:2], "depends on the batch"),
    "row by position": (lambda self, X: X.iloc[0, 0], "depends on the batch"),
    "some rows and all": (lambda self, X: X["b"] + X.loc[X["a"] > 0, "b"], "same index"),
    "fraction in integers": (set_in("a", 0.5), "Invalid value"),
    "column of floats in integers": (set_in("a", lambda X: X["b"]), "Invalid value"),
    "text in numbers": (set_in("b", "x"), "Invalid value"),
    "bools where a condition holds": (set_in("new", True), "X['new'] = False"),
    "values of other rows": (set_in("b", lambda X: X.loc[X["a"] < 0, "c"]), "same condition"),
    "frame of other columns": (set_in(["b", "c"], lambda X: X[["c", "b"]]), "set_axis"),
    "view in several columns": (swapped_by_loc, ".copy()"),
    "view of some rows": (set_in(["a", "n"], lambda X: X.loc[X["a"] > 0, ["n", "a"]].values), ".copy()"),
    "rows numbered from 0": (set_in("b", lambda X: X[X["a"] > 0]["b"].reset_index(drop=True)), "same condition"),
    "list by row": (set_in("b", [1.0, 2.0, 3.0]), "one value for all rows"),
    "value by row label": (lambda self, X: X.at[10, "a"], "whole columns"),
    "condition of other rows": (lambda self, X: X.loc[X.reset_index(drop=True)["a"] > 0, "b"], "same rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_single_rows_and_unfit_values_are_refused(name):
    transform, remedy = REFUSED[name]
    message = refusal(transform, FRAME)
    assert "test_locations.py, line" in message
    assert remedy in message


def test_some_of_the_rows_are_no_result():
    assert "drop rows before the pipeline" in refusal(lambda self, X: X.loc[X["a"] > 0], FRAME)


def test_a_value_that_pandas_refuses_only_where_some_row_holds_is_refused_in_any_case():
    def transform(self, X):
        X.loc[X["a"] > 100, "a"] = X["b"]
        return X

    assert "astype(float)" in refusal(transform, FRAME)
