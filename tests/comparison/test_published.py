"""Figures that others have published, reproduced."""

import os

import numpy as np
import pytest

from pipeline_lib.comparison.delong import auc_difference
from pipeline_lib.comparison.mcnemar import mcnemar
from pipeline_lib.comparison.multiplicity import holm
from pipeline_lib.comparison.resampled import ResampledDifference, corrected_resampled_t


def test_approval_of_the_prime_minister() -> None:
    """Agresti, Categorical Data Analysis, section 10.1: [[794, 86], [150, 570]]."""
    plain, corrected = mcnemar(86, 150), mcnemar(86, 150, corrected=True)
    assert plain.statistic == pytest.approx(17.356, abs=5e-4)
    assert corrected.statistic == pytest.approx(16.818, abs=5e-4)
    assert plain.p < corrected.p < 1e-4
    assert mcnemar(794, 570).statistic != pytest.approx(17.356, abs=5e-4)  # the diagonal is another question


def test_the_exact_test_is_the_binomial_one() -> None:
    exact, few = mcnemar(86, 150, exact=True), mcnemar(2, 10)
    assert exact.statistic is None
    assert exact.p == pytest.approx(3.716e-5, rel=1e-3)  # R: binom.test(86, 236)$p.value
    assert few.p == pytest.approx(2 * (1 + 12 + 66) / 2**12)


def moons() -> ResampledDifference:
    """The scores of scikit-learn's example "Statistical comparison of models using grid search"."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    rows, target = make_moons(noise=0.352, random_state=1, n_samples=100)
    splits = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    linear, radial = (
        cross_val_score(SVC(kernel=kernel, random_state=0), rows, target, scoring="roc_auc", cv=splits)
        for kernel in ("linear", "rbf")
    )
    return corrected_resampled_t(linear, radial, train_rows=90, test_rows=10)


def test_corrected_resampled_t_of_scikit_learns_example() -> None:
    result = moons()
    assert result.statistic == pytest.approx(0.750, abs=5e-4)
    assert result.p_better == pytest.approx(0.227, abs=5e-4)
    assert result.p == pytest.approx(2 * result.p_better)
    assert result.uncorrected_statistic == pytest.approx(2.611, abs=5e-3)
    assert result.low < 0 < result.high


def test_holm_of_a_textbook() -> None:
    """Holm 1979 as in R's p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm")."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))


def by_definition(target: np.ndarray, champion: np.ndarray, challenger: np.ndarray) -> tuple[float, float]:
    """The difference of two areas and its standard error by DeLong's sums over all pairs of rows."""
    kernels = []
    for scores in (champion, challenger):
        positive, negative = scores[target == 1], scores[target == 0]
        kernels.append((positive[:, None] > negative) + 0.5 * (positive[:, None] == negative))
    difference = kernels[1] - kernels[0]
    above, below = difference.mean(axis=1), difference.mean(axis=0)
    variance = above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)
    return float(difference.mean()), float(np.sqrt(variance))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("levels", [3, 10, 1000])
def test_delong_is_its_definition_with_ties(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    target = (rng.random(400) < 0.3).astype(int)
    champion, challenger = np.round((rng.normal(size=(2, 400)) + target) * levels / 5)
    result = auc_difference(target, champion, challenger)
    estimate, error = by_definition(target, champion, challenger)
    assert result.estimate == pytest.approx(estimate, abs=1e-12)
    assert result.standard_error == pytest.approx(error, abs=1e-12)
    assert len(np.unique(champion)) < 400  # there are ties


def test_the_definition_without_half_a_point_for_ties_differs() -> None:
    rng = np.random.default_rng(0)
    target, scores = rng.integers(0, 2, 200), rng.integers(0, 4, size=(2, 200)).astype(float)
    result = auc_difference(target, *scores)
    broken = scores + np.arange(200) * 1e-9  # breaks the ties by the order of the rows
    assert abs(by_definition(target, *broken)[0] - result.estimate) > 1e-6


@pytest.mark.skipif(
    "ASAH_CSV" not in os.environ, reason="ASAH_CSV names pROC's table aSAH as CSV; it is not ours to ship"
)
def test_delong_on_the_asah_table() -> None:
    """pROC's own test: roc.test of WFNS and S100B. R: write.csv(pROC::aSAH, "asah.csv")."""
    import pandas as pd

    table = pd.read_csv(os.environ["ASAH_CSV"])
    result = auc_difference(table["outcome"] == "Poor", table["s100b"], table["wfns"])
    assert result.estimate / result.standard_error == pytest.approx(2.20898359144091, rel=1e-12)
    assert result.p == pytest.approx(0.0271757822291882, rel=1e-12)
    assert (result.low, result.high) == pytest.approx((0.0104061769564846, 0.174214419249478), rel=1e-12)
