"""The fused multiply-add, `a * b + c` rounded once, on every CPU.

OpenBLAS accumulates a product of matrices with this instruction, number after number. Where scikit-learn breaks ties
by such sums, as KMeans does, its choice can be repeated only with the same rounding.

Source: Boldo and Melquiond, IEEE Transactions on Computers 57 (2008). The exact value is a sum of three doubles,
`high + (low + rest)`; if the small part is rounded to odd, rounding the sum is right:

    a * b = product + error                exact
    product + (c + error) = high + rest    exact, but for the part `low`, which is rounded to odd
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.portable_math.double_double import product, two_sum


def fused_multiply_add(a: Any, b: Any, c: Any) -> Any:
    """`a * b + c` of float64 arrays that broadcast, rounded once; for finite numbers of size below 2**970."""
    multiplied, error = product(a, b)
    sum_high, sum_low = two_sum(c, error)
    high, rest = two_sum(multiplied, sum_high)
    return high + _sum_to_odd(sum_low, rest)


def _sum_to_odd(a: Any, b: Any) -> Any:
    """The sum of two arrays; if it is not exact, the neighbour of the exact sum whose last bit is 1."""
    total, error = two_sum(a, b)
    bits = np.ascontiguousarray(total).view(np.int64)
    towards = np.where((error > 0) == (total > 0), 1, -1)
    odd = np.where((error != 0) & (bits & 1 == 0), bits + towards, bits)
    return odd.view(np.float64)
