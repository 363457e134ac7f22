"""Searches: the same members again, learning in a fixed order, ends of ranges checked first."""

from pathlib import Path
from typing import Any

import pytest
from example import HOUSES
from fake_pool import Fake

import pipeline_lib.sweeps.sweep as sweeping
from pipeline_lib.errors import InputError


def test_a_random_search_draws_the_same_members_again(tmp_path: Path, fake: Fake) -> None:
    pytest.importorskip("optuna")
    pool = fake()
    for _ in range(2):
        sweeping.sweep(HOUSES, ["estimator.alpha=0.0001..0.1:log", "seed=0..3"], random=6, runs=tmp_path)
    drawn = [task.overrides for task in pool.tasks]
    assert len(drawn) == 12
    assert drawn[:6] == drawn[6:]
    assert all(0.0001 <= float(one[0].partition("=")[2]) <= 0.1 for one in drawn)


def test_a_bayesian_search_learns_whatever_the_order_of_answers(tmp_path: Path, fake: Fake) -> None:
    pytest.importorskip("optuna")
    fake()
    options: dict[str, Any] = {"bayes": 24, "metric": "rmse", "runs": tmp_path}
    first, second = (sweeping.sweep(HOUSES, ["estimator.alpha=0.0001..0.1"], **options) for _ in range(2))
    assert [one.member.label for one in first.results] == [one.member.label for one in second.results]
    late = [one.metrics["rmse"] for one in first.results if one.member.number > 12]
    early = [one.metrics["rmse"] for one in first.results if one.member.number <= 12]
    assert sum(late) / len(late) < sum(early) / len(early)


def test_a_search_refuses_a_range_whose_end_params_refuses(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    fake()
    with pytest.raises(InputError, match="test_share"):
        sweeping.sweep(HOUSES, ["test_share=0.1..2.5"], random=3, runs=tmp_path)
    monkeypatch.setattr("pipeline_lib.sweeps.sweep.with_default", lambda file, *asked: asked)  # as without METRIC
    with pytest.raises(InputError, match="--bayes without a metric"):
        sweeping.sweep(HOUSES, ["seed=0..3"], bayes=3, runs=tmp_path)
    with pytest.raises(InputError, match="both --random and --bayes"):
        sweeping.sweep(HOUSES, ["seed=0..3"], bayes=3, random=3, runs=tmp_path)
