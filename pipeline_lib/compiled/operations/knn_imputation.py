"""k-nearest-neighbour imputation: missing numbers from the nearest stored rows that hold them.

A distance runs over the columns that both rows hold, scaled up to all columns. For a row (1.0, missing, 4.0):

    stored rows              distance                            holds column 1
    2.0   7.0   5.0          sqrt((1 + 1) * 3 / 2) = 1.73        yes: 7.0 is the nearest
    1.0   nan   4.0          0                                   no: not used for column 1
    nan   9.0   8.0          sqrt(16 * 3 / 1) = 6.93             yes

Of rows at the same distance the first by index are taken: scikit-learn's `numpy.argpartition` takes others on another
CPU. Source: sklearn/impute/_knn.py, and nan_euclidean_distances.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.nearest_neighbors import TIES
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, INTEGERS, MATRIX, NUMBERS, one_of

_PIECE = 1 << 18  # distances computed at once: two megabytes


def _distances(points: Any, vector: Any) -> Any:
    """Stored rows x rows; NaN where two rows hold no column in common."""
    total = np.zeros((len(points), vector.shape[1]))
    held = np.zeros(total.shape)
    for stored, numbers in zip(points.T, vector, strict=True):
        apart = numbers - stored[:, None]
        both = apart == apart
        total += np.where(both, apart * apart, 0.0)
        held += both
    return np.where(held == 0, np.nan, np.sqrt(total / np.maximum(held, 1.0) * len(vector)))


@dataclass(frozen=True)
class _Neighbors:
    """For the rows that lack a column, the nearest stored rows that hold it (arrays of ranks x rows).

    `column` is an index among the imputed columns, `distances` those of all stored rows that hold it, `chosen` the
    nearest ones' indices among these, `values` their numbers, `nearest` their distances.
    """

    column: int
    rows: NDArray[np.int64]
    distances: Any
    chosen: Any
    values: Any
    nearest: Any

    def weights(self, kind: str) -> Any:
        """1 each, or 1 / distance (1 for those at distance 0 if there are any); 0 where the distance is NaN."""
        near = self.nearest
        if kind == "distance":
            zero = near == 0
            near = np.where(zero.any(axis=0), np.where(zero, 1.0, 0.0), 1.0 / np.where(zero, 1.0, near))
        return np.where(near != near, 0.0, near if kind == "distance" else 1.0)


def _neighbors(settings: Settings, vector: Any) -> Iterator[_Neighbors]:
    points = np.asarray(settings["points"], dtype=np.float64)
    missing = np.isnan(vector)
    step = max(1, _PIECE // max(len(points), 1))
    columns = settings["columns"]
    incomplete = np.flatnonzero(missing[columns].any(axis=0)) if len(columns) else np.zeros(0, int)
    for start in range(0, len(incomplete), step):
        rows = incomplete[start : start + step]
        distances = _distances(points, vector[:, rows])
        for number, column in enumerate(columns):
            lacking = missing[column, rows]
            if lacking.any():
                holding = ~np.isnan(points[:, column])
                near = distances[np.ix_(holding, lacking)]
                yield _nearest(number, rows[lacking], near, points[holding, column], int(settings["count"]))


def _nearest(column: int, rows: Any, distances: Any, values: Any, count: int) -> _Neighbors:
    left, each_row = np.where(np.isnan(distances), np.inf, distances), np.arange(len(rows))
    chosen = np.empty((min(count, len(values)), len(rows)), dtype=np.int64)
    for rank in range(len(chosen)):
        chosen[rank] = _first_smallest(left, chosen[:rank])
        left[chosen[rank], each_row] = np.inf
    return _Neighbors(column, rows, distances, chosen, values[chosen], distances[chosen, each_row])


def _first_smallest(left: Any, taken: Any) -> Any:
    """Each row's index of the first smallest distance; if only infinite ones are left, the first not yet taken."""
    smallest = np.argmin(left, axis=0)
    for row in np.flatnonzero(np.isinf(left[smallest, np.arange(len(smallest))])):
        free = set(range(len(left))) - set(taken[:, row].tolist())
        smallest[row] = min(free)
    return smallest


