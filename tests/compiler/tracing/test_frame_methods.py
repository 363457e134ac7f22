"""Methods of a DataFrame that work value by value, compared with pandas bit for bit."""

import numpy as np
import pandas as pd
import pytest

from tests.compiler.tracing.test_frames import FRAME, NUMBERS, OTHER
from tests.support.tracing import check, refusal

FITTED = pd.Series({"b": 1.5, "c": -2.0, "zzz": 0.0})
CASES = {
    "abs": lambda self, X: X[NUMBERS].abs(),
    "fillna": lambda self, X: X[NUMBERS].fillna(0),
    "fillna by column": lambda self, X: X.fillna({"b": 1.5, "t": "none", "zzz": 3}),
    "fillna with fitted values": lambda self, X: X.fillna(FITTED),
    "fillna with a frame": lambda self, X: X[["b"]].fillna(X[["c"]].rename(columns={"c": "b"})),
    "fillna of text": lambda self, X: X[["t"]].fillna("gone"),
    "replace": lambda self, X: X[NUMBERS].replace(0, 5),
    "replace infinities": lambda self, X: X[["b", "c"]].replace([np.inf, -np.inf], np.nan),
    "replace infinities everywhere": lambda self, X: X.replace([np.inf, -np.inf], np.nan),
    "replace by dict": lambda self, X: X[["a", "t"]].replace({"x": "ex", "yes": "no"}),
    "replace by column": lambda self, X: X.replace({"a": {1: 10, 3: 30}, "t": {"x": "ex"}}),
    "replace in a column": lambda self, X: X.replace({"a": 0}, 100),
    "where": lambda self, X: X[["a", "b"]].where(X[["a", "b"]] > 0, 0),
    "where missing": lambda self, X: X[["b", "c"]].where(X[["b", "c"]] > 0),
    "where by row": lambda self, X: X[["b", "c"]].where(X["a"] > 0, -1.0),
    "where of frames": lambda self, X: X[["b", "c"]].where(X[["b", "c"]] > 0, X[["b", "c"]] * -1),
    "where by functions": lambda self, X: X[["b", "c"]].where(lambda x: x > 0, lambda x: x + 1),
    "mask": lambda self, X: X[["b", "c"]].mask(X[["b", "c"]] < 0, 0.5),
    "mask missing": lambda self, X: X[["b", "c"]].mask(X["flag"]),
    "frame of conditions": lambda self, X: X[["b", "c"]][X[["b", "c"]] > 0],
    "clip": lambda self, X: X[["b", "c"]].clip(-1, 2.5),
    "clip lower": lambda self, X: X[["a", "n"]].clip(lower=0),
    "clip by fitted values": lambda self, X: X[["b", "c"]].clip(FITTED[["b", "c"]], axis=1),
    "clip by two": lambda self, X: X[["b", "c"]].clip(lower=pd.Series({"b": 0.0, "c": -1.0}), upper=[2, 3], axis=1),
    "round": lambda self, X: X[[*NUMBERS, "flag", "t"]].round(1),
    "round by column": lambda self, X: X.round({"b": 1, "c": 0}),
    "astype": lambda self, X: X[["a", "flag"]].astype(float),
    "astype by column": lambda self, X: X.astype({"a": "float64", "flag": int}),
    "bfill": lambda self, X: X[["b", "c"]].bfill(axis=1),
    "ffill": lambda self, X: X[["b", "c"]].ffill(axis=1)["c"],
    "dot": lambda self, X: X[["a", "n"]].dot(np.array([2, -1])),
    "isin": lambda self, X: X[["a", "t"]].isin([1, 7, "x"]),
    "isin by column": lambda self, X: X.isin({"a": [1, 3], "t": ["yes"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_methods_by_value(name):
    check(CASES[name], FRAME, OTHER)


def in_place(self, X):
    X.fillna({"b": 0.0}, inplace=True)
    X.replace({"a": {0: -1}}, inplace=True)
    numbers = X[["a", "b"]]
    numbers.clip(lower=0, inplace=True)
    numbers.where(numbers < 5, 5, inplace=True)
    numbers.mask(numbers == 0, 1, inplace=True)
    X[["a2", "b2"]] = numbers
    return X


@pytest.mark.filterwarnings("ignore")  # pandas warns of inplace
def test_methods_in_place():
    check(in_place, FRAME, OTHER)


REFUSED = {
    "fillna by row": (lambda self, X: X[["b", "c"]].fillna(X["a"]), "column by column"),
    "fillna by method": (lambda self, X: X.ffill(), "in `load`"),
    "cumsum": (lambda self, X: X[NUMBERS].cumsum(axis=1), "with columns"),
    "number in text": (lambda self, X: X.fillna(0), "fillna"),
    "where without axis": (lambda self, X: X[["b"]].where(X[["b"]] > 0, X["c"]), "axis=0"),
    "unknown argument": (lambda self, X: X.fillna(0, limit=1), "no rule"),
    "astype of unknown dtype": (lambda self, X: X[["b"]].astype("complex128"), ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_arguments_are_refused(name):
    transform, remedy = REFUSED[name]
    message = refusal(transform, FRAME)
    assert "test_frame_methods.py, line" in message
    assert remedy in message
