"""The numbers of sparse vectors: scaled, divided, logarithms, thresholds, rows divided by their norm."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.sparse import SparseColumn, same_width, sparse_error_bounds
from pipeline_lib.compiled.portable_math.logarithms import log_vector

_HALF_ULP = 2.0**-53


def _elementwise(
    name: str,
    function: Callable[[Settings, SparseColumn], NDArray[np.float64]],
    slope: Callable[[Settings, SparseColumn, SparseColumn], Any],
    rounding: float,
    abs_max: Callable[[Settings, Sequence[float]], float],
) -> None:
    """Enter an operation on a bag's values: a reference moves by `slope` times its bound, and rounds otherwise."""

    def bind(settings: Settings) -> Any:
        return lambda column: (bag := SparseColumn.of(column)).holding(function(settings, bag))

    def error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
        bag, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
        inexact = np.where(moved > 0, 1.0, 0.0) + rounding
        steep = np.where(moved > 0, moved * slope(settings, bag, result), 0.0)
        return steep + inexact * np.spacing(np.abs(result.values))

    operation(name, ("bag",), "bag", column=bind, error_bound=error_bound, abs_max=abs_max, width=same_width)


def _weights(settings: Settings, bag: SparseColumn) -> NDArray[np.float64]:
    return np.asarray(settings["weights"], dtype=np.float64)[bag.indices]


def _most(numbers: Any) -> float:
    most = float(np.abs(np.asarray(numbers, dtype=np.float64)).max(initial=0.0))
    return most if math.isfinite(most) else math.inf


def _product(first: float, second: float) -> float:
    return first * second if math.isfinite(first * second) else math.inf


# Each number times its place's weight; each number divided by it.
_elementwise(
    "bag_scale",
    lambda settings, bag: bag.values * _weights(settings, bag),
    lambda settings, bag, result: np.abs(_weights(settings, bag)),
    0.0,
    lambda settings, maxima: _product(maxima[0], _most(settings["weights"])),
)
_elementwise(
    "bag_divide",
    lambda settings, bag: bag.values / _weights(settings, bag),
    lambda settings, bag, result: np.abs(1 / _weights(settings, bag)),
    0.0,
    lambda settings, maxima: math.inf,
)
# `log(x) + 1`, of counts.
_elementwise(
    "bag_log_plus_one",
    lambda settings, bag: log_vector(bag.values) + 1.0,
    lambda settings, bag, result: 1 / np.abs(bag.values),
    9.0,
    lambda settings, maxima: maxima[0] + 1,
)


def _norms(settings: Settings, bag: SparseColumn) -> NDArray[np.float64]:
    size = np.abs(bag.values)
    if settings["norm"] == "max":
        norms = np.zeros(len(bag))
        np.maximum.at(norms, bag.rows(), size)  # no order: the largest is the largest
    else:
        norms = bag.sums(size) if settings["norm"] == "l1" else np.sqrt(bag.sums(bag.values * bag.values))
    return np.where(norms == 0, 1.0, norms)[bag.rows()]


def _norm_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
    bag, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
    norms, share = _norms(settings, bag), np.abs(result.values)
    sums = 0 if settings["norm"] == "max" else (np.diff(bag.indptr)[bag.rows()] + 3) * _HALF_ULP * share
    together = bag.sums(moved)[bag.rows()] / norms  # no norm moves farther than the sum of its terms
    return moved / norms + together * share + np.where(together > 0, np.spacing(share), 0.0) + sums


# Each row divided by its L1, L2 or largest norm; rows of zeros stay.
operation(
    "bag_normalize",
    ("bag",),
    "bag",
    column=lambda settings: lambda column: (bag := SparseColumn.of(column)).holding(bag.values / _norms(settings, bag)),
    error_bound=_norm_error_bound,
    abs_max=lambda settings, maxima: 1.0 if math.isfinite(maxima[0]) else math.inf,
    width=same_width,
)


def _above(settings: Settings) -> Any:
    def above(column: Any) -> SparseColumn:
        bag = SparseColumn.of(column)
        bag = bag.keep(bag.values > settings["threshold"])
        return bag.holding(np.ones(len(bag.values)))

    return above


def _above_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
    bag, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
    unsure = (np.abs(bag.values - settings["threshold"]) <= moved) & (moved > 0)
    return np.where(unsure, np.inf, 0.0)[bag.values > settings["threshold"]]


# 1 at places whose number is above a threshold of 0 or more.
operation(
    "bag_above",
    ("bag",),
    "bag",
    column=_above,
    error_bound=_above_error_bound,
    abs_max=lambda settings, maxima: 1.0,
    width=same_width,
)
