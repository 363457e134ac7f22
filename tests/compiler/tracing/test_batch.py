"""Questions about the whole batch: they may guard it, or change the rows that meet the condition, and nothing else."""
# ruff: noqa: SIM108, TRY301

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from own_refusals import line_of
from tracing import check, refusal

TRAINING = pd.DataFrame(
    {
        "a": [3, -2, 0, 8, 5, -3],
        "b": [1.5, np.nan, -0.5, 2.25, 0.0, np.nan],
        "c": [1.0, 9.5, 3.25, 0.0, 9.0, 10.0],
        "size": [1, 0, 3, 2, 2, 0],
        "t": pd.Series(["x", None, "y", "x", "", "z"], dtype="str"),
        "g": pd.Series(["u", "v", "w", "u", "u", "v"], dtype="str"),
        "f": [True, False, True, True, False, False],
    }
)
OTHER = pd.DataFrame(
    {
        "a": [-1, 2, 7, 0, 1],
        "b": [np.nan, 0.0, 5.0, np.nan, -1.0],
        "c": [2.0, np.nan, 9.5, 4.0, -6.0],
        "size": [0, -1, 91, 2, -7],
        "t": pd.Series([None, "x", None, "", "q"], dtype="str"),
        "g": pd.Series(["w", "u", "unseen", None, "v"], dtype="str"),
        "f": [False, True, False, True, True],
    }
)
WHOLE = TRAINING.assign(b=1.0, c=TRAINING["c"].clip(upper=5.0), a=TRAINING["a"].abs())
MEDIANS = pd.Series({"a": 1, "b": 0.25, "c": 2.5})


def asserted(self, X):
    if not (X["size"] >= 0).all():
        raise AssertionError("negative")
    return X[["a"]]


def any_of_values(self, X):
    if X[["a", "c"]].isnull().values.any():
        raise ValueError("missing")
    return X[["a"]]


def counted(self, X):
    if X["c"].isna().sum() > 0:
        raise ValueError("missing")
    return X[["a"]]


def asked_numpy(self, X):
    if np.any(X["size"] < 0):
        raise ValueError("x")
    return X[["a"]]


def subset(self, X):
    if not set(X["f"]) <= {True, False}:
        raise ValueError("x")
    return X[["a"]]


def warned(self, X):
    if X["b"].isna().any():
        warnings.warn("missing", stacklevel=2)
    return X[["a"]]


def printed(self, X):
    if X["b"].isna().sum() > 0:
        print("missing", X["b"].isna().sum())
    return X[["a"]]


def filled(self, X):
    X = X.copy()
    if X["b"].isna().any():
        X["b"] = X["b"].fillna(0)
    return X[["b"]]


def filled_columns(self, X):
    X = X.copy()
    for c in ["a", "b", "c"]:
        if X[c].isnull().sum() > 0:
            X[c] = X[c].fillna(self.medians_[c])
    return X[["a", "b", "c"]]


def set_by_loc(self, X):
    X = X.copy()
    m = X["size"] < 0
    if m.any():
        X.loc[m, "size"] = 0
    return X[["size"]]


def returned_early(self, X):
    if not (X["size"] < 0).any():
        return X[["size"]]
    X = X.copy()
    X.loc[X["size"] < 0, "size"] = 0
    return X[["size"]]


def any_of_any(self, X):
    if X[["a", "b"]].isna().any().any():
        X = X.fillna({"b": 0})
    return X[["a", "b"]]


def sum_of_sum(self, X):
    if X[["a", "c"]].isnull().sum().sum() > 0:
        raise ValueError("x")
    return X[["a"]]


def largest_sum(self, X):
    if X[["a", "c"]].isnull().sum().max() > 0:
        raise ValueError("x")
    return X[["a"]]


def any_sum(self, X):
    if (X[["a", "c"]].isnull().sum() > 0).any():
        raise ValueError("x")
    return X[["a"]]


def all_sums(self, X):
    if not (X[["a", "c"]].isnull().sum() == 0).all():
        raise ValueError("x")
    return X[["a"]]


def all_of_all(self, X):
    if not (X[["c", "size"]] >= -5).all().all():
        raise ValueError("x")
    return X[["a"]]


def loop_that_raises(self, X):
    for w in X["g"].unique():
        if w not in {"u", "v", "w"}:
            raise ValueError(f"unknown {w}")
    return X[["a"]]


def list_of_unknown(self, X):
    bad = [w for w in X["g"].unique() if w not in ["u", "v", "w"]]
    if bad:
        raise ValueError(f"unknown {bad}")
    return X[["a"]]


def length_of_unknown(self, X):
    bad = [w for w in X["g"].unique() if w not in ["u", "v", "w"]]
    if len(bad) > 0:
        raise ValueError(f"unknown {bad}")
    return X[["a"]]


def cast_after(self, X):
    X = X.copy()
    if X["b"].isna().any():
        X["b"] = X["b"].fillna(0)
    X["b"] = X["b"].astype(int)
    return X[["b"]]


