"""Nearest stored points: their distances and indices, and the mean of their targets.

`nearest` returns one vector of 2 x `count` numbers: the distances, nearest first, then the points' indices. Of points
at one distance, `neighbor_ties` says which are among the nearest; those that are come by index.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.distance_spread import is_absolute, spread
from pipeline_lib.compiled.operations.distances import METRIC_SETTINGS, SQUARED
from pipeline_lib.compiled.operations.neighbor_search import Found, Search
from pipeline_lib.compiled.operations.neighbor_ties import TIE_SETTINGS, check_ties
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER, MATRIX, one_of
from pipeline_lib.errors import InputError

TIES = "ties at the k-th neighbour, where scikit-learn's choice depends on the batch, the threads or the CPU"


def _bind_nearest(settings: Settings) -> Any:
    search = Search(settings)
    count, undefined = search.count, search.metric.is_undefined_somewhere

    def nearest(vector: Any) -> Any:
        parts = [search.nearest(vector[:, piece]) for piece in search.pieces(vector.shape[1])]
        ranked = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        reduced = ranked[:count]
        ranked[:count] = search.metric.finished(np.where(np.isinf(reduced), np.nan, reduced) if undefined else reduced)
        return ranked

    return nearest


def _nearest_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Distances within rounding; infinite where a point outside may be as near as one inside."""
    search, vector = Search(settings), inputs[0]
    moved = np.broadcast_to(bounds[0], vector.shape).sum(axis=0)
    if moved.any() and not search.metric.is_norm:
        return np.full(result.shape, np.inf)
    parts = [
        _piece_error_bound(search, vector[:, piece], moved[piece], result[:, piece], bool(settings["expanded"]))
        for piece in search.pieces(vector.shape[1])
    ]
    return np.concatenate(parts, axis=1)


def _piece_error_bound(search: Search, vector: Any, moved: Any, result: Any, expanded: bool) -> Any:
    metric, count, rows = search.metric, search.count, vector.shape[1]
    far = metric.from_distance(np.nan_to_num(result[count - 1], nan=np.inf))
    relative, absolute = rounding(search, vector, expanded=expanded)
    room = metric.from_distance(metric.finished(far * (1 + 2 * relative) + 2 * absolute) + 2 * moved)
    found = search.within(vector, room * (1 + 2 * relative) + 2 * absolute).nearest_first()
    exact = search.exact_rows(vector)
    apart = search.spread(vector, found, expanded=expanded)
    distances = metric.finished(found.reduced)
    low, high = metric.finished(np.maximum(found.reduced - apart, 0.0)), metric.finished(found.reduced + apart)
    inside = _are_inside(found, result[count:].astype(np.int64), search.points.shape[1])
    farthest = _by_row(np.maximum, np.where(inside, high, -np.inf), found, rows) + moved
    nearest = _by_row(np.minimum, np.where(inside, np.inf, low), found, rows) - moved
    if np.count_nonzero(inside) < count * rows:  # of undefined distances
        return np.full(result.shape, np.inf)
    own = np.maximum(high - distances, distances - low) + 2 * np.spacing(distances)
    own = np.where(np.isnan(own), np.inf, own)[inside].reshape(rows, count).T + moved
    rivals = (nearest < farthest) | ((nearest == farthest) & ~(exact & search.settles_ties))
    unsure = np.where(rivals, np.inf, 0.0)
    return np.concatenate([own + unsure, np.broadcast_to(unsure, own.shape)])


def rounding(search: Search, vector: Any, *, expanded: bool) -> tuple[float, Any]:
    """How far reduced distances may be from a library's: a part of the distance, and for each row a number."""
    metric, relative = search.metric, (len(vector) + 8) * HALF_ULP
    if expanded and metric.name in SQUARED:
        sizes = search.stored.sizes.max(initial=0.0) + (vector * vector).sum(axis=0)
        return relative, 4 * (len(vector) + 4) * HALF_ULP * sizes
    if metric.name == "correlation":  # as large as the numbers are against their spread
        return relative, np.full(vector.shape[1], np.inf)
    if not is_absolute(metric, expanded=expanded):
        return relative, np.zeros(vector.shape[1])
    farthest = search.stored.farthest[:, None]
    sizes = np.nan_to_num(np.abs(vector))
    pairs = list(zip(np.broadcast_to(farthest, vector.shape), -sizes, strict=True))
    return relative, spread(metric, pairs, metric.reduced(pairs), expanded=expanded) * is_absolute(
        metric, expanded=expanded
    )


def _are_inside(found: Found, chosen: Any, points: int) -> Any:
    """Which pairs are among the nearest, whose indices are `chosen` (count x rows)."""
    own = np.arange(chosen.shape[1]) * points + chosen
    return np.isin(found.rows * points + found.chosen, own)


def _by_row(ufunc: Any, values: Any, found: Found, rows: int) -> Any:
    """The largest or smallest of each row's values; infinite for a row without any."""
    none = -np.inf if ufunc is np.maximum else np.inf
    result = np.full(rows, none)
    ufunc.at(result, found.rows, values)
    return result


def _doubt(settings: Settings) -> str:
    """Why scikit-learn may choose other neighbours than the plan where an error bound is infinite."""
    if settings.get("ties") == "tree":
        return ""  # its choice depends on the row alone
    return TIES


def _check_nearest(settings: Settings) -> None:
    points, count = len(settings["points"]), settings["count"]
    if not 1 <= count <= points:
        raise InputError(f"found {count} neighbours of {points} points, expected from 1 to as many as there are points")
    check_ties(settings)


operation(
    "nearest",
    ("vector",),
    "vector",
    doc="The distances of the `count` nearest stored points, then their indices; `ties` decides among equal ones.",
    parameters=("vector",),
    settings={"points": MATRIX, "count": INTEGER, "expanded": FLAG} | METRIC_SETTINGS | TIE_SETTINGS,
    column=_bind_nearest,
    error_bound=_nearest_error_bound,
    width=lambda settings, widths: 2 * int(settings["count"]),
    check=_check_nearest,
    doubt=_doubt,
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
    moved = moved + 2 * HALF_ULP * weights
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
    apart += (count + 4) * 2 * HALF_ULP * (weights[:, None] * np.abs(chosen)).sum(axis=0) / whole
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
    rounded = (count + 4) * 2 * HALF_ULP * np.abs(chosen).max(axis=0)
    return np.where(np.isinf(bound).any(axis=0), np.inf, (most - least) + 2 * spread * others / own + rounded)


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
