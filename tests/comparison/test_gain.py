"""Cumulative gain by hand, with ties, and of money."""

from dataclasses import replace

import compared
import numpy as np
import pytest

from pipeline_lib.comparison.gain import gain_of


def binary(target: list[int], *scores: list[float]) -> object:
    pairs = [np.column_stack([1 - np.array(score), np.array(score)]) for score in scores]
    labels = [np.array(target)] * len(pairs)
    return compared.scored(compared.rows(len(target)), np.array(target), labels, "binary", pairs, (0, 1))


def test_a_perfect_model_finds_all_events_first_and_a_reversed_one_last() -> None:
    target = [1, 1, *[0] * 8]
    best, worst = [0.9, 0.8, *np.linspace(0.7, 0.1, 8)], [0.0, 0.05, *np.linspace(0.7, 0.1, 8)]
    (found,) = gain_of(binary(target, best, worst))  # type: ignore[arg-type]
    assert found.sides[0].steps[:4] == (0.0, 0.5, 1.0, 1.0)
    assert found.sides[1].steps[8:] == (0.0, 0.5, 1.0)
    assert found.sides[0].lift(1) == 5.0
    assert found.sides[0].lift(10) == 1.0


def test_equal_answers_are_chance_whatever_the_order_of_rows() -> None:
    """A sort alone would credit a constant model with the order of the file."""
    target = [1, 1, *[0] * 8]
    (found,) = gain_of(binary(target, [0.5] * 10, [0.5] * 10))  # type: ignore[arg-type]
    assert found.sides[0].steps == pytest.approx(np.linspace(0, 1, 11))


def test_value_accumulates_to_its_total() -> None:
    scored = compared.regression(200)
    (found,) = gain_of(scored)
    assert found.is_value
    assert found.unit == "dollars"
    for side, curve in zip(scored.sides, found.sides, strict=True):
        assert side.value is not None
        assert curve.steps[-1] == pytest.approx(side.value.sum())
        first = np.argsort(-side.predictions)[:20]
        assert curve.steps[1] == pytest.approx(side.value[first].sum())


def test_one_class_labels_alone_and_numbers_without_value_have_no_gain() -> None:
    scored = compared.binary(50)
    assert gain_of(replace(scored, target=np.ones(50, int))) == ()
    assert gain_of(compared.multiclass(50)) == ()
    assert gain_of(compared.several_targets(50)) == ()
    sides = tuple(replace(side, value=None) for side in compared.regression(50).sides)
    assert gain_of(replace(compared.regression(50), sides=sides)) == ()
