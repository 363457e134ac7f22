"""AdaBoost of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pipeline_lib.compiled.operations import weighted_median as medians
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.errors import InputError

RNG = np.random.default_rng(0)
X = pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.integers(0, 5, 60), "c": RNG.normal(size=60)})
Y = np.round(X["a"] * 3 + X["b"] - X["c"], 1).to_numpy()
SEVERAL = {
    "int": np.array([2, -1, 7])[np.digitize(Y, [0, 3])],
    "str": np.array(["low", "mid", "high"], dtype=object)[np.digitize(Y, [0, 3])],
    "bool": Y > 1,
}


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
@pytest.mark.parametrize("inner", [None, DecisionTreeRegressor(max_depth=1), LinearRegression()], ids=str)
def test_regressors(inner, loss):
    check_estimator(AdaBoostRegressor(inner, n_estimators=9, loss=loss, random_state=0).fit(X, Y), X)


@pytest.mark.parametrize("target", SEVERAL)
@pytest.mark.parametrize("inner", [None, DecisionTreeClassifier(max_depth=3), LogisticRegression()], ids=str)
def test_classifiers(inner, target):
    check_estimator(AdaBoostClassifier(inner, n_estimators=6, random_state=0).fit(X, SEVERAL[target]), X)


def test_only_one_class():
    fitted = AdaBoostClassifier(n_estimators=2).fit(X, np.zeros(60, dtype=int))
    assert check_estimator(fitted, X)["prediction_0"].tolist() == [0] * 60


def test_a_perfect_fit_stops_early():
    fitted = AdaBoostClassifier(DecisionTreeClassifier(), n_estimators=5).fit(X, SEVERAL["int"])
    assert len(fitted.estimators_) == 1
    check_estimator(fitted, X)


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_missing_and_infinite_values_are_refused_as_scikit_learn_refuses_them(missing):
    fitted = AdaBoostRegressor(n_estimators=3, random_state=0).fit(X, Y)
    rows = X.assign(a=missing)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        fitted.predict(rows)


def test_a_swapped_weight_is_noticed(monkeypatch):
    fitted = AdaBoostRegressor(n_estimators=9, random_state=0).fit(X, Y)
    plain = OPERATIONS["weighted_median"]
    swapped = {"column": lambda settings: plain.column({"weights": settings["weights"][::-1]})}
    monkeypatch.setitem(OPERATIONS, "weighted_median", type(plain)(**{**vars(plain), **swapped}))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(fitted, X)


@pytest.mark.parametrize(
    ("numbers", "weights", "expected"),
    [([3.0, 1.0, 2.0], [1.0, 1.0, 1.0], 2.0), ([5.0, 5.0, 1.0], [0.1, 0.1, 9.0], 1.0), ([4.0], [0.5], 4.0)],
)
def test_weighted_medians(numbers, weights, expected):
    settings = {"weights": np.array(weights)}
    assert medians._bind_weighted_median(settings)(np.array(numbers)[:, None]).tolist() == [expected]
    assert medians._bind_weighted_median_row(settings)(np.array(numbers)) == expected


def test_a_median_on_the_boundary_is_unsure():
    """Half of the weight lies on either side: rounding decides, so any of both numbers is right."""
    vector, weights = np.array([[1.0], [2.0]]), {"weights": np.array([1.0, 1.0])}
    bound = OPERATIONS["weighted_median"].error_bound(weights, [vector], [0.0], np.array([1.0]))
    assert bound.tolist() == [np.inf]
