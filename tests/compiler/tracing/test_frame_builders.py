"""Frames made with pd.DataFrame, pd.concat, join and merge, compared with pandas bit for bit."""

import numpy as np
import pandas as pd
import pytest

from tests.compiler.tracing.test_frames import FRAME, OTHER
from tests.support.tracing import check, refusal

pytestmark = pytest.mark.filterwarnings("ignore:The 'lsuffix'", "ignore:You are merging on int and float:UserWarning")

MADE = {
    "dict": lambda self, X: pd.DataFrame({"s": X["a"], "half": X["b"] / 2, "one": 1, "t": X["t"]}, index=X.index),
    "dict without index": lambda self, X: pd.DataFrame({"s": X["a"], "one": "x"}),
    "dict of arrays": lambda self, X: pd.DataFrame({"s": X[["a"]].values[:, 0], "one": 1.5}),
    "dict of arrays with index": lambda self, X: pd.DataFrame({"s": X[["a"]].values[:, 0], "b": X["b"]}, index=X.index),
    "dict with columns": lambda self, X: pd.DataFrame({"s": X["a"], "u": X["b"]}, columns=["u"]),
    "dict later": lambda self, X: pd.DataFrame({"s": X["a"]}).assign(u=X["b"]),
    "index, then columns": lambda self, X: pd.DataFrame(index=X.index).assign(u=X["b"], v=X["a"] * 2),
    "array": lambda self, X: pd.DataFrame(X[["a", "b"]].values, columns=["x", "y"], index=X.index).assign(n=X["n"]),
    "array alone": lambda self, X: pd.DataFrame(X[["a", "b"]].values),
    "frame": lambda self, X: pd.DataFrame(X),
    "columns of a frame": lambda self, X: pd.DataFrame(X, columns=["b", "a"]),
    "Series": lambda self, X: pd.DataFrame(X["a"]).assign(b=X["b"]),
    "dict of items": lambda self, X: pd.DataFrame(dict(X.items())),
    "concat": lambda self, X: pd.concat([X[["a"]], X["b"], X[["t"]].rename(columns={"t": "u"})], axis=1),
    "concat of a dict": lambda self, X: pd.concat({"x": X["a"], "y": X["b"]}, axis=1),
    "concat with keys": lambda self, X: pd.concat([X["a"], X["b"]], axis=1, keys=["x", "y"]),
    "concat with new names": lambda self, X: pd.concat([X["a"], X["b"]], axis="columns", ignore_index=True),
    "concat of a part": lambda self, X: pd.concat(
        [X.reset_index(drop=True)[["a"]], pd.DataFrame({"z": X[["b"]].values[:, 0]})], axis=1
    ),
    "concat of a generator": lambda self, X: pd.concat((X[[name]] for name in ("a", "b")), axis=1),
    "concat with None": lambda self, X: pd.concat([X["a"], None, X["b"]], axis=1),
    "squeezed": lambda self, X: X[["a"]].squeeze("columns"),
    "join": lambda self, X: X[["a"]].join(X[["b", "t"]]),
    "join of several": lambda self, X: X[["a"]].join([X[["b"]], X[["t"]]]),
    "join with two suffixes": lambda self, X: X[["a"]].join(X[["a"]], suffixes=("_1", "_2")),
    "join with suffixes": lambda self, X: X[["a"]].join(X[["a"]], rsuffix="_2"),
    "merge by the index": lambda self, X: pd.merge(X[["a"]], X[["b"]], left_index=True, right_index=True),
}


@pytest.mark.parametrize("name", MADE)
def test_frames_of_columns(name):
    check(MADE[name], FRAME, OTHER)


def filled_later(self, X):
    out = pd.DataFrame()
    out["a"] = X["a"]
    out["twice"] = out["a"] * 2
    known = pd.DataFrame(columns=["t", "b"])
    known["b"] = X["b"]
    known["t"] = X["t"]
    return out.join(known)


def test_an_empty_frame_takes_the_rows_of_its_first_column():
    check(filled_later, FRAME, OTHER)


TEXTS = pd.DataFrame(
    {"t": ["x", "yes", "zzz"], "mean": [0.5, np.nan, 3.0], "rows": [1, 2, 3], "word": ["A", None, "C"]}
)
NUMBERS = pd.DataFrame(
    {"a": [1, 3, -2], "level": [10, 20, 30], "since": pd.to_datetime(["2020-01-01", None, "1990-05-05"])}
)
FLOATS = pd.DataFrame({"b": [0.5, np.nan, -1.25, 2.0], "level": [1.5, 2.5, 3.5, 4.5]})
PAIRS = pd.DataFrame(
    {"t": ["x", "x", None, "yes"], "a": [1, 7, -2, 0], "mean": [0.5, 1.5, 2.5, 3.5], "label": list("ABCD")}
)
BY_NAME = TEXTS.set_index("t")[["mean"]]
SERIES = TEXTS.set_index("t")["mean"]

