"""Nearest neighbours: classifiers and regressors by count and by radius, LocalOutlierFactor, and NearestCentroid."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import check_condition, dense_inputs, vector_input
from pipeline_lib.compiler.adapters.outputs import (
    class_labels,
    class_prediction,
    float64_of,
    log_softmax,
    nearest_label,
)
from pipeline_lib.compiler.adapters.registry import (
    NoPlanError,
    Outputs,
    RefusedStepError,
    estimator,
    option_error,
    transformer,
)
from pipeline_lib.compiler.adapters.sklearn.neighbor_settings import (
    SEARCH_OPTIONS,
    neighbor_inputs,
    search_settings,
    tie_settings,
)
from pipeline_lib.compiler.builder import Builder, Value


def nearest_points(step: Any, values: Sequence[Value], build: Builder, count: int) -> Value:
    """Distances and indices of the nearest training rows, with the library's own choice among equal distances."""
    settings = search_settings(step) | tie_settings(step, count)
    return build.apply("nearest", neighbor_inputs(step, values, build), count=count, **settings)


_AT_RADIUS = 1e-12  # relative
_ANY, _LARGEST = 1e20, 1.7e308  # ULPs of a scale: an infinite bound


def _weights(step: Any) -> str:
    weights = step.weights or "uniform"
    if callable(weights):
        raise NoPlanError(
            f"{type(step).__name__}: found weights={weights!r}, expected 'uniform' or 'distance'; a function of one's "
            "own is code, which a plan cannot hold"
        )
    return str(weights)


def _neighbor_means(step: Any, values: Sequence[Value], build: Builder, targets: Any) -> list[Value]:
    """The weighted means of the neighbours' targets."""
    weights = _weights(step)
    nearest = nearest_points(step, values, build, int(step.n_neighbors))
    return build.items(build.apply("neighbour_mean", nearest, targets=targets, weights=weights))


@estimator("sklearn.neighbors._regression.KNeighborsRegressor", options=f"n_neighbors weights {SEARCH_OPTIONS}")
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean target of the nearest training rows, for each target."""
    targets = float64_of(step, "_y")
    return Outputs(_neighbor_means(step, values, build, targets.reshape(len(targets), -1)))


@estimator("sklearn.neighbors._classification.KNeighborsClassifier", options=f"n_neighbors weights {SEARCH_OPTIONS}")
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The share of each class among the nearest training rows; the first of the largest shares decides."""
    return _voted(build, _labels(step), _neighbor_means(step, values, build, _indicators(step)))


def _labels(step: Any) -> list[list[Any]]:
    """The classes of each target."""
    return [class_labels(labels) for labels in (step.classes_ if step.outputs_2d_ else [step.classes_])]


def _indicators(step: Any) -> Any:
    """1 for the class of each training row, 0 for others: the classes of all targets next to each other."""
    targets = np.asarray(step._y).reshape(len(step._y), -1)
    parts = [np.eye(len(labels))[own] for labels, own in zip(_labels(step), targets.T, strict=True)]
    return np.concatenate(parts, axis=1)


def _voted(build: Builder, labels: Sequence[list[Any]], shares: Sequence[Value]) -> Outputs:
    """The class of the largest share for each target; `shares` are those of all targets, next to each other."""
    chosen, start = [], 0
    for own in labels:
        chosen.append(class_prediction(build, shares[start : start + len(own)], own))
        start += len(own)
    return Outputs(chosen, shares, classes=labels[0] if len(labels) == 1 else ())


def _within_radius(step: Any, values: Sequence[Value], build: Builder, targets: Any) -> tuple[list[Value], Value]:
    """The weighted means of the targets within the radius, and how many training rows there are."""
    inputs, settings = neighbor_inputs(step, values, build), search_settings(step)

    def within(radius: float) -> list[Value]:
        options: dict[str, Any] = {"targets": targets, "weights": _weights(step), **settings}
        return build.items(build.apply("within_radius", inputs, radius=radius, **options))

    radius = float(step.radius)
    result = within(radius)
    if build.checking and step._fit_method == "ball_tree":
        # it leaves a ball out whose rounded distance less its rounded radius is beyond, with a point at the radius
        clear = within(radius * (1 - _AT_RADIUS))[-1].equals(within(radius * (1 + _AT_RADIUS))[-1])
        result = [build.where(clear, value, build.allow_ulps(value, _ANY, build.value(_LARGEST))) for value in result]
    return result[:-1], result[-1]


