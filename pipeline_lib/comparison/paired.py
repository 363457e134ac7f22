"""The difference between two models on the same rows, with its 95 % interval, its test, and whether to believe it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]
from numpy.typing import ArrayLike

from pipeline_lib.comparison.blocks import block_length, circular_sums, resampled_ratios
from pipeline_lib.comparison.checked_rows import FloatArray, IntArray, checked_pair, group_codes, sums_by
from pipeline_lib.comparison.intervals import (
    RESAMPLES,
    SCIPY_UNITS,
    abc_limits,
    bca_limits,
    ratio_interval,
    t_quantile,
    widened_level,
)
from pipeline_lib.comparison.metric_bootstrap import MetricBootstrap, bootstrap_metric
from pipeline_lib.comparison.reliability import effective_clusters, judge, shape_of
from pipeline_lib.errors import InputError

FEW_CLUSTERS = 200
"""Below, the skewness of clusters is known too badly to shorten an interval by it."""


@dataclass(frozen=True)
class PairedDifference:
    """Challenger minus champion in one metric, measured on the same rows. All figures are in the metric's unit."""

    champion: float
    challenger: float
    estimate: float
    """Challenger minus champion."""
    low: float
    high: float
    """The limits of the 95 % interval."""
    p: float
    """Two-sided p-value of `test`: how surprising the difference would be between equal models."""
    test: str
    beside: tuple[tuple[str, float], ...]
    """Further tests by name, with their p-values."""
    rows: int
    clusters: int | None
    """Entities that the rows belong to; None where each row is its own."""
    method: str
    """How the interval was computed."""
    reliable: bool
    unreliable: str
    """Why the interval is not to be believed; empty where it is."""
    standard_error: float
    rows_for_reliable: int = 0
    """At how many rows of this kind in all the interval could be believed."""

    @property
    def identical(self) -> bool:
        """Whether the two models never differ in this metric, in no row and no resample."""
        return self.estimate == 0 and self.standard_error == 0


@dataclass(frozen=True)
class _Interval:
    low: float
    high: float
    standard_error: float
    p: float
    test: str
    method: str
    clusters: int | None
    reliable: bool
    unreliable: str
    rows_for_reliable: int


def difference_of_means(
    champion: ArrayLike, challenger: ArrayLike, *, groups: Any = None, order: Any = None, seed: int = 0
) -> PairedDifference:
    """The difference of two means over the same rows, such as absolute errors, losses per row, or money.

    `champion`, `challenger`: one number per row, shape (rows,). `groups`: whose row it is, shape (rows,); rows of one
    entity count as one (bootstrap and t test by cluster). `order`: the time of each row; neighbours in time are
    resampled together. With both, the one whose standard error is larger. `seed`: of the resamples. Raises
    `InputError` for values that are missing or infinite, with their count.

        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> errors = rng.exponential(size=400)
        >>> result = difference_of_means(errors, errors - rng.normal(0.1, 0.3, size=400))
        >>> print(f"{result.estimate:.2f} ({result.low:.2f} to {result.high:.2f}), {result.test}, p {result.p:.1g}")
        -0.09 (-0.12 to -0.06), paired t, p 7e-10
    """
    first, second = checked_pair(champion, challenger)
    differences, rows = second - first, len(first)
    means = float(first.mean()), float(second.mean())
    if not differences.any():
        return identical(means[0], means[1], rows, None if groups is None else _count(groups, rows), "paired t")
    candidates = []
    if groups is not None or order is None:
        candidates.append(_independent(differences, groups, seed))
    if order is not None:
        candidates.append(_in_blocks(differences, order, seed))
    chosen = max(candidates, key=lambda candidate: candidate.standard_error)
    beside: tuple[tuple[str, float], ...] = ()
    if groups is None and order is None:
        beside = (("Wilcoxon signed rank", float(st.wilcoxon(differences).pvalue)),)
    return PairedDifference(*means, float(differences.mean()), beside=beside, rows=rows, **vars(chosen))


