"""How far two distributions over the same bins are apart, and how likely chance alone is to bring them as far."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SMALLEST_EXPECTED = 5.0
"""Rows that the test must expect in a bin of either sample, as is usual for it; smaller bins are joined."""
_HALF_A_ROW = 0.5
Counts = NDArray[np.int64] | Sequence[int]


def population_stability_index(training: Counts, now: Counts) -> float:
    """The sum over bins of (p - q) * log(p / q), with the shares p now and q in training.

    A bin that is empty in one of the samples counts as half a row there, else the index would be infinite; a bin that
    is empty in both is left out. 0 where one of the samples has no rows at all.

    >>> population_stability_index([50, 50], [50, 50])
    0.0
    >>> round(population_stability_index([50, 50], [90, 10]), 4)
    0.8789
    """
    old, new = (np.asarray(counts, np.float64) for counts in (training, now))
    if not (old.sum() and new.sum()):
        return 0.0
    some = (old + new) > 0
    q, p = (np.where(each == 0, _HALF_A_ROW, each)[some] / each.sum() for each in (old, new))
    return float(np.sum((p - q) * np.log(p / q)))


def two_sample_test(training: Counts, now: Counts) -> tuple[float, int, float] | None:
    """Chi-square test of whether both samples are of one distribution: statistic, degrees of freedom, p-value.

    A bin of which it expects fewer than 5 rows in one of the samples is joined with the bins after it. None where fewer
    than two bins are left: all values are in one of them, or the samples are too small to tell.

    >>> two_sample_test([50, 50], [90, 10])[2] < 1e-6
    True
    >>> two_sample_test([50, 50], [1, 0]) is None
    True
    """
    table = joined_bins(training, now)
    if table.shape[1] < 2:
        return None
    totals = table.sum(axis=0)
    expected = np.outer(table.sum(axis=1), totals) / totals.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    freedom = table.shape[1] - 1
    return statistic, freedom, chi_square_tail(statistic, freedom)


def joined_bins(training: Counts, now: Counts) -> NDArray[np.float64]:
    """Both samples as rows; bins that are too small for the test are joined with their neighbours, none is empty."""
    table = np.array([training, now], np.float64)
    rows = table.sum(axis=1)
    if not rows.all():
        return table[:, :0]
    least = SMALLEST_EXPECTED * rows.sum() / rows.min()  # of both samples together
    joined = []
    group = np.zeros(2)
    for each in table.T:
        group = group + each
        if group.sum() >= least:
            joined.append(group)
            group = np.zeros(2)
    if joined:
        joined[-1] = joined[-1] + group
    return np.array(joined or [group]).T


def chi_square_tail(statistic: float, freedom: int) -> float:
    """The probability that chi-square with so many degrees of freedom is at least the statistic.

    That is the regularized upper incomplete gamma function Q(freedom / 2, statistic / 2). For halves of whole numbers
    it is a finite sum of positive terms: Q(a + 1, x) = Q(a, x) + x**a * exp(-x) / gamma(a + 1), from
    Q(1/2, x) = erfc(sqrt(x)) or Q(1, x) = exp(-x).

    >>> chi_square_tail(0.0, 3)
    1.0
    >>> round(chi_square_tail(3.841458820694124, 1), 12)
    0.05
    """
    x = statistic / 2
    if x <= 0:
        return 1.0
    a = 0.5 if freedom % 2 else 1.0
    total = math.erfc(math.sqrt(x)) if freedom % 2 else math.exp(-x)
    while a < freedom / 2:
        total += math.exp(a * math.log(x) - x - math.lgamma(a + 1))
        a += 1
    return min(total, 1.0)


def corrected(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values after Holm's correction for that many tests: the chance of one false alarm among all stays the level's.

    None, a test that was not made, stays None and does not count.

    >>> corrected([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    made = sorted((p, number) for number, p in enumerate(p_values) if p is not None)
    result: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, number) in enumerate(made):
        largest = max(largest, min(1.0, p * (len(made) - rank)))
        result[number] = largest
    return result
