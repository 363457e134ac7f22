"""Gradient boosting of scikit-learn: raw scores with equal bits, probabilities within a few ULPs."""

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import boosting as sklearn_boosting
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

RNG = np.random.default_rng(0)
ROWS = 80
X = pd.DataFrame(
    {"a": RNG.normal(size=ROWS), "b": RNG.integers(0, 5, ROWS), "c": RNG.integers(0, 2, ROWS).astype(bool)}
)
Y = np.round(X["a"] * 3 + X["b"] - X["c"], 2).to_numpy()
MISSING = X.assign(a=X["a"].where(np.arange(ROWS) % 7 != 0))
BEYOND = MISSING.assign(a=MISSING["a"].replace(MISSING["a"].iloc[1], np.inf).replace(MISSING["a"].iloc[2], -np.inf))
GROUPS = {
    "int": np.array([2, -1, 7])[np.digitize(Y, [0, 3])],
    "str": np.array(["low", "mid", "high"], dtype=object)[np.digitize(Y, [0, 3])],
    "bool": Y > 1,
    "two": np.where(Y > 1, "yes", "no").astype(object),
}
GRADIENT = {"n_estimators": 4, "random_state": 0}
HISTOGRAM = {"max_iter": 4, "min_samples_leaf": 5, "early_stopping": False, "random_state": 0}


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
@pytest.mark.parametrize("init", [None, "zero", DummyRegressor(strategy="quantile", quantile=0.3)], ids=str)
def test_gradient_regressors(loss, init):
    model = GradientBoostingRegressor(loss=loss, init=init, alpha=0.8, learning_rate=0.3, subsample=0.9, **GRADIENT)
    check_estimator(model.fit(X, Y), X)


@pytest.mark.parametrize("target", GROUPS, ids=str)
@pytest.mark.parametrize("init", [None, "zero", DummyClassifier(strategy="most_frequent")], ids=str)
def test_gradient_classifiers(target, init):
    check_estimator(GradientBoostingClassifier(init=init, **GRADIENT).fit(X, GROUPS[target]), X)


def test_gradient_classifier_with_exponential_loss():
    check_estimator(GradientBoostingClassifier(loss="exponential", **GRADIENT).fit(X, GROUPS["two"]), X)


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
def test_gradient_classifier_starts_from_another_classifier(loss):
    model = GradientBoostingClassifier(init=DecisionTreeClassifier(max_depth=2), loss=loss, **GRADIENT)
    check_estimator(model.fit(X, GROUPS["two"]), X)


@pytest.mark.parametrize(
    ("model", "score"),
    [
        (GradientBoostingClassifier(init="zero", learning_rate=365.0, n_estimators=1), -730.0),
        (GradientBoostingClassifier(loss="exponential", init="zero", learning_rate=365.0, n_estimators=1), -365.0),
        (HistGradientBoostingClassifier(learning_rate=265.0, **HISTOGRAM | {"max_iter": 1}), -730.0),
    ],
    ids=["log_loss", "exponential", "histogram"],
)
def test_a_score_far_below_0_has_probability_0_as_in_scipy(model, score):
    """Its true sigmoid is a subnormal number, but `scipy.special.expit` divides 1 by an infinite number."""
    fitted = model.fit(X, GROUPS["two"])
    assert fitted.decision_function(X).min() == pytest.approx(score, abs=1.0)
    assert check_estimator(fitted, X)["probability_1"].min() == 0.0


def test_gradient_boosting_starts_from_another_estimator():
    check_estimator(GradientBoostingRegressor(init=DecisionTreeRegressor(max_depth=2), **GRADIENT).fit(X, Y), X)
    model = GradientBoostingClassifier(init=DecisionTreeClassifier(max_depth=2), **GRADIENT)
    check_estimator(model.fit(X, GROUPS["str"]), X)


def test_gradient_boosting_refuses_missing_values_as_scikit_learn_does():
    model = GradientBoostingRegressor(**GRADIENT).fit(X, Y)
    with pytest.raises(ValueError, match="NaN"):
        model.predict(MISSING)
    with pytest.raises(ValueError, match="NaN"):
        check_estimator(model, MISSING)
    build = Builder()
    predict(model, [build.input(name, "float64") for name in X], build)
    assert any(node.operation == "single_range" and not node.settings["missing"] for node in build.nodes)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile", "poisson", "gamma"])
@pytest.mark.parametrize("rows", [MISSING, BEYOND, X.assign(a=np.nan).iloc[:1]], ids=["missing", "infinite", "one"])
def test_histogram_regressors(loss, rows):
    model = HistGradientBoostingRegressor(loss=loss, quantile=0.3, l2_regularization=0.1, **HISTOGRAM)
    check_estimator(model.fit(MISSING, Y - Y.min() + 1), rows)


def test_histogram_regressor_fitted_without_missing_values_routes_them():
    check_estimator(HistGradientBoostingRegressor(**HISTOGRAM).fit(X, Y), MISSING)


