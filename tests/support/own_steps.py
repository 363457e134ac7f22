"""Own steps of every kind that `RowwiseTransformer` allows, and a frame for them."""

from typing import Any, Self

import numpy as np
import pandas as pd

from pipeline_lib import RowwiseTransformer


class Ratio(RowwiseTransformer):
    """Debt by income, with the training rows' median where the income is missing."""

    def __init__(self, name: str = "ratio") -> None:
        self.name = name

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the median income."""
        self.median_ = float(X["income"].median())
        self.target_ = y
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The frame with the ratio."""
        return X.assign(**{self.name: X["debt"] / X["income"].fillna(self.median_)})

    def plan(self, columns: dict[str, Any], build: Any) -> dict[str, Any]:
        return {**columns, self.name: columns["debt"] / build.fill(columns["income"], self.median_)}


class Flagged(Ratio):
    """A subclass of a subclass: its own `fit` and `transform` call those above, on other columns."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        self.flag_ = 2.0
        super().fit(X.assign(extra=1.0), y)
        self.largest_ = float(X["debt"].max()) * self.flag_
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        wide = super().transform(X.assign(extra=1.0)).drop(columns="extra")
        return wide.assign(flag=wide["debt"] > self.largest_)


class Halved(RowwiseTransformer):
    """Nothing to learn: no `fit`."""

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X / 2


class Centred(RowwiseTransformer):
    """A `fit` without a target, which counts how often its `transform` is called."""

    def fit(self, X: pd.DataFrame) -> Self:
        self.mean_, self.calls_ = X.mean(), 0
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        self.calls_ += 1
        return X - self.mean_


class WeightedMean(RowwiseTransformer):
    """A `fit` that needs a target and takes a further argument."""

    def fit(self, X: pd.DataFrame, y: Any, *, weight: float = 1.0) -> Self:
        self.mean_ = float(np.mean(y)) * weight
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(mean=self.mean_)


class Learning:
    """`fit` and `transform` of a class that is no step."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        self.largest_ = X.max()
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X / self.largest_


class Mixed(Learning, RowwiseTransformer):
    """Takes both from the mixin."""


STEPS = [Ratio, Flagged, Halved, Centred, Mixed]


def loans() -> pd.DataFrame:
    return pd.DataFrame({"income": [100.0, np.nan, 300.0, 200.0], "debt": [20.0, 50.0, 30.0, 0.0]}, index=[7, 3, 5, 1])
