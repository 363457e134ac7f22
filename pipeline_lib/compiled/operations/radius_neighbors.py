"""The stored points within a radius of a row: how many there are, and the weighted mean of their targets.

Sums run over the points by index, so one row has the bits of many. Source: sklearn/neighbors/_regression.py and
_classification.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.distances import METRIC_SETTINGS
from pipeline_lib.compiled.operations.nearest_neighbors import rounding
from pipeline_lib.compiled.operations.neighbor_search import Found, Search
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, MATRIX, NUMBER, one_of


class _Sums:
    """Sums over the pairs of each row."""

    def __init__(self, found: Found, rows: int) -> None:
        self._found, self._rows = found, rows

    def add(self, values: Any) -> Any:
        """Sums from the first pair on: one number a pair, or one for each target (targets x pairs)."""
        if values.ndim == 2:
            return np.array([self.add(target) for target in values]).reshape(len(values), self._rows)
        return np.bincount(self._found.rows, weights=values, minlength=self._rows)

    def extreme(self, ufunc: Any, values: Any, none: float) -> Any:
        """The largest or smallest of each row's values; `none` for a row without any."""
        result = np.full((*values.shape[:-1], self._rows), none)
        for target, own in zip(np.atleast_2d(result), np.atleast_2d(values), strict=True):
            ufunc.at(target, self._found.rows, own)
        return result


def _weights(distances: Any, found: Found, sums: _Sums, kind: str) -> Any:
    """1 each, or 1 / distance; in a row with points at distance 0, 1 for these and 0 for the others."""
    if kind == "uniform":
        return np.ones(len(distances))
    zero = distances == 0
    has_zero = sums.add(zero.astype(float))[found.rows] > 0
    return np.where(has_zero, zero, 1.0 / np.where(zero, 1.0, distances))


def _bind(settings: Settings) -> Any:
    search = Search(settings)
    targets = np.asarray(settings["targets"], dtype=np.float64).T
    limit = float(search.metric.from_distance(float(settings["radius"])))

    def means(vector: Any) -> Any:
        parts = [_means(search, vector[:, piece], limit) for piece in search.pieces(vector.shape[1])]
        return np.concatenate(parts, axis=1)

    def _means(search: Search, vector: Any, limit: float) -> Any:
        rows = vector.shape[1]
        found = search.within(vector, np.full(rows, limit))
        sums = _Sums(found, rows)
        weights = _weights(search.metric.finished(found.reduced), found, sums, settings["weights"])
        whole, total = sums.add(weights), sums.add(weights * targets[:, found.chosen])
        return np.concatenate([total / whole, np.diff(found.starts)[None].astype(float)])

    return means


@dataclass(frozen=True)
class _Moved:
    """Points near a row with how far a library's distances may be from ours; `unsure` rows may lack or gain one."""

    found: Found
    distances: Any
    apart: Any
    unsure: Any


def _moved(search: Search, vector: Any, moved: Any, settings: Settings) -> _Moved:
    metric, expanded = search.metric, bool(settings["expanded"])
    limit = float(metric.from_distance(float(settings["radius"])))
    relative, absolute = rounding(search, vector, expanded=expanded)
    room = metric.from_distance(float(settings["radius"]) + moved) * (1 + 4 * relative) + 2 * absolute
    near = search.within(vector, room)
    spread = search.spread(vector, near, expanded=expanded)
    low, high = metric.finished(np.maximum(near.reduced - spread, 0.0)), metric.finished(near.reduced + spread)
    distances = metric.finished(near.reduced)
    apart = np.maximum(high - distances, distances - low) + moved[near.rows]
    inside = near.reduced <= limit
    radius = float(settings["radius"])
    other = (apart > 0) & (low - moved[near.rows] <= radius) & (high + moved[near.rows] >= radius)
    unsure = np.bincount(near.rows, weights=other, minlength=vector.shape[1]) > 0
    found = Found.of(near.rows[inside], near.chosen[inside], near.reduced[inside], vector.shape[1])
    rounded = np.where(apart > 0, apart + 2 * np.spacing(distances), 0.0)
    return _Moved(found, distances[inside], rounded[inside], unsure)


def _error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    search, vector = Search(settings), inputs[0]
    moved = np.broadcast_to(bounds[0], vector.shape).sum(axis=0)
    if moved.any() and not search.metric.is_norm:
        return np.full(result.shape, np.inf)
    targets = np.asarray(settings["targets"], dtype=np.float64).T
    parts = []
    for piece in search.pieces(vector.shape[1]):
        near = _moved(search, vector[:, piece], moved[piece], settings)
        allowed = _allowed(near, targets[:, near.found.chosen], result[:-1, piece], settings)
        unsure = np.where(near.unsure, np.inf, 0.0)
        parts.append(np.concatenate([allowed + unsure, unsure[None]]))
    return np.concatenate(parts, axis=1)


def _allowed(near: _Moved, chosen: Any, mean: Any, settings: Settings) -> Any:
    """How far weights and sums may move the means."""
    sums, rows = _Sums(near.found, mean.shape[1]), near.found.rows
    count = sums.add(np.ones(len(rows)))
    if settings["weights"] == "uniform":
        whole_numbers = not chosen.size or (np.array_equal(chosen, np.rint(chosen)) and np.abs(chosen).max() < 2.0**32)
        terms = sums.add(np.abs(chosen))
        return 0.0 * terms if whole_numbers else (count + 4) * 2 * HALF_ULP * terms / np.maximum(count, 1)
    distances, apart = near.distances, near.apart
    zero = distances <= apart  # may be 0
    has_zero = sums.add(zero.astype(float)) > 0
    weights = _weights(distances, near.found, sums, "distance")
    whole = np.maximum(sums.add(weights), np.finfo(float).tiny)
    steps = np.where(zero, 0.0, apart / np.where(zero, 1.0, distances * (distances - apart)))
    pulls = sums.add(steps * np.abs(chosen - mean[:, rows]))
    terms = sums.add(weights * np.abs(chosen))
    sure = (2 * pulls + (count + 8) * 2 * HALF_ULP * terms) / whole
    least = sums.extreme(np.minimum, np.where(zero, chosen, np.inf), np.inf)
    most = sums.extreme(np.maximum, np.where(zero, chosen, -np.inf), -np.inf)
    span = sums.extreme(np.maximum, chosen, -np.inf) - sums.extreme(np.minimum, chosen, np.inf)
    others = sums.add(np.where(zero, 0.0, 1.0 / np.where(zero, 1.0, distances - apart)))
    own = sums.add(np.where(zero, 1.0 / np.maximum(distances + apart, np.finfo(float).tiny), 0.0))
    return np.where(has_zero, (most - least) + 2 * span * others / np.where(own > 0, own, 1.0) + sure, sure)


operation(
    "within_radius",
    ("vector",),
    "vector",
    doc="The weighted mean of `targets` (points x targets) over the points within a radius, then their count.",
    parameters=("vector",),
    settings={
        "points": MATRIX,
        "radius": NUMBER,
        "expanded": FLAG,
        "targets": MATRIX,
        "weights": one_of(("uniform", "distance")),
    }
    | METRIC_SETTINGS,
    column=_bind,
    error_bound=_error_bound,
    doubt=lambda settings: "points within rounding of the radius" if settings["expanded"] else "",
    width=lambda settings, widths: int(np.shape(settings["targets"])[1]) + 1,
)
