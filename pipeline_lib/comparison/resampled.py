"""Which recipe is better, as opposed to which fitted model: scores of both over many splits or seeds.

The scores are not independent: their training rows overlap. Nadeau & Bengio (Machine Learning 52, 2003) widen the
variance by the share of rows that are tested.
"""

import math
from dataclasses import dataclass

import scipy.stats as st  # type: ignore[import-untyped]
from numpy.typing import ArrayLike

from pipeline_lib.comparison.checked_rows import checked_pair
from pipeline_lib.errors import InputError


@dataclass(frozen=True)
class ResampledDifference:
    """Challenger minus champion over repeated splits. `p` is two-sided, `p_better` asks for a higher challenger only.

    `uncorrected_statistic` is the ordinary paired t of the same scores, which is too large.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    statistic: float
    p: float
    p_better: float
    uncorrected_statistic: float
    splits: int
    test: str = "corrected resampled t"


def corrected_resampled_t(
    champion: ArrayLike, challenger: ArrayLike, *, train_rows: int, test_rows: int
) -> ResampledDifference:
    """Scores of both recipes on the same splits, shape (splits,); `train_rows` and `test_rows` of one split.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.normal(0.9, 0.01, size=30)
    >>> result = corrected_resampled_t(scores, scores + rng.normal(0.003, 0.005, 30), train_rows=900, test_rows=100)
    >>> print(f"t {result.statistic:.2f}, uncorrected {result.uncorrected_statistic:.2f}, p {result.p:.2f}")
    t 2.42, uncorrected 5.04, p 0.02
    """
    first, second = checked_pair(champion, challenger)
    splits = len(first)
    if splits < 2 or train_rows < 1 or test_rows < 1:
        raise InputError(
            f"found {splits} splits of {train_rows} training and {test_rows} test rows, expected two splits or more; "
            "run the recipes with more seeds"
        )
    differences = second - first
    estimate, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread <= abs(estimate) * 1e-12:
        return _constant(estimate, splits)
    plain, error = spread / math.sqrt(splits), spread * math.sqrt(1 / splits + test_rows / train_rows)
    statistic, half = estimate / error, float(st.t.ppf(0.975, splits - 1)) * error
    return ResampledDifference(
        estimate,
        estimate - half,
        estimate + half,
        error,
        statistic,
        2 * float(st.t.sf(abs(statistic), splits - 1)),
        float(st.t.sf(statistic, splits - 1)),
        estimate / plain,
        splits,
    )


def _constant(estimate: float, splits: int) -> ResampledDifference:
    """The same difference in each split: 0, or a sign that each split repeats."""
    statistic = 0.0 if estimate == 0 else math.copysign(math.inf, estimate)
    p = 1.0 if estimate == 0 else 2.0 ** (1 - min(splits, 1000))
    p_better = 1.0 if estimate == 0 else p / 2 if estimate > 0 else 1 - p / 2
    return ResampledDifference(estimate, estimate, estimate, 0.0, statistic, p, p_better, statistic, splits)
