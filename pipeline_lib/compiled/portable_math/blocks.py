"""Apply a kernel to arrays of any size in blocks that stay in cache.

A kernel computes ordinary arguments of a block. What is not ordinary (NaN, infinities, subnormals, huge arguments)
is patched afterwards: saturated values and NaN at once, the few others one by one through the scalar form, which is
the definition of every special case.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pipeline_lib.compiled.portable_math.double_double import Array

Unary: TypeAlias = Callable[[Array], Array]
Binary: TypeAlias = Callable[[Array, Array], Array]
Limit: TypeAlias = tuple[float, float]

BLOCK = 8192
FEW = 16  # so few elements are faster one by one

# A kernel's temporaries come and go with every operation. glibc gives free memory above a threshold back to the
# system and faults it in again, which takes longer than the arithmetic; the threshold becomes twice the largest
# array ever freed, so one is: 2 MiB, never touched.
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

    `below = (limit, value)` says that every argument under `limit` gives `value`; `above` likewise.
    """

    def one_block(block: Array) -> Array:
        result = kernel(block)
        if not tiny and low <= np.minimum.reduce(block) and np.maximum.reduce(block) <= high:
            return result
        rest = ~((block >= low) & (block <= high))
        if tiny:
            rest |= np.abs(block) < tiny
        for known, value in _known(block, below, above):
            result[known] = value
            rest &= ~known
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


def _known(block: Array, below: Limit | None, above: Limit | None) -> list[tuple[np.ndarray, float]]:
    known = [(np.isnan(block), np.nan)]
    if below is not None:
        known.append((block < below[0], below[1]))
    if above is not None:
        known.append((block > above[0], above[1]))
    return known


def binary(
    kernel: Callable[[Array, Array], tuple[Array, np.ndarray]], scalar: Callable[[float, float], float]
) -> Binary:
    """The vector form of a function of two arguments, which broadcast.

    The kernel returns its results and where they hold; elsewhere the scalar form decides.
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
                values, holds = kernel(a, b)
                if not holds.all():
                    rest = ~holds
                    pairs = zip(a[rest].tolist(), b[rest].tolist(), strict=True)
                    values[rest] = [scalar(first, second) for first, second in pairs]
                result[start : start + BLOCK] = values
        return result.reshape(shape)

    return vector
