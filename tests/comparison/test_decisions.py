"""The decision curve of a comparison: two labels with probabilities, the break-even by value, the page's words."""

from dataclasses import replace

import compared
import numpy as np
import pytest

from pipeline_lib.comparison.decision_curve import net_benefit
from pipeline_lib.comparison.decisions import decision_of
from pipeline_lib.comparison.page_decisions import decision_section
from pipeline_lib.comparison.scored import Scored, Side


def with_baselines(scored: Scored, gain: float, loss: float) -> Scored:
    """Baselines that predict one label everywhere, with their value: acting gains on the event and loses else."""
    event = scored.target == scored.classes[1]
    worth = {"majority": np.zeros(len(event)), "minority": np.where(event, gain, -loss)}
    labels = dict(zip(worth, scored.classes, strict=True))
    sides = [Side(name, np.repeat(labels[name], len(event)), None, {}, values) for name, values in worth.items()]
    return replace(scored, baselines=tuple(sides))


def test_the_curves_are_those_of_the_models_and_the_break_even_that_of_the_value() -> None:
    scored = with_baselines(compared.binary(400), gain=3.0, loss=1.0)
    decision = decision_of(scored)
    assert decision is not None
    assert decision.break_even == pytest.approx(0.25)
    assert decision.threshold == pytest.approx(0.25)
    for side, benefit in zip(scored.sides, decision.benefits(), strict=False):
        assert side.probabilities is not None
        assert benefit == net_benefit(scored.target, side.probabilities[:, 1], decision.threshold)
    words = decision_section(decision)
    assert "acting on label 1 pays from a probability of 25.0% on" in words
    assert words.count("<polyline") == 3


def test_without_a_value_the_page_names_no_break_even() -> None:
    decision = decision_of(compared.binary(400, labels=("no", "yes")))
    assert decision is not None
    assert (decision.event, decision.break_even, decision.threshold) == ("yes", None, pytest.approx(0.5))
    assert "By the value" not in decision_section(decision)


def test_a_value_that_acting_never_raises_has_no_break_even() -> None:
    decision = decision_of(with_baselines(compared.binary(400), gain=-1.0, loss=1.0))
    assert decision is not None
    assert decision.break_even is None


def test_numbers_several_labels_and_one_class_have_no_decision_curve() -> None:
    one_class = replace(compared.binary(60), target=np.zeros(60, int))
    for scored in (compared.regression(60), compared.multiclass(60), one_class):
        assert decision_of(scored) is None
    assert decision_section(None) == ""
