"""CatBoost: raw scores with equal bits for both kinds of trees, probabilities within ULPs of exp."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.pipeline import make_pipeline

from pipeline_lib.compiler.adapters.boosters import catboost as adapter
from pipeline_lib.compiler.adapters.boosters.catboost_model import read_model
from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

try:
    from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor
except (ImportError, OSError) as error:
    pytest.skip(f"CatBoost cannot be loaded here: {error}", allow_module_level=True)

RNG = np.random.default_rng(0)
ROWS = 90
X = pd.DataFrame(
    {"a": RNG.normal(size=ROWS) * 3, "b": RNG.integers(0, 6, ROWS), "c": RNG.integers(0, 2, ROWS).astype(bool)}
)
WITH_MISSING = X.assign(a=X["a"].where(X.index % 7 > 0))
ODD = X.assign(a=np.resize([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e39, 1e-40, 1e300], ROWS))
PLACES = X.assign(city=RNG.choice(["Ames", "Łódź", "Åre", "Zoë"], ROWS))
Y = (X["a"] + X["b"] - X["c"]).to_numpy()
PRICES = Y + PLACES["city"].map({"Ames": 1.0, "Łódź": 5.0, "Åre": -3.0, "Zoë": 0.0}).to_numpy()
THREE = np.digitize(Y, [1, 4])
SMALL = {"iterations": 9, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
POLICIES = pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise", "Lossguide"])


@POLICIES
@pytest.mark.parametrize("mode", ["Min", "Max"])
def test_missing_numbers_are_below_or_above_all_borders(policy, mode):
    model = CatBoostRegressor(nan_mode=mode, grow_policy=policy, **SMALL).fit(WITH_MISSING, Y)
    check_estimator(model, WITH_MISSING)
    check_estimator(model, ODD)


def test_numbers_without_missing_ones_in_training():
    model = CatBoostRegressor(nan_mode="Forbidden", **SMALL).fit(X, Y)
    check_estimator(model, X)
    check_estimator(CatBoostRegressor(**SMALL).fit(X, Y), ODD)


LOSSES = ("MAE", "Quantile:alpha=0.3", "Poisson", "Tweedie:variance_power=1.5", "LogLinQuantile", "RMSEWithUncertainty")


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss):
    check_estimator(CatBoostRegressor(loss_function=loss, **SMALL).fit(WITH_MISSING, np.abs(Y) + 0.5), WITH_MISSING)


def test_several_targets_scale_and_bias():
    targets = np.column_stack([Y, -Y])
    check_estimator(CatBoostRegressor(loss_function="MultiRMSE", **SMALL).fit(X, targets), X)
    scaled = CatBoostRegressor(**SMALL).fit(X, Y)
    scaled.set_scale_and_bias(2.5, 1.25)
    check_estimator(scaled, X)


@POLICIES
@pytest.mark.parametrize("loss", [None, "MultiClassOneVsAll"])
def test_classes(policy, loss):
    words = np.array(["low", "mid", "high"], dtype=object)[THREE]
    model = CatBoostClassifier(grow_policy=policy, loss_function=loss, **SMALL).fit(X, words)
    check_estimator(model, X)


@pytest.mark.parametrize("labels", [[0, 1], [5, -3], ["no", "yes"], [False, True], [0.5, 1.5]], ids=str)
def test_two_classes(labels):
    target = np.array(labels, dtype=object if isinstance(labels[0], str) else None)[(Y > 2).astype(int)]
    model = CatBoostClassifier(**SMALL).fit(X, target)
    check_estimator(model, X)
    compiled = compile_pipeline(model, like=X)
    assert compiled.predict(X).tolist() == model.predict(X).tolist()


def test_a_probability_threshold_and_several_labels():
    model = CatBoostClassifier(**SMALL).fit(X, Y > 2)
    model.set_probability_threshold(0.2)
    check_estimator(model, X)
    both = np.column_stack([Y > 2, X["b"] > 3]).astype(int)
    check_estimator(CatBoostClassifier(loss_function="MultiLogloss", **SMALL).fit(X, both), X)


@POLICIES
def test_one_hot_categories(policy):
    options = SMALL | {"cat_features": ["city", "b", "c"], "one_hot_max_size": 10, "grow_policy": policy}
    model = CatBoostRegressor(**options).fit(PLACES, PRICES)
    check_estimator(model, PLACES)
    unseen = PLACES.assign(city=np.resize(["Kyiv", "Łódź", ""], ROWS), b=np.resize([9, -1, 2], ROWS))
    check_estimator(model, unseen)
    compiled = compile_pipeline(model, like=PLACES)
    assert compiled.predict(unseen).tolist() == model.predict(unseen).tolist()
    with pytest.raises(InputError, match="CatBoostRegressor: found a missing value in column 'city'"):
        compiled.predict_row(PLACES.iloc[0].to_dict() | {"city": None})


def test_raw_category_columns():
    rows = PLACES.astype({"city": "category"})
    model = make_pipeline(CatBoostRegressor(cat_features=["city"], one_hot_max_size=10, **SMALL)).fit(rows, PRICES)
    compiled = compile_pipeline(model, like=rows)
    assert compiled.report.exact
    assert compiled.predict(rows).tolist() == model.predict(rows).tolist()


def test_statistics_of_the_target_are_refused_with_a_way_that_works():
    model = CatBoostRegressor(cat_features=["city"], one_hot_max_size=2, **SMALL).fit(PLACES, PRICES)
    with pytest.raises(InputError, match=r"statistics of the target \(CTR\).*set one_hot_max_size=255") as refused:
        compile_pipeline(model, like=PLACES)
    assert "encode the columns in a step before" in str(refused.value)
    remedy = CatBoostRegressor(cat_features=["city"], one_hot_max_size=255, **SMALL).fit(PLACES, PRICES)
    assert compile_pipeline(remedy, like=PLACES).report.exact


def test_texts_are_refused():
    rows = PLACES.assign(note=["red green", "green blue", "blue red"] * 30)[["a", "note"]]
    model = CatBoostRegressor(text_features=["note"], **SMALL).fit(rows, PRICES)
    build = Builder()
    with pytest.raises(NoPlanError, match="found text features, expected numbers and categories"):
        predict(model, [build.input("a", "float64"), build.input("note", "str")], build)


def test_rankers_the_base_class_deep_trees_and_early_stopping():
    ranker = CatBoostRanker(loss_function="PairLogit", **SMALL).fit(X, Y > 2, group_id=np.arange(ROWS) // 15)
    check_estimator(ranker, X)
    check_estimator(CatBoost(SMALL | {"loss_function": "Poisson"}).fit(X, np.abs(Y)), X)
    check_estimator(CatBoostRegressor(**SMALL | {"depth": 9}).fit(X, Y), X)
    stopped = CatBoostRegressor(**SMALL | {"iterations": 200, "learning_rate": 0.9, "early_stopping_rounds": 2})
    stopped.fit(X[:60], Y[:60], eval_set=(X[60:], Y[60:]))
    assert stopped.tree_count_ < 100
    check_estimator(stopped, X)


def test_a_model_that_was_pickled():
    model = CatBoostRegressor(**SMALL).fit(X, Y)
    check_estimator(pickle.loads(pickle.dumps(model)), X)  # noqa: S301  made here


def test_another_side_for_missing_numbers_is_noticed(monkeypatch):
    model = CatBoostRegressor(nan_mode="Max", **SMALL).fit(WITH_MISSING, Y)
    monkeypatch.setattr(adapter, "read_model", lambda step: replace(read_model(step), above=frozenset()))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, WITH_MISSING)


def test_other_columns_of_a_frame_are_left_out():
    """CatBoost keeps names under its own attribute; those of an array are numbers, and say nothing of a frame."""
    model = CatBoostRegressor(**SMALL).fit(X[["b", "a"]], Y)
    wide = X.assign(city=PLACES["city"], target=Y)
    compiled = compile_pipeline(model, like=wide)
    assert compiled.row.names == ("b", "a")
    assert compiled.predict(wide).tolist() == model.predict(X[["b", "a"]]).tolist()
    row = RowSchema((Column("a", "number", nullable=True), Column("b", "integer")))
    assert compile_pipeline(model, like=wide, row=row).predict(wide).tolist() == compiled.predict(wide).tolist()
    unnamed = CatBoostRegressor(**SMALL).fit(X[["b", "a"]].to_numpy(), Y)
    assert compile_pipeline(unnamed, like=X[["b", "a"]]).predict(wide).tolist() == compiled.predict(wide).tolist()
    with pytest.raises(InputError, match=r"found CatBoostError: Bad value.*pass the rows that `fit` got"):
        compile_pipeline(unnamed, like=wide[["city", "a"]])
