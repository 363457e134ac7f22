"""KNeighborsRegressor, KNeighborsClassifier, NearestCentroid."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from pipeline_lib.compiler.adapters.inputs import dense_inputs, vector_input
from pipeline_lib.compiler.adapters.outputs import (
    class_labels,
    class_prediction,
    float64_of,
    log_softmax,
    nearest_label,
)
from pipeline_lib.compiler.adapters.registry import NoPlanError, Outputs, estimator, option_error
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = "n_neighbors weights algorithm leaf_size p metric metric_params n_jobs"
_METRICS: dict[str, Literal["euclidean", "manhattan"]] = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
}


def _neighbour_means(step: Any, values: Sequence[Value], build: Builder, targets: Any) -> list[Value]:
    """The weighted means of the neighbours' targets; rows are ordered by distance, then by index in training."""
    metric = _METRICS.get(step.effective_metric_)
    if metric is None:
        raise option_error(step, "metric", "euclidean or manhattan, or minkowski of p=1 or p=2")
    if step.effective_metric_params_.get("w") is not None:
        raise option_error(step, "metric_params", "no weights of columns")
    weights: Literal["uniform", "distance"] = step.weights or "uniform"
    if weights not in ("uniform", "distance"):
        raise option_error(step, "weights", "'uniform' or 'distance'")
    nearest = build.nearest(
        vector_input(step, values, build),
        points=float64_of(step, "_fit_X"),
        count=int(step.n_neighbors),
        metric=metric,
        expanded=step._fit_method == "brute" and metric == "euclidean",
    )
    return build.items(build.neighbors_mean(nearest, targets=targets, weights=weights))


@estimator("sklearn.neighbors._regression.KNeighborsRegressor", options=_OPTIONS)
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The mean target of the nearest training rows, for each target."""
    targets = float64_of(step, "_y")
    return Outputs(_neighbour_means(step, values, build, targets.reshape(len(targets), -1)))


@estimator("sklearn.neighbors._classification.KNeighborsClassifier", options=_OPTIONS)
def classifier(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The share of each class among the nearest training rows; the first of the largest shares decides."""
    if step.outputs_2d_:
        raise NoPlanError(
            f"{type(step).__name__}: found {np.shape(step._y)[1]} targets, expected one; fit a classifier for each "
            "target, or compile with allow_opaque=True"
        )
    classes = class_labels(step.classes_)
    shares = _neighbour_means(step, values, build, np.eye(len(classes))[step._y])
    return Outputs([class_prediction(build, shares, classes)], shares, classes=classes)


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
