"""One word for a difference, how many rows would settle it, and corrections for several challengers."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline_lib.comparison.multiplicity import holm
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means
from pipeline_lib.comparison.resampled import corrected_resampled_t
from pipeline_lib.comparison.rows_needed import rows_needed, rows_needed_sentence
from pipeline_lib.comparison.verdict import Verdict, is_not_worse, verdict_of
from pipeline_lib.errors import InputError

EXAMPLE = PairedDifference(
    1.0, 1.5, 0.5, 0.1, 0.9, 0.01, "paired t", (), 400, None, "BCa", True, "", 0.2, rows_for_reliable=400
)


@pytest.mark.parametrize(
    ("low", "high", "p", "margin", "verdict"),
    [
        (0.1, 0.9, 0.01, 0.0, "better"),
        (0.1, 0.9, 0.06, 0.0, "cannot tell"),  # after a correction, say
        (-0.9, -0.1, 0.01, 0.0, "worse"),
        (-0.1, 0.9, 0.01, 0.0, "cannot tell"),
        (-0.1, 0.9, 0.1, 1.0, "no difference"),
        (0.1, 0.9, 0.01, 1.0, "no difference"),  # better by less than matters
        (-1.1, 0.9, 0.9, 1.0, "cannot tell"),
    ],
)
def test_verdicts(low: float, high: float, p: float, margin: float, verdict: Verdict) -> None:
    difference = replace(EXAMPLE, low=low, high=high, p=p)
    assert verdict_of(difference, direction="maximize", margin=margin) == verdict
    turned = replace(difference, estimate=-0.5, low=-high, high=-low)
    assert verdict_of(turned, direction="minimize", margin=margin) == verdict


def test_a_corrected_p_value_replaces_the_tests_own() -> None:
    assert verdict_of(EXAMPLE, direction="maximize", p=0.051) == "cannot tell"


def test_what_is_not_reliable_tells_nothing() -> None:
    difference = replace(EXAMPLE, reliable=False)
    assert verdict_of(difference, direction="maximize", margin=5.0) == "cannot tell"
    assert not is_not_worse(difference, direction="maximize")


def test_not_worse_looks_at_the_lower_limit() -> None:
    difference = replace(EXAMPLE, low=-0.2)
    assert is_not_worse(difference, direction="maximize", margin=0.3)
    assert not is_not_worse(difference, direction="maximize", margin=0.1)
    assert not is_not_worse(EXAMPLE, direction="minimize", margin=0.3)


@pytest.mark.parametrize("margin", [0.0, 0.12])
def test_the_rows_needed_settle_it_with_the_power_that_was_asked_for(margin: float) -> None:
    """Of samples with as many rows, about 80 % of the verdicts are clear."""
    rng = np.random.default_rng(1)
    true = 0.0 if margin else 0.1
    open_one = replace(EXAMPLE, estimate=true, low=-0.1, high=0.3, standard_error=1 / 20, p=0.2)
    more = rows_needed(open_one, margin=margin)
    assert more is not None
    rows = 400 + more
    settled = 0
    for _ in range(300):
        result = difference_of_means(np.zeros(rows), rng.normal(true, 1.0, size=rows))
        settled += verdict_of(result, direction="maximize", margin=margin) != "cannot tell"
    assert 0.72 < settled / 300 < 0.88


def test_no_number_of_rows_settles_nothing_without_a_margin() -> None:
    difference = replace(EXAMPLE, estimate=0.0, low=-0.4, high=0.4, p=1.0)
    assert rows_needed(difference) is None
    assert "give a margin that matters" in rows_needed_sentence(difference)
    assert rows_needed(replace(difference, estimate=1e-7)) is None
    assert rows_needed(difference, margin=0.1) == pytest.approx(
        400 * ((1.95996 + 1.28155) * 0.2 / 0.1) ** 2 - 400, rel=1e-3
    )
    at_the_margin = replace(difference, estimate=0.0, low=-0.5)
    assert "labelled rows would settle it" in rows_needed_sentence(at_the_margin, margin=0.1)


def test_what_is_settled_needs_no_rows_unless_it_is_not_reliable() -> None:
    assert rows_needed(EXAMPLE) == 0
    assert "at hand settle it" in rows_needed_sentence(EXAMPLE)
    assert rows_needed(replace(EXAMPLE, reliable=False, rows_for_reliable=900)) == 500
    assert rows_needed(difference_of_means([1.0, 2.0], [1.0, 2.0])) == 0


def test_holm_never_lowers_a_p_value_and_keeps_their_order() -> None:
    values = np.random.default_rng(0).random(20)
    adjusted = np.array(holm(list(values)))
    assert (adjusted >= values).all()
    assert (np.diff(adjusted[np.argsort(values)]) >= 0).all()
    assert adjusted.min() == pytest.approx(20 * values.min())
    assert holm([]) == ()
    with pytest.raises(InputError, match="each from 0 to 1"):
        holm([0.5, 1.5])


def test_recipes_that_always_differ_by_as_much_divide_by_nothing() -> None:
    same = corrected_resampled_t([0.5, 0.6], [0.5, 0.6], train_rows=90, test_rows=10)
    assert (same.estimate, same.p, same.statistic) == (0, 1, 0)
    constant = corrected_resampled_t(np.zeros(20), np.ones(20), train_rows=90, test_rows=10)
    assert constant.low == constant.high == 1
    assert constant.p < 1e-5
    with pytest.raises(InputError, match="expected two splits or more"):
        corrected_resampled_t([0.5], [0.6], train_rows=90, test_rows=10)


def test_a_p_that_a_correction_raises_above_the_level_leaves_the_answer_open() -> None:
    difference = replace(EXAMPLE, p=0.04)
    assert rows_needed(difference) == 0
    assert rows_needed(difference, p=0.08)
    assert "at hand settle it" not in rows_needed_sentence(difference, p=0.08)


def test_without_a_margin_what_cannot_be_told_is_not_shown_to_be_not_worse() -> None:
    difference = replace(EXAMPLE, estimate=0.3, low=0.01, high=0.6, p=0.04)
    assert verdict_of(difference, direction="maximize") == "better"
    assert is_not_worse(difference, direction="maximize")
    corrected = {"direction": "maximize", "p": 0.08}
    assert verdict_of(difference, **corrected) == "cannot tell"
    assert not is_not_worse(difference, **corrected)
    assert is_not_worse(difference, margin=0.1, **corrected)
