"""Double-double arithmetic: sums and products with about 106 bits, for floats and for float64 arrays.

A double has 53 bits. An elementary function that is right to about half of the last of them needs more on the way.
Here a value is the unevaluated sum of two doubles: `high`, the value rounded to 53 bits, and `low`, the rest.

    exact a * b   1.0110...01101|0111...0101...
                  `--- high ---'                   the rounded product, a * b
                                `--- low ---'      its exact error

Additions and multiplications of doubles round, but their errors are doubles themselves, which a few more operations
compute exactly (`two_sum`, `product`). None of these operations may be reordered or fused. Python and NumPy round
after every operator, so the same source text gives the same bits for a float, for an array and on every CPU.

Sources: Dekker, Numerische Mathematik 18 (1971); Knuth, The Art of Computer Programming 2, section 4.2.2.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Value: TypeAlias = Any  # a float or an Array; results are of the same kind

NAN, INF = float("nan"), float("inf")
_SPLITTER = 134217729.0  # 2**27 + 1, Dekker's constant for 53 bits


def two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """The rounded sum of `a` and `b`, and its exact error."""
    total = a + b
    b_part = total - a
    return total, (a - (total - b_part)) + (b - b_part)


def fast_two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """The same with three operations instead of six, for |a| >= |b| or a == 0."""
    total = a + b
    return total, b - (total - a)


def split(a: Value) -> tuple[Value, Value]:
    """`a` as the exact sum of two doubles of at most 26 bits each; |a| must be below 2**996."""
    scaled = a * _SPLITTER
    high = scaled - (scaled - a)
    return high, a - high


def product(a: Value, b: Value) -> tuple[Value, Value]:
    """The rounded product of `a` and `b`, and its exact error."""
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    rounded = a * b
    return rounded, ((a_high * b_high - rounded) + a_high * b_low + a_low * b_high) + a_low * b_low


def quotient(high: Value, low: Value, divisor: Value, divisor_low: Value) -> tuple[Value, Value]:
    """`(high + low) / (divisor + divisor_low)` as a sum of two doubles, to about 2**-100."""
    first = high / divisor
    multiplied, error = product(first, divisor)
    rest = (((high - multiplied) - error) + low) - first * divisor_low
    return fast_two_sum(first, rest / divisor)
