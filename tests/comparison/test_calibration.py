"""Calibrated models are inside their intervals; a model that exaggerates is not."""

from dataclasses import replace

import compared
import numpy as np

from pipeline_lib.comparison.calibration import calibration_of, quantile_groups


def test_a_calibrated_model_is_on_and_an_exaggerating_one_is_off() -> None:
    draw = np.random.default_rng(0)
    chance = draw.uniform(0.05, 0.95, 20000)
    target = (draw.random(20000) < chance).astype(int)
    logit = 3 * np.log(chance / (1 - chance))
    bold = 1 / (1 + np.exp(-logit))
    pairs = [np.column_stack([1 - p, p]) for p in (chance, bold)]
    labels = [(p[:, 1] > 0.5).astype(int) for p in pairs]
    scored = compared.scored(compared.rows(20000), target, labels, "binary", pairs, (0, 1))
    (found,) = calibration_of(scored)
    honest, exaggerating = found.sides
    assert sum(group.is_off for group in honest.groups) <= 2
    assert sum(group.is_off for group in exaggerating.groups) >= 8
    assert honest.error < 0.02 < exaggerating.error
    assert [group.came.rows for group in honest.groups] == [2000] * 10


def test_predictions_that_are_too_high_are_off() -> None:
    scored = compared.regression(2000)
    one = scored.champion
    high = replace(one, predictions=np.asarray(scored.target) + 15.0 + np.random.default_rng(0).normal(0, 5, 2000))
    (found,) = calibration_of(replace(scored, sides=(one, high)))
    assert found.of == ""
    assert all(group.is_off and group.bias.low > 10 for group in found.sides[1].groups)


def test_each_numeric_target_has_its_own_and_labels_alone_have_none() -> None:
    assert [found.of for found in calibration_of(compared.several_targets(200))] == [" of target 1", " of target 2"]
    assert calibration_of(compared.multiclass(100, probable=False)) == ()
    (top,) = calibration_of(compared.multiclass(1000))
    assert top.event == "the predicted label"
    scored = compared.multiclass(1000)
    right = float(np.mean(scored.champion.predictions == scored.target))
    assert top.sides[0].came.value == right


def test_one_class_and_constant_answers_are_one_group() -> None:
    scored = compared.binary(50)
    same = np.full((50, 2), 0.5)
    side = replace(scored.champion, probabilities=same)
    (found,) = calibration_of(replace(scored, target=np.zeros(50, int), sides=(side, side)))
    assert len(found.sides[0].groups) == 1
    assert found.sides[0].came.value == 0.0


def test_groups_hold_equal_values_together() -> None:
    values = np.array([5.0, 1.0, 1.0, 1.0, 1.0, 2.0])
    groups = quantile_groups(values, 3)
    assert len({int(group) for group, value in zip(groups, values, strict=True) if value == 1.0}) == 1
    assert (np.diff(groups[np.argsort(values)]) >= 0).all()
    assert quantile_groups(np.array([]), 3).tolist() == []
