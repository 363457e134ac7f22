import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from pipeline_lib.compiler.adapters.catalog import predict
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.adapters.sklearn import neighbors as sklearn_neighbors
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(8)
X = pd.DataFrame({"a": _RNG.normal(size=50), "b": _RNG.normal(size=50) * 20, "count": _RNG.integers(0, 4, size=50)})
NEW = X.iloc[:30] * 1.1 + 0.01
Y = (X["a"] + X["b"] / 20 + _RNG.normal(size=50)).to_numpy()
BINARY = np.where(Y > 0, "yes", "no")
THREE = np.digitize(Y, [-0.5, 0.5])
METRICS = [
    {},
    {"p": 1},
    {"metric": "manhattan"},
    {"metric": "cityblock"},
    {"metric": "l2"},
    {"metric": "euclidean", "algorithm": "brute"},
    {"algorithm": "brute", "p": 1},
    {"algorithm": "ball_tree"},
]


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("options", METRICS, ids=str)
def test_means_of_neighbours(options, weights):
    model = KNeighborsRegressor(weights=weights, **options).fit(X, Y)
    check_estimator(model, NEW)
    check_estimator(model, X)


@pytest.mark.parametrize("weights", ["uniform", "distance", None])
@pytest.mark.parametrize("target", [BINARY, THREE], ids=["two", "three"])
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_shares_of_classes(weights, target, algorithm):
    model = KNeighborsClassifier(n_neighbors=4, weights=weights, algorithm=algorithm).fit(X, target)
    check_estimator(model, NEW)
    check_estimator(model, X)


def test_several_targets():
    check_estimator(KNeighborsRegressor(3, weights="distance").fit(X, np.column_stack([Y, -Y])), NEW)


def test_equal_votes_choose_the_first_class():
    rows = pd.DataFrame({"x": [0.0, 1.0, 10.0, 11.0]})
    model = KNeighborsClassifier(2).fit(rows, ["b", "a", "a", "b"])
    frame = check_estimator(model, pd.DataFrame({"x": [0.5, 10.2]}))
    assert frame["prediction_0"].tolist() == ["a", "a"]


def test_equal_distances_choose_the_earlier_training_row():
    rows = pd.DataFrame({"x": [1.0, -1.0, 1.0, -1.0]})
    model = KNeighborsRegressor(1).fit(rows, [10.0, 20.0, 30.0, 40.0])
    frame = check_estimator(model, pd.DataFrame({"x": [0.0, 1.0, -1.0]}))
    assert frame["prediction_0"].tolist() == [10.0, 10.0, 20.0]


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_distances_of_0_are_all_that_counts(algorithm):
    rows = pd.DataFrame({"x": [1.0, 1.0, 2.0, 3.0]})
    model = KNeighborsRegressor(3, weights="distance", algorithm=algorithm).fit(rows, [10.0, 20.0, 30.0, 40.0])
    assert check_estimator(model, rows)["prediction_0"].tolist() == [15.0, 15.0, 30.0, 40.0]


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("priors", ["uniform", "empirical"])
@pytest.mark.parametrize("shrink", [None, 0.2])
@pytest.mark.parametrize("target", [BINARY, THREE], ids=["two", "three"])
def test_nearest_centroid(metric, priors, shrink, target):
    rows = X.assign(constant=1.0) if priors == "uniform" and shrink is None else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the constant column
        model = NearestCentroid(metric=metric, priors=priors, shrink_threshold=shrink).fit(rows, target)
    check_estimator(model, rows * 1.1)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (KNeighborsRegressor(p=3), "found metric='minkowski', expected euclidean or manhattan"),
        (KNeighborsRegressor(metric="chebyshev"), "found metric='chebyshev'"),
        (KNeighborsRegressor(metric_params={"w": [1, 2, 3]}), "found metric"),
        (KNeighborsRegressor(weights=lambda d: d), "found weights=.* expected 'uniform' or 'distance'"),
    ],
)
def test_other_options_are_refused(model, message):
    build = Builder()
    with pytest.raises(NoPlanError, match=message):
        predict(model.fit(X, Y), [build.input(name, "float64") for name in X], build)


def test_several_labels_a_row_are_refused():
    build = Builder()
    model = KNeighborsClassifier().fit(X, np.column_stack([BINARY, BINARY]))
    with pytest.raises(NoPlanError, match="found 2 targets, expected one"):
        predict(model, [build.input(name, "float64") for name in X], build)


@pytest.mark.parametrize("wrong", [{"count": 4}, {"metric": "manhattan"}, {"weights": "uniform"}])
def test_an_ignored_option_is_seen(monkeypatch, wrong):
    model = KNeighborsRegressor(weights="distance").fit(X, Y)
    apply = Builder.apply

    def other(self, operation, *inputs, **settings):
        return apply(self, operation, *inputs, **settings | {k: v for k, v in wrong.items() if k in settings})

    monkeypatch.setattr(Builder, "apply", other)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, NEW)


def test_a_target_at_another_place_is_seen(monkeypatch):
    model = KNeighborsRegressor().fit(X, Y)
    monkeypatch.setattr(sklearn_neighbors, "float64_of", lambda s, n: np.roll(getattr(s, n), n == "_y", axis=0) * 1.0)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, NEW)
