"""arctan, arctan2, arcsin, arccos, in radians.

With a node c near y/x: arctan(y/x) = arctan(c) + arctan((y - c*x) / (x + c*y)), where the last argument is below
1/64. The node of a very large ratio is infinity, for which the argument is -x/y.
"""

import math
from math import copysign, frexp, ldexp

import numpy as np

from pipeline_lib.compiled.portable_math.blocks import binary, unary
from pipeline_lib.compiled.portable_math.double_double import (
    INF,
    NAN,
    Array,
    Value,
    fast_two_sum,
    product,
    quotient,
    split,
)
from pipeline_lib.compiled.portable_math.tables import ARC_FIRST, BITS, arc_rows, columns, pair, pi

PI, _PI_LOW = pair(pi(BITS))
ARCTAN_FAR = ldexp(1.0, 60)  # beyond, the result rounds to pi/2
_SMALL, _LARGE = ldexp(1.0, -500), ldexp(1.0, 500)  # outside of these, arctan2 scales its arguments

ROWS = arc_rows()
_A, _C, _HIGH, _LOW = columns(ROWS)
_FIRST_NODE = (1023 + ARC_FIRST) * 32 - 1
_3RD, _5TH, _7TH, _9TH, _11TH = 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11


def _series(u: Value) -> Value:
    """arctan(u) - u, for |u| below 1/64."""
    v = u * u
    return u * v * (v * (_5TH - v * (_7TH - v * (_9TH - v * _11TH))) - _3RD)


def _row_of(ratio: float) -> tuple[float, float, float, float]:
    if ratio < 0.0078125:
        return ROWS[0]
    if ratio >= 127.0:
        return ROWS[-1]
    m, exponent = frexp(ratio)
    return ROWS[max((exponent - 1 - ARC_FIRST) * 32 + int(m * 64.0 + 0.5) - 31, 0)]


def _row_of_vector(ratio: Array) -> tuple[Array, Array, Array, Array]:
    row = ((ratio.view(np.int64) + (1 << 46)) >> 47) - _FIRST_NODE
    a, c, high, low = (column.take(row, mode="clip") for column in (_A, _C, _HIGH, _LOW))
    return a, c, high, low


def _arctan_of(x: Value, a: Value, c: Value, high: Value, low: Value) -> Value:
    u = (a * x - c) / (a + c * x)
    total, error = fast_two_sum(high, u)
    return total + (error + (low + _series(u)))


def _arctan(block: Array) -> Array:
    size = np.abs(block)
    return np.copysign(_arctan_of(size, *_row_of_vector(size)), block)


def arctan_scalar(x: float) -> float:
    """Inverse tangent of a float."""
    size = abs(x)
    if not size <= ARCTAN_FAR:
        return copysign(0.5 * PI, x) if x == x else NAN
    return copysign(_arctan_of(size, *_row_of(size)), x)


def _angle(y: tuple[Value, Value], x: tuple[Value, Value], row: tuple[Value, ...]) -> tuple[Value, Value]:
    """arctan(y / x) as a sum of two doubles, where y and x are such sums and not negative."""
    (y_high, y_low), (x_high, x_low) = y, x
    a, c, high, low = row
    head, tail = split(x_high)
    over = (a * y_high - c * head) - c * tail
    u, u_low = quotient(over, a * y_low - c * x_low, a * x_high + c * y_high, a * x_low + c * y_low)
    total, error = fast_two_sum(high, u)
    return total, error + (low + (u_low + _series(u)))


def _mirrored(sign: Value, base: Value, base_low: Value, angle: tuple[Value, Value]) -> Value:
    """The angle itself, or pi minus it where x is negative."""
    total, error = fast_two_sum(base, sign * angle[0])
    return total + (error + (base_low + sign * angle[1]))


def _mirrored_vector(negative: np.ndarray, angle: tuple[Array, Array]) -> Array:
    turn = negative.astype(np.float64)
    mirrored: Array = _mirrored(1.0 - 2.0 * turn, turn * PI, turn * _PI_LOW, angle)
    return mirrored


def _mirrored_scalar(negative: bool, angle: tuple[float, float]) -> float:
    mirrored: float = _mirrored(-1.0, PI, _PI_LOW, angle) if negative else _mirrored(1.0, 0.0, 0.0, angle)
    return mirrored


