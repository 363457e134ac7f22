"""Distances between stored points and rows, for each metric of scikit-learn's nearest neighbours.

A metric ranks points by its *reduced* distance, which is cheaper than the distance and orders points alike: the
squared sum for euclidean, the sum of powers for minkowski. scikit-learn compares these numbers, too, so that equal
ones are its ties.

    reduced(pairs)            from one pair of arrays for each column: a stored number and a row's
    finished(reduced)         the distance

Sums run over the columns in order; the arrays of a pair may have any shapes that broadcast, so that one point and one
row give the bits of many. Formulas: sklearn/metrics/_dist_metrics.pyx and scipy.spatial.distance.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.setting_types import MATRIX, NUMBER, NUMBERS, one_of, optional
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

Pairs = Sequence[tuple[Any, Any]]

COUNTS = ("jaccard", "dice", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath", "yule")
"""Metrics of booleans: every number other than 0 counts as True."""
SQUARED = ("euclidean", "sqeuclidean", "seuclidean")
"""Metrics whose reduced distance is a sum of squares."""
METRICS = (
    *SQUARED,
    "manhattan",
    "chebyshev",
    "minkowski",
    "mahalanobis",
    "hamming",
    "canberra",
    "braycurtis",
    "cosine",
    "correlation",
    "haversine",
    "nan_euclidean",
    *COUNTS,
)
METRIC_SETTINGS = {
    "metric": one_of(METRICS),
    "p": optional(NUMBER),
    "column_weights": optional(NUMBERS),
    "inverse": optional(MATRIX),
}
"""Settings of an operation that measures distances: `p` and `column_weights` of minkowski, variances of seuclidean
(`column_weights`), the inverse covariance of mahalanobis (`inverse`)."""

_pow, _sin, _cos, _arcsin = (FUNCTIONS[name].vector for name in ("pow", "sin", "cos", "arcsin"))


@dataclass(frozen=True)
class Metric:
    """A metric with its parameters, as `METRIC_SETTINGS` describes them."""

    name: str
    p: float = 2.0
    column_weights: Any = None
    inverse: Any = None

    @classmethod
    def of(cls, settings: Settings) -> "Metric":
        """The metric of an operation's settings."""
        weights, inverse = settings.get("column_weights"), settings.get("inverse")
        return cls(
            settings["metric"],
            float(settings.get("p") or 2.0),
            None if weights is None else np.asarray(weights, dtype=np.float64),
            None if inverse is None else np.asarray(inverse, dtype=np.float64),
        )

    def reduced(self, pairs: Pairs) -> Any:
        """Reduced distances from a pair of arrays for each column; infinite where they are not comparable."""
        function = _COUNTED if self.name in COUNTS else _REDUCED.get(self.name, _sum_of_terms)
        total = function(self, pairs)
        return np.where(total != total, np.inf, total)

    def finished(self, reduced: Any) -> Any:
        """Distances from reduced ones."""
        if self.name in ("euclidean", "seuclidean", "mahalanobis", "nan_euclidean"):
            return np.sqrt(reduced)
        if self.name == "minkowski":
            return _pow(reduced, np.full(np.shape(reduced), 1.0 / self.p))
        if self.name == "haversine":
            return 2.0 * _arcsin(np.sqrt(reduced))
        return reduced

    def from_distance(self, distance: Any) -> Any:
        """Reduced distances from distances, as scikit-learn reduces a radius."""
        distance = np.asarray(distance, dtype=np.float64)
        if self.name in ("euclidean", "seuclidean", "mahalanobis", "nan_euclidean"):
            return distance * distance
        if self.name == "minkowski":
            return _pow(distance, np.full(distance.shape, self.p))
        if self.name == "haversine":
            half = _sin(0.5 * distance)
            return half * half
        return distance

    @property
    def is_undefined_somewhere(self) -> bool:
        """Whether some pairs have no distance, such as a constant row's correlation; reduced, it is infinite."""
        return self.name in ("nan_euclidean", "correlation", "dice", "sokalsneath")

    @property
    def is_norm(self) -> bool:
        """Whether a distance moves by no more than the sum of the movements of a row's numbers."""
        plain = self.column_weights is None and self.p >= 1
        return plain and self.name in ("euclidean", "manhattan", "chebyshev", "minkowski")


def _sum_of_terms(metric: Metric, pairs: Pairs) -> Any:
    """A sum over the columns: of squares, absolute differences, powers or ratios."""
    shape = shape_of(pairs)
    total, apart = np.zeros(shape), np.empty(shape)
    weights = metric.column_weights if metric.column_weights is not None else [None] * len(pairs)
    for (a, b), weight in zip(pairs, weights, strict=True):
        np.subtract(a, b, out=apart)
        if metric.name in SQUARED:
            apart *= apart
            if weight is not None:
                apart /= weight
            total += apart
        elif metric.name == "minkowski":
            term = _pow(np.abs(apart), np.full(shape, metric.p))
            total += term if weight is None else weight * term
        elif metric.name == "canberra":
            size = np.abs(a) + np.abs(b)
            total += np.where(size > 0, np.abs(apart) / np.where(size > 0, size, 1.0), 0.0)
        else:  # manhattan
            np.abs(apart, out=apart)
            total += apart
    return total


def shape_of(pairs: Pairs) -> tuple[int, ...]:
    return np.broadcast_shapes(np.shape(pairs[0][0]), np.shape(pairs[0][1]))


def _chebyshev(metric: Metric, pairs: Pairs) -> Any:
    largest = np.zeros(shape_of(pairs))
    for a, b in pairs:
        np.maximum(largest, np.abs(a - b), out=largest)
    return largest


