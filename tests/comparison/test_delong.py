"""AUC: clusters, and rows that no test can judge."""

import numpy as np
import pytest

from pipeline_lib.comparison.delong import auc_difference, placements
from pipeline_lib.comparison.mcnemar import difference_of_correct, mcnemar
from pipeline_lib.comparison.verdict import verdict_of
from pipeline_lib.errors import InputError


def example(rows: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    target = rng.integers(0, 2, size=rows)
    first, second = rng.normal(size=(2, rows)) + target
    return target, np.round(first, 1), np.round(second, 1)


def test_the_area_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    target, first, second = example()
    result = auc_difference(target, first, second)
    assert result.champion == pytest.approx(roc_auc_score(target, first), abs=1e-12)
    assert result.challenger == pytest.approx(roc_auc_score(target, second), abs=1e-12)
    assert placements(first, target == 1).negative.mean() == pytest.approx(result.champion)


def test_scores_of_one_order_do_not_differ() -> None:
    target, first, _ = example()
    result = auc_difference(target, first, 3 * first + 2)
    assert (result.estimate, result.p, result.low, result.high) == (0, 1, 0, 0)
    assert verdict_of(result, direction="maximize") == "no difference"


def by_cluster(target: np.ndarray, champion: np.ndarray, challenger: np.ndarray, groups: np.ndarray) -> float:
    """Obuchowski's standard error by its sums over all pairs of rows."""
    kernels = []
    for scores in (champion, challenger):
        positive, negative = scores[target == 1], scores[target == 0]
        kernels.append((positive[:, None] > negative) + 0.5 * (positive[:, None] == negative))
    kernel = kernels[1] - kernels[0]
    above, below = kernel.mean(axis=1) - kernel.mean(), kernel.mean(axis=0) - kernel.mean()
    m, n, codes = len(above), len(below), np.unique(groups)
    of_positive = np.array([above[groups[target == 1] == code].sum() for code in codes])
    of_negative = np.array([below[groups[target == 0] == code].sum() for code in codes])
    i10, i01, i = len(np.unique(groups[target == 1])), len(np.unique(groups[target == 0])), len(codes)
    s10 = i10 / ((i10 - 1) * m) * (of_positive**2).sum()
    s01 = i01 / ((i01 - 1) * n) * (of_negative**2).sum()
    s11 = i / (i - 1) * (of_positive * of_negative).sum()
    return float(np.sqrt(s10 / m + s01 / n + 2 * s11 / (m * n)))


def test_clusters_follow_obuchowskis_definition() -> None:
    target, first, second = example()
    groups = np.random.default_rng(0).integers(0, 80, size=600)
    result = auc_difference(target, first, second, groups=groups)
    expected = by_cluster(target, first, second, groups) * np.sqrt(80 / 79)
    assert result.standard_error == pytest.approx(expected, abs=1e-12)
    assert result.clusters == 80


def test_rows_of_their_own_entity_are_delongs() -> None:
    target, first, second = example()
    alone = auc_difference(target, first, second)
    grouped = auc_difference(target, first, second, groups=np.arange(600))
    assert grouped.standard_error == pytest.approx(alone.standard_error, rel=0.01)
    copies = [np.repeat(values, 5) for values in (target, first, second)]
    assert auc_difference(*copies).standard_error < 0.5 * alone.standard_error
    together = auc_difference(*copies, groups=np.repeat(np.arange(600), 5))
    assert together.standard_error == pytest.approx(alone.standard_error, rel=0.01)


def test_rows_in_order_of_time_are_taken_in_blocks() -> None:
    target, first, second = example(4000)
    drift = np.repeat(np.random.default_rng(1).normal(size=80), 50)  # the challenger is better for 50 rows, then worse
    second = second + drift * (2 * target - 1)
    alone = auc_difference(target, first, second)
    in_time = auc_difference(target, first, second, order=np.arange(4000))
    assert in_time.standard_error > 3 * alone.standard_error
    assert (in_time.test, in_time.clusters, in_time.estimate) == ("DeLong by block", None, alone.estimate)
    assert auc_difference(target[:60], first[:60], second[:60], order=np.arange(60)).reliable is False


def test_one_class_and_other_labels_are_refused() -> None:
    with pytest.raises(InputError, match="rows of one class"):
        auc_difference([1, 1], [0.1, 0.2], [0.2, 0.3])
    with pytest.raises(InputError, match="expected 0 or 1"):
        auc_difference([1, 2], [0.1, 0.2], [0.2, 0.3])
    with pytest.raises(InputError, match="champion: found 1 of 2"):
        auc_difference([1, 0], [np.nan, 0.2], [0.2, 0.3])


def test_few_positives_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    target = np.arange(500) < 8
    result = auc_difference(target, rng.normal(size=500), rng.normal(size=500) + 3 * target)
    assert not result.reliable
    assert verdict_of(result, direction="maximize") == "cannot tell"


def test_accuracy_has_mcnemars_test_where_rows_are_independent() -> None:
    rng = np.random.default_rng(0)
    champion, challenger = rng.random(500) < 0.7, rng.random(500) < 0.8
    only = int((champion & ~challenger).sum()), int((~champion & challenger).sum())
    result = difference_of_correct(champion, challenger)
    assert (result.test, result.p) == ("McNemar", mcnemar(*only).p)
    assert result.estimate == pytest.approx((only[1] - only[0]) / 500)
    assert list(dict(result.beside)) == ["paired t"]
    assert difference_of_correct(champion, challenger, groups=np.arange(500) // 2).test == "t by cluster"
    assert difference_of_correct(champion, champion).p == 1
    assert mcnemar(0, 0).p == mcnemar(0, 0, exact=False).p == 1
    assert mcnemar(3, 3).p == 1
