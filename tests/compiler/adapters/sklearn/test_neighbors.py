import warnings

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestCentroid,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
from sklearn.pipeline import make_pipeline

from pipeline_lib.compiler.adapters.catalog import predict, transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import neighbors as sklearn_neighbors
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
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
    {"p": 3},
    {"p": 1.5, "algorithm": "brute"},
    {"p": 2.5, "metric_params": {"w": [1.0, 0.5, 2.0]}},
    {"metric": "chebyshev"},
    {"metric": "chebyshev", "algorithm": "ball_tree"},
    {"metric": "canberra", "algorithm": "ball_tree"},
    {"metric": "braycurtis", "algorithm": "brute"},
    {"metric": "hamming", "algorithm": "ball_tree"},
    {"metric": "sqeuclidean"},
    {"metric": "seuclidean", "metric_params": {"V": [1.0, 0.25, 3.0]}},
    {"metric": "mahalanobis", "metric_params": {"V": [[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 3.0]]}},
    {"metric": "cosine"},
    {"metric": "correlation"},
    {"metric": "nan_euclidean"},
]
TRUTHS = ["jaccard", "dice", "rogerstanimoto", "russellrao", "sokalsneath", "yule"]


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
        (KNeighborsRegressor(metric=lambda a, b: abs(a - b).sum()), "found metric=.* a function of one's own is code"),
        (KNeighborsRegressor(weights=lambda d: d), "found weights=.* a function of one's own is code"),
    ],
)
def test_other_options_are_refused(model, message):
    build = Builder()
    with pytest.raises(NoPlanError, match=message):
        predict(model.fit(X, Y), [build.input(name, "float64") for name in X], build)


def test_rows_of_distances_are_refused():
    build = Builder()
    model = KNeighborsRegressor(metric="precomputed").fit(np.abs(np.subtract.outer(Y, Y)), Y)
    with pytest.raises(NoPlanError, match="found metric='precomputed', expected a metric that production can compute"):
        predict(model, [build.input(name, "float64") for name in X], build)


@pytest.mark.parametrize("kind", [KNeighborsTransformer, RadiusNeighborsTransformer])
def test_a_column_for_each_training_row_is_refused(kind):
    build = Builder()
    with pytest.raises(RefusedStepError, match="whose output has a column for each training row"):
        transform(kind().fit(X), {name: build.input(name, "float64") for name in X}, build)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_several_labels_a_row(weights):
    labels = np.column_stack([THREE, THREE[::-1] > 1])
    model = KNeighborsClassifier(4, weights=weights).fit(X, labels)
    pipeline = make_pipeline(model)
    compiled = compile_pipeline(pipeline, like=X)
    assert np.array_equal(compiled.predict(X), model.predict(X))
    assert list(compiled.predict_row(X.iloc[3].to_dict())) == model.predict(X.iloc[[3]])[0].tolist()


@pytest.mark.filterwarnings("ignore:Data was converted to boolean")
@pytest.mark.parametrize("algorithm", ["brute", "ball_tree"])
@pytest.mark.parametrize("metric", TRUTHS)
def test_metrics_of_truths(metric, algorithm):
    truths = pd.DataFrame(_RNG.integers(0, 2, (60, 7)), columns=list("abcdefg"))
    truths["a"] = 1  # scipy has no distance of rows without any truth
    target = truths.sum(axis=1).to_numpy() + _RNG.normal(size=60)
    if metric == "yule":
        algorithm = "brute"
    check_estimator(KNeighborsRegressor(3, metric=metric, algorithm=algorithm).fit(truths, target), truths)


def test_distances_on_a_sphere():
    places = pd.DataFrame({"lat": _RNG.uniform(-1.5, 1.5, 60), "lon": _RNG.uniform(-3.1, 3.1, 60)})
    for algorithm in ("brute", "ball_tree"):
        model = KNeighborsRegressor(3, metric="haversine", algorithm=algorithm, weights="distance")
        check_estimator(model.fit(places, places["lat"]), places * 0.99)


