"""Intervals of shares and means against published numbers and SciPy."""

import math

import numpy as np
import pytest
import scipy.stats as st

from pipeline_lib.comparison.proportions import NOTHING, known, mean, mean_difference, share, share_difference


@pytest.mark.parametrize(("count", "rows"), [(0, 5), (1, 29), (15, 148), (81, 263), (29, 29)])
def test_wilson_is_that_of_scipy(count: int, rows: int) -> None:
    expected = st.binomtest(count, rows).proportion_ci(method="wilson")
    found = share(count, rows)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.low <= found.value <= found.high


def test_wilson_gives_the_published_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 has 0.2553 to 0.3662."""
    found = share(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(
    ("one", "other", "limits"),
    [((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090)), ((10, 10), (0, 10), (0.6075, 1.0))],
)
def test_newcombe_gives_the_published_intervals(
    one: tuple[int, int], other: tuple[int, int], limits: tuple[float, float]
) -> None:
    """Newcombe 1998 (interval estimation for the difference), table II, method 10."""
    found = share_difference(share(*one), share(*other))
    assert (round(found.low, 4), round(found.high, 4)) == limits


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.random.default_rng(0).normal(size=12)
    expected = st.ttest_1samp(values, 0.0).confidence_interval()
    found = mean(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert mean_difference(found, found).value == 0.0
    assert mean_difference(found, found).low < 0 < mean_difference(found, found).high


def test_without_rows_there_is_no_number_and_of_one_row_no_interval() -> None:
    assert share(0, 0) is NOTHING
    assert math.isnan(mean([3.0]).low)
    assert mean([3.0]).value == 3.0
    assert share_difference(NOTHING, share(1, 2)).rows == 0
    assert share(0, 0).to_json() == {"value": None, "low": None, "high": None, "rows": 0}
    assert known(math.inf) is None
