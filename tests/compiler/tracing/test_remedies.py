"""What a refusal says to write instead works: each remedy is applied to the step that was refused, and recorded."""

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from own_refusals import line_of
from tracing import check, refusal

X = pd.DataFrame(
    {
        "a": [3, -2, 0, 8, 5, 3],
        "b": [1.5, np.nan, -0.5, 2.25, 0.0, np.nan],
        "t": pd.Series(["x", "y", "x", "zed", "x", "y"], dtype="str"),
        "when": pd.to_datetime(["2020-01-05", "2021-06-30", "2020-01-01", "2022-02-28", "2020-12-31", "2019-07-01"]),
        "asked": pd.to_datetime(["2023-01-05", "2021-07-30", "2020-01-01", "2023-02-28", "2021-12-31", "2019-07-02"]),
    }
)
NEW = pd.DataFrame(
    {
        "a": [2**31, -7],
        "b": [np.nan, 0.25],
        "t": pd.Series(["unseen", "y"], dtype="str"),
        "when": pd.to_datetime(["2024-02-29", "1999-12-31"]),
        "asked": pd.to_datetime(["2024-03-01", "2000-01-01"]),
    }
)
Fit = Callable[[Any, Any], Any]


def _shown(bad: Any, *says: str) -> None:
    """Assert that a step is refused at its marked line, with a reason and a remedy."""
    message = refusal(bad, X)
    assert f"{line_of(bad, '# here').rsplit('  # here', 1)[0]}" in message, message
    for each in says:
        assert each in message, message
    assert len(message) < 500, len(message)


def _works(good: Any, fit: Fit | None = None) -> None:
    check(good, X, NEW, fit=fit)


def test_statistics_of_the_rows_at_hand() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=X["a"] - X["a"].mean())  # here

    def fit(self, X):
        self.mean_ = X["a"].mean()

    def good(self, X):
        return X[["a"]].assign(z=X["a"] - self.mean_)

    _shown(bad, "a statistic of the rows at hand", "learn it in `fit` and keep it: self.mean_ = X['a'].mean()")
    _works(good, fit)


def test_statistics_by_group() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=X.groupby("t")["a"].transform("mean"))  # here

    def fit(self, X):
        self.table_ = X.groupby("t")["a"].mean()

    def good(self, X):
        return X[["a"]].assign(z=X["t"].map(self.table_))

    _shown(bad, "for one row it would answer otherwise than for many", "group in `fit`", "X['a'].map(table)")
    _works(good, fit)


def test_bins_of_the_rows_at_hand() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=pd.cut(X["a"], 3, labels=False))  # here

    def fit(self, X):
        _, self.edges_ = pd.cut(X["a"], 3, retbins=True)

    def good(self, X):
        return X[["a"]].assign(z=pd.cut(X["a"], self.edges_, labels=False))

    _shown(bad, "the edges depend on the rows at hand", "learn them in `fit`: _, self.edges_ = pd.cut(")
    _works(good, fit)


def test_dropped_rows() -> None:
    def bad(self, X):
        return X.dropna()[["b"]]  # here

    def bad_too(self, X):
        return X[X["a"] > 0][["b"]]  # here

    def good(self, X):
        return X[["b"]].fillna(0)

    _shown(bad, "production predicts each row that it gets", "drop or add rows before the pipeline", "with fillna")
    _shown(bad_too, "some of the rows returned", "drop rows before the pipeline, in `load` or `split`")
    _works(good)


def test_order() -> None:
    def bad(self, X):
        return X.sort_values("when")[["a"]]  # here

    def bad_too(self, X):
        return X[["a"]].assign(z=X["a"].shift(1))  # here

    def good(self, X):
        return X[["a"]]

    _shown(bad, "which rows stand before and after a row depends on the batch", "leave it out")
    _shown(bad_too, "in `load`, where all rows are")
    _works(good)


def test_random_draws() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=X["a"] + np.random.normal())  # here

    def fit(self, X):
        self.draw_ = float(np.random.default_rng(0).normal())

    def good(self, X):
        return X[["a"]].assign(z=X["a"] + self.draw_)

    _shown(bad, "a random draw gives a row another result each time", "draw in `fit` and keep the result on `self`")
    _works(good, fit)


