"""Decision curves against dcurves' figures, break-even thresholds from costs and from values."""

import numpy as np
import pytest

from pipeline_lib.comparison.decision_curve import (
    break_even,
    break_even_of_values,
    decision_curve,
    net_benefit,
)
from pipeline_lib.errors import InputError

POINTS = [0.05, 0.1, 0.23, 0.25, 0.41, 0.5, 0.68, 0.77, 0.95]
ROWS = np.arange(200)
RISK = ((ROWS * 37) % 200) / 200.0 * 0.96 + 0.02
TIED = np.round(((ROWS * 61 + 17) % 200) / 200.0, 1) * 0.9 + 0.05
TARGET = ((ROWS * 37) % 200 + (ROWS * ROWS * 13) % 160 > 190).astype(int)
# dcurves 1.1.7: dca(data, "y", ["risk", "tied"], thresholds=POINTS)
BY_DCURVES = {
    "risk": [
        0.3913157894736842, 0.365, 0.31246753246753245, 0.30666666666666664, 0.21711864406779663, 0.17999999999999994,
        0.13812499999999991, 0.08456521739130433, 0.03,
    ],
    "tied": [
        0.3894736842105263, 0.32833333333333337, 0.1941558441558441, 0.16499999999999998, -0.0025423728813559476,
        -0.1150000000000001, -0.26437500000000014, -0.3804347826086958, -0.6499999999999995,
    ],
}  # fmt: skip
ALL_BY_DCURVES = [
    0.3894736842105263, 0.3555555555555555, 0.24675324675324672, 0.22666666666666663, 0.016949152542372947,
    -0.1600000000000001, -0.8125000000000004, -1.5217391304347831, -10.59999999999999,
]  # fmt: skip


def test_net_benefit_is_that_of_dcurves_also_with_ties() -> None:
    curve = decision_curve(TARGET, {"risk": RISK, "tied": TIED}, POINTS)
    assert curve.prevalence == 0.42
    for name, expected in BY_DCURVES.items():
        np.testing.assert_allclose(curve.models[name], expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(curve.treat_all, ALL_BY_DCURVES, rtol=0, atol=1e-13)


def test_the_best_at_a_threshold_is_named_rules_included() -> None:
    curve = decision_curve(TARGET, {"risk": RISK, "tied": TIED}, POINTS)
    assert curve.best_at(0.25) == "risk"
    assert decision_curve(TARGET, {"tied": TIED}, POINTS).best_at(0.25) == "treat all"
    assert decision_curve(TARGET, {"tied": TIED}, POINTS).best_at(0.77) == "treat none"


def test_a_perfect_model_has_the_prevalence_and_an_opposite_one_loses() -> None:
    target = np.array([1, 0, 0, 1, 0])
    assert net_benefit(target, target, 0.3) == 0.4
    assert net_benefit(target, 1 - target, 0.5) == -0.6


def test_a_row_at_the_threshold_is_treated() -> None:
    assert net_benefit([1, 0], [0.5, 0.1], 0.5) == 0.5
    assert net_benefit([1, 0], [np.nextafter(0.5, 0), 0.1], 0.5) == 0.0


def test_the_break_even_maximises_the_net_benefit_of_right_probabilities() -> None:
    """Acting from the break-even on earns most, in money, where the probabilities are right."""
    rng = np.random.default_rng(0)
    chances = rng.uniform(size=40_000)
    target = rng.uniform(size=40_000) < chances
    earned = {t: np.where(chances >= t, np.where(target, 4.5, -1.5), 0.0).mean() for t in np.linspace(0.05, 0.95, 19)}
    assert max(earned, key=lambda t: earned[t]) == pytest.approx(break_even(false_positive=1.5, true_positive=4.5))


def test_values_imply_the_break_even_of_their_costs() -> None:
    target = np.array([1, 0, 0, 1])
    acting = np.array([4.0, -1.0, -2.0, 5.0])
    assert break_even_of_values(target, acting, np.zeros(4)) == 0.25
    assert break_even_of_values(target, acting + 7.0, np.full(4, 7.0)) == 0.25
    assert break_even_of_values(target, -acting, np.zeros(4)) is None
    assert break_even_of_values(np.ones(4), acting, np.zeros(4)) is None


@pytest.mark.parametrize(
    ("target", "chances", "points", "found"),
    [
        ([0, 2], [0.1, 0.2], [0.5], "targets of shape"),
        ([], [], [0.5], "targets of shape"),
        ([0, 1], [0.1, 1.2], [0.5], "expected 2 probabilities"),
        ([0, 1], [0.1], [0.5], "expected 2 probabilities"),
        ([0, 1], [0.1, np.nan], [0.5], "expected 2 probabilities"),
        ([0, 1], [0.1, 0.2], [0.0], "between 0 and 1"),
        ([0, 1], [0.1, 0.2], [1.0], "between 0 and 1"),
    ],
)
def test_bad_input_is_refused(target: list[int], chances: list[float], points: list[float], found: str) -> None:
    with pytest.raises(InputError, match=found):
        decision_curve(target, {"model": chances}, points)


@pytest.mark.parametrize(("cost", "gain"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_a_break_even_needs_a_cost_and_a_gain(cost: float, gain: float) -> None:
    with pytest.raises(InputError, match="expected positive amounts"):
        break_even(false_positive=cost, true_positive=gain)