def _bind(settings: Settings) -> Any:
    means = np.asarray(settings["means"], dtype=np.float64)

    def impute(vector: Any) -> Any:
        imputed = np.full((len(means), vector.shape[1]), np.nan)
        for neighbors in _neighbors(settings, vector):
            total, whole = np.zeros(len(neighbors.rows)), np.zeros(len(neighbors.rows))
            for weight, value in zip(neighbors.weights(settings["weights"]), neighbors.values, strict=True):
                total += weight * value
                whole += weight
            none = np.isnan(neighbors.distances).all(axis=0)
            imputed[neighbors.column, neighbors.rows] = np.where(
                none, means[neighbors.column], total / np.where(none, 1.0, whole)
            )
        return imputed

    return impute


def _error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Rounding of distances (the library expands the square); infinite where another row may be as near."""
    points, vector = np.asarray(settings["points"], dtype=np.float64), inputs[0]
    moved = np.broadcast_to(bounds[0], vector.shape).sum(axis=0)
    size = np.nansum(vector * vector, axis=0) + np.nanmax(np.nansum(points * points, axis=1))
    apart = 4 * (len(vector) + 4) * HALF_ULP * len(vector) * size
    allowed = np.zeros(result.shape)
    for neighbors in _neighbors(settings, vector):
        allowed[neighbors.column, neighbors.rows] = _allowed(
            neighbors, apart[neighbors.rows], moved[neighbors.rows], settings, result
        )
    return allowed


def _allowed(neighbors: _Neighbors, apart: Any, moved: Any, settings: Settings, result: Any) -> Any:
    """The error bound for rows that lack one column.

    `apart` bounds the rounding of a squared distance; a distance moves by about apart / distance, near 0 by its root.
    """
    near, mean = neighbors.nearest, result[neighbors.column, neighbors.rows]
    bound = np.where(near * near > apart, apart / np.maximum(near, np.sqrt(apart)), np.sqrt(apart)) + moved
    outside = neighbors.distances.copy()
    outside[neighbors.chosen, np.arange(len(neighbors.rows))] = np.nan
    reach = np.where(outside * outside > apart, apart / np.maximum(outside, np.sqrt(apart)), np.sqrt(apart)) + moved
    rival = np.nanmin(np.where(np.isnan(outside), np.inf, outside - reach), axis=0, initial=np.inf)
    unsure = rival <= np.nanmax(np.where(np.isnan(near), -np.inf, near + bound), axis=0, initial=-np.inf)
    weights = neighbors.weights(settings["weights"])
    off = np.zeros(near.shape)
    if settings["weights"] == "distance":
        off = np.where(near > 2 * bound, 2 * bound / (near * near), np.inf)
        off = np.where(np.isnan(near), 0.0, off)
    whole, terms = weights.sum(axis=0), (weights * np.abs(neighbors.values)).sum(axis=0)
    spread = (np.where(np.isinf(off), 0.0, off) * np.abs(neighbors.values - mean)).sum(axis=0)
    inner = (2 * spread + (len(near) + 6) * 2 * HALF_ULP * terms) / np.where(whole == 0, 1.0, whole)
    return np.where(unsure | np.isinf(off).any(axis=0), np.inf, inner)


operation(
    "donors",
    ("vector",),
    "vector",
    doc="For each of some `columns`, where it is missing: the mean of the nearest `count` stored rows that hold it.",
    parameters=("vector",),
    settings={
        "columns": INTEGERS,
        "means": NUMBERS,
        "points": MATRIX,
        "count": INTEGER,
        "weights": one_of(("uniform", "distance")),
    },
    column=_bind,
    error_bound=_error_bound,
    doubt=lambda settings: TIES,
    width=lambda settings, widths: len(settings["columns"]),
)
