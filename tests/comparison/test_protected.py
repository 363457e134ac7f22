"""Rates by protected groups, by hand; groups of few people are not shown."""

from dataclasses import replace

import compared
import numpy as np
import pyarrow as pa
import pytest

from pipeline_lib.comparison.proportions import share
from pipeline_lib.comparison.protected import SMALLEST, protected_of
from pipeline_lib.comparison.scored import Scored
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


def of_groups(groups: list[str], target: list[int], *predictions: list[int]) -> Scored:
    row = RowSchema((Column("group", "string", protected=True),))
    table = pa.table([pa.array(groups, row.arrow.field(0).type)], schema=row.arrow)
    answers = [np.array(each) for each in predictions]
    scored = compared.scored(table, np.array(target), answers, "binary", None, (0, 1))
    return replace(scored, row=row)


def test_the_rates_are_those_by_hand() -> None:
    groups = ["a"] * 40 + ["b"] * 20
    target = [1] * 20 + [0] * 20 + [1] * 10 + [0] * 10
    champion = [1] * 15 + [0] * 5 + [1] * 4 + [0] * 16 + [1] * 5 + [0] * 5 + [1] * 1 + [0] * 9
    rates = {rate.rate: rate for rate in protected_of(of_groups(groups, target, champion, target))}
    assert set(rates) == {"selected as 1", "true positive rate", "false positive rate", "share right"}
    largest, other = rates["true positive rate"].groups
    assert (largest.group, largest.rows, other.group, other.rows) == ("a", 40, "b", 20)
    assert largest.champion == share(15, 20)
    assert other.champion == share(5, 10)
    assert other.challenger == share(10, 10)
    assert largest.champion_apart is None
    assert other.champion_apart is not None
    assert other.champion_apart.value == pytest.approx(-0.25)
    assert rates["false positive rate"].groups[0].champion == share(4, 20)
    assert rates["selected as 1"].gap("champion") == pytest.approx(19 / 40 - 6 / 20)
    assert rates["share right"].groups[0].champion == share(31, 40)


def test_a_group_treated_otherwise_is_apart_and_one_treated_alike_is_not() -> None:
    draw = np.random.default_rng(0)
    groups = ["a" if each else "b" for each in draw.random(2000) < 0.6]
    target = (draw.random(2000) < 0.5).astype(int)
    unfair = np.where([group == "b" for group in groups], (draw.random(2000) < 0.2).astype(int), target)
    rates = {
        rate.rate: rate for rate in protected_of(of_groups(groups, target.tolist(), target.tolist(), list(unfair)))
    }
    apart = rates["true positive rate"].groups[1]
    assert apart.champion_apart is not None
    assert apart.challenger_apart is not None
    assert apart.challenger_apart.high < -0.5
    assert apart.champion_apart.low <= 0 <= apart.champion_apart.high


def test_small_groups_are_counted_not_shown() -> None:
    groups = ["a"] * 30 + ["b"] * (SMALLEST - 1) + ["c"] * SMALLEST
    target = [0, 1] * (len(groups) // 2) + [0] * (len(groups) % 2)
    for rate in protected_of(of_groups(groups, target, target, target)):
        assert [group.group for group in rate.groups] == ["a", "c"]
        assert rate.small == 1


def test_numbers_have_mean_errors_and_more_labels_the_share_right() -> None:
    scored = compared.regression(300)
    rates = {rate.rate: rate for rate in protected_of(scored)}
    assert set(rates) == {"mean error", "mean absolute error"}
    male = np.asarray(scored.rows["sex"].combine_chunks()) == "male"
    expected = float((scored.champion.predictions - scored.target)[male].mean())
    assert rates["mean error"].groups[0].champion.value == pytest.approx(expected)
    assert [rate.rate for rate in protected_of(compared.multiclass(300))] == ["share right"]


def test_without_a_protected_column_there_are_no_rates() -> None:
    scored = compared.binary(100)
    columns = tuple(replace(column, protected=False) for column in scored.row.columns)
    assert protected_of(replace(scored, row=RowSchema(columns))) == ()
