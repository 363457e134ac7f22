"""How many more labelled rows would settle a comparison that cannot tell."""

import math

import scipy.stats as st  # type: ignore[import-untyped]
from scipy.optimize import brentq  # type: ignore[import-untyped]

from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.comparison.verdict import SIGNIFICANT

_SIDE = float(st.norm.ppf(0.975))
MANY = 1_000_000_000
"""More rows than this are no answer."""


def rows_needed(
    difference: PairedDifference, margin: float = 0.0, power: float = 0.8, p: float | None = None
) -> int | None:
    """More rows of the same kind, at which the verdict would be found with this probability if the estimate is true.

    Either the interval then leaves 0 out, or, where the estimate is smaller than `margin`, it lies inside the margin,
    whichever takes fewer rows. 0 where it is settled already. None where no number would do: the estimate is 0, or so
    close to it that a billion rows were too few, and there is no margin. `p`: the p-value after a correction for
    several challengers; by default that of the difference.

        >>> import numpy as np
        >>> from pipeline_lib.comparison.paired import difference_of_means
        >>> rng = np.random.default_rng(3)
        >>> errors = rng.exponential(size=200)
        >>> rows_needed(difference_of_means(errors, errors + rng.normal(0.05, 1, 200)))
        2553
    """
    rows = difference.rows
    if difference.identical:
        return 0
    for_reliable = max(0, difference.rows_for_reliable - rows)
    if _settled(difference, margin, difference.p if p is None else p):
        return for_reliable
    error = max(_error_outside(abs(difference.estimate), power), _error_inside(abs(difference.estimate), margin, power))
    if not math.isfinite(difference.standard_error) or error * math.sqrt(MANY / rows) < difference.standard_error:
        return None
    ratio = difference.standard_error / error
    return max(for_reliable, math.ceil((ratio**2 - 1) * rows), 1)


def _error_outside(estimate: float, power: float) -> float:
    """The standard error at which the interval leaves 0 out with this probability."""
    return estimate / (_SIDE + float(st.norm.ppf(power)))


def _error_inside(estimate: float, margin: float, power: float) -> float:
    """The standard error at which the interval lies inside the margin with this probability; 0 if none does."""
    if estimate >= margin:
        return 0.0

    def excess(error: float) -> float:
        inside = st.norm.cdf((margin - estimate) / error - _SIDE) - st.norm.cdf(_SIDE - (margin + estimate) / error)
        return float(inside) - power

    return float(brentq(excess, (margin - estimate) / 100, margin))


def _settled(difference: PairedDifference, margin: float, p: float) -> bool:
    outside = (difference.low > 0 or difference.high < 0) and p < SIGNIFICANT
    return outside or (-margin < difference.low and difference.high < margin)


def rows_needed_sentence(
    difference: PairedDifference, margin: float = 0.0, power: float = 0.8, p: float | None = None
) -> str:
    """The same as a sentence, with what to do where no number of rows would settle it."""
    more = rows_needed(difference, margin, power, p)
    if more is None:
        advice = "the margin equals the difference; choose another" if margin else "give a margin that matters"
        return f"no number of rows would settle a difference this close to 0: {advice}"
    if not more:
        return "the rows at hand settle it"
    return f"about {_rounded(more):,} more labelled rows would settle it with a probability of {power:.0%}"


def _rounded(count: int) -> int:
    """Two significant digits, upwards: an estimate of an estimate."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return math.ceil(count / step) * step
