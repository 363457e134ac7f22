"""Apply a kernel to arrays of any size, in blocks that stay in the CPU's cache.

A kernel computes the ordinary arguments of a block. The results of others (NaN, infinities, subnormals, huge
arguments) are replaced afterwards: saturated values and NaN all at once, the few others one by one by the scalar
form, which defines every special case.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pipeline_lib.compiled.portable_math.double_double import Array

Unary: TypeAlias = Callable[[Array], Array]
Binary: TypeAlias = Callable[[Array, Array], Array]
Limit: TypeAlias = tuple[float, float]

BLOCK = 8192  # elements: 64 KiB, so that the temporaries of a kernel stay in the L2 cache
FEW = 16  # elements up to which the scalar form is faster

# A kernel allocates and frees temporaries with every operation. glibc returns free memory above a threshold to the
# system; to fault it in again takes longer than the arithmetic. The threshold grows to twice the largest array ever
# freed, so we free one of 2 MiB, which is never touched.
np.empty(2**18)


def unary(
    kernel: Unary,
    scalar: Callable[[float], float],
    low: float,
    high: float,
    below: Limit | None = None,
    above: Limit | None = None,
    tiny: float = 0.0,
) -> Unary:
    """The vector form: `kernel` for arguments in [low, high] of size `tiny` or more, elsewhere the scalar form.

    `below = (limit, value)`: every argument below `limit` gives `value`; `above` likewise for larger ones.
    """

    def one_block(block: Array) -> Array:
        result = kernel(block)
        if not tiny and low <= np.minimum.reduce(block) and np.maximum.reduce(block) <= high:
            return result
        rest = ~((block >= low) & (block <= high))
        if tiny:
            rest |= np.abs(block) < tiny
        for chosen, value in _saturated(block, below, above):
            result[chosen] = value
            rest &= ~chosen
        if rest.any():
            result[rest] = [scalar(value) for value in block[rest].tolist()]
        return result

    def vector(x: Array) -> Array:
        values = np.asarray(x, dtype=np.float64)
        flat = values.reshape(-1)
        if flat.size <= FEW:
            return np.array([scalar(value) for value in flat.tolist()], dtype=np.float64).reshape(values.shape)
        with np.errstate(all="ignore"):
            if flat.size <= BLOCK:
                return one_block(flat).reshape(values.shape)
            result = np.empty_like(flat)
            for start in range(0, flat.size, BLOCK):
                result[start : start + BLOCK] = one_block(flat[start : start + BLOCK])
        return result.reshape(values.shape)

    return vector


def _saturated(block: Array, below: Limit | None, above: Limit | None) -> list[tuple[np.ndarray, float]]:
    """Masks of the arguments whose result is a constant, with that constant."""
    saturated = [(np.isnan(block), np.nan)]
    if below is not None:
        saturated.append((block < below[0], below[1]))
    if above is not None:
        saturated.append((block > above[0], above[1]))
    return saturated


def binary(
    kernel: Callable[[Array, Array], tuple[Array, np.ndarray]], scalar: Callable[[float, float], float]
) -> Binary:
    """The vector form of a function of two arguments, which broadcast.

    The kernel returns its results and a mask of those that are valid; the scalar form computes the others.
    """

    def vector(x: Array, y: Array) -> Array:
        left, right = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        shape = left.shape
        left, right = left.reshape(-1), right.reshape(-1)
        if left.size <= FEW:
            pairs = zip(left.tolist(), right.tolist(), strict=True)
            return np.array([scalar(a, b) for a, b in pairs], dtype=np.float64).reshape(shape)
        result = np.empty(left.size)
        with np.errstate(all="ignore"):
            for start in range(0, left.size, BLOCK):
                a, b = left[start : start + BLOCK], right[start : start + BLOCK]
                values, valid = kernel(a, b)
                if not valid.all():
                    rest = ~valid
                    pairs = zip(a[rest].tolist(), b[rest].tolist(), strict=True)
                    values[rest] = [scalar(first, second) for first, second in pairs]
                result[start : start + BLOCK] = values
        return result.reshape(shape)

    return vector
