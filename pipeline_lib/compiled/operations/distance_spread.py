"""How far scikit-learn's reduced distances may be from those of `distances`: it adds and rounds in other orders."""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.distances import (
    COUNTS,
    SQUARED,
    Metric,
    Pairs,
    centred,
    haversine,
    products,
    shape_of,
)


def spread(metric: Metric, pairs: Pairs, reduced: Any, *, expanded: bool) -> Any:
    """How far a library's reduced distances may be from ours: it rounds otherwise.

    `expanded` squares are computed as x*x - 2*x*y + y*y.
    """
    columns = len(pairs) + 4
    if metric.name in COUNTS or metric.name == "hamming":
        return np.zeros(np.shape(reduced))  # counts are exact, and divided once
    if expanded and _is_squared(metric):
        return _of_expanded_squares(metric, pairs, reduced)
    if metric.name == "mahalanobis":
        absolute = Metric("mahalanobis", inverse=np.abs(metric.inverse))
        return 8 * columns * HALF_ULP * absolute.reduced([(np.abs(a - b), 0.0) for a, b in pairs])
    if metric.name in ("cosine", "correlation"):
        return 8 * columns * HALF_ULP * _cancelled(metric, pairs)
    if metric.name == "haversine":
        return 32 * HALF_ULP * np.abs(haversine(metric, [(np.abs(a), np.abs(b)) for a, b in pairs])) + (
            32 * HALF_ULP * np.abs(reduced)
        )
    return (columns + (4 if metric.name == "minkowski" else 0)) * HALF_ULP * reduced


def is_absolute(metric: Metric, *, expanded: bool) -> bool:
    """Whether the spread is not just a part of the distance."""
    return metric.name in ("mahalanobis", "cosine", "haversine") or (expanded and _is_squared(metric))


def _is_squared(metric: Metric) -> bool:
    return metric.name in SQUARED or metric.name == "nan_euclidean"


def _of_expanded_squares(metric: Metric, pairs: Pairs, reduced: Any) -> Any:
    sizes: Any = 0.0
    for a, b in pairs:
        sizes = sizes + np.where(a == a, a * a, 0.0) + np.where(b == b, b * b, 0.0)
    scale = len(pairs) if metric.name == "nan_euclidean" else 1
    return np.broadcast_to(4 * (len(pairs) + 4) * HALF_ULP * scale * sizes, np.shape(reduced))


def _cancelled(metric: Metric, pairs: Pairs) -> Any:
    """How much larger the numbers are than what is left of them once their mean is subtracted."""
    if metric.name == "cosine":
        return np.ones(shape_of(pairs))
    _, own, other = products(pairs)
    _, left, right = products(centred(pairs))
    return 1.0 + np.sqrt(own / left) + np.sqrt(other / right)