def difference_of_metric(
    measure: Callable[[IntArray], tuple[float, float]],
    rows: int,
    *,
    groups: Any = None,
    order: Any = None,
    seed: int = 0,
) -> PairedDifference:
    """The difference in any metric of rows, such as F1 or the root of the mean squared error.

    `measure(indices)` returns the metric of the champion and of the challenger on these rows, given as an integer
    array in which a row may be repeated. The other parameters are those of `difference_of_means`. The test divides
    the estimate by the standard error of the bootstrap.

        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> errors, better = rng.normal(size=300), rng.normal(0, 0.8, size=300)
        >>> def root_mean_square(rows):
        ...     return (errors[rows] ** 2).mean() ** 0.5, (better[rows] ** 2).mean() ** 0.5
        >>> result = difference_of_metric(root_mean_square, 300)
        >>> print(f"{result.estimate:.2f} ({result.low:.2f} to {result.high:.2f})")
        -0.24 (-0.36 to -0.13)
    """
    champion, challenger = measure(np.arange(rows))
    results = [bootstrap_metric(measure, rows, codes, time, seed) for codes, time in _designs(groups, order, rows)]
    result: MetricBootstrap = max(results, key=lambda candidate: candidate.standard_error)
    if champion == challenger and result.standard_error == 0:
        return identical(champion, challenger, rows, result.clusters, "bootstrap")
    return PairedDifference(champion, challenger, challenger - champion, beside=(), rows=rows, **vars(result))


def identical(champion: float, challenger: float, rows: int, clusters: int | None, test: str) -> PairedDifference:
    """The result for models that never differ: p is 1, the interval is 0 to 0."""
    method = "the models do not differ in any row"
    return PairedDifference(
        champion, challenger, 0.0, 0.0, 0.0, 1.0, test, (), rows, clusters, method, True, "", 0.0, rows
    )


def _designs(groups: Any, order: Any, rows: int) -> list[tuple[IntArray | None, IntArray | None]]:
    """Which units to resample: entities, moments, or rows; with both entities and moments, each in turn."""
    designs: list[tuple[IntArray | None, IntArray | None]] = []
    if groups is not None or order is None:
        designs.append((None if groups is None else group_codes(groups, rows), None))
    if order is not None:
        designs.append((None, moments(order, rows)))
    return designs


def _count(groups: Any, rows: int) -> int:
    return int(group_codes(groups, rows).max()) + 1


def _independent(differences: FloatArray, groups: Any, seed: int) -> _Interval:
    """Rows, or the entities they belong to, as independent units."""
    rows, clusters = len(differences), None
    sums, sizes = differences, np.ones(rows, dtype=np.float64)
    if groups is not None:
        codes = group_codes(groups, rows)
        sums, sizes = sums_by(codes, differences), sums_by(codes, np.ones(rows))
        clusters = len(sums)
    units, estimate = len(sums), float(sums.sum() / rows)
    contributions = (sums - estimate * sizes) * (units / rows)
    differing = int(np.count_nonzero(sums_by(codes, differences != 0) if clusters else differences))
    effective = math.inf if clusters is None else effective_clusters(sizes)
    judged = judge(shape_of(contributions, differing), rows, clusters, effective=effective)
    verdict = judged.reliable, judged.why_not, judged.rows_for_it
    name = "paired t" if groups is None else "t by cluster"
    if units == 1:
        return _Interval(-math.inf, math.inf, math.inf, 1.0, name, "one unit", clusters, *verdict)
    plain = math.sqrt(float((contributions**2).sum())) / units
    if plain <= abs(estimate) * 1e-12:
        return _constant(estimate, units, clusters, verdict)
    error, degrees = _student(contributions, sizes)
    p = 2 * float(st.t.sf(abs(estimate) / error, degrees))
    low, high, method = ratio_interval(sums, sizes, widened_level(degrees, error / plain), seed)
    if clusters:
        method += " by cluster"
        if clusters < FEW_CLUSTERS:
            half = t_quantile(degrees) * error
            low, high, method = min(low, estimate - half), max(high, estimate + half), f"{method}, t where it is wider"
    return _Interval(low, high, error, p, name, method, clusters, *verdict)


