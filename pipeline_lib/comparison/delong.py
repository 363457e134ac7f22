"""The difference of two areas under the ROC curve (AUC) on the same rows.

The variance is that of DeLong, DeLong & Clarke-Pearson (Biometrics 44, 1988). Its sums over all pairs of a positive
and a negative row follow from midranks in O(n log n): Sun & Xu, IEEE Signal Processing Letters 21 (2014). With
groups, the sums are taken by cluster: Obuchowski, Biometrics 53 (1997).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]
from numpy.typing import ArrayLike

from pipeline_lib.comparison.blocks import block_length
from pipeline_lib.comparison.checked_rows import (
    FloatArray,
    IntArray,
    checked_pair,
    checked_values,
    group_codes,
    sums_by,
)
from pipeline_lib.comparison.paired import PairedDifference, identical, moments
from pipeline_lib.comparison.reliability import Reliability, effective_clusters, judge, shape_of
from pipeline_lib.errors import InputError

_NOTHING = 1e-14
"""A difference of AUC that is the rounding of equal ones."""


@dataclass(frozen=True)
class Placements:
    """For each positive row the share of negatives that it beats (ties count half), and the other way round.

    `positive`: shape (positives,). `negative`: shape (negatives,), the share of positives that beat the row. The mean
    of either is the AUC.
    """

    positive: FloatArray
    negative: FloatArray

    @property
    def auc(self) -> float:
        return float(self.positive.mean())


def placements(scores: FloatArray, positive: np.ndarray) -> Placements:
    """From midranks: the rank among all rows less the rank among one's own class counts the other class below."""
    together = st.rankdata(scores)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    above = (together[positive] - st.rankdata(scores[positive])) / negatives
    below = 1 - (together[~positive] - st.rankdata(scores[~positive])) / positives
    return Placements(above, below)


def auc_difference(
    target: ArrayLike, champion: ArrayLike, challenger: ArrayLike, groups: Any = None, order: Any = None
) -> PairedDifference:
    """The difference in AUC by DeLong's test. `target`: 0 or 1 per row; the scores: higher for 1, shape (rows,).

    `groups`: whose row it is. `order`: the time of each row, without groups: blocks of time are taken as clusters.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 2, size=1000)
    >>> scores = target + rng.normal(size=1000)
    >>> result = auc_difference(target, scores + rng.normal(0, 0.5, 1000), scores)
    >>> print(f"{result.champion:.3f}, {result.challenger:.3f}: {result.low:.3f} to {result.high:.3f}, {result.test}")
    0.769, 0.790: 0.006 to 0.035, DeLong
    """
    positive, first, second = _checked(target, champion, challenger)
    old, new = placements(first, positive), placements(second, positive)
    above, below = new.positive - old.positive, new.negative - old.negative
    units = _units(above, below, positive, groups, order)
    estimate = new.auc - old.auc
    variance = _by_cluster(above, below, units.codes, positive) if units.count else _independent(above, below)
    error = math.sqrt(max(variance, 0.0))
    test, entities = f"DeLong{units.how}", None if units.in_time else units.count
    if error <= _NOTHING and abs(estimate) <= _NOTHING:
        return identical(old.auc, new.auc, len(positive), entities, test)
    judged, degrees = _judged(above, below, units, positive)
    if units.count:
        error *= math.sqrt(units.count / max(units.count - 1, 1))  # the factor of the jackknife
    half = float(st.t.ppf(0.975, degrees)) * error
    return PairedDifference(
        old.auc,
        new.auc,
        estimate,
        low=estimate - half,
        high=estimate + half,
        p=2 * float(st.t.sf(abs(estimate) / error, degrees)) if error > _NOTHING else 0.0,
        test=test,
        beside=(),
        rows=len(positive),
        clusters=entities,
        method=f"variance of {test}",
        reliable=judged.reliable,
        unreliable=judged.why_not,
        standard_error=error,
        rows_for_reliable=judged.rows_for_it,
    )