def _arctan2(y: Array, x: Array) -> tuple[Array, np.ndarray]:
    above, right = np.abs(y), np.abs(x)
    zero = np.zeros_like(above)
    angle = _angle((above, zero), (right, zero), _row_of_vector(above / right))
    valid = (above >= _SMALL) & (above <= _LARGE) & (right >= _SMALL) & (right <= _LARGE)
    return np.copysign(_mirrored_vector(x < 0.0, angle), y), valid


def arctan2_scalar(y: float, x: float) -> float:
    """The angle of the point (x, y), for floats; special cases as in C99, annex F.9.1.4."""
    if x != x or y != y:
        return NAN
    above, right, negative = abs(y), abs(x), copysign(1.0, x) < 0.0
    if not (_SMALL <= above <= _LARGE and _SMALL <= right <= _LARGE):
        if above in (0.0, INF) or right in (0.0, INF):
            return copysign(_on_an_axis(above, right, negative), y)
        scale = frexp(right)[1]
        gap = frexp(above)[1] - scale
        if gap < -70:
            return copysign(PI if negative else above / right, y)
        if gap > 70:
            return copysign(0.5 * PI, y)
        above, right = ldexp(above, -scale), ldexp(right, -scale)
    angle = _angle((above, 0.0), (right, 0.0), _row_of(above / right))
    return copysign(_mirrored_scalar(negative, angle), y)


def _on_an_axis(above: float, right: float, negative: bool) -> float:
    """The size of the angle where one of |y| and |x| is zero or infinite."""
    if above == INF and right == INF:
        return _THREE_QUARTERS if negative else 0.25 * PI
    if above == 0.0 or right == INF:
        return PI if negative else 0.0
    return 0.5 * PI


_THREE_QUARTERS = pair(3 * pi(BITS) // 4)[0]


def _leg(size: Value, root: Value) -> tuple[Value, Value]:
    """sqrt(1 - size**2) as a sum of two doubles; `root` is np.sqrt or math.sqrt."""
    square, error = product(size, size)
    high, rest = fast_two_sum(1.0, -square)
    high, rest = fast_two_sum(high, rest - error)
    first = root(high)
    square, error = product(first, first)
    return first, ((high - square) - error + rest) / (2.0 * first)


def _arcsin(block: Array) -> Array:
    size = np.abs(block)
    leg = _leg(size, np.sqrt)
    high, low = _angle((size, np.zeros_like(size)), leg, _row_of_vector(size / leg[0]))
    result: Array = np.copysign(high + low, block)
    return result


def arcsin_scalar(x: float) -> float:
    """Inverse sine of a float."""
    size = abs(x)
    if not size < 1.0:
        return copysign(0.5 * PI, x) if size == 1.0 else NAN
    leg = _leg(size, math.sqrt)
    high, low = _angle((size, 0.0), leg, _row_of(size / leg[0]))
    return copysign(high + low, x)


def _arccos(block: Array) -> Array:
    size = np.abs(block)
    leg = _leg(size, np.sqrt)
    return _mirrored_vector(block < 0.0, _angle(leg, (size, np.zeros_like(size)), _row_of_vector(leg[0] / size)))


def arccos_scalar(x: float) -> float:
    """Inverse cosine of a float."""
    size = abs(x)
    if not 0.0 < size < 1.0:
        return 0.5 * PI if x == 0.0 else 0.0 if x == 1.0 else PI if x == -1.0 else NAN
    leg = _leg(size, math.sqrt)
    return _mirrored_scalar(x < 0.0, _angle(leg, (size, 0.0), _row_of(leg[0] / size)))


_BELOW_ONE = 1.0 - 1 / 2**53
arctan_vector = unary(_arctan, arctan_scalar, -ARCTAN_FAR, ARCTAN_FAR, (-ARCTAN_FAR, -0.5 * PI), (ARCTAN_FAR, 0.5 * PI))
arctan2_vector = binary(_arctan2, arctan2_scalar)
arcsin_vector = unary(_arcsin, arcsin_scalar, -_BELOW_ONE, _BELOW_ONE)
arccos_vector = unary(_arccos, arccos_scalar, -_BELOW_ONE, _BELOW_ONE)
