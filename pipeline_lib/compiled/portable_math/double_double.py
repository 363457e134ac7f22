"""Exactly rounded building blocks on floats and on float64 arrays alike.

A value that needs more than 53 bits is an unevaluated sum of two doubles, `high + low`. Nothing here may be
reordered: Python and NumPy round after every operator, so the same text gives the same bits in both forms.
Sources: Dekker (1971), Knuth (TAOCP 2, 4.2.2).
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Value: TypeAlias = Any  # a float or an Array: what goes in comes out

NAN, INF = float("nan"), float("inf")
_SPLITTER = 134217729.0  # 2**27 + 1


def two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """The rounded sum of `a` and `b`, and its exact error."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


def fast_two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """As two_sum, for |a| >= |b| or a == 0."""
    total = a + b
    return total, b - (total - a)


def split(a: Value) -> tuple[Value, Value]:
    """`a` as the exact sum of two doubles of at most 26 bits each; |a| below 2**996."""
    scaled = a * _SPLITTER
    high = scaled - (scaled - a)
    return high, a - high


def product(a: Value, b: Value) -> tuple[Value, Value]:
    """The rounded product of `a` and `b`, and its exact error."""
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    whole = a * b
    return whole, ((a_high * b_high - whole) + a_high * b_low + a_low * b_high) + a_low * b_low


def quotient(high: Value, low: Value, divisor: Value, divisor_low: Value) -> tuple[Value, Value]:
    """`(high + low) / (divisor + divisor_low)` as a sum of two doubles, to about 2**-100."""
    first = high / divisor
    back, error = product(first, divisor)
    rest = (((high - back) - error) + low) - first * divisor_low
    return fast_two_sum(first, rest / divisor)