JOINED = {
    "on text": (TEXTS, lambda self, X: X.merge(self.table_, on="t", how="left")),
    "on integers": (NUMBERS[["a", "level"]], lambda self, X: X.merge(self.table_, on="a", how="left")),
    "on floats": (FLOATS, lambda self, X: X.merge(self.table_, on="b", how="left")),
    "float keys of integers": (
        FLOATS.rename(columns={"b": "a"}),
        lambda self, X: X.merge(self.table_, on="a", how="left"),
    ),
    "one value column": (TEXTS[["t", "rows"]], lambda self, X: pd.merge(X, self.table_, how="left")),
    "text values": (TEXTS[["t", "word"]], lambda self, X: pd.merge(X, self.table_, on=["t"], how="left")),
    "other name": (
        TEXTS.rename(columns={"t": "k"}),
        lambda self, X: X.merge(self.table_, left_on="t", right_on="k", how="left"),
    ),
    "suffixes": (
        TEXTS.rename(columns={"mean": "b"}),
        lambda self, X: X.merge(self.table_, on="t", how="left", suffixes=("", "_r")),
    ),
    "index": (
        BY_NAME,
        lambda self, X: X.merge(self.table_, left_on="t", right_index=True, how="left").assign(c=X["c"]),
    ),
    "no value column": (TEXTS[["t"]], lambda self, X: X.merge(self.table_, on="t", how="left")),
    "join": (BY_NAME, lambda self, X: X.join(self.table_, on="t").assign(c=X["c"])),
    "join of a Series": (SERIES, lambda self, X: X.join(self.table_, on="t")),
    "join with a suffix": (
        BY_NAME.set_axis(["b"], axis=1),
        lambda self, X: X.join(self.table_, on="t", rsuffix="_mean"),
    ),
    "filled": (TEXTS[["t", "mean"]], lambda self, X: X.merge(self.table_, on="t", how="left").drop(columns=["t", "d"])),
}


@pytest.mark.parametrize("name", JOINED)
def test_fitted_tables_by_their_keys(name):
    table, transform = JOINED[name]
    check(transform, FRAME, OTHER, state={"table_": table})


PAIRED = {
    "two keys": (PAIRS, lambda self, X: X.merge(self.table_, on=["t", "a"], how="left")),
    "one value": (PAIRS.drop(columns="label"), lambda self, X: X.merge(self.table_, on=["t", "a"], how="left")),
    "join": (PAIRS.set_index(["t", "a"]), lambda self, X: X.join(self.table_, on=["t", "a"])),
    "dates": (NUMBERS, lambda self, X: X.merge(self.table_, on="a", how="left")),
}


@pytest.mark.parametrize("name", PAIRED)
def test_fitted_tables_by_several_keys(name):
    table, transform = PAIRED[name]
    check(transform, FRAME, OTHER, state={"table_": table})


TWICE = pd.DataFrame({"t": ["x", "x"], "mean": [0.5, 1.5]})
REFUSED = {
    "rows": (lambda self, X: pd.concat([X, X]), "axis=1"),
    "constant first": (lambda self, X: pd.DataFrame().assign(one=1), "index=X.index"),
    "one value": (lambda self, X: X[["a"]].squeeze(), "squeeze('columns')"),
    "other index": (
        lambda self, X: pd.concat([X, pd.DataFrame(X[["a"]].values, columns=["z"])], axis=1),
        "index=X.index",
    ),
    "fitted frame": (lambda self, X: pd.concat([X, self.table_], axis=1), "merge or map"),
    "own index": (lambda self, X: pd.DataFrame({"a": X["a"]}, index=[1, 2, 3]), "index=X.index"),
    "list in a frame": (lambda self, X: pd.DataFrame({"a": X["a"], "z": [1, 2, 3, 4, 5]}), "one constant"),
    "list of columns": (lambda self, X: pd.DataFrame([X["a"], X["b"]]), "dict of columns"),
    "columns that are not there": (lambda self, X: pd.DataFrame(X, columns=["a", "zzz"]), "frame['new']"),
    "Series of another index": (
        lambda self, X: pd.DataFrame({"a": X["a"]}, index=X.reset_index(drop=True).index),
        "index=X.index",
    ),
    "inner merge": (lambda self, X: X.merge(self.table_, on="t"), "how='left'"),
    "same key twice": (lambda self, X: X.merge(TWICE, on="t", how="left"), "drop_duplicates(['t'])"),
    "indicator": (lambda self, X: X.merge(self.table_, on="t", how="left", indicator=True), "no rule"),
    "merge of rows": (lambda self, X: X.merge(X[["t"]], on="t", how="left"), "learn the table in `fit`"),
    "join by labels": (lambda self, X: X.join(self.table_[["mean"]], rsuffix="_r"), "on='column'"),
    "keys of another kind": (lambda self, X: X.merge(self.table_, left_on="a", right_on="t", how="left"), "merge"),
    "bool values": (lambda self, X: X.merge(self.table_.assign(good=True), on="t", how="left"), "astype(int)"),
    "constants alone": (lambda self, X: pd.DataFrame({"n": X["a"]}).assign(z=pd.DataFrame({"z": [1]})), "X['a'].map"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rows_of_another_kind_are_refused(name):
    transform, remedy = REFUSED[name]
    message = refusal(transform, FRAME, state={"table_": TEXTS})
    assert "test_frame_builders.py, line" in message
    assert remedy in message


NUMBERED = pd.DataFrame({"k": [1, 0, -7, 3], "t": pd.Series(["a", "", None, "b"], dtype="str")})


def test_dummies_of_integers_are_named_as_they_are_written():
    names = ["k_0", "k_-7", "k_03", "k_--7", "k_-0", "k_\u00b2", "k_1.0", "k_9223372036854775808", "t_a", "t_"]

    def transform(self, X):
        return pd.get_dummies(X, columns=["k", "t"]).reindex(columns=names, fill_value=0)

    check(transform, NUMBERED, NUMBERED.assign(k=[-7, 2, 2, 2]), NUMBERED.iloc[:1])