def test_clocks() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=(datetime.datetime.now() - X["when"]).dt.days)  # here

    def fit(self, X):
        self.today_ = pd.Timestamp("2024-05-01")

    def good(self, X):
        return X[["a"]].assign(z=(self.today_ - X["when"]).dt.days)

    def good_too(self, X):
        return X[["a"]].assign(z=(X["asked"] - X["when"]).dt.days)

    _shown(bad, "the time of the call is no part of the row", "the date as a parameter, or take it from a column")
    _works(good, fit)
    _works(good_too)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "rates.json").write_text('{"x": 1.5, "y": 2.0}')

    def bad(self, X):
        rates = json.loads(Path("rates.json").read_text())  # here
        return X[["a"]].assign(z=X["t"].map(rates))

    def fit(self, X):
        self.rates_ = json.loads((tmp_path / "rates.json").read_text())

    def good(self, X):
        return X[["a"]].assign(z=X["t"].map(self.rates_))

    _shown(bad, "production has other files, and no replay can see", "read it in `fit` and keep it on `self`")
    _works(good, fit)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION", "north")

    def bad(self, X):
        return X[["a"]].assign(region=os.environ["REGION"])  # here

    def fit(self, X):
        self.region_ = os.environ["REGION"]

    def good(self, X):
        return X[["a"]].assign(region=self.region_)

    _shown(bad, "production has another environment", "read it in `fit` and keep it on `self`")
    _works(good, fit)


def test_branches_on_values() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=1 if X["a"] > 3 and X["b"] < 2 else 0)  # here

    def good(self, X):
        return X[["a"]].assign(z=np.where((X["a"] > 3) & ~(X["b"] >= 2), 1, 0))

    _shown(bad, "each row may take another branch", "np.where(condition, then, other), and & | ~ for and, or, not")
    _works(good)


def test_branches_on_the_batch() -> None:
    def bad(self, X):
        if (X["a"] < 0).any():  # here
            X = X.assign(a=0)
        return X[["a"]]

    def good(self, X):
        return X[["a"]].assign(a=np.where(X["a"] < 0, 0, X["a"]))

    _shown(bad, "a branch on whether any row of the batch meets a condition", "np.where(condition, then, other)")
    _works(good)


def test_eval() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=eval("X['a'] + X['b']"))  # noqa: S307  # here

    def bad_too(self, X):
        return X.eval("z = a + b")[["z"]]  # here

    def good(self, X):
        X = X.copy()
        X["c"] = X["a"] + X["b"]
        return X[["c"]]

    _shown(bad, "code made at run time cannot be read", "write the code itself")
    _shown(bad_too, "code in text cannot be read", "write X['c'] = X['a'] + X['b']")
    _works(good)


def test_loops_over_a_column() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=[len(word) + 1 for word in X["t"]])  # here

    def good(self, X):
        return X[["a"]].assign(z=X["t"].str.len() + 1)

    def good_too(self, X):
        return X[["a"]].assign(z=X["t"].map(lambda word: len(word) + 1))

    _shown(bad, "a plan works on whole columns", "write it with methods of the column, or column.map(function)")
    _works(good)
    _works(good_too)


def test_narrow_floats() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=X["b"].astype("float32") * 3)  # here

    def good(self, X):
        return X[["a"]].assign(z=X["b"].astype("float32").astype(float) * 3)

    _shown(bad, "rounds to fewer bits than a plan", "cast with astype(float) first")
    _works(good)


def test_state() -> None:
    def bad(self, X):
        self.mean_ = X["a"] * 2  # here
        return X[["a"]].assign(z=self.mean_)

    def good(self, X):
        mean = X["a"] * 2
        return X[["a"]].assign(z=mean)

    _shown(bad, "the result of a row would depend on the calls before", "keep it in a local variable, or learn it in")
    _works(good)


def test_other_rows() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=pd.Series(X["a"].to_numpy() * 2))  # here

    def good(self, X):
        return X[["a"]].assign(z=pd.Series(X["a"].to_numpy() * 2, index=X.index))

    _shown(bad, "pandas aligns them by label", "give both the same index: pd.Series(values, index=X.index)")
    _works(good)


def test_columns_made_of_the_values_at_hand() -> None:
    def bad(self, X):
        X = X.copy()
        for word in X["t"].unique():
            X["is_" + word] = X["t"] == word  # here
        return X

    def fit(self, X):
        self.words_ = sorted(X["t"].unique())

    def good(self, X):
        X = X[["a", "t"]].copy()
        for word in self.words_:
            X["is_" + word] = X["t"] == word
        return X

    _shown(bad, "loop over values that `fit` kept, for word in self.words_")
    _works(good, fit)


def test_values_written_into_text() -> None:
    def bad(self, X):
        return X[["a"]].assign(z=f"{X['t']}_{X['a']}")  # here

    def good(self, X):
        return X[["a"]].assign(z=X["t"] + "_" + X["a"].astype(str))

    _shown(bad, "written into a text", "write 'text' + column.astype(str)")
    _works(good)


def test_learning_in_transform() -> None:
    from sklearn.preprocessing import StandardScaler

    def bad(self, X):
        return StandardScaler().fit_transform(X[["a"]])  # here

    def fit(self, X):
        self.scaler_ = StandardScaler().fit(X[["a"]])

    def good(self, X):
        return self.scaler_.transform(X[["a"]])

    _shown(bad, "is another thing for one row", "call fit in `fit`, and transform or predict here")
    check(good, X, NEW, fit=fit, bounded=True)
