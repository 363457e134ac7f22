"""Lags without an imputer: the first rows lack them, in training only; and the context that all steps need."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from feature_engine.timeseries.forecasting import LagFeatures, WindowFeatures
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

ROWS = 90
_RNG = np.random.default_rng(1)
SALES = pd.DataFrame({"sold": _RNG.normal(size=ROWS).cumsum(), "price": _RNG.normal(size=ROWS)})
TARGET = SALES["sold"].shift(-1).fillna(0.0)
OPTIONS = {"variables": ["sold"], "sort_index": False, "missing_values": "ignore"}


def lags(periods: Any) -> LagFeatures:
    return LagFeatures(periods=periods, **OPTIONS)


MEAN = WindowFeatures(window=5, periods=1, functions="mean", **OPTIONS)


def fit_on_complete_rows(*steps: Any) -> Any:
    """A pipeline of lags and other steps, where these were fitted on the rows that have every lag."""
    rows, target = SALES, TARGET
    for step in steps[:-1]:
        rows = step.fit_transform(rows)
        complete = ~np.isnan(np.asarray(rows, dtype=float)).any(axis=1)
        rows, target = rows[complete], target[complete]
    steps[-1].fit(rows, target)
    return make_pipeline(*steps)


@pytest.mark.parametrize(
    ("steps", "context"),
    [
        ((lags([1, 2, 24]), LinearRegression()), 24),
        ((lags([1, 24]), StandardScaler(), PCA(2), Ridge()), 24),
        ((lags([1, 2]), lags([3]), LinearRegression()), 3),
        ((lags(2), MEAN, RandomForestRegressor(3, random_state=0)), 5),
        ((lags(2), WindowFeatures(window=3, functions="mean", **OPTIONS | {"variables": ["sold_lag_2"]}), Ridge()), 5),
    ],
    ids=["lags", "scaled lags", "two steps of lags", "a window", "a window of lags"],
)
def test_the_first_rows_lack_their_lags(steps: Any, context: int) -> None:
    fitted = fit_on_complete_rows(*steps)
    with pytest.raises(InputError, match=f"depends on {context} earlier rows, .* compile with context={context}"):
        compile_pipeline(fitted, like=SALES)
    model = compile_pipeline(fitted, like=SALES, context=context)
    rows, earlier = SALES.iloc[context:], SALES.iloc[:context]
    found = model.predict(rows, context=earlier)
    known = SALES
    for step in steps[:-1]:
        known = step.transform(known)
        known = known[~np.isnan(np.asarray(known, dtype=float)).any(axis=1)]
    expected = steps[-1].predict(known)
    assert found[len(found) - len(expected) :] == pytest.approx(expected, rel=1e-9)
    one = [model.predict_row(rows.iloc[at].to_dict(), context=SALES.iloc[at : at + context]) for at in (0, 1, 9)]
    assert one == found[[0, 1, 9]].tolist()


def test_a_value_that_is_missing_in_the_context_is_refused_where_a_lag_needs_it() -> None:
    model = compile_pipeline(fit_on_complete_rows(lags([1, 3]), LinearRegression()), like=SALES, context=3)
    earlier = SALES.iloc[:3].copy()
    earlier.loc[1, "sold"] = np.nan  # two rows before: no lag reads it for the first row, but for the second
    assert model.predict(SALES.iloc[3:4], context=earlier).shape == (1,)
    with pytest.raises(InputError, match="row 1: LinearRegression: found a missing value in column 'sold_lag_3'"):
        model.predict(SALES.iloc[3:6], context=earlier)


def test_fewer_rows_than_lags_are_refused() -> None:
    fitted = fit_on_complete_rows(lags([1, 24]), LinearRegression())
    with pytest.raises(InputError, match="found 20 rows in `like`, expected the training rows, more than the context"):
        compile_pipeline(fitted, like=SALES.head(20), context=24)
