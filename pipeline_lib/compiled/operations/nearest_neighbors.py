"""Nearest stored points: their distances and indices, and the mean of their targets.

`nearest` returns one vector of 2 x `count` numbers: the distances, nearest first, then the points' indices. Points at
the same distance are ordered by index.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER, MATRIX, one_of
from pipeline_lib.compiled.operations.svm_kernels import by_pieces, long_axis_last, squares

_HALF_ULP = 2.0**-53


def _absolutes(points: Any, vector: Any) -> Any:
    total = np.zeros((points.shape[1], vector.shape[1]))
    for stored, numbers in zip(points, vector, strict=True):
        total += np.abs(numbers - stored[:, None])
    return total


def _ranked(distances: Any, count: int) -> Any:
    """The `count` smallest distances, as they come, then their indices: shape (2 * count, rows)."""
    distances, rows = distances.copy(), np.arange(distances.shape[1])
    nearest = np.empty((2 * count, len(rows)))
    for rank in range(count):
        indices = np.argmin(distances, axis=0)  # the first of equal ones
        nearest[rank], nearest[count + rank] = distances[indices, rows], indices
        distances[indices, rows] = np.inf
    return nearest


def _bind_nearest(settings: Settings) -> Any:
    points = np.ascontiguousarray(np.asarray(settings["points"], dtype=np.float64).T)
    count, euclidean = int(settings["count"]), settings["metric"] == "euclidean"
    measure = long_axis_last(squares if euclidean else _absolutes)

    def nearest(vector: Any) -> Any:
        ranked = by_pieces(lambda stored, part: _ranked(measure(stored, part), count), points, vector)
        if euclidean:
            ranked[:count] = np.sqrt(ranked[:count])
        return ranked

    return nearest


def _nearest_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Distances within rounding; infinite for indices where a point outside may be nearer than one inside."""
    points, count = np.asarray(settings["points"], dtype=np.float64).T, int(settings["count"])
    moved = np.broadcast_to(bounds[0], inputs[0].shape).sum(axis=0)
    ulps = (len(points) + 4) * _HALF_ULP
    if settings["metric"] == "euclidean":
        squared = squares(points, inputs[0])
        distances = np.sqrt(squared)
        apart = ulps * squared
        if settings["expanded"]:  # x*x - 2*x*y + y*y
            apart += 4 * ulps * (squares(points * 0.0, inputs[0]) + (points * points).sum(axis=0)[:, None])
        high, low = np.sqrt(squared + apart), np.sqrt(np.maximum(squared - apart, 0.0))
        bound = np.maximum(high - distances, distances - low) + moved + 2 * np.spacing(distances)
    else:
        distances = _absolutes(points, inputs[0])
        bound = ulps * distances + moved
    rows = np.arange(distances.shape[1])
    inside = np.zeros(distances.shape, dtype=bool)
    for rank in range(count):
        inside[result[count + rank].astype(np.int64), rows] = True
    farthest = np.where(inside, distances + bound, -np.inf).max(axis=0)
    nearest = np.where(inside, np.inf, distances - bound).min(axis=0)
    own = np.array([bound[result[count + rank].astype(np.int64), rows] for rank in range(count)])
    unsure = np.where(nearest <= farthest, np.inf, 0.0)
    return np.concatenate([np.where(np.isinf(unsure), np.inf, own), np.broadcast_to(unsure, own.shape)])


operation(
    "nearest",
    ("vector",),
    "vector",
    doc="The distances of the `count` nearest stored points, then their indices.",
    parameters=("vector",),
    settings={
        "points": MATRIX,
        "count": INTEGER,
        "metric": one_of(("euclidean", "manhattan")),
        "expanded": FLAG,
    },
    column=_bind_nearest,
    error_bound=_nearest_error_bound,
    width=lambda settings, widths: 2 * int(settings["count"]),
)


def _weights(distances: Any, kind: str) -> Any:
    """1 each, or 1 / distance; where some distances are 0, 1 for these and 0 for the others (`_get_weights`)."""
    if kind == "uniform":
        return np.ones(distances.shape)
    zero = distances == 0
    inverse = 1.0 / np.where(zero, 1.0, distances)
    return np.where(zero.any(axis=0), zero, inverse)


