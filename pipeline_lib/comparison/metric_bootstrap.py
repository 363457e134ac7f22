"""The paired bootstrap of any metric of rows: BCa by SciPy; for many units, with a coarser jackknife."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]

from pipeline_lib.comparison.blocks import block_length, block_rows
from pipeline_lib.comparison.checked_rows import FloatArray, IntArray
from pipeline_lib.comparison.intervals import bca_limits, widened_level
from pipeline_lib.comparison.reliability import Reliability, judge, shape_of
from pipeline_lib.errors import InputError

RESAMPLES = 1000
JACKKNIFE_UNITS = 500
"""Units up to which each is left out in turn; beyond, as many random bundles of units are."""
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
    influences, bundle = _influences(difference, units.count, order is not None, rng)
    length = 1
    if order is not None:
        length = min(units.count, max(block_length(influences) * bundle, round(units.count ** (1 / 3))))
    independent = units.count // length
    level = widened_level(max(independent - 1, 1))
    clusters = None if groups is None else units.count
    judged = judge(shape_of(influences), rows, independent if order is not None else clusters, _unit(order))
    if length == 1 and bundle == 1 and units.count > 1:
        limits, distribution = _by_scipy(difference, units.count, level, rng)
        method = f"bootstrap BCa, {RESAMPLES:,} resamples"
    else:
        distribution = np.array([difference(block_rows(units.count, length, rng)) for _ in range(RESAMPLES)])
        limits = bca_limits(distribution[np.isfinite(distribution)], estimate, shape_of(influences).acceleration, level)
        method = f"bootstrap BCa, {RESAMPLES:,} resamples, jackknife of {len(influences)} bundles"
    method += f", blocks of {length} moments" if order is not None else " by cluster" if clusters else ""
    return _result(estimate, limits, distribution, independent, clusters, method, judged)


def _unit(order: IntArray | None) -> str:
    return "entities" if order is None else "blocks of time"


def _influences(
    difference: Callable[[IntArray], float], units: int, in_order: bool, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """How each bundle of units moves the difference, around 0, and how many units a bundle has."""
    everything = np.arange(units)
    shuffled = everything if in_order else rng.permutation(units)
    bundles = np.array_split(shuffled, min(units, JACKKNIFE_UNITS))
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
    independent: int,
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
    if undefined > _UNDEFINED_SHARE:
        reliable, why_not = False, why_not or f"the metric is undefined in {undefined:.0%} of the resamples"
    test = "z of the bootstrap"
    if error > abs(estimate) * 1e-12:
        p = 2 * float(st.t.sf(abs(estimate) / error, max(independent - 1, 1)))
    else:
        p, test = (1.0, test) if estimate == 0 else (2.0 ** (1 - min(independent, 1000)), "sign test")
    return MetricBootstrap(low, high, p, test, clusters, method, reliable, why_not, error, judged.rows_for_it)
