"""Which constants own code compares with: those of its source, of what it calls, and of its fitted state."""

from datetime import date
from functools import wraps
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pipeline_lib import RowwiseTransformer
from pipeline_lib.compiler.code_constants import own_code

LIMITS = {"low": 11, "high": 12.5}


def helper(values: Any) -> Any:
    """The docstring names 77, which no code uses."""
    return values == LIMITS["low"]


def logged(function: Any) -> Any:
    @wraps(function)
    def wrapped(*args: Any) -> Any:
        return function(*args) if args else 55

    return wrapped


def over(values: Any) -> Any:
    return values > 3333


class Base(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> Self:
        self.means_ = np.array([1.25, 2.5])
        self.words_ = pd.Series({"Ames": 7, "Boone": 8})
        self.day_ = date(2020, 2, 3)
        self.feature_names_in_ = np.array(["size"])
        self.unused = 999 if X is None else None
        return self

    def inherited(self, X: Any) -> Any:
        return X == 2009


class Step(Base):
    @logged
    def transform(self, X: Any) -> Any:
        kept = [value for value in X if value != 2010]
        return helper(kept) or (lambda x: x == "rare word")(X)

    @property
    def shift(self) -> int:
        return 2011

    def plan(self, columns: Any, build: Any) -> Any:
        return {**columns, "x": 4444}


def test_constants_of_code_and_state_are_found() -> None:
    found = own_code(Step().fit([1]))
    assert found.names == ("Step",)
    assert {2009, 2010, 2011, 11, 12.5, "low", "rare word", 1.25, 2.5, "Ames", 7, date(2020, 2, 3)} <= set(
        found.constants
    )
    assert not {77, 55, 999, 4444, "size"} & set(found.constants)


def test_a_rowwise_transformer_is_own_code_but_its_base_class_is_not() -> None:
    class Guarded(RowwiseTransformer):
        def transform(self, X: pd.DataFrame) -> pd.DataFrame:
            return X.where(X != 2010, 0.5)

    found = own_code(Guarded().fit(pd.DataFrame({"x": [1.0]})))
    assert set(found.constants) == {2010, 0.5, 1}  # 1 is n_features_in_


def test_own_code_inside_steps_of_a_library_is_found() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    held = ColumnTransformer([("own", FunctionTransformer(over), ["a"]), ("scale", StandardScaler(), ["a"])]).fit(frame)
    found = own_code(held)
    assert found.names == ("over",)
    assert found.constants == (3333,)


def test_a_librarys_step_holds_no_own_code() -> None:
    assert own_code(StandardScaler().fit([[1.0], [2.0]])).names == ()
    assert own_code(FunctionTransformer(np.log1p)).names == ()


def test_large_state_is_cut() -> None:
    class Wide(Base):
        def fit(self, X: Any, y: Any = None) -> Self:
            self.table_ = {f"w{index}": float(index) for index in range(100_000)}
            return self

    assert len(own_code(Wide().fit([1])).constants) == 200