def _braycurtis(metric: Metric, pairs: Pairs) -> Any:
    apart, size = np.zeros(shape_of(pairs)), np.zeros(shape_of(pairs))
    for a, b in pairs:
        apart += np.abs(a - b)
        size += np.abs(a) + np.abs(b)
    return np.where(size > 0, apart / np.where(size > 0, size, 1.0), 0.0)


def _mahalanobis(metric: Metric, pairs: Pairs) -> Any:
    apart = [a - b for a, b in pairs]
    total: Any = 0.0
    for row, own in zip(metric.inverse, apart, strict=True):
        part: Any = 0.0
        for weight, other in zip(row, apart, strict=True):
            part = part + weight * other
        total = total + part * own
    return total


def _hamming(metric: Metric, pairs: Pairs) -> Any:
    unequal = np.zeros(shape_of(pairs))
    for a, b in pairs:
        unequal += a != b
    return unequal / len(pairs)


def _cosine(metric: Metric, pairs: Pairs) -> Any:
    """1 minus the cosine, from 0 to 2; 1 where a vector is 0, as by scikit-learn's normalize."""
    product, own, other = products(pairs)
    sizes = np.sqrt(own) * np.sqrt(other)
    cosine = np.where(sizes == 0, 0.0, product / np.where(sizes == 0, 1.0, sizes))
    return np.clip(1.0 - cosine, 0.0, 2.0)


def _correlation(metric: Metric, pairs: Pairs) -> Any:
    product, own, other = products(centred(pairs))
    return 1.0 - product / (np.sqrt(own) * np.sqrt(other))


def products(pairs: Pairs) -> tuple[Any, Any, Any]:
    product: Any = 0.0
    own: Any = 0.0
    other: Any = 0.0
    for a, b in pairs:
        product, own, other = product + a * b, own + a * a, other + b * b
    return product, own, other


def centred(pairs: Pairs) -> Pairs:
    left, right = (_mean([pair[side] for pair in pairs]) for side in (0, 1))
    return [(a - left, b - right) for a, b in pairs]


def _mean(numbers: Iterable[Any]) -> Any:
    total: Any = 0.0
    count = 0
    for value in numbers:
        total, count = total + value, count + 1
    return total / count


def haversine(metric: Metric, pairs: Pairs) -> Any:
    (a0, b0), (a1, b1) = pairs
    across, along = _sin(0.5 * (a0 - b0)), _sin(0.5 * (a1 - b1))
    # scikit-learn has the row first, the stored point second
    return across * across + _cos(np.asarray(b0)) * _cos(np.asarray(a0)) * along * along


def _nan_euclidean(metric: Metric, pairs: Pairs) -> Any:
    """Over the columns that both hold, scaled up to all; NaN where there are none."""
    total, held = np.zeros(shape_of(pairs)), np.zeros(shape_of(pairs))
    for a, b in pairs:
        apart = a - b
        both = apart == apart
        total += np.where(both, apart * apart, 0.0)
        held += both
    return np.where(held == 0, np.nan, total / np.maximum(held, 1.0) * len(pairs))


def _counted(metric: Metric, pairs: Pairs) -> Any:
    both, one, shape = np.zeros(shape_of(pairs)), np.zeros(shape_of(pairs)), shape_of(pairs)
    for a, b in pairs:
        left, right = np.asarray(a) != 0, np.asarray(b) != 0
        both += left & right
        one += left != right
    return _of_counts(metric.name, both, one, len(pairs), pairs, shape)


def _of_counts(name: str, both: Any, one: Any, columns: int, pairs: Pairs, shape: tuple[int, ...]) -> Any:
    """Distances from the counts of columns in which both are true, and in which one is."""
    if name == "jaccard":
        return np.where(both + one == 0, 0.0, one / np.maximum(both + one, 1.0))
    if name == "dice":
        return one / (2.0 * both + one)
    if name in ("rogerstanimoto", "sokalmichener"):
        return 2.0 * one / (columns + one)
    if name == "russellrao":
        return (columns - both) / columns
    if name == "sokalsneath":
        return one / (0.5 * both + one)
    first = np.zeros(shape)
    for a, b in pairs:
        first += (np.asarray(a) != 0) & (np.asarray(b) == 0)
    crossed = first * (one - first)
    equal = both * (columns - both - one)
    return np.where(crossed == 0, 0.0, 2.0 * crossed / np.where(crossed == 0, 1.0, equal + crossed))


_COUNTED: Callable[[Metric, Pairs], Any] = _counted
_REDUCED: dict[str, Callable[[Metric, Pairs], Any]] = {
    "chebyshev": _chebyshev,
    "braycurtis": _braycurtis,
    "mahalanobis": _mahalanobis,
    "hamming": _hamming,
    "cosine": _cosine,
    "correlation": _correlation,
    "haversine": haversine,
    "nan_euclidean": _nan_euclidean,
}


def between(points: Any, vector: Any) -> Pairs:
    """The pairs of all points (numbers x points) with all rows (numbers x rows): arrays of points x rows."""
    return [(stored[:, None], numbers) for stored, numbers in zip(points, vector, strict=True)]


def at(points: Any, vector: Any, chosen: Any, rows: Any) -> Pairs:
    """The pairs of some points with some rows: one number for each."""
    return [(stored[chosen], numbers[rows]) for stored, numbers in zip(points, vector, strict=True)]


def is_usable(metric: str, p: float) -> bool:
    """Whether a metric and its power have a formula here."""
    return metric in METRICS and (metric != "minkowski" or (math.isfinite(p) and p > 0))
