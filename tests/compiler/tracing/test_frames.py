"""Columns of recorded DataFrames got, set, named, moved and computed with, compared with pandas bit for bit."""

import numpy as np
import pandas as pd
import pytest

from tests.support.tracing import check, refusal

FRAME = pd.DataFrame(
    {
        "a": [1, -2, 3, 0, 7],
        "b": [0.5, np.nan, -1.25, 1e16, 0.1],
        "c": [2.0, 3.5, np.nan, -0.0, 0.3],
        "n": [5, 6, -7, 8, 2**40],
        "flag": [True, False, True, True, False],
        "t": pd.Series(["x", None, "yes", "", "x"], dtype="str"),
        "d": pd.to_datetime(["2020-01-01", None, "1999-12-31", "2024-02-29", "2020-01-01"]),
    }
).set_axis([10, 7, 3, 4, 12], axis=0)
OTHER = pd.DataFrame(
    {
        "a": [0, 5],
        "b": [np.inf, np.nan],
        "c": [-np.inf, np.nan],
        "n": [0, -1],
        "flag": [False, True],
        "t": pd.Series([None, "ß"], dtype="str"),
        "d": pd.to_datetime([None, "1970-01-01"]),
    }
).set_axis([1, 0], axis=0)
NUMBERS = ["a", "b", "c", "n"]


def same(transform, **options):
    """Record on FRAME and compare on FRAME and OTHER."""
    return check(transform, FRAME, OTHER, **options)


