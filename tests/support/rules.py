"""Rules of thumb and small rows, for tests of `RuleModel`."""

from typing import Any

import numpy as np
import pandas as pd


def passengers() -> tuple[pd.DataFrame, pd.Series]:
    """Six passengers, one of unknown age, and who goes first."""
    sex = ["female", "male", "male", "female", "male", "male"]
    X = pd.DataFrame({"sex": sex, "age": [30.0, 4.0, 40.0, 8.0, None, 15.0], "fare": [8.0, 9.0, 7.0, 50.0, 7.0, 13.0]})
    return X, pd.Series([1, 1, 0, 1, 0, 0])


def first_bools(X: Any) -> Any:
    return (X["sex"] == "female") | (X["age"] < 15)


def women_and_children(X: Any) -> Any:
    return np.where((X["sex"] == "female") | (X["age"] < 15), 1, 0)


def words(X: Any) -> Any:
    return np.where(first_bools(X), "yes", "no")


def younger(X: Any, than: float) -> Any:
    return (X["age"] < than).astype("int64")


def learn_shares(X: Any, y: Any) -> dict[str, float]:
    """The shares of survivors, moved a little away from 0 and 1."""
    first = first_bools(X)
    return {"first": 0.1 + 0.8 * y[first].mean(), "others": 0.1 + 0.8 * y[~first].mean()}


def chance(X: Any, learned: Any) -> Any:
    return np.where(first_bools(X), learned["first"], learned["others"])


def prices() -> tuple[pd.DataFrame, pd.Series]:
    """Four homes in two places, and their prices."""
    X = pd.DataFrame({"place": ["hill", "hill", "river", "river"], "area": [100, 50, 80, 40]})
    return X, pd.Series([200.0, 100.0, 240.0, 120.0])


def learn_prices(X: Any, y: Any) -> dict[str, Any]:
    per = y / X["area"]
    return {"here": per.groupby(X["place"]).median(), "anywhere": per.median()}


def by_area(X: Any, learned: Any) -> Any:
    return X["area"] * X["place"].map(learned["here"]).fillna(learned["anywhere"])


def by_area_of_known_places(X: Any, learned: Any) -> Any:
    return X["area"] * X["place"].map(learned["here"])
