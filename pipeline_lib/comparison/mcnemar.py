"""Two classifiers on the same rows: only the rows on which exactly one of them is right say which is better."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]
from numpy.typing import ArrayLike

from pipeline_lib.comparison.checked_rows import checked_pair
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means

EXACT_BELOW = 25
"""Rows on which the two disagree, below which the binomial distribution is used instead of its approximation."""


@dataclass(frozen=True)
class McNemar:
    """McNemar's test. `statistic` is chi-square with one degree of freedom, None of the exact test."""

    only_champion: int
    only_challenger: int
    statistic: float | None
    p: float
    test: str


def mcnemar(only_champion: int, only_challenger: int, *, corrected: bool = False, exact: bool | None = None) -> McNemar:
    """McNemar's test (Psychometrika 12, 1947) of counts: rows that only the champion, only the challenger gets right.

    `corrected`: with the continuity correction of Edwards (1948). `exact`: the binomial test; by default it is used
    below `EXACT_BELOW` rows. Uncorrected chi-square is the default above, since the correction is conservative
    (Fagerland, Lydersen & Laake, BMC Medical Research Methodology 13:91, 2013). Without such rows p is 1.

        >>> result = mcnemar(86, 150)
        >>> print(f"{result.test}: {result.statistic:.3f}, p {result.p:.1g}")
        McNemar: 17.356, p 3e-05
    """
    together = only_champion + only_challenger
    if exact or (exact is None and together < EXACT_BELOW):
        p = min(1.0, 2 * float(st.binom.cdf(min(only_champion, only_challenger), together, 0.5)))
        return McNemar(only_champion, only_challenger, None, p, "McNemar, exact")
    if not together:
        return McNemar(only_champion, only_challenger, 0.0, 1.0, "McNemar")
    distance = max(0, abs(only_champion - only_challenger) - int(corrected))
    statistic = distance**2 / together
    name = "McNemar, corrected" if corrected else "McNemar"
    return McNemar(only_champion, only_challenger, statistic, float(st.chi2.sf(statistic, 1)), name)


def difference_of_correct(
    champion: ArrayLike, challenger: ArrayLike, *, groups: Any = None, order: Any = None, seed: int = 0
) -> PairedDifference:
    """The difference in the share of right answers (accuracy); `champion`, `challenger`: whether each row is right.

    The interval is that of `difference_of_means`. The test is McNemar's, with the paired t beside it. McNemar's test
    takes rows as independent: with `groups` or `order` the test by cluster or block stays.

        >>> import numpy as np
        >>> champion, challenger = np.ones(500, bool), np.ones(500, bool)
        >>> champion[:60], challenger[40:70] = False, False
        >>> result = difference_of_correct(champion, challenger)
        >>> print(f"{result.estimate:.3f} ({result.low:.3f} to {result.high:.3f}), {result.test}, p {result.p:.1g}")
        0.060 (0.034 to 0.090), McNemar, p 2e-05
    """
    first, second = checked_pair(champion, challenger)
    result = difference_of_means(first, second, groups=groups, order=order, seed=seed)
    if groups is not None or order is not None:
        return result
    return with_mcnemar(result, first > 0, second > 0)


def with_mcnemar(
    difference: PairedDifference, champion: np.ndarray[Any, Any], challenger: np.ndarray[Any, Any]
) -> PairedDifference:
    """A difference of error rates or accuracies with McNemar's test in place of its own; masks of the right answers."""
    if difference.identical:
        return difference
    test = mcnemar(int((champion & ~challenger).sum()), int((challenger & ~champion).sum()))
    return replace(difference, test=test.test, p=test.p, beside=((difference.test, difference.p),))
