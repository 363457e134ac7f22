"""Distances of a vector from stored points, a number for each point; squared lengths of sparse vectors.

Sums run over the vector's numbers in their order, so one row has the bits of many (see `svm_kernels`).
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, MATRIX, one_of
from pipeline_lib.compiled.operations.sparse import SparseColumn, sparse_error_bounds
from pipeline_lib.compiled.operations.svm_kernels import by_pieces, long_axis_last, products, squares


def absolutes(points: Any, vector: Any) -> Any:
    """Sums of absolute differences of a vector column from points (numbers x points)."""
    total = np.zeros((points.shape[1], vector.shape[1]))
    for stored, numbers in zip(points, vector, strict=True):
        total += np.abs(stored[:, None] - numbers)
    return total


def chi_squares(points: Any, vector: Any) -> Any:
    """Sums of `(x - p)**2 / (x + p)`, without terms of x + p = 0, as `additive_chi2_kernel` negates them."""
    total = np.zeros((points.shape[1], vector.shape[1]))
    for stored, numbers in zip(points, vector, strict=True):
        apart, whole = stored[:, None] - numbers, stored[:, None] + numbers
        total += np.divide(apart * apart, whole, out=np.zeros_like(whole), where=whole != 0)
    return total


_SUMS = {"euclidean": squares, "squared": squares, "manhattan": absolutes, "chi_squared": chi_squares}


def _bind_distances(settings: Settings) -> Any:
    points = np.ascontiguousarray(np.asarray(settings["points"], dtype=np.float64).T)
    sums = long_axis_last(_SUMS[settings["metric"]])
    if settings["metric"] == "euclidean":
        return lambda vector: np.sqrt(by_pieces(sums, points, vector))
    return lambda vector: by_pieces(sums, points, vector)


def squared_error_bound(points: Any, vector: Any, moved: Any, squared: Any, *, expanded: bool) -> Any:
    """How far a reference's squared distances may be; `expanded`: it computes x*x - 2*x*p + p*p."""
    ulps = (len(points) + 4) * HALF_ULP
    moved = np.broadcast_to(moved, vector.shape)
    apart = ulps * squared + squares(points * 0.0, moved)
    for stored, numbers, bound in zip(points, vector, moved, strict=True):
        apart += 2 * np.abs(numbers - stored[:, None]) * bound
    if expanded:
        sizes = squares(points * 0.0, vector) + (points * points).sum(axis=0)[:, None]
        apart += 2 * ulps * (sizes + 2 * products(np.abs(points), np.abs(vector)))
    return apart


def _distances_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    points, vector = np.asarray(settings["points"], dtype=np.float64).T, inputs[0]
    ulps, moved = (len(points) + 4) * HALF_ULP, np.broadcast_to(bounds[0], vector.shape)
    if settings["metric"] == "manhattan":
        return ulps * result + moved.sum(axis=0)
    if settings["metric"] == "chi_squared":  # no term is steeper than 3 where x and p are not negative
        return 2 * ulps * result + 3 * moved.sum(axis=0)
    squared = squares(points, vector)
    apart = squared_error_bound(points, vector, moved, squared, expanded=settings["expanded"])
    if settings["metric"] == "squared":
        return apart
    high, low = np.sqrt(squared + apart), np.sqrt(np.maximum(squared - apart, 0.0))
    return np.maximum(high - result, result - low) + 2 * np.spacing(result)


operation(
    "point_distances",
    ("vector",),
    "vector",
    doc="The distances of a vector from stored points; `expanded` tells how the reference computes squared ones.",
    parameters=("vector",),
    settings={
        "points": MATRIX,
        "metric": one_of(("euclidean", "squared", "manhattan", "chi_squared")),
        "expanded": FLAG,
    },
    column=_bind_distances,
    error_bound=_distances_error_bound,
    width=lambda settings, widths: len(settings["points"]),
)


def _sparse_sum_of_squares(column: Any) -> Any:
    sparse = SparseColumn.of(column)
    return sparse.sums(sparse.values * sparse.values)


def _sparse_sum_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    sparse, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
    apart = sparse.sums(moved * (2 * np.abs(sparse.values) + moved))
    return apart + (np.diff(sparse.indptr) + 2) * HALF_ULP * result


operation(
    "bag_sum_of_squares",
    ("bag",),
    "float64",
    doc="The sum of the squares of a sparse vector's numbers.",
    parameters=("vector",),
    column=lambda settings: _sparse_sum_of_squares,
    error_bound=_sparse_sum_error_bound,
)
