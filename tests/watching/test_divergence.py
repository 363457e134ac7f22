"""The numbers of drift against SciPy's and Evidently's."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from pipeline_lib.watching.divergence import (
    chi_square_tail,
    corrected,
    joined_bins,
    population_stability_index,
    two_sample_test,
)

_TRAINING = (
    "730 77 162 213 164 721 782 524 36 85 299 390 559 431 239 "
    "144 622 661 30 103 407 352 799 465 378 388 600 528 156 664"
)
_NOW = "302 382 314 114 128 259 260 278 347 117 375 1 31 389 377 120 56 126 18 356 265 234 98 189 76 309 190 13 102 283"
# Evidently 0.7.23 with pandas 2.3.3, evidently.legacy.calculations.stattests.psi._psi: counts in training, now, index.
# The first three are of categorical columns, the last of 5,000 normal numbers against as many with a deviation of 1.2,
# in its own bins; there it takes 0.0001 for an empty bin, which is half of one row in 5,000.
EVIDENTLY = [
    ([50, 30, 20], [50, 30, 20], "0x0.0p+0"),
    ([70, 30], [40, 60], "0x1.80d949e731672p-2"),
    ([1200, 430, 90, 12, 5], [301, 88, 41, 9, 1], "0x1.9428ee5e1e606p-5"),
    (
        [int(count) for count in _TRAINING.split()],
        [int(count) for count in _NOW.split()],
        "0x1.318c47bced850p+0",
    ),
    (
        [0, 0, 1, 13, 80, 270, 647, 1046, 1278, 936, 507, 165, 47, 9, 1],
        [1, 2, 11, 49, 152, 394, 639, 977, 1034, 804, 550, 246, 96, 39, 6],
        "0x1.2d260e97e5df1p-4",
    ),
]


@pytest.mark.parametrize(("training", "now", "index"), EVIDENTLY)
def test_the_stability_index_is_evidentlys(training: list[int], now: list[int], index: str) -> None:
    assert population_stability_index(training, now) == pytest.approx(float.fromhex(index), rel=1e-12, abs=1e-15)
    if training != now:
        assert population_stability_index(training, [*now[:-1], now[-1] + 1]) != pytest.approx(float.fromhex(index))


def test_empty_bins_count_as_half_a_row() -> None:
    found = population_stability_index([10, 0, 0], [8, 2, 0])
    assert found == pytest.approx(0.2 * math.log(1 / 0.8) + (0.2 - 0.05) * math.log(0.2 / 0.05), rel=1e-12)
    assert population_stability_index([0, 0], [3, 4]) == population_stability_index([3, 4], [0, 0]) == 0.0


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 21, 34, 60, 201])
def test_the_tail_of_chi_square_is_scipys(freedom: int) -> None:
    for statistic in (1e-9, 0.01, 0.5, 1.0, 3.8, 10.0, 33.3, 90.0, 300.0, 900.0):
        assert chi_square_tail(statistic, freedom) == pytest.approx(chi2.sf(statistic, freedom), rel=1e-11, abs=1e-300)
    assert chi_square_tail(0.0, freedom) == 1.0
    assert chi_square_tail(freedom, freedom) != pytest.approx(chi2.sf(freedom, freedom + 1), rel=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_the_two_sample_test_is_scipys(seed: int) -> None:
    random = np.random.default_rng(seed)
    bins = int(random.integers(2, 34))
    shares = random.dirichlet(np.full(bins, 0.7))
    training, now = (random.multinomial(n, shares) for n in (random.integers(20, 5000), random.integers(20, 5000)))
    table = joined_bins(training, now)
    assert table.sum() == training.sum() + now.sum()
    result = two_sample_test(training, now)
    if table.shape[1] < 2:
        assert result is None
        return
    expected = chi2_contingency(table, correction=False)
    assert expected.expected_freq.min() >= 5.0 - 1e-9
    assert result is not None
    assert result[:2] == (pytest.approx(expected.statistic, rel=1e-12, abs=1e-12), expected.dof)
    assert result[2] == pytest.approx(expected.pvalue, rel=1e-10)


def test_large_bins_are_not_joined() -> None:
    table = joined_bins([100, 200, 300], [30, 20, 10])
    assert table.tolist() == [[100, 200, 300], [30, 20, 10]]
    assert joined_bins([1000, 2, 3, 995], [1000, 1, 0, 999]).tolist() == [[1000, 1000], [1000, 1000]]


def test_samples_that_are_too_small_or_constant_have_no_test() -> None:
    assert two_sample_test([100, 100], [0, 0]) is None
    assert two_sample_test([100, 100], [1, 2]) is None
    assert two_sample_test([100, 0], [50, 0]) is None
    assert two_sample_test([100, 100], [30, 0]) is not None


def test_holms_correction_by_hand() -> None:
    assert corrected([0.01, 0.04, None, 0.03]) == [0.03, 0.06, None, 0.06]
    assert corrected([0.5, 0.9]) == [1.0, 1.0]
    assert corrected([None]) == [None]


def test_without_a_difference_few_columns_of_many_seem_to_have_one() -> None:
    random = np.random.default_rng(7)
    false_alarms = 0
    for _ in range(100):
        pairs = [(random.multinomial(2000, [0.05] * 20), random.multinomial(500, [0.05] * 20)) for _ in range(40)]
        tests = [two_sample_test(*pair) for pair in pairs]
        adjusted = corrected([test and test[2] for test in tests])
        false_alarms += any(p is not None and p < 0.05 for p in adjusted)
    assert 0 < false_alarms <= 12  # 5 expected; without the correction 87 are
