"""Intervals of shares and means: Wilson's of one share, Newcombe's of a difference of two, Student's of a mean.

Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953; Newcombe (1998), method 10,
https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I. All are 95 % intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]
from scipy.stats import binomtest  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Estimate:
    """A share or a mean of `rows` rows with its 95 % interval; NaN where no row gives one."""

    value: float
    low: float
    high: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """JSON values; null where there is no number."""
        values = {"value": self.value, "low": self.low, "high": self.high}
        return {**{key: known(value) for key, value in values.items()}, "rows": self.rows}


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)
"""The estimate of no rows."""


def known(value: float) -> float | None:
    """A number for JSON, which has no NaN and no infinity: None stands for both."""
    return float(value) if math.isfinite(value) else None


def share(count: int, rows: int) -> Estimate:
    """A share with Wilson's interval, which stays inside 0 and 1 and is right for few rows, too.

    >>> estimate = share(0, 10)
    >>> f"{estimate.value:.3f} {estimate.low:.3f} {estimate.high:.3f}"
    '0.000 0.000 0.278'
    """
    if rows == 0:
        return NOTHING
    interval = binomtest(count, rows).proportion_ci(method="wilson")
    return Estimate(count / rows, float(interval.low), float(interval.high), rows)


def share_difference(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two shares of different rows, `one` less `other`, by Newcombe's method 10.

    >>> difference = share_difference(share(56, 70), share(48, 80))
    >>> f"{difference.value:.4f} {difference.low:.4f} {difference.high:.4f}"
    '0.2000 0.0524 0.3339'
    """
    if not one.rows or not other.rows:
        return NOTHING
    value = one.value - other.value
    low = value - math.hypot(one.value - one.low, other.high - other.value)
    high = value + math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, low, high, one.rows + other.rows)


def mean(values: Sequence[float] | np.ndarray[Any, Any]) -> Estimate:
    """A mean with Student's interval; of one row the interval is unknown."""
    numbers = np.asarray(values, np.float64)
    if numbers.size < 2:
        return NOTHING if not numbers.size else Estimate(float(numbers[0]), math.nan, math.nan, 1)
    value = float(numbers.mean())
    half = float(stdtrit(numbers.size - 1, 0.975) * numbers.std(ddof=1) / math.sqrt(numbers.size))
    return Estimate(value, value - half, value + half, numbers.size)


def mean_difference(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two means of different rows, from their intervals (square-and-add)."""
    if not one.rows or not other.rows:
        return NOTHING
    value = one.value - other.value
    half = math.hypot(one.high - one.value, other.high - other.value)
    return Estimate(value, value - half, value + half, one.rows + other.rows)
