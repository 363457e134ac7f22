"""NumPy's functions on whole columns: where, select, isin, digitize, statistics of each row, arrays that are made."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from trace_frames import ARRAY, ARRAY_EDGES, EDGES, NUMBERS
from tracing import check, refusal

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

CHOICES = {
    "where of numbers": lambda X: np.where(X["b"] > 0, X["b"], -1),
    "where of integers": lambda X: np.where(X["b"].isna(), 1, 0),
    "where of integers and floats": lambda X: np.where(X["d"], X["a"], 0.5),
    "where of bools": lambda X: np.where(X["d"], X["a"] > 0, False),
    "where of bools and integers": lambda X: np.where(X["d"], True, X["a"]),
    "where of text": lambda X: np.where(X["a"] > 0, "yes", "no"),
    "where of a text column": lambda X: np.where(X["t"].isin(["a", "b"]), X["t"], "Rare"),
    "where of text and missing": lambda X: np.where(X["a"] > 0, X["t"], np.nan),
    "where of missing": lambda X: np.where(X["c"] > 0.5, np.nan, X["c"]),
    "where of dates": lambda X: np.where(X["a"] > 0, X["w"].values, np.datetime64("2020-01-01")),
    "where of missing dates": lambda X: np.where(X["a"] > 0, X["w"].values, np.datetime64("NaT", "us")),
    "where of numbers as truth": lambda X: np.where(X["b"], 1.0, 2.0),
    "nested": lambda X: np.where(X["b"] > 1, 2, np.where(X["b"] < -1, 1, 0)),
    "where of a frame": lambda X: np.where(X[["a", "b"]] > 0, X[["a", "b"]], 0),
    "set as a column": lambda X: X[["a"]].assign(e=np.where(X["d"], X["b"], X["c"])),
    "select": lambda X: np.select([X["b"] > 3, X["b"] > 0], [2, 1], default=0),
    "select without default": lambda X: np.select([X["b"] > 3, X["b"] > 0], [X["b"], X["a"]]),
    "select of text": lambda X: np.select([X["a"] > 3, X["a"] > 0], ["high", "low"], default="none"),
    "select of text columns": lambda X: np.select([X["a"] > 3], [X["t"]], default="none"),
}
NUMERIC = {
    "clip": lambda X: np.clip(X["b"], -1, 1),
    "clip of integers": lambda X: np.clip(X["a"], 0, 5),
    "clip on one side": lambda X: np.clip(X["b"].values, 0, None),
    "clip of an array": lambda X: np.clip(X["b"].to_numpy(), -1.0, 1.0),
    "clip by a column": lambda X: np.clip(X["b"].to_numpy(), X["c"].to_numpy(), None),
    "round": lambda X: np.round(X["b"], 2),
    "around": lambda X: np.around(X["b"].values, 1),
    "round to tens": lambda X: np.round(X["b"].values, -1),
    "round to integers": lambda X: np.round(X["b"].values),
    "nan_to_num": lambda X: np.nan_to_num(X["b"]),
    "nan_to_num with values": lambda X: np.nan_to_num(X["b"], nan=-1.0, posinf=9.0, neginf=-9.0),
    "nan_to_num of integers": lambda X: np.nan_to_num(X["a"]),
    "isin": lambda X: np.isin(X["a"], [1, 2, 3.0, 4.5]),
    "isin of floats": lambda X: np.isin(X["b"], [0, 2.5, np.nan]),
    "isin of text": lambda X: np.isin(X["t"], ["a", "e"]),
    "isin, inverted": lambda X: np.isin(X["t"], ["a", "e"], invert=True),
    "searchsorted": lambda X: np.searchsorted([-1.0, 0.0, 0.5], X["b"]),
    "searchsorted, right": lambda X: np.searchsorted(np.array([-1, 0, 5]), X["a"], side="right"),
    "digitize": lambda X: np.digitize(X["b"], [-1.0, 0.0, 2.5]),
    "digitize, right": lambda X: np.digitize(X["b"].values, bins=np.array([-1.0, 0.0, 2.5]), right=True),
    "digitize with infinite edges": lambda X: np.digitize(X["b"], [-np.inf, 0, np.inf]),
    "interp": lambda X: np.interp(X["b"], [-1.0, 0.0, 3.0], [5.0, 7.0, -2.0]),
    "interp with ends": lambda X: np.interp(X["c"], [0.0, 1.0], [0.0, 10.0], left=-1, right=11),
    "isclose": lambda X: np.isclose(X["b"], X["c"]),
    "isclose to a constant": lambda X: np.isclose(X["b"].values, 2.5, equal_nan=True),
    "take": lambda X: np.take(np.array([0.5, 1.5, 2.5]), np.digitize(X["b"], [-1.0, 1.0])),
    "take of text": lambda X: np.take(np.array(["low", "high"]), (X["a"] > 0).astype(int).values),
}


@pytest.mark.parametrize("name", [*CHOICES, *NUMERIC])
def test_a_function_of_columns_has_numpys_bits(name: str) -> None:
    function = (CHOICES | NUMERIC)[name]
    check(lambda self, X: function(X), NUMBERS, EDGES)


MADE = {
    "zeros": lambda X: np.zeros(len(X)),
    "ones": lambda X: np.ones(X.shape[0], dtype=int),
    "zeros of two dimensions": lambda X: np.zeros((len(X), 2)),
    "zeros as X": lambda X: np.zeros(X.shape[0]) + X["a"].values,
    "full": lambda X: np.full(len(X), 2.5),
    "full of text": lambda X: np.full(len(X), "none"),
    "full of missing": lambda X: np.full((X.shape[0], 2), np.nan),
    "bools": lambda X: np.zeros(len(X), dtype=bool) | (X["a"].values > 0),
    "plain": lambda X: X["b"].values * np.zeros(1)[0],
    "plain arrays that change": lambda X: X[["a", "b"]].values * changed_zeros(),
    "zeros_like": lambda X: np.zeros_like(X["b"]),
    "ones_like": lambda X: np.ones_like(X["a"].values),
    "full_like": lambda X: np.full_like(X["b"].values, 3),
    "filled": lambda X: filled(X),
    "empty, filled": lambda X: empty_filled(X),
    "objects": lambda X: objects(X),
    "asarray": lambda X: np.asarray(X["b"]),
    "asarray of a frame": lambda X: np.asarray(X[["a", "b"]]),
    "array of integers": lambda X: np.array(X["a"], dtype=float),
    "array of text": lambda X: np.array(X["t"]),
    "array of columns": lambda X: np.array([X["a"], X["b"]]).T,
    "vstack of columns": lambda X: np.vstack([X["a"], X["b"]]).T,
    "stack of columns": lambda X: np.stack([X["a"], X["b"]], axis=1),
    "stack as rows": lambda X: np.stack([X["a"], X["b"]]).T,
    "column_stack": lambda X: np.column_stack([X["a"], X["b"].values, X[["c"]]]),
    "column_stack of bools": lambda X: np.column_stack([X["d"], X["a"] > 0]),
    "column_stack of bools and integers": lambda X: np.column_stack([X["d"], X["a"]]),
    "c_": lambda X: np.c_[X[["a", "b"]], X["a"] / X["b"], X["c"]],
    "hstack": lambda X: np.hstack([X[["a"]].values, X["b"].values.reshape(-1, 1)]),
    "concatenate": lambda X: np.concatenate([X[["a"]].values, X[["b", "c"]].values], axis=1),
    "append": lambda X: np.append(X[["b"]].values, X[["c"]].values, axis=1),
    "with an intercept": lambda X: np.c_[np.ones(len(X)), X[["b", "c"]]],
    "insert": lambda X: np.insert(X[["b", "c"]].values, 0, 1, axis=1),
    "delete": lambda X: np.delete(X[["a", "b", "c"]].values, 1, axis=1),
    "expand_dims": lambda X: np.expand_dims(X["b"], axis=1),
    "reshape": lambda X: np.reshape(X["b"], (-1, 1)),
    "ravel": lambda X: np.ravel(X["b"]),
    "copy": lambda X: np.copy(X["b"]),
    "a frame of an array": lambda X: pd.DataFrame(np.c_[X["a"], X["b"]], columns=["p", "q"], index=X.index),
}


def changed_zeros() -> Any:
    factors = np.zeros(2)
    factors[1] = 2.0
    return factors


def filled(X: Any) -> Any:
    out = np.zeros((len(X), 3))
    out[:, 0] = X["a"]
    out[:, 1] = X["b"].fillna(0)
    out[X["d"], 2] = 1
    return out


def empty_filled(X: Any) -> Any:
    out = np.empty((X.shape[0], 2))
    out[:, 0] = X["a"]
    out[X["d"], 1] = 1
    out[~X["d"], 1] = X["c"][~X["d"]]
    return out


def objects(X: Any) -> Any:
    out = np.full(len(X), None, dtype=object)
    out[X["a"] > 0] = "up"
    out[(X["a"] < 0).values] = "a longer word"
    return out


@pytest.mark.parametrize("name", list(MADE))
def test_a_made_array_has_numpys_bits(name: str) -> None:
    function = MADE[name]
    check(lambda self, X: function(X), NUMBERS, EDGES)


_NAMES = (
    *("sum", "mean", "std", "var", "min", "max", "amax", "prod", "median", "any", "all", "argmax", "argmin", "ptp"),
    *("count_nonzero", "nansum", "nanmean", "nanstd", "nanvar", "nanmin", "nanmax", "nanmedian", "nanprod"),
)
STATISTICS = {name: (lambda X, name=name: getattr(np, name)(X, axis=1)) for name in _NAMES} | {
    "average": lambda X: np.average(X, axis=1, weights=[1.0, 0.0, 3.0]),
    "norm": lambda X: np.linalg.norm(X, axis=1),
    "norm of magnitudes": lambda X: np.linalg.norm(X, ord=1, axis=1, keepdims=True),
    "dot": lambda X: np.dot(X, [0.5, 0.0, -2.0]),
    "matmul": lambda X: np.matmul(X, np.arange(12.0).reshape(3, 4) - 6),
    "mean of a list": lambda X: np.mean([X[:, 0], X[:, 1]], axis=0),
    "reduce": lambda X: np.maximum.reduce([X[:, 0], X[:, 1], X[:, 2]]),
    "reduce of conditions": lambda X: np.logical_and.reduce([X[:, 0] > 0, X[:, 1] > 0]),
    "reduce of an array": lambda X: np.add.reduce(X, axis=1),
    "largest of a list": lambda X: np.max([X[:, 0], X[:, 1], X[:, 2]], axis=0),
    "cumsum": lambda X: np.cumsum(X, axis=1),
    "diff": lambda X: np.diff(X),
    "sum of many": lambda X: np.sum(np.c_[X, X * 0.1, X * 0.3, X * 0.7], axis=1),
    "std of many": lambda X: np.std(np.c_[X, X * 0.1, X * 0.3, X * 0.7], axis=1),
}


@pytest.mark.parametrize("name", list(STATISTICS))
def test_a_statistic_of_each_row_is_within_its_bound(name: str) -> None:
    function = STATISTICS[name]
    edges = ARRAY_EDGES + 0.0  # of 0.0 and -0.0 NumPy's sort takes either one
    check(lambda self, X: function(X), ARRAY, edges, bounded=True)


LOOKUPS = {
    "labels": lambda self, X: self.labels_[np.argmax(X, axis=1)],
    "positions from the end": lambda self, X: self.labels_[-1 - (X[:, 0] > 0).astype(int)],
    "numbers": lambda self, X: self.numbers_[(X[:, 0] > 0).astype(int)] * X[:, 1],
    "rows of a table": lambda self, X: self.table_[np.argmin(X, axis=1)],
    "a column of a table": lambda self, X: self.table_[np.argmin(X, axis=1), 1],
    "a row of a table": lambda self, X: self.table_[1, (X[:, 0] > 0).astype(int)],
    "an array made in transform": lambda self, X: np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)],
    "fitted arrays as they are": lambda self, X: (X * self.numbers_)[:, self.numbers_ > 1] + self.numbers_.sum(),
}


@pytest.mark.parametrize("name", list(LOOKUPS))
def test_fitted_arrays_are_looked_up_by_position(name: str) -> None:
    state = {"labels_": np.array(["a", "b", "c"]), "numbers_": np.array([1.0, 2.0, 3.0]), "table_": np.eye(3)[:, :2]}
    check(LOOKUPS[name], ARRAY, ARRAY_EDGES, state=state)


def test_a_position_beyond_the_end_is_a_refused_row() -> None:
    def transform(self: Any, X: Any) -> Any:
        return self.numbers_[X["a"].values]

    rows = NUMBERS.assign(a=NUMBERS["a"] % 3)
    check(transform, rows, EDGES, state={"numbers_": np.array([1, 2, 3])})


OF_FRAMES = {
    "sum": lambda X: np.sum(X[["a", "b"]], axis=1),
    "mean": lambda X: np.mean(X[["b", "c"]], axis=1),
    "std": lambda X: np.std(X[["a", "b", "c"]], axis=1),
    "max": lambda X: np.max(X[["b", "c"]], axis=1),
    "nansum": lambda X: np.nansum(X[["b", "c"]], axis=1),
    "any": lambda X: np.any(X[["b", "c"]] > 0, axis=1),
    "sum of integers": lambda X: np.sum(X[["a", "a"]].values, axis=1),
    "weights": lambda X: np.dot(X[["b", "c"]], np.array([2.0, 0.5])),
    "operator": lambda X: X[["b", "c"]].values @ np.array([[2.0, 0.5], [0.0, 1.0]]),
    "integers": lambda X: X[["a"]].values @ np.array([3]),
    "of one row": lambda X: X.apply(lambda row: np.max([row["b"], row["c"]]), axis=1),
}


@pytest.mark.parametrize("name", list(OF_FRAMES))
def test_a_statistic_of_a_frames_rows_is_within_its_bound(name: str) -> None:
    function = OF_FRAMES[name]
    check(lambda self, X: function(X), NUMBERS, EDGES, bounded=True)


REFUSED = {
    "where with one argument": (
        lambda X: np.where(X["a"] > 0)[0],
        "condition alone",
        "np.where(condition, then, other)",
    ),
    "where of text and missing": (lambda X: np.where(X["a"] > 0, "yes", np.nan), "text and a missing value", "where("),
    "where of text and numbers": (lambda X: np.where(X["a"] > 0, "yes", 1), "text", "text on both sides"),
    "where of other dtypes": (lambda X: np.where(X["a"] > 0, X["t"], X["b"]), "float64 and str", "cast"),
    "select of text and 0": (lambda X: np.select([X["a"] > 0], ["yes"]), "numpy.select", "correct the line"),
    "a percentile": (lambda X: np.percentile(X["a"], 50), "for one row", "fit"),
    "median": (lambda X: X["a"] - np.median(X["a"]), "over rows", "axis=1"),
    "mean": (lambda X: X["b"] - np.mean(X["b"]), "mean", "fit"),
    "unique": (lambda X: np.unique(X["t"]), "for one row", "fit"),
    "bincount": (lambda X: np.bincount(X["a"]), "for one row", "fit"),
    "sort": (lambda X: np.sort(X["b"]), "before and after a row", "load"),
    "cumsum": (lambda X: np.cumsum(X["b"]), "depends on the batch", "load"),
    "diff": (lambda X: np.diff(X["b"]), "depends on the batch", "load"),
    "random": (lambda X: X["b"] + np.random.normal(size=len(X)), "random", "fit"),
    "arange": (lambda X: np.arange(len(X)), "number of rows", "leave it out"),
    "r_": (lambda X: np.r_[X["a"], X["b"]], "other rows", "np.c_"),
    "hstack of columns": (lambda X: np.hstack([X["a"], X["b"]]), "other rows", "np.column_stack"),
    "vstack of rows": (lambda X: np.vstack([X[["a"]], X[["b"]]]), "other rows", "axis=1"),
    "concatenate of rows": (lambda X: np.concatenate([X[["a"]], X[["a"]]]), "other rows", "axis=1"),
    "a plain column": (lambda X: np.column_stack([X["a"], np.arange(20)]), "training data", "np.full"),
    "unsorted edges": (lambda X: np.digitize(X["a"], [3, 1, 2]), "not sorted", "sort"),
    "edges by rows": (lambda X: np.digitize(X["a"], X["b"]), "no list of constants", "fit"),
    "isin of another kind": (lambda X: np.isin(X["a"], ["1"]), "another kind", "cast"),
    "allclose": (lambda X: X["a"] * np.allclose(X["a"], 1), "depends on the batch", "np.isclose"),
    "a function of rows": (lambda X: np.apply_along_axis(sum, 1, X[["a"]]), "whole row", "X.apply"),
    "text and numbers together": (
        lambda X: np.column_stack([np.where(X["d"], "y", "n"), X["a"]]),
        "text in one array",
        "DataFrame",
    ),
    "counts inside a shape": (lambda X: np.zeros((2, len(X))), "rows come first", "(len(X), 3)"),
    "a product of rows": (lambda X: np.dot(X["a"], X["b"]), "rows with rows", "self.coef_"),
    "empty text": (lambda X: np.empty(len(X), dtype=bool), "not known", "np.zeros"),
    "an index": (lambda X: np.array(["n", "y"])[X["d"].values], "by bool values", "astype(int)"),
    "a repetition": (lambda X: np.repeat(X["a"], 2), "each row that it gets", "np.where"),
    "a change in place": (lambda X: np.nan_to_num(X["b"], copy=False), "in place", "assign"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_depends_on_the_batch_is_refused_with_a_remedy(name: str) -> None:
    function, found, remedy = REFUSED[name]
    message = refusal(lambda self, X: function(X), NUMBERS)
    assert found in message
    assert remedy in message
    assert "test_numpy_calls.py, line" in message


def test_what_own_code_leaves_empty_is_not_taken_for_a_number() -> None:
    def transform(self: Any, X: Any) -> Any:
        out = np.empty(len(X))
        out[X["a"] > 0] = 1.0
        return out

    with pytest.raises(AssertionError, match="the plan gives nan"):
        check(transform, NUMBERS)