@dataclass(frozen=True)
class _Units:
    """What is independent: each row, where `count` is None, else so many entities or blocks of time."""

    codes: IntArray
    count: int | None
    moments: int | None = None

    @property
    def in_time(self) -> bool:
        """Whether the units are blocks of time."""
        return self.moments is not None

    @property
    def how(self) -> str:
        """The end of the test's name."""
        return "" if self.count is None else " by block" if self.in_time else " by cluster"


def _units(above: FloatArray, below: FloatArray, positive: np.ndarray, groups: Any, order: Any) -> _Units:
    """The unit of each row: its entity, else its block of time, else itself."""
    rows = len(positive)
    if groups is None and order is None:
        return _Units(np.arange(rows), None)
    if groups is not None:
        codes = group_codes(groups, rows)
        return _Units(codes, int(codes.max()) + 1)
    times = moments(order, rows)
    codes = _blocks(_contributions(above, below, times, positive)[0])[times]
    return _Units(codes, int(codes.max()) + 1, int(times.max()) + 1)


def _judged(above: FloatArray, below: FloatArray, units: _Units, positive: np.ndarray) -> tuple[Reliability, float]:
    """Whether the interval can be relied on, and the degrees of freedom: the clusters whose spread decides."""
    shape = shape_of(*_contributions(above, below, units.codes, positive))
    entities = units.count and not units.in_time
    effective = effective_clusters(sums_by(units.codes, np.ones(len(positive)))) if entities else math.inf
    judged = judge(shape, len(positive), units.count, effective=effective, moments=units.moments)
    return judged, max(min(units.count - 1, shape.degrees), 1.0) if units.count else math.inf


def _checked(
    target: ArrayLike, champion: ArrayLike, challenger: ArrayLike
) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Which rows are positive, and the scores of both models."""
    labels = checked_values(target, "target")
    first, second = checked_pair(champion, challenger)
    if len(labels) != len(first) or not np.isin(labels, (0, 1)).all():
        raise InputError("target: found other values or another length than the scores, expected 0 or 1 per row")
    positive = labels == 1
    if positive.all() or not positive.any():
        raise InputError(f"found {len(labels)} rows of one class, expected rows of both; AUC compares the two classes")
    return positive, first, second


def _blocks(contributions: FloatArray) -> IntArray:
    """The block of each moment, given what each moment contributes; what is left at the end joins the last block."""
    length = block_length(contributions)
    last = max(len(contributions) // length - 1, 0)
    return np.minimum(np.arange(len(contributions)) // length, last)


def _independent(above: FloatArray, below: FloatArray) -> float:
    """The variance of the difference; a class of one row has no spread of its own."""
    spread = [float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0 for values in (above, below)]
    return sum(spread)


def _by_cluster(above: FloatArray, below: FloatArray, codes: IntArray, positive: np.ndarray) -> float:
    """Obuchowski's variance: sums within clusters, and the covariance of the two classes in one cluster."""
    count = int(codes.max()) + 1
    sums = [
        sums_by(codes[mask], values - values.mean(), count) for mask, values in ((positive, above), (~positive, below))
    ]
    present = [len(np.unique(codes[mask])) for mask in (positive, ~positive)]
    own = sum(
        float((total**2).sum()) * units / max(units - 1, 1) / len(values) ** 2
        for total, units, values in zip(sums, present, (above, below), strict=True)
    )
    both = float((sums[0] * sums[1]).sum()) * count / max(count - 1, 1) / (len(above) * len(below))
    return own + 2 * both


def _contributions(
    above: FloatArray, below: FloatArray, codes: IntArray, positive: np.ndarray
) -> tuple[FloatArray, int]:
    """What each row, or cluster of rows, adds to the difference; and how many rows differ in their placement."""
    each = np.empty(len(codes))
    each[positive] = (above - above.mean()) / len(above)
    each[~positive] = (below - below.mean()) / len(below)
    differs = np.empty(len(codes), dtype=bool)
    differs[positive], differs[~positive] = above != 0, below != 0
    units = sums_by(codes, differs) > 0
    return sums_by(codes, each), int(units.sum())