def _student(contributions: FloatArray, sizes: FloatArray) -> tuple[float, float]:
    """Standard error and degrees of freedom of the t test of units of any size.

    Of units of one size, both are the usual ones. Otherwise the standard error is CR2 of Bell & McCaffrey (Survey
    Methodology 28, 2002), and the degrees are the effective number of clusters less 1 (Carter, Schnepel & Steigerwald,
    Review of Economics and Statistics 99, 2017), as if all rows of a cluster were one.
    """
    shares = sizes / sizes.sum()
    error = math.sqrt(float((contributions**2 / (1 - shares)).sum())) / len(sizes)
    return error, max(effective_clusters(sizes) - 1, 1.0)


def _constant(estimate: float, units: int, clusters: int | None, verdict: tuple[bool, str, int]) -> _Interval:
    """The same difference in each unit: no spread to divide by, so the signs are tested."""
    p = 2.0 ** (1 - min(units, 1000))
    return _Interval(
        estimate, estimate, 0.0, p, "sign test", "the difference is the same in all rows", clusters, *verdict
    )


def moments(order: Any, rows: int) -> IntArray:
    """The rank in time of each row's moment, from 0; rows of one moment share it."""
    values = np.asarray(order)
    if values.shape != (rows,):
        raise InputError(f"order: found an array of shape {values.shape}, expected ({rows},), a time per row")
    missing = int(np.count_nonzero(values != values))
    if missing:
        raise InputError(f"order: found {missing:,} of {rows:,} rows without a time, expected one for each row")
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _in_blocks(differences: FloatArray, order: Any, seed: int) -> _Interval:
    """Blocks of consecutive moments as units."""
    rows = len(differences)
    codes = moments(order, rows)
    sums, sizes = sums_by(codes, differences), sums_by(codes, np.ones(rows))
    units, estimate = len(sums), float(sums.sum() / sizes.sum())
    contributions = (sums - estimate * sizes) * (units / rows)
    length = block_length(contributions)
    blocks = units // length
    block_sums = contributions[: blocks * length].reshape(blocks, length).sum(axis=1)
    differs = sums_by(codes, differences != 0)[: blocks * length].reshape(blocks, length).any(axis=1)
    shape = shape_of(block_sums - block_sums.mean(), int(differs.sum()))
    judged = judge(shape, rows, blocks, moments=units)
    verdict = judged.reliable, judged.why_not, judged.rows_for_it
    squares = float((circular_sums(contributions, length) ** 2).mean())
    error = math.sqrt(squares / (length * units) * blocks / (blocks - 1)) if blocks > 1 else math.inf
    if error <= abs(estimate) * 1e-12:
        return _constant(estimate, blocks, None, verdict)
    if blocks < 2:
        return _Interval(-math.inf, math.inf, error, 1.0, "t by block", "one block of time", None, *verdict)
    method = f"block bootstrap BCa, blocks of {length} moments"
    if blocks > SCIPY_UNITS:
        low, high = abc_limits(estimate, error, shape.acceleration, t_quantile(blocks - 1))
        method += ", in closed form"
    else:
        distribution = resampled_ratios(sums, sizes, length, RESAMPLES, np.random.default_rng(seed))
        low, high = bca_limits(distribution, estimate, shape.acceleration, widened_level(blocks - 1))
        method += f", {RESAMPLES:,} resamples"
    p = 2 * float(st.t.sf(abs(estimate) / error, blocks - 1))
    return _Interval(low, high, error, p, "t by block", method, None, *verdict)