@estimator("sklearn.neighbors._regression.RadiusNeighborsRegressor", options=f"radius weights {SEARCH_OPTIONS}")
def radius_regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean target of the training rows within a radius; NaN where there are none."""
    targets = np.asarray(step._y)
    if targets.dtype.kind in "iu":  # scikit-learn fills in NaN as an integer there
        targets = targets.astype(np.float64)
        means, count = _within_radius(step, values, build, targets.reshape(len(targets), -1))
        where = "a training row within the radius (an integer target has no missing value)"
        means[0] = check_condition(means[0], count > 0.0, "any", step, where, "widen the radius, or fit a float target")
        return Outputs(means)
    targets = float64_of(step, "_y")
    return Outputs(_within_radius(step, values, build, targets.reshape(len(targets), -1))[0])


@estimator(
    "sklearn.neighbors._classification.RadiusNeighborsClassifier",
    options=f"radius weights outlier_label {SEARCH_OPTIONS}",
)
def radius_classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The share of each class among the training rows within a radius; without any the outlier's label."""
    labels = _labels(step)
    shares, count = _within_radius(step, values, build, _indicators(step))
    lonely = count.equals(0.0)
    if step.outlier_label_ is None:
        where, advice = "a training row within the radius", "correct the row, widen the radius, or set outlier_label"
        shares = [check_condition(share, ~lonely, "any", step, where, advice) for share in shares]
        return _voted(build, labels, shares)
    outliers = [label.item() if isinstance(label, np.generic) else label for label in step.outlier_label_]
    known = [float(label == own) for own_labels, own in zip(labels, outliers, strict=True) for label in own_labels]
    shares = [build.where(lonely, share, mean) for share, mean in zip(known, shares, strict=True)]
    voted = _voted(build, labels, shares)
    chosen = [
        value if own in own_labels else build.where(lonely, own, value)
        for value, own_labels, own in zip(voted.prediction, labels, outliers, strict=True)
    ]
    return Outputs(chosen, shares, classes=voted.classes)


@estimator("sklearn.neighbors._lof.LocalOutlierFactor", options=f"n_neighbors contamination novelty {SEARCH_OPTIONS}")
def local_outliers(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Minus the outlier factor, less the offset: -1 where that is below 0, else 1."""
    if not step.novelty:
        raise RefusedStepError(
            "LocalOutlierFactor: found novelty=False, expected novelty=True; without it the model judges only the rows "
            "that it was fitted on"
        )
    count = int(step.n_neighbors_)
    factor = build.apply(
        "outlier_factor",
        nearest_points(step, values, build, count),
        reaches=np.asarray(step._distances_fit_X_[:, count - 1], dtype=np.float64),
        densities=np.asarray(step._lrd, dtype=np.float64),
    )
    decision = -factor - float(step.offset_)
    return Outputs([build.where(decision < 0.0, -1, 1)], decision=[decision])


@transformer(
    "sklearn.neighbors._graph.KNeighborsTransformer",
    "sklearn.neighbors._graph.RadiusNeighborsTransformer",
    options=f"mode n_neighbors radius {SEARCH_OPTIONS}",
)
def graph(step: Any, columns: Any, build: Builder) -> Any:
    """Refused: the columns are as many as the training rows."""
    raise RefusedStepError(
        f"{type(step).__name__}: found a step whose output has a column for each training row, expected features of "
        "one row; use the neighbours' estimator itself, such as KNeighborsClassifier, which computes the same distances"
    )


@estimator("sklearn.neighbors._nearest_centroid.NearestCentroid", options="metric shrink_threshold priors")
def nearest_centroid(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The class of the nearest centroid; scores divide columns by their spread and include the class priors."""
    if step.metric not in ("euclidean", "manhattan"):
        raise option_error(step, "metric", "euclidean or manhattan")
    classes, prior = class_labels(step.classes_), float64_of(step, "class_prior_")
    scores = _centroid_scores(step, values, build, prior)
    if np.isclose(prior, 1 / len(classes)).all():  # the condition of `NearestCentroid.predict`
        inputs = vector_input(step, values, build)  # without division by the spread
        chosen = nearest_label(build, inputs, float64_of(step, "centroids_"), classes, metric=step.metric)
    else:
        chosen = class_prediction(build, scores, classes)
    if step.metric != "euclidean":
        return Outputs([chosen], classes=classes)
    decision = [scores[1] - scores[0]] if len(classes) == 2 else scores
    probability = [build.exp(share) for share in log_softmax(build, scores)]
    return Outputs([chosen], probability, decision, classes)


def _centroid_scores(step: Any, values: Sequence[Value], build: Builder, prior: Any) -> list[Value]:
    """Minus the squared distance, plus twice the log prior (`NearestCentroid._decision_function`)."""
    spread = float64_of(step, "within_class_std_dev_")
    spread = np.where(spread != 0, spread, 1.0)
    inputs = [value / float(s) for value, s in zip(dense_inputs(step, values, build), spread, strict=True)]
    scores = []
    for centroid, share in zip(float64_of(step, "centroids_") / spread, prior, strict=True):
        offset = 2.0 * float(np.log(share))
        scores.append(-_squared_distance(step, inputs, centroid, build) + offset)
    return scores


def _squared_distance(step: Any, inputs: Sequence[Value], centroid: Any, build: Builder) -> Value:
    apart = [value - float(c) for value, c in zip(inputs, centroid, strict=True)]
    if step.metric == "manhattan":
        total = build.sum([abs(value) for value in apart])
        return total * total
    squared = build.sum([value * value for value in apart])
    if not build.checking:
        return squared
    sizes = build.sum([value * value for value in inputs]) + float((centroid * centroid).sum())
    return build.allow_ulps(squared, 8.0 * (len(inputs) + 2), sizes)  # the library computes x*x - 2*x*y + y*y
