"""Missing numbers from the nearest stored rows that have them: distances over what both rows hold.

Ties are broken by distance, then by place. Source: sklearn/impute/_knn.py, and nan_euclidean_distances.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation

_HALF_ULP = 2.0**-53
_PIECE = 1 << 18  # distances at a time


def _distances(points: Any, vector: Any) -> Any:
    """Stored rows x rows: NaN where nothing is held by both."""
    total = np.zeros((len(points), vector.shape[1]))
    held = np.zeros(total.shape)
    for stored, numbers in zip(points.T, vector, strict=True):
        apart = numbers - stored[:, None]
        both = apart == apart
        total += np.where(both, apart * apart, 0.0)
        held += both
    return np.where(held == 0, np.nan, np.sqrt(total / np.maximum(held, 1.0) * len(vector)))


@dataclass(frozen=True)
class _Donors:
    """For some rows the nearest stored rows that hold a column: ranks x rows."""

    column: int  # among those imputed
    rows: NDArray[np.int64]
    distances: Any  # of all that hold it
    chosen: Any  # their places among these
    values: Any
    nearest: Any

    def weights(self, kind: str) -> Any:
        """1 each, or 1 / distance (1 for those at distance 0 where there are any); 0 where nothing is shared."""
        near = self.nearest
        if kind == "distance":
            zero = near == 0
            near = np.where(zero.any(axis=0), np.where(zero, 1.0, 0.0), 1.0 / np.where(zero, 1.0, near))
        return np.where(near != near, 0.0, near if kind == "distance" else 1.0)


def _donors(settings: Settings, vector: Any) -> Iterator[_Donors]:
    points = np.asarray(settings["points"], dtype=np.float64)
    gone = np.isnan(vector)
    step = max(1, _PIECE // max(len(points), 1))
    wanted = np.flatnonzero(gone[settings["columns"]].any(axis=0)) if len(settings["columns"]) else np.zeros(0, int)
    for start in range(0, len(wanted), step):
        rows = wanted[start : start + step]
        distances = _distances(points, vector[:, rows])
        for number, column in enumerate(settings["columns"]):
            lacking = gone[column, rows]
            if lacking.any():
                holding = ~np.isnan(points[:, column])
                near = distances[np.ix_(holding, lacking)]
                yield _nearest(number, rows[lacking], near, points[holding, column], int(settings["count"]))


def _nearest(column: int, rows: Any, distances: Any, values: Any, count: int) -> _Donors:
    left, places = np.where(np.isnan(distances), np.inf, distances), np.arange(len(rows))
    chosen = np.empty((min(count, len(values)), len(rows)), dtype=np.int64)
    for rank in range(len(chosen)):
        chosen[rank] = _first_smallest(left, chosen[:rank])
        left[chosen[rank], places] = np.inf
    return _Donors(column, rows, distances, chosen, values[chosen], distances[chosen, places])


def _first_smallest(left: Any, taken: Any) -> Any:
    """The first smallest place; where all that is left is infinite, the first place that is not taken."""
    found = np.argmin(left, axis=0)
    for place in np.flatnonzero(np.isinf(left[found, np.arange(len(found))])):
        free = set(range(len(left))) - set(taken[:, place].tolist())
        found[place] = min(free)
    return found


def _bind(settings: Settings) -> Any:
    means = np.asarray(settings["means"], dtype=np.float64)

    def impute(vector: Any) -> Any:
        made = np.full((len(means), vector.shape[1]), np.nan)
        for donors in _donors(settings, vector):
            total, whole = np.zeros(len(donors.rows)), np.zeros(len(donors.rows))
            for weight, value in zip(donors.weights(settings["weights"]), donors.values, strict=True):
                total += weight * value
                whole += weight
            none = np.isnan(donors.distances).all(axis=0)
            made[donors.column, donors.rows] = np.where(none, means[donors.column], total / np.where(none, 1.0, whole))
        return made

    return impute


def _error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Rounding of distances (the library expands the square); infinite where another donor may be as near."""
    points, vector = np.asarray(settings["points"], dtype=np.float64), inputs[0]
    moved = np.broadcast_to(bounds[0], vector.shape).sum(axis=0)
    size = np.nansum(vector * vector, axis=0) + np.nanmax(np.nansum(points * points, axis=1))
    apart = 4 * (len(vector) + 4) * _HALF_ULP * len(vector) * size
    allowed = np.zeros(result.shape)
    for donors in _donors(settings, vector):
        allowed[donors.column, donors.rows] = _allowed(donors, apart[donors.rows], moved[donors.rows], settings, result)
    return allowed


def _allowed(donors: _Donors, apart: Any, moved: Any, settings: Settings, result: Any) -> Any:
    near, found = donors.nearest, result[donors.column, donors.rows]
    bound = np.where(near * near > apart, apart / np.maximum(near, np.sqrt(apart)), np.sqrt(apart)) + moved
    outside = donors.distances.copy()
    outside[donors.chosen, np.arange(len(donors.rows))] = np.nan
    reach = np.where(outside * outside > apart, apart / np.maximum(outside, np.sqrt(apart)), np.sqrt(apart)) + moved
    rival = np.nanmin(np.where(np.isnan(outside), np.inf, outside - reach), axis=0, initial=np.inf)
    unsure = rival <= np.nanmax(np.where(np.isnan(near), -np.inf, near + bound), axis=0, initial=-np.inf)
    weights = donors.weights(settings["weights"])
    off = np.zeros(near.shape)
    if settings["weights"] == "distance":
        off = np.where(near > 2 * bound, 2 * bound / (near * near), np.inf)
        off = np.where(np.isnan(near), 0.0, off)
    whole, terms = weights.sum(axis=0), (weights * np.abs(donors.values)).sum(axis=0)
    spread = (np.where(np.isinf(off), 0.0, off) * np.abs(donors.values - found)).sum(axis=0)
    inner = (2 * spread + (len(near) + 6) * 2 * _HALF_ULP * terms) / np.where(whole == 0, 1.0, whole)
    return np.where(unsure | np.isinf(off).any(axis=0), np.inf, inner)


# For each of some columns the weighted mean of the nearest `count` stored rows' numbers where it is missing.
operation(
    "donors",
    ("vector",),
    "vector",
    column=_bind,
    error_bound=_error_bound,
    width=lambda settings, widths: len(settings["columns"]),
)
