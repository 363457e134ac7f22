"""Lags and windows: exact with a declared context of earlier rows, refused without one."""

import numpy as np
import pandas as pd
import pytest
from feature_engine.imputation import ArbitraryNumberImputer
from feature_engine.timeseries.forecasting import ExpandingWindowFeatures, LagFeatures, WindowFeatures
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

ROWS = 400


def series(rows=ROWS):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sold": rng.lognormal(3, 1, rows), "price": rng.integers(1, 50, rows)})
    return frame, frame["sold"].shift(1).fillna(0.0) * 0.5 + frame["price"]


def fitted(*steps):
    frame, target = series()
    filled = ("fill", ArbitraryNumberImputer(arbitrary_number=0))
    return Pipeline([*steps, filled, ("final", LinearRegression())]).fit(frame, target)


LAGS = ("lags", LagFeatures(variables=["sold", "price"], periods=[1, 3], sort_index=False))
WINDOWS = (
    "windows",
    WindowFeatures(variables=["sold"], window=[3, 5], functions=["mean", "std", "max"], periods=2, sort_index=False),
)


@pytest.mark.parametrize(("steps", "context"), [([LAGS], 3), ([WINDOWS], 6), ([LAGS, WINDOWS], 6), ([LAGS], 7)])
def test_rows_with_their_context_have_the_same_bits_in_any_batch(steps, context, tmp_path):
    frame, _ = series()
    pipeline = fitted(*steps)
    compile_pipeline(pipeline, like=frame, context=context).save(tmp_path)
    model = load_model(tmp_path)
    rows, earlier = frame.iloc[context:], frame.iloc[:context]
    whole = model.predict(rows, context=earlier)
    assert np.abs(whole - pipeline.predict(frame)[context:]).max() < 1e-9
    halves = [model.predict(frame.iloc[at : at + 99], context=frame.iloc[:at]) for at in range(context, ROWS, 99)]
    assert np.concatenate(halves).tobytes() == whole.tobytes()
    alone = [
        model.predict_row(frame.iloc[at].to_dict() | {"price": int(frame["price"][at])}, context=frame.iloc[:at])
        for at in range(context, 60)
    ]
    assert np.array(alone).tobytes() == whole[: 60 - context].tobytes()


def test_blocks_overlap_by_the_context(monkeypatch):
    from pipeline_lib.compiled import column_executor as columns

    frame, _ = series()
    model = compile_pipeline(fitted(LAGS), like=frame, context=3)
    whole = model.predict(frame.iloc[3:], context=frame.iloc[:3])
    monkeypatch.setattr(columns, "BLOCK_ROWS", 16)
    assert model.predict(frame.iloc[3:], context=frame.iloc[:3]).tobytes() == whole.tobytes()


def test_a_missing_value_is_carried_as_the_library_carries_it():
    frame, target = series()
    frame.loc[50, "sold"] = np.nan
    step = LagFeatures(variables=["sold"], periods=2, missing_values="ignore", sort_index=False)
    pipeline = Pipeline([("lags", step), ("final", HistGradientBoostingRegressor(max_iter=5))]).fit(frame, target)
    model = compile_pipeline(pipeline, like=frame, context=2)
    assert (model.predict(frame.iloc[2:], context=frame.iloc[:2]) == pipeline.predict(frame)[2:]).all()


def test_without_a_context_the_reason_is_said():
    message = "LagFeatures: found a value that depends on 3 earlier rows, expected at most the declared context of 0.*"
    with pytest.raises(InputError, match=message + "compile with context=3"):
        compile_pipeline(fitted(LAGS), like=series()[0])


@pytest.mark.parametrize("earlier", [None, [], series()[0].head(2)])
def test_a_row_without_enough_context_is_refused(earlier):
    frame, _ = series()
    model = compile_pipeline(fitted(LAGS), like=frame, context=3)
    for call in (
        lambda: model.predict(frame, context=earlier),
        lambda: model.predict_row({"sold": 1.0, "price": 2}, context=earlier),
    ):
        with pytest.raises(InputError, match=r"found \d earlier rows, expected at least 3"):
            call()


def test_earlier_rows_are_checked_too():
    frame, _ = series()
    model = compile_pipeline(fitted(LAGS), like=frame, context=3)
    gap = frame.head(3).assign(sold=np.nan)
    with pytest.raises(InputError, match="earlier row -3: LagFeatures: found a missing value in column 'sold'"):
        model.predict(frame.tail(5), context=gap)


def test_a_pipeline_whose_rows_stand_alone_takes_no_context():
    frame, target = series()
    model = compile_pipeline(Pipeline([("final", LinearRegression())]).fit(frame, target), like=frame)
    with pytest.raises(InputError, match="found 3 earlier rows, expected none"):
        model.predict(frame, context=frame.head(3))


def test_a_lag_taken_one_row_off_is_refused(monkeypatch):
    from pipeline_lib.compiler.builder import Builder

    true = Builder.earlier
    monkeypatch.setattr(Builder, "earlier", lambda self, value, rows, where: true(self, value, rows - 1 or 2, where))
    with pytest.raises(InputError, match="step lags, column 'sold_lag_1'"):
        compile_pipeline(fitted(LAGS), like=series()[0], context=5)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (ExpandingWindowFeatures(variables=["sold"]), "found features of all earlier rows"),
        (WindowFeatures(variables=["sold"], functions="skew"), "found functions='skew'"),
        (WindowFeatures(variables=["sold"], window="3D"), "found window='3D'"),
    ],
)
def test_what_no_fixed_context_holds_is_refused(step, message):
    from pipeline_lib.compiler.adapters.catalog import transform
    from pipeline_lib.compiler.builder import Builder

    build = Builder(context=100)
    step.fit(series()[0])
    columns = {"sold": build.input("sold", "float64"), "price": build.input("price", "int64")}
    with pytest.raises(InputError, match=message):
        transform(step, columns, build)