def _weight_bounds(vector: Any, bounds: Any, kind: str) -> tuple[Any, Any]:
    """Weights and how far a reference's may be; infinite where an index is unsure, or a distance may be 0."""
    count = len(vector) // 2
    distances, bound = vector[:count], np.broadcast_to(bounds, vector.shape)[:count]
    weights = _weights(distances, kind)
    if kind == "uniform":
        return weights, np.where(np.isinf(bound), np.inf, 0.0)
    exact = (distances == 0) & (bound == 0)
    moved = np.where(distances > bound, bound / (distances * (distances - bound)), np.inf)
    moved = moved + 2 * _HALF_ULP * weights
    return weights, np.where(exact.any(axis=0), 0.0, moved)


def _bind_neighbour_mean(settings: Settings) -> Any:
    targets, kind = np.asarray(settings["targets"], dtype=np.float64), settings["weights"]

    def mean(vector: Any) -> Any:
        count = len(vector) // 2
        weights, total = _weights(vector[:count], kind), np.zeros((targets.shape[1], vector.shape[1]))
        whole = np.zeros(vector.shape[1])
        for weight, index in zip(weights, vector[count:], strict=True):
            total += weight * targets[index.astype(np.int64)].T
            whole += weight
        return total / whole

    return mean


def _mean_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """How far weights move the mean; where distances may be 0, as far as their targets lie apart and others pull."""
    targets, count = np.asarray(settings["targets"], dtype=np.float64), len(inputs[0]) // 2
    weights, moved = _weight_bounds(inputs[0], bounds[0], settings["weights"])
    if settings["weights"] == "uniform" and (targets == np.rint(targets)).all() and np.abs(targets).max() < 2.0**32:
        return np.broadcast_to(moved.sum(axis=0), result.shape)  # sums of small integers are exact
    chosen = np.array([targets[index.astype(np.int64)].T for index in inputs[0][count:]])
    whole = weights.sum(axis=0)
    sure = np.isfinite(moved).all(axis=0)
    pulls = np.where(sure, moved, 0.0)[:, None] * np.abs(chosen - result)
    apart = 2 * pulls.sum(axis=0) / whole
    apart += (count + 4) * 2 * _HALF_ULP * (weights[:, None] * np.abs(chosen)).sum(axis=0) / whole
    if sure.all():
        return apart
    near = _near_zero(inputs[0], bounds[0], count)
    return np.where(sure, apart, _pulled(inputs[0][:count], near, chosen, bounds[0], count))


def _near_zero(vector: Any, bounds: Any, count: int) -> Any:
    """Which distances may be 0."""
    return vector[:count] <= np.broadcast_to(bounds, vector.shape)[:count]


def _pulled(distances: Any, near: Any, chosen: Any, bounds: Any, count: int) -> Any:
    """The error bound where points may be at distance 0: their mean may be any of theirs, and others pull it."""
    bound = np.broadcast_to(bounds, (2 * count, distances.shape[1]))[:count]
    least = np.where(near, chosen.transpose(1, 0, 2), np.inf).min(axis=1)
    most = np.where(near, chosen.transpose(1, 0, 2), -np.inf).max(axis=1)
    others = np.where(near, 0.0, 1.0 / np.where(near, 1.0, distances - bound)).sum(axis=0)
    own = np.where(near, 1.0 / (distances + bound), 0.0).sum(axis=0)
    spread = chosen.max(axis=0) - chosen.min(axis=0)
    return np.where(np.isinf(bound).any(axis=0), np.inf, (most - least) + 2 * spread * others / own)


operation(
    "neighbour_mean",
    ("vector",),
    "vector",
    doc="The weighted mean of `targets` (points x targets) over what `nearest` returned.",
    parameters=("nearest",),
    settings={"targets": MATRIX, "weights": one_of(("uniform", "distance"))},
    column=_bind_neighbour_mean,
    error_bound=_mean_error_bound,
    width=lambda settings, widths: int(np.shape(settings["targets"])[1]),
)