SELECTIONS = {
    "name": lambda self, X: X["b"],
    "names": lambda self, X: X[["b", "a"]],
    "index": lambda self, X: X[X.columns[:3]],
    "index of bools": lambda self, X: X[X.columns[X.dtypes == "float64"]],
    "difference": lambda self, X: X[X.columns.difference(["t", "d"])],
    "comprehension": lambda self, X: X[[c for c in X.columns if c.startswith("f")]],
    "attribute": lambda self, X: X.b,
    "drop": lambda self, X: X.drop(columns=["a", "t"]),
    "drop with axis": lambda self, X: X.drop("a", axis=1),
    "drop ignoring": lambda self, X: X.drop(["a", "zzz"], axis=1, errors="ignore"),
    "rename": lambda self, X: X.rename(columns={"a": "A"}),
    "rename by function": lambda self, X: X.rename(columns=str.upper),
    "rename by lambda": lambda self, X: X.rename(columns=lambda c: c + "_x"),
    "rename with axis": lambda self, X: X.rename({"a": "A"}, axis=1),
    "filter items": lambda self, X: X.filter(["b", "a"]),
    "filter like": lambda self, X: X.filter(like="a"),
    "filter regex": lambda self, X: X.filter(regex="^[ab]$"),
    "prefix": lambda self, X: X.add_prefix("p_"),
    "suffix": lambda self, X: X.add_suffix("_s"),
    "set_axis": lambda self, X: X.set_axis(list("ABCDEFG"), axis=1),
    "reindex": lambda self, X: X.reindex(columns=["b", "new", "a"]),
    "reindex with axis": lambda self, X: X.reindex(["b", "a"], axis=1),
    "reindex filled": lambda self, X: X.reindex(columns=["new", "b"], fill_value=0),
    "get": lambda self, X: X.get("a"),
    "get several": lambda self, X: X.get(["a", "b"]),
    "get with default": lambda self, X: X.get("zzz", X["b"]),
    "copy": lambda self, X: X.copy(),
    "reset_index": lambda self, X: X.reset_index(drop=True),
    "select numbers": lambda self, X: X.select_dtypes("number"),
    "select by several dtypes": lambda self, X: X.select_dtypes(include=["bool", "str"]),
    "select without": lambda self, X: X.select_dtypes(exclude=[np.number]),
    "items": lambda self, X: pd.concat([column for name, column in X.items() if name != "t"], axis=1),
    "sort_index": lambda self, X: X.sort_index(axis=1),
    "pipe": lambda self, X: X.pipe(lambda frame, by: frame[["a"]] * by, by=2),
    "infer_objects": lambda self, X: X.infer_objects(),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_columns_are_chosen_and_named_as_by_pandas(name):
    same(SELECTIONS[name])


def set_column(self, X):
    X["new"] = X["a"] + X["b"]
    X["b"] = 5
    X["text"] = "word"
    X["gone"] = np.nan
    return X


def set_several(self, X):
    X[["a", "b"]] = X[["c", "n"]]
    X[["one", "two"]] = [1, 2.5]
    X[["x", "y"]] = X[["a", "b"]].values
    X[["zero", "null"]] = 0
    return X


def set_labels(self, X):
    X.columns = [f"c{number}" for number in range(X.shape[1])]
    return X


def set_attribute(self, X):
    X.a = X.a * 2
    return X


def delete(self, X):
    del X["a"]
    taken = X.pop("b")
    X["later"] = taken
    X.insert(1, "second", taken * 2)
    X.drop(columns="c", inplace=True)
    X.rename(columns={"n": "N"}, inplace=True)
    X.reset_index(drop=True, inplace=True)
    return X


def aliases(self, X):
    same_object = X
    apart = X.copy()
    part = X[["a", "b"]]
    same_object["a"] = 1
    apart["a"] = 2
    part["a"] = 3
    X["apart"] = apart["a"]
    X["part"] = part["a"]
    return X


def in_place_operators(self, X):
    part = X[["a", "b"]]
    alias = part
    part *= 2
    part += alias
    X["a"] += 1
    return pd.concat([alias.add_suffix("_2"), X], axis=1)


def assigned(self, X):
    return X.assign(double=lambda frame: frame["a"] * 2, again=lambda frame: frame["double"] + 1, one=1, b=X["c"])


def chained(self, X):
    X["a"][X["b"] > 0] = 100  # pandas 3: another object, X keeps its values
    return X


def of_index(self, X):
    made = X[["a"]].reset_index(drop=True)
    made.index = X.index
    X["made"] = made["a"]
    return X.set_axis(X.index)


IN_PLACE = [
    set_column,
    set_several,
    set_labels,
    set_attribute,
    delete,
    aliases,
    in_place_operators,
    assigned,
    chained,
    of_index,
]


@pytest.mark.filterwarnings("ignore")  # pandas warns of chained assignment, and of inplace
@pytest.mark.parametrize("transform", IN_PLACE, ids=lambda each: each.__name__)
def test_columns_are_set_and_deleted_as_by_pandas(transform):
    same(transform)


def test_what_is_known_of_a_frame_without_its_rows():
    def transform(self, X):
        assert "a" in X
        assert "zzz" not in X
        assert list(X) == list(X.columns) == list(X.keys())
        assert (X.shape[1], X.ndim, X.empty) == (7, 2, False)
        assert X.dtypes["a"] == "int64"
        return X[[name for name in X if X[name].dtype != bool]]

    assert list(same(transform).outputs) == ["a", "b", "c", "n", "t", "d"]


ARITHMETIC = {
    "constant": lambda self, X: X[NUMBERS] * 2 - 0.5,
    "constant on the left": lambda self, X: 1 / X[NUMBERS],
    "negative": lambda self, X: -X[["b", "c"]],
    "frames": lambda self, X: X[["a", "b"]] + X[["a", "b"]],
    "frame and array": lambda self, X: X[["a", "b"]] - X[["c", "n"]].values,
    "frame and column of an array": lambda self, X: X[["a", "b"]] * X[["c"]].values,
    "fitted Series": lambda self, X: X[NUMBERS] - pd.Series({"a": 1.5, "b": 2.0, "c": -1.0, "n": 0.0}),
    "fitted Series in another order": lambda self, X: X[NUMBERS] / pd.Series({"n": 2.0, "b": 4.0, "c": -1.0, "a": 0.0}),
    "list": lambda self, X: X[["a", "b"]] + [1, 2],
    "array": lambda self, X: X[["a", "b"]] / np.array([3.0, 0.0]),
    "sub by row": lambda self, X: X[["b", "c"]].sub(X["a"], axis=0),
    "div by row": lambda self, X: X[NUMBERS].div(X["n"], axis="index"),
    "rsub": lambda self, X: X[["b", "c"]].rsub(1.0),
    "add with fill": lambda self, X: X[["b"]].add(X[["c"]].set_axis(["b"], axis=1), fill_value=0.0),
    "compare": lambda self, X: X[NUMBERS] > 0,
    "compare method": lambda self, X: X[NUMBERS].le(pd.Series({"a": 1, "b": 0.1, "c": 0.3, "n": 6})),
    "compare by row": lambda self, X: X[["b", "c"]].gt(X["a"], axis=0),
    "compare frames": lambda self, X: X[["b", "c"]] == X[["b", "c"]],
    "conditions": lambda self, X: ((X[["a", "b"]] > 0) & (X[["a", "b"]] < 2)) | ~(X[["a", "b"]] != 7),
    "isna": lambda self, X: X.isna(),
    "notnull": lambda self, X: X.notnull(),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_operators_of_frames(name):
    same(ARITHMETIC[name])


ARRAYS = {
    "values": lambda self, X: X[NUMBERS].values,
    "to_numpy": lambda self, X: X[["a", "n"]].to_numpy(),
    "to_numpy as float": lambda self, X: X[["a", "flag"]].to_numpy(dtype=float),
    "text": lambda self, X: X[["t"]].values,
}


@pytest.mark.parametrize("name", ARRAYS)
def test_frames_as_arrays(name):
    same(ARRAYS[name])


def new_attribute(self, X):
    X.new = X["a"]
    return X


REFUSED = {
    "rows by slice": (lambda self, X: X[:3], "batch"),
    "rows by position": (lambda self, X: X.iloc[0], "batch"),
    "drop of rows": (lambda self, X: X.drop(index=[10]), "production has other rows"),
    "dropna": (lambda self, X: X.dropna(), "fillna"),
    "groupby": (lambda self, X: X.groupby("t")["b"].mean(), "X.merge(table)"),
    "describe": (lambda self, X: X.describe(), "learn it in `fit`"),
    "sort_values": (lambda self, X: X.sort_values("a"), "in any order"),
    "iterrows": (lambda self, X: list(X.iterrows()), "axis=1"),
    "T": (lambda self, X: X.T, "name the columns"),
    "query": (lambda self, X: X.query("a > 1"), "X.loc"),
    "eval": (lambda self, X: X.eval("a + b"), "X['a'] + X['b']"),
    "reset_index": (lambda self, X: X.reset_index(), "drop=True"),
    "set_index": (lambda self, X: X.set_index("a"), "leave the index"),
    "index as values": (lambda self, X: X.assign(i=X.index.values), "a column of its own"),
    "index set": (lambda self, X: X.set_axis([1, 2, 3, 4, 5], axis=0), "X.index"),
    "reindex of rows": (lambda self, X: X.reindex([1, 2]), "columns=..."),
    "list as column": (lambda self, X: X.assign(new=[1, 2, 3, 4, 5]), "X['a'].map"),
    "Series of the training rows": (lambda self, X: X.assign(new=pd.Series([1, 2], index=[10, 7])), "X['a'].map"),
    "other index": (lambda self, X: X.assign(new=X["a"].reset_index(drop=True)), "same index"),
    "frame and Series": (lambda self, X: X[["a", "b"]] * X["c"], "axis=0"),
    "frames of other columns": (lambda self, X: X[["a"]] * X[["b"]], "name the columns alike"),
    "fitted Series of other columns": (
        lambda self, X: X[["a"]] * pd.Series({"a": 1.0, "z": 2.0}),
        "select the columns",
    ),
    "array of objects": (lambda self, X: X.values, "one kind"),
    "bools and numbers as array": (lambda self, X: X[["a", "flag"]].values, "astype(int)"),
    "truth of a frame": (lambda self, X: X if X["a"] > 1 else X[["a"]], "np.where"),
    "unknown method": (lambda self, X: X.to_xarray(), "no rule"),
    "new attribute": (new_attribute, "X['new'] = value"),
    "head": (lambda self, X: X.head(2), "whole columns"),
    "column chosen by rows": (lambda self, X: X.loc[:, X.isna().any()], "in `fit`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_other_rows_is_refused_with_a_remedy(name):
    transform, remedy = REFUSED[name]
    message = refusal(transform, FRAME)
    assert "test_frames.py, line" in message
    assert remedy in message


def test_dtypes_that_differ_by_rows_are_refused():
    def transform(self, X):
        X["m"] = X["t"].str.len()
        return X.select_dtypes("int64")

    assert "differ by rows" in refusal(transform, FRAME.fillna({"t": "x"}))
