"""The numbers of sparse vectors: scaled, divided, logarithms, thresholds, rows divided by their norm."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBER, NUMBERS, SettingType, one_of
from pipeline_lib.compiled.operations.sparse import SparseColumn, same_width, sparse_error_bounds
from pipeline_lib.compiled.portable_math.logarithms import log_vector


def _elementwise(
    name: str,
    doc: str,
    settings: Mapping[str, SettingType],
    function: Callable[[Settings, SparseColumn], NDArray[np.float64]],
    slope: Callable[[Settings, SparseColumn, SparseColumn], Any],
    rounding: float,
    abs_max: Callable[[Settings, Sequence[float]], float],
) -> None:
    """Register an operation on each value of a sparse vector.

    A reference whose input differs by its error bound differs by `slope` times it; `rounding` ULPs come on top.
    """

    def bind(settings: Settings) -> Any:
        return lambda column: (sparse := SparseColumn.of(column)).holding(function(settings, sparse))

    def error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
        sparse, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
        inexact = np.where(moved > 0, 1.0, 0.0) + rounding
        steep = np.where(moved > 0, moved * slope(settings, sparse, result), 0.0)
        return steep + inexact * np.spacing(np.abs(result.values))

    operation(
        name,
        ("bag",),
        "bag",
        doc=doc,
        parameters=("vector",),
        settings=settings,
        column=bind,
        error_bound=error_bound,
        abs_max=abs_max,
        width=same_width,
    )


def _weights(settings: Settings, sparse: SparseColumn) -> NDArray[np.float64]:
    return np.asarray(settings["weights"], dtype=np.float64)[sparse.indices]


def _most(numbers: Any) -> float:
    most = float(np.abs(np.asarray(numbers, dtype=np.float64)).max(initial=0.0))
    return most if math.isfinite(most) else math.inf


def _product(first: float, second: float) -> float:
    return first * second if math.isfinite(first * second) else math.inf


_elementwise(
    "bag_scale",
    "Each number of a sparse vector times the weight of its index.",
    {"weights": NUMBERS},
    lambda settings, sparse: sparse.values * _weights(settings, sparse),
    lambda settings, sparse, result: np.abs(_weights(settings, sparse)),
    0.0,
    lambda settings, maxima: _product(maxima[0], _most(settings["weights"])),
)
_elementwise(
    "bag_divide",
    "Each number of a sparse vector divided by the weight of its index.",
    {"weights": NUMBERS},
    lambda settings, sparse: sparse.values / _weights(settings, sparse),
    lambda settings, sparse, result: np.abs(1 / _weights(settings, sparse)),
    0.0,
    lambda settings, maxima: math.inf,
)
_elementwise(
    "bag_log_plus_one",
    "`log(x) + 1` of each number of a sparse vector, such as a count.",
    {},
    lambda settings, sparse: log_vector(sparse.values) + 1.0,
    lambda settings, sparse, result: 1 / np.abs(sparse.values),
    9.0,  # ULPs, a generous bound: 4 of the reference's log, and both additions round
    lambda settings, maxima: maxima[0] + 1,
)


def _norms(settings: Settings, sparse: SparseColumn) -> NDArray[np.float64]:
    size = np.abs(sparse.values)
    if settings["norm"] == "max":
        norms = np.zeros(len(sparse))
        np.maximum.at(norms, sparse.rows(), size)  # a maximum does not depend on the order
    else:
        norms = sparse.sums(size) if settings["norm"] == "l1" else np.sqrt(sparse.sums(sparse.values * sparse.values))
    return np.where(norms == 0, 1.0, norms)[sparse.rows()]


def _norm_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
    sparse, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
    norms, share = _norms(settings, sparse), np.abs(result.values)
    sums = 0 if settings["norm"] == "max" else (np.diff(sparse.indptr)[sparse.rows()] + 3) * HALF_ULP * share
    together = sparse.sums(moved)[sparse.rows()] / norms  # no norm moves farther than the sum of its terms
    return moved / norms + together * share + np.where(together > 0, np.spacing(share), 0.0) + sums


def _normalize(settings: Settings) -> Any:
    def normalize(column: Any) -> SparseColumn:
        sparse = SparseColumn.of(column)
        return sparse.holding(sparse.values / _norms(settings, sparse))

    return normalize


operation(
    "bag_normalize",
    ("bag",),
    "bag",
    doc="Each sparse vector divided by its L1, L2 or largest norm; vectors of zeros stay.",
    parameters=("vector",),
    settings={"norm": one_of(("l1", "l2", "max"))},
    column=_normalize,
    error_bound=_norm_error_bound,
    abs_max=lambda settings, maxima: 1.0 if math.isfinite(maxima[0]) else math.inf,
    width=same_width,
)


def _above(settings: Settings) -> Any:
    def above(column: Any) -> SparseColumn:
        sparse = SparseColumn.of(column)
        sparse = sparse.keep(sparse.values > settings["threshold"])
        return sparse.holding(np.ones(len(sparse.values)))

    return above


def _above_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
    sparse, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
    unsure = (np.abs(sparse.values - settings["threshold"]) <= moved) & (moved > 0)
    return np.where(unsure, np.inf, 0.0)[sparse.values > settings["threshold"]]


operation(
    "bag_above",
    ("bag",),
    "bag",
    doc="1 where a sparse vector's number is above a threshold of 0 or more, else 0.",
    parameters=("vector",),
    settings={"threshold": NUMBER},
    column=_above,
    error_bound=_above_error_bound,
    abs_max=lambda settings, maxima: 1.0,
    width=same_width,
)