def set_where_missing(self, X):
    X = X.copy()
    if X["b"].isnull().sum():
        X.loc[X["b"].isnull(), "b"] = self.medians_["b"]
    return X[["b"]]


def kept_where(self, X):
    X = X.copy()
    m = X["c"] > 9
    if m.any():
        X["c"] = X["c"].where(~m, 9.0)
    return X[["c"]]


def chosen_by_numpy(self, X):
    X = X.copy()
    m = X["c"] > 9
    if m.any():
        X["c"] = np.where(m, 9.0, X["c"])
    return X[["c"]]


def filled_text(self, X):
    X = X.copy()
    if X["t"].isna().any():
        X["t"] = X["t"].fillna("none")
    return X[["t"]]


def several(self, X):
    X = X.copy()
    if (X["a"] < 0).any():
        X.loc[X["a"] < 0, "a"] = 0
    if X["b"].isna().any():
        X["b"] = X["b"].fillna(X["a"])
    if (X["size"] > 90).any():
        raise ValueError("big")
    return X[["a", "b", "size"]]


GOOD = [
    asserted,
    any_of_values,
    counted,
    asked_numpy,
    subset,
    warned,
    printed,
    filled,
    filled_columns,
    set_by_loc,
    returned_early,
    any_of_any,
    sum_of_sum,
    largest_sum,
    any_sum,
    all_sums,
    all_of_all,
    loop_that_raises,
    list_of_unknown,
    length_of_unknown,
    cast_after,
    set_where_missing,
    kept_where,
    chosen_by_numpy,
    filled_text,
    several,
]


@pytest.mark.parametrize("function", GOOD)
@pytest.mark.parametrize("training", [TRAINING, WHOLE], ids=["rows meet conditions", "no row meets one"])
@pytest.mark.filterwarnings("ignore:missing")
def test_a_guard_or_change_of_the_rows_that_meet_a_condition_is_recorded(function: Any, training: Any) -> None:
    check(function, training, OTHER, TRAINING, state={"medians_": MEDIANS})


def swallowed(self, X):
    try:
        if (X["size"] < 0).any():
            raise ValueError("x")
    except ValueError:
        X = X.assign(a=0)
    return X[["a"]]


def count_as_column(self, X):
    return X[["a"]].assign(z=X["b"].isna().sum())


def answer_as_column(self, X):
    return X[["a"]].assign(z=X["b"].isna().any())


def answer_multiplied(self, X):
    return X[["a"]] * X["f"].any()


def answer_in_where(self, X):
    return X[["a"]].assign(z=np.where(X["f"].any(), X["a"], 0))


def compared_with_five(self, X):
    if (X["f"]).sum() > 5:
        raise ValueError("many")
    return X[["a"]]


def any_of_all(self, X):
    if X[["b", "c"]].isna().all().any():
        raise ValueError("x")
    return X[["a"]]


def all_of_any(self, X):
    if X[["b", "c"]].isna().any().all():
        raise ValueError("x")
    return X[["a"]]


def one_column(self, X):
    if X[["b"]].isna().any():
        raise ValueError("x")
    return X[["a"]]


def columns_with_missing(self, X):
    for c in X.columns[X.isna().sum() > 0]:
        X[c] = 0
    return X[["a"]]


def chosen_columns(self, X):
    return X[X.columns[X.isna().any()]]


def answer_of_column(self, X):
    if X.isna().any()["b"]:
        raise ValueError("x")
    return X[["a"]]


def listed_columns(self, X):
    bad = X.columns[X.isna().any()].tolist()
    if bad:
        raise ValueError(str(bad))
    return X[["a"]]


def columns_by_loc(self, X):
    return X.loc[:, X.isna().any()]


def number_of_values(self, X):
    return X[["a"]].assign(z=len(X["g"].unique()))


def counted_values(self, X):
    n = 0
    for _ in X["g"].unique():
        n += 1
    return X[["a"]].assign(z=n)


def listed_values(self, X):
    return X[["a"]].assign(z=len(list(X["g"].unique())))


def named_by_value(self, X):
    X = X.copy()
    for w in X["g"].unique():
        X["is_" + w] = X["g"] == w
    return X


def first_value(self, X):
    return X[["a"]].assign(z=X["g"] == X["g"].unique()[0])


def number_of_known(self, X):
    good = [w for w in X["g"].unique() if w in ["u", "v", "w"]]
    return X[["a"]].assign(n=len(good))


def size_of_set(self, X):
    return X[["a"]].assign(n=len(set(X["g"])))


def absent_values(self, X):
    return X[["a"]].assign(n=len({"u", "v"} - set(X["g"])))


def common_values(self, X):
    if set(X["g"]) & {"q"}:
        raise ValueError("q")
    return X[["a"]]


def equal_sets(self, X):
    if set(X["f"]) != {True, False}:
        raise ValueError("q")
    return X[["a"]]


