"""Which direction of a metric is better, as its name says."""

import pytest

from pipeline_lib.records.metric_direction import direction_of

pytestmark = pytest.mark.core


@pytest.mark.parametrize("name", ["rmse", "rmse_log", "log_loss", "brier", "mean_absolute_error", "test_mae", "cost"])
def test_smaller_errors_are_better(name: str) -> None:
    assert direction_of(name) == "minimize"


@pytest.mark.parametrize("name", ["r2", "roc_auc", "acc", "f1_macro", "precision_at_10", "neg_log_loss", "neg_rmse"])
def test_larger_scores_are_better(name: str) -> None:
    assert direction_of(name) == "maximize"


@pytest.mark.parametrize("name", ["lift", "seconds", "accuracy_loss", "cost_per_saving", "neg_lift", "", "costly"])
def test_a_name_that_says_neither_or_both_decides_nothing(name: str) -> None:
    assert direction_of(name) is None
