"""95 % intervals by the bias-corrected and accelerated bootstrap (BCa, Efron 1987), for totals per independent unit.

A mean over rows that come in groups is a ratio, sum of the groups' sums / sum of their sizes; without groups each size
is 1. Up to `SCIPY_UNITS` groups SciPy resamples and jackknifes. Beyond, its jackknife would take units^2 steps, and the
closed form is used, in which a mean needs no resampling at all: ABC of DiCiccio & Efron (Biometrika 79, 1992), for a
mean with bias and acceleration both skewness / (6 sqrt(units)).

The level is widened for few units as Student's t is (the expanded percentile interval of Hesterberg, The American
Statistician 69, 2015): a bootstrap of 30 units is otherwise 3 % too short.
"""

import math
import warnings
from typing import Any

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]

from pipeline_lib.comparison.checked_rows import FloatArray

LEVEL = 0.95
SCIPY_UNITS = 500
"""Independent units up to which SciPy computes BCa: 2,000 x 500 draws and a jackknife of 500 x 500 sums."""
RESAMPLES = 2000
"""A limit of a 95 % interval of 2,000 resamples has a standard error of about 0.06 of the estimate's."""
_SMALLEST_TAIL = 1e-9
"""Of two units, Student's interval lies beyond what the normal distribution can express."""
_BATCH = 250
"""Resamples at a time: what they draw stays in the processor's cache."""


def t_quantile(degrees: float) -> float:
    """How many standard errors Student's 95 % interval extends to each side."""
    return float(st.t.ppf((1 + LEVEL) / 2, max(degrees, 1.0)))


def widened_level(degrees: float, stretch: float | None = None) -> float:
    """The level at which an interval of the normal distribution is as wide as Student's of 95 %.

    `stretch`: how much larger the standard error is than the bootstrap's, by default sqrt(units / (units - 1)).
    """
    ratio = math.sqrt((degrees + 1) / degrees) if stretch is None else stretch
    return 1 - 2 * max(float(st.norm.sf(t_quantile(degrees) * ratio)), _SMALLEST_TAIL)


def ratio_interval(sums: FloatArray, sizes: FloatArray, level: float, seed: int) -> tuple[float, float, str]:
    """Lower and upper limit of `sums.sum() / sizes.sum()`, and the method's name. Units are independent."""
    if len(sums) > SCIPY_UNITS:
        return (*_closed_form(sums, sizes, level), "BCa in closed form")
    even = bool((sizes == sizes[0]).all())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that hardly differ: answered by nan, which is handled below
        limits = st.bootstrap(
            (sums / sizes[0],) if even else (sums, sizes),
            np.mean if even else _ratio,
            batch=_BATCH,
            n_resamples=RESAMPLES,
            confidence_level=level,
            method="BCa",
            paired=True,
            vectorized=True,
            rng=np.random.default_rng(seed),
        ).confidence_interval
    low, high = float(limits.low), float(limits.high)
    if math.isfinite(low) and math.isfinite(high):
        return low, high, f"bootstrap BCa, {RESAMPLES:,} resamples"
    return (*_closed_form(sums, sizes, level), "BCa in closed form")


def _ratio(sums: FloatArray, sizes: FloatArray, axis: int = -1) -> Any:
    return sums.sum(axis=axis) / sizes.sum(axis=axis)


def _closed_form(sums: FloatArray, sizes: FloatArray, level: float) -> tuple[float, float]:
    units = len(sums)
    estimate = sums.sum() / sizes.sum()
    contributions = (sums - estimate * sizes) * (units / sizes.sum())
    total = float((contributions**2).sum())
    acceleration = float((contributions**3).sum()) / (6 * total**1.5) if total else 0.0
    error = math.sqrt(total) / units
    z = float(st.norm.ppf((1 + level) / 2))
    return abc_limits(float(estimate), error, acceleration, z)


def abc_limits(estimate: float, error: float, acceleration: float, quantile: float) -> tuple[float, float]:
    """The limits of ABC, this many standard errors to each side where the contributions are not skewed."""
    sides = (acceleration - quantile, acceleration + quantile)
    low, high = (estimate + error * side / (1 - acceleration * side) ** 2 for side in sides)
    return low, high


def bca_limits(distribution: FloatArray, estimate: float, acceleration: float, level: float) -> tuple[float, float]:
    """Limits from resampled estimates: for what SciPy does not resample (blocks) or jackknifes too slowly."""
    below = (np.count_nonzero(distribution < estimate) + np.count_nonzero(distribution <= estimate)) / 2
    share = min(max(below, 0.5), len(distribution) - 0.5) / len(distribution)
    bias = float(st.norm.ppf(share))
    sides = bias + float(st.norm.ppf((1 + level) / 2)) * np.array([-1.0, 1.0])
    shares = st.norm.cdf(bias + sides / (1 - acceleration * sides))
    low, high = np.quantile(distribution, shares)
    return float(low), float(high)
