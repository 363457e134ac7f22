"""Paired differences: what they say of equal, constant, clustered and ordered rows."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats as st

from pipeline_lib.comparison.intervals import SCIPY_UNITS, abc_limits, t_quantile
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means, difference_of_metric
from pipeline_lib.comparison.verdict import is_not_worse, verdict_of
from pipeline_lib.errors import InputError


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def root_mean_square(first: np.ndarray, second: np.ndarray, **options: object) -> PairedDifference:
    def measure(rows: np.ndarray) -> tuple[float, float]:
        return float(np.sqrt(np.mean(first[rows] ** 2))), float(np.sqrt(np.mean(second[rows] ** 2)))

    return difference_of_metric(measure, len(first), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [1, 2, 50, 3000])
@pytest.mark.parametrize("options", ["", "groups", "order"])
def test_identical_models_never_differ(rng: np.random.Generator, rows: int, options: str) -> None:
    errors = rng.exponential(size=rows)
    given = {options: np.arange(rows) // 3} if options else {}
    for result in (difference_of_means(errors, errors, **given), root_mean_square(errors, errors, **given)):
        assert (result.estimate, result.low, result.high, result.p) == (0, 0, 0, 1)
        assert verdict_of(result, direction="minimize") == "no difference"
        assert verdict_of(result, direction="minimize", margin=1.0, p=0.0) == "no difference"
        assert is_not_worse(result, direction="maximize")


@pytest.mark.parametrize("options", ["", "groups", "order"])
def test_a_constant_difference_is_clear(rng: np.random.Generator, options: str) -> None:
    errors = rng.integers(0, 9, size=600).astype(float)
    given = {options: np.arange(600) // 2} if options else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = difference_of_means(errors, errors + 0.5, **given)
    assert result.estimate == result.low == result.high == 0.5
    assert result.p < 1e-10
    assert verdict_of(result, direction="maximize") == "better"
    assert verdict_of(result, direction="minimize") == "worse"


def test_a_single_entity_shows_no_spread() -> None:
    result = difference_of_means([0.0, 1.0], [1.0, 3.0], groups=["a", "a"])
    assert (result.low, result.high, result.p, result.reliable) == (-math.inf, math.inf, 1.0, False)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_missing_and_infinite_values_are_counted(bad: float) -> None:
    with pytest.raises(InputError, match="challenger: found 2 of 4 values"):
        difference_of_means([1.0, 2, 3, 4], [1.0, bad, bad, 4])
    with pytest.raises(InputError, match="found a metric of nan on all 9 rows"):
        difference_of_metric(lambda rows: (math.nan, 1.0), 9)


def test_other_lengths_and_empty_input_are_refused() -> None:
    with pytest.raises(InputError, match="found 3 values of the champion and 2 of the challenger"):
        difference_of_means([1.0, 2, 3], [1.0, 2])
    with pytest.raises(InputError, match="expected \\(rows,\\)"):
        difference_of_means([], [])
    with pytest.raises(InputError, match="groups: found 2 values"):
        difference_of_means([1.0, 2, 3], [1.0, 2, 4], groups=[1, 2])
    with pytest.raises(InputError, match="1 of 3 rows without a time"):
        difference_of_means([1.0, 2, 3], [1.0, 2, 4], order=[0.0, math.nan, 1.0])


def test_of_means_test_and_standard_error_are_those_of_the_paired_t(rng: np.random.Generator) -> None:
    first, second = rng.exponential(size=(2, 300))
    result = difference_of_means(first, second)
    theirs = st.ttest_rel(second, first)
    assert result.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert result.estimate / result.standard_error == pytest.approx(theirs.statistic, rel=1e-9)
    assert dict(result.beside)["Wilcoxon signed rank"] == pytest.approx(st.wilcoxon(second - first).pvalue)


@pytest.mark.parametrize("rows", [SCIPY_UNITS, SCIPY_UNITS + 1])
def test_closed_form_and_bootstrap_agree_on_skewed_rows(rng: np.random.Generator, rows: int) -> None:
    gains = rng.exponential(size=rows)
    result = difference_of_means(np.zeros(rows), gains)
    theirs = st.bootstrap((gains,), np.mean, method="BCa", n_resamples=20_000, rng=rng).confidence_interval
    assert result.low == pytest.approx(theirs.low, abs=0.2 * result.standard_error)
    assert result.high == pytest.approx(theirs.high, abs=0.2 * result.standard_error)
    assert result.high - result.estimate > result.estimate - result.low  # as skewed as the rows
    assert ("closed form" in result.method) == (rows > SCIPY_UNITS)


def test_limits_without_skewness_are_those_of_students_t() -> None:
    assert abc_limits(1.0, 2.0, 0.0, t_quantile(9)) == pytest.approx((1 - 2 * 2.262, 1 + 2 * 2.262), abs=1e-3)


def test_rows_of_one_entity_count_as_one(rng: np.random.Generator) -> None:
    """Each row written ten times brings nothing new."""
    first, second = rng.normal(size=(2, 200))
    once = difference_of_means(first, second)
    copies = difference_of_means(np.repeat(first, 10), np.repeat(second, 10), groups=np.repeat(np.arange(200), 10))
    ignored = difference_of_means(np.repeat(first, 10), np.repeat(second, 10))
    assert copies.standard_error == pytest.approx(once.standard_error)
    assert copies.p == pytest.approx(once.p)
    assert (copies.rows, copies.clusters, once.clusters) == (2000, 200, None)
    assert ignored.standard_error < 0.4 * once.standard_error


def test_a_row_whose_entity_is_missing_is_one_of_its_own(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 100))
    entities = [None if row < 50 else f"entity {row // 2}" for row in range(100)]
    assert difference_of_means(first, second, groups=entities).clusters == 75


def test_neighbours_in_time_that_resemble_each_other_widen_the_interval(rng: np.random.Generator) -> None:
    slow = np.repeat(rng.normal(size=200), 20)
    champion = np.zeros(4000)
    apart, in_time = difference_of_means(champion, slow), difference_of_means(champion, slow, order=np.arange(4000))
    assert in_time.standard_error > 3 * apart.standard_error
    assert "blocks of" in in_time.method
    shuffled = rng.permutation(4000)
    again = difference_of_means(champion, slow[shuffled], order=np.arange(4000)[shuffled])
    assert again.standard_error == pytest.approx(in_time.standard_error)


def test_entity_and_time_take_the_larger_standard_error(rng: np.random.Generator) -> None:
    slow = np.repeat(rng.normal(size=200), 20)
    entities, moments = rng.integers(0, 1000, 4000), np.arange(4000)
    both = difference_of_means(np.zeros(4000), slow, groups=entities, order=moments)
    alone = difference_of_means(np.zeros(4000), slow, order=moments)
    assert both.standard_error == alone.standard_error


@pytest.mark.parametrize(("rows", "options"), [(300, ""), (700, ""), (600, "groups"), (700, "order")])
def test_of_a_mean_the_metric_bootstrap_agrees_with_the_closed_form(
    rng: np.random.Generator, rows: int, options: str
) -> None:
    first, second = rng.exponential(size=(2, rows))
    given = {options: np.arange(rows) // (3 if options == "groups" else 1)} if options else {}
    known = difference_of_means(first, second, **given)
    result = difference_of_metric(lambda chosen: (first[chosen].mean(), second[chosen].mean()), rows, **given)
    assert result.estimate == pytest.approx(known.estimate)
    assert result.standard_error == pytest.approx(known.standard_error, rel=0.1)
    assert result.low == pytest.approx(known.low, abs=0.3 * known.standard_error)
    assert result.high == pytest.approx(known.high, abs=0.3 * known.standard_error)
    assert result.reliable == known.reliable


def test_a_metric_of_very_many_rows_takes_few_evaluations(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 30_000))
    calls = []

    def measure(rows: np.ndarray) -> tuple[float, float]:
        calls.append(len(rows))
        return float(first[rows].mean()), float(second[rows].mean())

    result, known = difference_of_metric(measure, 30_000), difference_of_means(first, second)
    assert len(calls) < 500
    assert result.standard_error == pytest.approx(known.standard_error, rel=0.2)


def test_a_metric_that_is_undefined_in_resamples_is_not_believed() -> None:
    """Two positive rows of 200: one resample in eight has none."""
    target = np.arange(200) < 2

    def measure(rows: np.ndarray) -> tuple[float, float]:
        positive = int(target[rows].sum())
        return (0.0, rows[target[rows]].mean() / 200) if positive else (math.nan, math.nan)

    result = difference_of_metric(measure, 200)
    assert not result.reliable
    assert result.unreliable


def test_the_same_seed_gives_the_same_interval(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 200))
    assert difference_of_means(first, second, seed=3) == difference_of_means(first, second, seed=3)
    assert difference_of_means(first, second, seed=3).low != difference_of_means(first, second, seed=4).low
    assert root_mean_square(first, second, seed=3) == root_mean_square(first, second, seed=3)


def test_an_interval_beside_its_own_estimate_is_not_believed() -> None:
    def distinct(rows: np.ndarray) -> tuple[float, float]:
        return 0.0, float(len(set(rows.tolist()))) / len(rows)  # always smaller in a resample than in the sample

    result = difference_of_metric(distinct, 300)
    assert result.low <= result.estimate <= result.high
    assert not result.reliable
    assert result.unreliable