def test_missing_numbers_where_the_metric_allows_them():
    gaps = X.mask(_RNG.random(X.shape) < 0.2)
    check_estimator(KNeighborsRegressor(3, metric="nan_euclidean").fit(gaps, Y), gaps)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree", "ball_tree"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_means_within_a_radius(weights, algorithm, metric):
    model = RadiusNeighborsRegressor(3.0, weights=weights, algorithm=algorithm, metric=metric).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows without a neighbour
        frame = check_estimator(model, NEW)
        check_estimator(model, X)
    assert frame["prediction_0"].isna().any()


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("outlier", ["no", "far", "most_frequent"])
def test_shares_within_a_radius(weights, outlier):
    model = RadiusNeighborsClassifier(3.0, weights=weights, outlier_label=outlier).fit(X, BINARY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an outlier's label that is no class
        frame = check_estimator(model, NEW)
    lonely = frame[["probability_0", "probability_1"]].max(axis=1) == 0
    assert lonely.any() == (outlier == "far")
    assert (frame["prediction_0"][lonely] == outlier).all()


GRID = pd.DataFrame(np.random.default_rng(2).integers(0, 4, (200, 3)).astype(float), columns=["a", "b", "c"])
GRID_CLASSES = np.random.default_rng(3).integers(0, 3, 200)
LONELY = pd.DataFrame({"a": [100.0, -50.0], "b": [0.0, 2.0], "c": [7.0, 1.0]})


@pytest.mark.filterwarnings("ignore:Outlier label")
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("outlier", [7, 0, "most_frequent"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_labels_of_outliers_without_a_tree(weights, outlier, metric):
    """Points of integers lie at the radius; the library counts classes by another function for each option."""
    options = {"algorithm": "brute", "metric": metric, "weights": weights, "outlier_label": outlier}
    model = RadiusNeighborsClassifier(1.0, **options).fit(GRID, GRID_CLASSES)
    rows = pd.concat([GRID, LONELY], ignore_index=True)
    compiled = compile_pipeline(model, like=rows)
    assert compiled.predict(rows).tolist() == model.predict(rows).tolist()
    np.testing.assert_allclose(compiled.predict_proba(rows), model.predict_proba(rows), atol=1e-12)
    expected = np.bincount(GRID_CLASSES).argmax() if outlier == "most_frequent" else outlier
    assert compiled.predict(LONELY).tolist() == [expected] * 2
    assert [compiled.predict_row(row) for row in LONELY.to_dict("records")] == [expected] * 2
    assert compiled.report.steps[0].flips == 0


def test_points_at_the_radius_that_a_ball_tree_leaves_out_are_counted():
    """The distance of a ball's centre less its radius rounds to more than 1, so its points at 1 are not looked at."""
    options = {"metric": "manhattan", "outlier_label": 7}
    model = RadiusNeighborsClassifier(1.0, algorithm="ball_tree", **options).fit(GRID, GRID_CLASSES)
    every = RadiusNeighborsClassifier(1.0, algorithm="kd_tree", **options).fit(GRID, GRID_CLASSES)
    compiled = compile_pipeline(model, like=GRID)
    left_out = np.abs(model.predict_proba(GRID) - every.predict_proba(GRID)).max(axis=1) > 1e-12
    assert left_out.any()
    np.testing.assert_allclose(compiled.predict_proba(GRID), every.predict_proba(GRID), atol=1e-12)
    output = compiled.report.outputs[1]
    assert (output.changed, output.reason, output.detail) == (left_out.sum(), "ties", "points at the radius")
    assert compiled.report.steps[0].flips == left_out.sum()


def test_a_row_without_neighbours_is_refused_as_by_the_library():
    model = RadiusNeighborsClassifier(3.0).fit(X, BINARY)
    compiled = compile_pipeline(make_pipeline(model), like=X)
    far = {"a": 1e6, "b": 0.0, "count": 1}
    with pytest.raises(InputError, match="expected a training row within the radius"):
        compiled.predict_row(far)
    with pytest.raises(ValueError, match="No neighbors found"):
        model.predict(pd.DataFrame([far]))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_local_outliers(contamination):
    model = LocalOutlierFactor(6, novelty=True, contamination=contamination).fit(X)
    frame = check_estimator(model, pd.concat([NEW, NEW * 5], ignore_index=True))
    assert set(frame["prediction_0"]) == {-1, 1}


def test_outliers_among_the_training_rows_alone_are_refused():
    build = Builder()
    with pytest.raises(RefusedStepError, match="found novelty=False"):
        predict(LocalOutlierFactor().fit(X), [build.input(name, "float64") for name in X], build)


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