@pytest.mark.parametrize("target", GROUPS, ids=str)
def test_histogram_classifiers(target):
    model = HistGradientBoostingClassifier(class_weight="balanced", **HISTOGRAM)
    check_estimator(model.fit(MISSING, GROUPS[target]), MISSING)


CITIES = pd.DataFrame(
    {
        "a": MISSING["a"],
        "city": pd.Series(RNG.choice(["Ames", "Oslo", "Rom", "Bern", "Lima", "Bonn"], ROWS), dtype=object),
        "zone": RNG.integers(0, 40, ROWS),
        "flag": RNG.integers(0, 2, ROWS).astype(bool),
    }
)
CITIES.loc[::9, "city"] = np.nan
PRICES = CITIES["city"].map({"Ames": 3.0, "Rom": -2.0, "Lima": 5.0}).fillna(0.0) + CITIES["zone"] % 7 + CITIES["flag"]


@pytest.mark.parametrize("leaves", [3, 31], ids=["small", "large"])
@pytest.mark.parametrize("chosen", [["city"], ["city", "zone", "flag"]], ids=["text", "all"])
def test_histogram_categories(chosen, leaves):
    """Seen, unseen and missing categories of text, integers and truths."""
    settings = HISTOGRAM | {"min_samples_leaf": 2, "max_leaf_nodes": leaves}
    model = HistGradientBoostingRegressor(categorical_features=chosen, **settings)
    known = CITIES if "city" in chosen else CITIES.drop(columns="city")
    fitted = model.fit(known, PRICES)
    unseen = known.assign(city=known["city"].replace("Rom", "Kyiv"))
    for rows in (known, unseen, unseen.assign(zone=unseen["zone"] + 30)):
        check_estimator(fitted, rows)


def test_histogram_categories_from_dtypes():
    rows = CITIES.assign(city=CITIES["city"].astype("category"))
    model = HistGradientBoostingClassifier(**HISTOGRAM).fit(rows, np.where(PRICES > 3, "dear", "cheap"))
    check_estimator(model, rows)


def test_an_ignored_category_would_be_noticed(monkeypatch):
    plain = sklearn_boosting._histogram_nodes

    def wrong(predictor, size):
        nodes = plain(predictor, size)
        nodes.sets[:, 0] ^= True
        return nodes

    fitted = HistGradientBoostingRegressor(categorical_features=["city"], **HISTOGRAM).fit(CITIES, PRICES)
    monkeypatch.setattr(sklearn_boosting, "_histogram_nodes", wrong)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(fitted, CITIES)


@pytest.mark.parametrize("wrong", ["one ULP in one tree", "two trees swapped"])
def test_a_small_mistake_would_be_noticed(monkeypatch, wrong):
    plain = sklearn_boosting.sum_of_trees

    def mistaken(build, values, trees, check, **settings):
        if wrong == "two trees swapped":
            return plain(build, values, trees[::-1], check, **settings)
        trees[0].value[:] = np.nextafter(trees[0].value, np.inf)
        return plain(build, values, trees, check, **settings)

    fitted = GradientBoostingRegressor(init="zero", **GRADIENT).fit(X, Y)
    monkeypatch.setattr(sklearn_boosting, "sum_of_trees", mistaken)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(fitted, X)


def test_an_initial_estimator_that_draws_random_numbers_is_refused():
    fitted = GradientBoostingClassifier(init=DummyClassifier(strategy="uniform", random_state=0), **GRADIENT)
    fitted.fit(X, GROUPS["two"])
    build = Builder()
    with pytest.raises(RefusedStepError, match=r"strategy='uniform'.*draws no random numbers"):
        predict(fitted, [build.input(name, "float64") for name in X], build)


@pytest.mark.parametrize("init", [Ridge(), Lasso(0.01), LinearRegression()], ids=str)
def test_an_initial_linear_model_of_float32(init):
    fitted = GradientBoostingRegressor(init=init, **GRADIENT).fit(X, Y)
    found = check_estimator(fitted, X)["prediction_0"]
    np.testing.assert_allclose(found, fitted.predict(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("target", GROUPS)
@pytest.mark.parametrize("init", [LogisticRegression(), LogisticRegression(C=0.1)], ids=str)
def test_an_initial_classifier_of_float32(init, target):
    fitted = GradientBoostingClassifier(init=init, **GRADIENT).fit(X, GROUPS[target])
    found = check_estimator(fitted, X)
    assert found["prediction_0"].tolist() == fitted.predict(X).tolist()
    shares = found.filter(like="probability").to_numpy()
    np.testing.assert_allclose(shares, fitted.predict_proba(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("init", [make_pipeline(StandardScaler(), Ridge()), KernelRidge()], ids=str)
def test_an_initial_estimator_of_float32_agrees_within_its_digits(init):
    fitted = GradientBoostingRegressor(init=init, **GRADIENT).fit(X, Y)
    model = compile_pipeline(fitted, like=X)
    np.testing.assert_allclose(model.predict(X), fitted.predict(X), rtol=1e-5, atol=1e-5)
    assert model.report.steps[0].float32
    assert model.report.outputs[0].reason == "float32"
