"""The demand pipeline that nbs/pipelines/demand.ipynb exports, on its real data, and compiled with its context."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from example import ROOT
from pydantic import ValidationError
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.pipelines import demand
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.run import run_pipeline

Parts = tuple[pd.DataFrame, pd.DataFrame, "pd.Series[float]", "pd.Series[float]"]
PARAMS: dict[str, Any] = {
    "test_weeks": 156,
    "features": {"harmonics": 8, "to_date": False},
    "estimator": {"quantile": 0.5, "alpha": 0.003},
    "business": {"share": 0.01, "over_cost": 0.6, "under_cost": 2.4},
}
WEEK = timedelta(weeks=1)

# feature-engine 1.9 calls what pandas 4 will not have: `dt.dayofyear`, `drop(inplace=True)`
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning:feature_engine")


def params(**changes: Any) -> demand.Params:
    return demand.Params.model_validate({**PARAMS, **changes})


def compiled(pipeline: Pipeline, rows: pd.DataFrame) -> CompiledPipeline:
    return compile_pipeline(pipeline, like=rows, row=schema_of(demand.Row), context=demand.CONTEXT)


@pytest.fixture(scope="module")
def parts() -> Parts:
    return demand.split(demand.load(), params())


@pytest.fixture(scope="module")
def fitted(parts: Parts) -> Pipeline:
    return demand.build(params()).fit(parts[0], parts[2])


@pytest.fixture(scope="module")
def model(fitted: Pipeline, parts: Parts) -> CompiledPipeline:
    return compiled(fitted, parts[0])


def test_load_gives_each_week_once_with_the_demand_of_the_next() -> None:
    frame = demand.load()
    assert frame.shape == (1354, 3)
    assert (frame["week"].diff().iloc[1:] == WEEK).all()
    assert frame["week"].iloc[0] == datetime(1991, 2, 4)
    assert frame["next_week"].iloc[:-1].tolist() == frame["barrels"].iloc[1:].tolist()


@pytest.mark.parametrize(
    ("table", "weeks", "message"),
    [
        ("other", [], "us_gasoline.sqlite: found OperationalError: no such table: gasoline"),
        ("gasoline", ["1991 W06", "1991 W08"], "found weeks in .*us_gasoline.sqlite that do not follow"),
        ("gasoline", ["1991 W06", "1991 W06"], "found weeks in .*us_gasoline.sqlite that do not follow"),
    ],
)
def test_load_refuses_what_is_no_series_of_weeks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, table: str, weeks: list[str], message: str
) -> None:
    database = sqlite3.connect(tmp_path / "us_gasoline.sqlite")
    database.execute(f"create table {table} (week text, barrels real)")
    database.executemany(f"insert into {table} values (?, 6.6)", [(week,) for week in weeks])  # noqa: S608
    database.commit()
    database.close()
    monkeypatch.setattr(demand, "data_path", lambda name: tmp_path / "us_gasoline.sqlite")
    with pytest.raises(InputError, match=message):
        demand.load()


@pytest.mark.parametrize("barrels", [0, -1, np.nan, np.inf, None, "8.1 million"])
def test_row_refuses_a_demand_that_is_none(barrels: Any) -> None:
    with pytest.raises(ValidationError, match="barrels"):
        demand.Row.model_validate({"week": datetime(2016, 5, 2), "barrels": barrels})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("test_weeks", 53),
        ("features", {"harmonics": 0, "to_date": False}),
        ("features", {"harmonics": 8}),
        ("estimator", {"quantile": 1, "alpha": 0.1}),
        ("estimator", {"quantile": 0.5, "alpha": -1}),
        ("business", {"share": 0, "over_cost": 1, "under_cost": 1}),
        ("seed", 0),
    ],
)
def test_params_refuse_values_that_make_no_sense(key: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=key):
        params(**{key: value})


def test_split_is_by_time_and_keeps_every_week_once(parts: Parts) -> None:
    X_train, X_test, y_train, y_test = parts
    assert (len(X_train), len(X_test)) == (1198, 156)
    assert X_train["week"].iloc[-1] + WEEK == X_test["week"].iloc[0]
    assert y_train.iloc[-1] == X_test["barrels"].iloc[0]
    assert list(X_train) == list(X_test) == ["week", "barrels"]
    assert y_test.index.equals(X_test.index)


def test_split_leaves_enough_to_learn_from() -> None:
    with pytest.raises(InputError, match="expected at least 104 before them"):
        demand.split(demand.load().head(200), params())


def test_no_feature_sees_a_later_week_or_one_before_the_context(parts: Parts) -> None:
    rows = parts[0].tail(300)
    pipeline = demand.build(params(features={"harmonics": 2, "to_date": True}))[:-2].fit(rows)
    changed = rows.copy()
    changed.loc[changed.index[150], "barrels"] += 1.0
    moved = ((pipeline.transform(changed) - pipeline.transform(rows)).abs() > 1e-9).any(axis=1).to_numpy().nonzero()[0]
    assert (moved.min(), moved.max()) == (150, 150 + demand.CONTEXT.rows)


def test_the_compiled_pipeline_predicts_what_the_library_does(
    model: CompiledPipeline, fitted: Pipeline, parts: Parts
) -> None:
    X_train, X_test, _, y_test = parts
    predictions = model.predict(X_test, context=X_train)
    expected = fitted.predict(pd.concat([X_train.tail(52), X_test]))[52:]
    assert np.abs(predictions - expected).max() < 1e-9
    assert np.abs(predictions - y_test).mean() < 0.85 * np.abs(X_test["barrels"] - y_test).mean()
    assert model.exact
    assert model.reads == ("week", "barrels")


def test_one_week_with_its_past_has_the_bits_of_the_batch(model: CompiledPipeline, parts: Parts) -> None:
    X_train, X_test, _, _ = parts
    whole = model.predict(X_test, context=X_train)
    known = pd.concat([X_train, X_test])
    for index in (0, 1, 51, 52, 155):
        row = X_test.iloc[index].to_dict()
        assert model.predict_row(row, context=known.iloc[: len(X_train) + index]) == whole[index]


def test_a_forecast_of_a_quarter_is_predict_row_week_by_week(model: CompiledPipeline, parts: Parts) -> None:
    known = parts[0].tail(60).to_dict("records")
    forecast = model.forecast(known, steps=13)
    for step in range(13):
        predicted = model.predict_row(known[-1], context=known[:-1])
        assert predicted == forecast[step]
        known.append({"week": known[-1]["week"] + WEEK, "barrels": predicted})
    assert ((forecast > 7) & (forecast < 11)).all()


def test_the_year_to_date_compiles_and_keeps_its_bits(parts: Parts) -> None:
    X_train = parts[0].tail(330)
    y_train = parts[2].tail(330)
    pipeline = demand.build(params(features={"harmonics": 1, "to_date": True})).fit(X_train, y_train)
    model = compiled(pipeline, X_train)
    assert model.exact
    known = pd.concat([X_train, parts[1]])
    year = known["week"].dt.year == 2014
    steps = model.trace_row(known[year].iloc[19].to_dict(), context=known[known["week"] < known[year]["week"].iloc[19]])
    expected = 0.0
    for value in known["barrels"][year].iloc[19::-1]:
        expected += value
    assert steps["to_date"]["barrels_to_date"] == expected / 20


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ([*range(60), 61], "week: found 2014-01-06 00:00:00 in row 0 after 2013-12-23 00:00:00, expected 2013-12-30"),
        ([*range(61), 60], "found 2013-12-30 00:00:00 in row 0 and in earlier row -1, expected each time once"),
        ([*range(60), 61, 60], "found 2013-12-30 00:00:00 in row 0 after 2014-01-06 00:00:00, expected rows in order"),
        (range(20, 60), "found 39 earlier rows, expected at least 52"),
    ],
    ids=["gap", "doubled", "out of order", "too short"],
)
def test_a_past_that_is_not_the_past_of_the_row_is_refused(
    model: CompiledPipeline, parts: Parts, kept: Any, message: str
) -> None:
    rows = parts[0].tail(63).iloc[list(kept)]
    with pytest.raises(InputError, match=message):
        model.predict_row(rows.iloc[-1].to_dict(), context=rows.iloc[:-1])


def test_metrics_of_60_weeks_are_what_a_hand_computes() -> None:
    """Always 9 but in the last week, 10; always 9.5 predicted."""
    target = np.full(60, 9.0)
    target[-1] = 10.0
    values = demand.metrics(target, np.full(60, 9.5), params())
    over, under = 0.5 * 70_000 * 0.6, 0.5 * 70_000 * 2.4
    assert (values["mae"], values["rmse"], values["bias"]) == (0.5, 0.5, pytest.approx(58 / 60 * 0.5))
    assert values["mase"] == 4.0
    assert values["cost"] == pytest.approx((59 * over + under) / 60)
    assert values["saving"] == pytest.approx(70_000 * 2.4 / 8 - (7 * over + under) / 8)
    assert all(type(value) is float for value in values.values())


@pytest.mark.parametrize(
    ("target", "predictions", "message"),
    [
        (np.ones(60), np.ones(59), r"shape \(60,\) and predictions of shape \(59,\)"),
        (np.ones(53), np.ones(53), "54 rows or more"),
        (np.ones((60, 1)), np.ones((60, 1)), r"shape \(60, 1\)"),
        (np.ones(60), np.full(60, np.nan), "not finite"),
    ],
)
def test_metrics_refuse_what_is_no_column_of_weeks(target: Any, predictions: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        demand.metrics(target, predictions, params())


@pytest.mark.slow
def test_the_whole_run_is_repeated_bit_for_bit(tmp_path: Any) -> None:
    from pipeline_lib.parity.check import check_parity

    record = run_pipeline(ROOT / "params" / "demand.yml", runs=tmp_path)
    parity = check_parity(record)
    assert parity.exact, str(parity)
    assert parity.rows == 156
