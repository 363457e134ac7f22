"""The paired bootstrap of any metric of rows: BCa by SciPy; for many units, with a coarser jackknife."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]

from pipeline_lib.comparison.blocks import block_length, block_rows
from pipeline_lib.comparison.checked_rows import FloatArray, IntArray
from pipeline_lib.comparison.intervals import abc_limits, bca_limits, t_quantile, widened_level
from pipeline_lib.comparison.reliability import (
    MINIMUM_DEGREES_OF_METRICS,
    Reliability,
    Shape,
    effective_clusters,
    judge,
    shape_of,
)
from pipeline_lib.errors import InputError

RESAMPLES = 1000
JACKKNIFE_UNITS = 500
"""Units up to which each is left out in turn; beyond, as many random bundles of units are."""
MANY_UNITS, RESAMPLES_OF_MANY, JACKKNIFE_OF_MANY = 20_000, 200, 200
"""Past so many units a metric takes long, and its estimates are close to normal: a standard error is enough."""
_UNDEFINED_SHARE = 0.01
"""Resamples in which the metric may be undefined, as AUC is where one class is missing."""

Measure = Callable[[IntArray], tuple[float, float]]


@dataclass(frozen=True)
class MetricBootstrap:
    """The interval of a difference of metrics, with the fields of `PairedDifference` that depend on it."""

    low: float
    high: float
    p: float
    test: str
    clusters: int | None
    method: str
    reliable: bool
    unreliable: str
    standard_error: float
    rows_for_reliable: int


class _Units:
    """Rows in bundles that are drawn together: `rows_of` gives the rows of units, some of them repeated."""

    def __init__(self, codes: IntArray) -> None:
        self.sorted = np.argsort(codes, kind="stable")
        self.sizes = np.bincount(codes)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.count = len(self.sizes)

    def rows_of(self, units: IntArray) -> IntArray:
        if self.count == len(self.sorted):  # each row is its own
            return np.asarray(self.sorted[units])
        sizes = self.sizes[units]
        offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.asarray(self.sorted[np.repeat(self.starts[units], sizes) + offsets])


def bootstrap_metric(
    measure: Measure, rows: int, groups: IntArray | None, order: IntArray | None, seed: int
) -> MetricBootstrap:
    """`groups`: a number per row, rows of one group are drawn together. `order`: rank in time, drawn in blocks."""
    rng = np.random.default_rng(seed)
    units = _Units(groups if groups is not None else order if order is not None else np.arange(rows))

    def difference(chosen: IntArray) -> float:
        champion, challenger = measure(units.rows_of(chosen))
        return float(challenger - champion)

    estimate = difference(np.arange(units.count))
    if not math.isfinite(estimate):
        raise InputError(f"found a metric of {estimate} on all {rows} rows, expected a number; leave this metric out")
    in_time = order is not None
    influences, bundle = _influences(difference, units.count, in_time, rng)
    length = 1
    if in_time:
        length = min(units.count, max(block_length(influences) * bundle, round(float(units.count) ** (1 / 3))))
        influences = _in_blocks(influences, math.ceil(length / bundle))
    independent = units.count // length
    clusters = None if groups is None else units.count
    shape = shape_of(influences)
    effective = effective_clusters(units.sizes.astype(np.float64)) if clusters else math.inf
    judged = judge(
        shape,
        rows,
        independent if in_time else clusters,
        effective=effective,
        moments=units.count if in_time else None,
        degrees=MINIMUM_DEGREES_OF_METRICS,
    )
    degrees = max(independent - 1, 1)
    if length == 1 and bundle == 1 and units.count > 1:
        limits, distribution = _by_scipy(difference, units.count, widened_level(degrees), rng)
        method = f"bootstrap BCa, {RESAMPLES:,} resamples"
    else:
        resamples = RESAMPLES if units.count <= MANY_UNITS else RESAMPLES_OF_MANY
        distribution = np.array([difference(block_rows(units.count, length, rng)) for _ in range(resamples)])
        limits = _limits(distribution, estimate, shape, degrees)
        name = "BCa" if resamples == RESAMPLES else "ABC"  # as `_limits` has it
        method = f"bootstrap {name}, {resamples:,} resamples, jackknife of {len(influences)} bundles"
    method += f", blocks of {length} moments" if in_time else " by cluster" if clusters else ""
    return _result(estimate, limits, distribution, degrees, clusters, method, judged)


def _in_blocks(influences: FloatArray, length: int) -> FloatArray:
    """The influence of each block of consecutive bundles; what is left at the end is left out."""
    blocks = max(len(influences) // length, 1)
    sums = influences[: blocks * length].reshape(blocks, -1).sum(axis=1)
    return np.asarray(sums - sums.mean())


def _limits(distribution: FloatArray, estimate: float, shape: Shape, degrees: int) -> tuple[float, float]:
    """BCa from many resamples; from few, the standard error of the bootstrap with the skewness of the jackknife."""
    finite = distribution[np.isfinite(distribution)]
    if len(finite) < 2:
        return math.nan, math.nan
    if len(distribution) == RESAMPLES_OF_MANY:
        return abc_limits(estimate, float(finite.std(ddof=1)), shape.acceleration, t_quantile(RESAMPLES_OF_MANY - 1))
    return bca_limits(finite, estimate, shape.acceleration, widened_level(degrees))


def _influences(
    difference: Callable[[IntArray], float], units: int, in_order: bool, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """How each bundle of units moves the difference, around 0, and how many units a bundle has."""
    everything = np.arange(units)
    shuffled = everything if in_order else rng.permutation(units)
    bundles = np.array_split(shuffled, min(units, JACKKNIFE_UNITS if units <= MANY_UNITS else JACKKNIFE_OF_MANY))
    if len(bundles) < 2:
        return np.zeros(1), 1
    left_out = np.array([difference(np.delete(everything, bundle)) for bundle in bundles])
    left_out = left_out[np.isfinite(left_out)]
    return left_out.mean() - left_out, max(len(bundle) for bundle in bundles)


def _by_scipy(
    difference: Callable[[IntArray], float], units: int, level: float, rng: np.random.Generator
) -> tuple[tuple[float, float], FloatArray]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=st.DegenerateDataWarning)  # models that hardly differ
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="scipy")
        result = st.bootstrap(
            (np.arange(units),),
            difference,
            n_resamples=RESAMPLES,
            confidence_level=level,
            method="BCa",
            vectorized=False,
            rng=rng,
        )
    limits = float(result.confidence_interval.low), float(result.confidence_interval.high)
    return limits, np.asarray(result.bootstrap_distribution)


def _result(
    estimate: float,
    limits: tuple[float, float],
    distribution: FloatArray,
    degrees: int,
    clusters: int | None,
    method: str,
    judged: Reliability,
) -> MetricBootstrap:
    finite = distribution[np.isfinite(distribution)]
    undefined = 1 - len(finite) / len(distribution)
    error = float(finite.std(ddof=1)) if len(finite) > 1 else math.inf
    reliable, why_not = judged.reliable, judged.why_not
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = (estimate, estimate) if error == 0 else (-math.inf, math.inf)
        reliable, why_not = reliable and error == 0, why_not or "the interval is not defined on these rows"
    if not low <= estimate <= high:  # the metric is biased in resamples, as those of binned probabilities are
        low, high = min(low, estimate), max(high, estimate)
        reliable, why_not = False, why_not or "resamples of these rows do not lie around the measured difference"
    if undefined > _UNDEFINED_SHARE:
        reliable, why_not = False, why_not or f"the metric is undefined in {undefined:.0%} of the resamples"
    test = "z of the bootstrap"
    if error > abs(estimate) * 1e-12:
        p = 2 * float(st.t.sf(abs(estimate) / error, degrees))
    else:
        p, test = (1.0, test) if estimate == 0 else (2.0 ** (1 - min(degrees + 1, 1000)), "sign test")
    return MetricBootstrap(low, high, p, test, clusters, method, reliable, why_not, error, judged.rows_for_it)