def else_changes(self, X):
    if X["b"].isna().any():
        X = X.assign(b=X["b"].fillna(0))
    else:
        X = X.assign(b=X["b"] * 1)
    return X[["b"]]


def flag_of_branch(self, X):
    if X["b"].isna().any():
        X = X.assign(b=X["b"].fillna(0), flag=1)
    else:
        X = X.assign(flag=0)
    return X[["b", "flag"]]


def column_of_branch(self, X):
    X = X.copy()
    for c in ["b", "c"]:
        if X[c].isna().any():
            X[c + "_missing"] = X[c].isna()
    return X[[c for c in X.columns if c.startswith(("b", "c"))]]


def check_of_branch(self, X):
    X = X.copy()

    def f(v):
        if v > 100:
            raise ValueError("x")
        return v

    if (X["a"] < 0).any():
        X["unused"] = X["c"].map(f)
    return X[["a"]]


def nested(self, X):
    X = X.copy()
    if X["b"].isna().any():
        if (X["a"] < 0).any():
            X["b"] = X["b"].fillna(-1)
        else:
            X["b"] = X["b"].fillna(1)
    return X[["b"]]


def numbered_values(self, X):
    return X[["a"]].assign(z=X["g"].map({w: i for i, w in enumerate(sorted(X["g"].unique()))}))


BAD = [
    (swallowed, ".any()", "a branch on whether any row"),
    (count_as_column, "return ", "used as a value"),
    (answer_as_column, "return ", "used as a value"),
    (answer_multiplied, "return ", "used as a value"),
    (answer_in_where, "return ", "batch-wide answer"),
    (compared_with_five, "> 5", "another number than 0"),
    (any_of_all, ".all().any()", "answers for each column"),
    (all_of_any, ".any().all()", "answers for each column"),
    (one_column, ".any()", "write .any() behind it"),
    (columns_with_missing, "for c in", "used as a value"),
    (chosen_columns, "return ", "used as a value"),
    (answer_of_column, ".any()", "used as a value"),
    (listed_columns, "bad =", "used as a value"),
    (columns_by_loc, "return ", "choose them in `fit`"),
    (number_of_values, "return ", "different values"),
    (counted_values, "for _ in", "how many different values"),
    (listed_values, "return ", "different values"),
    (named_by_value, 'X["is_"', "for word in self.words_"),
    (first_value, "return ", "different values"),
    (number_of_known, "good =", "a branch on whether any row"),
    (size_of_set, "return ", "different values"),
    (absent_values, "return ", "different values"),
    (common_values, "if set", "different values"),
    (equal_sets, "if set", "different values"),
    (else_changes, ".any()", "a branch on"),
    (flag_of_branch, ".any()", "a branch on"),
    (column_of_branch, ".any()", "a branch on"),
    (check_of_branch, ".any()", "a branch on"),
    (nested, "< 0).any()", "a branch on"),
    (numbered_values, "return ", "different values"),
]


@pytest.mark.parametrize(("function", "line", "why"), BAD, ids=[function.__name__ for function, *_ in BAD])
def test_what_depends_on_the_batch_is_refused(function: Any, line: str, why: str) -> None:
    message = refusal(function, TRAINING)
    assert f"{line_of(function, line)}: found " in message, message
    assert why in message, message


def test_rows_of_a_guard_are_refused_by_its_own_message() -> None:
    trace = check(counted, TRAINING, OTHER)
    assert [node.settings["expected"] for node in trace.nodes if "expected" in node.settings] == [
        "a row for which the step's code raises ValueError: missing, expected one that it accepts"
    ]


def remembered(self, X):
    X, filled = X.copy(), False
    if X["b"].isna().any():
        X["b"], filled = X["b"].fillna(0), True
    if filled and (X["a"] < 0).any():
        X.loc[X["a"] < 0, "a"] = 0
    return X[["a", "b"]]


def none_met(self, X):
    X, met = X.copy(), 0
    for name in ("a", "c"):
        if (X[name] < 0).any():
            X.loc[X[name] < 0, name], met = 0, met + 1
    if not met:
        X["size"] = 0
    return X[["a", "c", "size"]]


@pytest.mark.parametrize("function", [remembered, none_met])
@pytest.mark.parametrize("training", [TRAINING, WHOLE], ids=["rows meet conditions", "no row meets one"])
def test_branches_that_depend_on_each_other_are_refused(function: Any, training: Any) -> None:
    assert "found a branch on whether any row" in refusal(function, training)


def test_the_order_of_several_branches_is_kept() -> None:
    def ordered(self, X):
        X = X.copy()
        if (X["a"] < 0).any():
            X.loc[X["a"] < 0, "a"] = 10
        if (X["a"] > 9).any():
            X.loc[X["a"] > 9, "a"] = 9
        return X[["a"]]

    check(ordered, TRAINING, OTHER)
    check(ordered, WHOLE, OTHER)
