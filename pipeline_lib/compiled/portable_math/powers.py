"""pow, sqrt, cbrt."""

import math
from math import frexp, ldexp

import numpy as np

from pipeline_lib.compiled.portable_math.blocks import binary, unary
from pipeline_lib.compiled.portable_math.double_double import INF, NAN, Array, Value, product, split
from pipeline_lib.compiled.portable_math.exponentials import exp_of_sum_scalar, exp_of_sum_vector
from pipeline_lib.compiled.portable_math.logarithms import LARGEST, SMALLEST_NORMAL, log_parts_scalar, log_parts_vector

_HUGE = ldexp(1.0, 65)  # for larger |y|, x**y is 0, 1 or infinity for every double x


def _pow(x: Array, y: Array) -> tuple[Array, np.ndarray]:
    size = np.abs(x)
    high, low = log_parts_vector(size)
    exponent, error = product(high, y)
    result = exp_of_sum_vector(exponent, error + low * y)
    negative = x < 0.0
    if negative.any():
        whole = np.rint(y)
        half = 0.5 * whole
        signed = np.where(np.rint(half) == half, result, -result)
        result = np.where(negative, np.where(whole == y, signed, NAN), result)
    valid = (size >= SMALLEST_NORMAL) & (size <= LARGEST) & (np.abs(y) <= _HUGE) & (np.abs(exponent) <= 700.0)
    return result, valid


def pow_scalar(x: float, y: float) -> float:
    """x to the power of y, for floats; special cases as in C99, annex F.9.4.4."""
    if y == 0.0 or x == 1.0:
        return 1.0
    if x != x or y != y:
        return NAN
    size = abs(x)
    if x < 0.0 or size == 0.0:
        odd = abs(y) < 2**53 and abs(y) % 2.0 == 1.0  # of a negative y, % would round
        sign = -1.0 if odd and (x < 0.0 or math.copysign(1.0, x) < 0.0) else 1.0
    else:
        sign = 1.0
    if not (0.0 < size < INF and abs(y) <= _HUGE):
        return sign * _extreme_power(size, y)
    if x < 0.0 and y % 1.0 != 0.0:
        return NAN
    high, low = log_parts_scalar(size)
    exponent, error = product(high, y)
    return sign * exp_of_sum_scalar(exponent, error + low * y)


def _extreme_power(size: float, y: float) -> float:
    """|x| ** y where |x| is 0 or infinite or |y| is above 2**65."""
    if size == 1.0:
        return 1.0
    return INF if (size > 1.0) == (y > 0.0) else 0.0


def sqrt_vector(x: Array) -> Array:
    """Square root, correctly rounded by IEEE 754; every NaN is the positive quiet one."""
    with np.errstate(all="ignore"):
        root = np.sqrt(np.asarray(x, dtype=np.float64))
        return np.where(np.isnan(root), NAN, root)


def sqrt_scalar(x: float) -> float:
    """Square root of a float, correctly rounded."""
    return math.sqrt(x) if x >= 0.0 else NAN


_ROOTS = (1.0, 1.2599210498948732, 1.5874010519681994)  # of 1, 2 and 4
_ROOTS_COLUMN = np.array(_ROOTS)
_START_0, _START_1, _START_2, _START_3 = 0.4414, 0.9218, -0.5047, 0.1416  # a polynomial near the cube root
_ROUND_TO_26_BITS = 1.5 * 2**27  # adding it to a number from 1/2 to 2 rounds that to 26 bits


def _cbrt_of(m: Value, v: Value, root: Value) -> Value:
    """Cube root of v = m * root**3, for m from 1/2 to 1: a polynomial and two steps of Halley's method."""
    t = (_START_0 + m * (_START_1 + m * (m * _START_3 + _START_2))) * root
    cube = t * t * t
    t = t * ((cube + 2.0 * v) / (2.0 * cube + v))
    t = (t + _ROUND_TO_26_BITS) - _ROUND_TO_26_BITS  # so that t * t is exact
    square = t * t
    head, tail = split(square)
    miss = (v - head * t) - tail * t
    return t + t * miss / (2.0 * square * t + v)


def _cbrt(block: Array) -> Array:
    bits = np.abs(block).view(np.int64)
    exponent = (bits >> 52) - 1022
    third = ((exponent + 1200) * 21846 >> 16) - 400  # exponent // 3
    rest = exponent - 3 * third
    m = (bits - (exponent << 52)).view(np.float64)
    root = _cbrt_of(m, (bits - (3 * third << 52)).view(np.float64), _ROOTS_COLUMN[rest & 3])
    result: Array = np.copysign((root.view(np.int64) + (third << 52)).view(np.float64), block)
    return result


def cbrt_scalar(x: float) -> float:
    """Cube root of a float."""
    if not (0.0 < x < INF or -INF < x < 0.0):
        return x if x == x else NAN
    m, exponent = frexp(abs(x))
    third, rest = divmod(exponent, 3)
    root = ldexp(_cbrt_of(m, ldexp(m, rest), _ROOTS[rest]), third)
    return root if x > 0.0 else -root


pow_vector = binary(_pow, pow_scalar)
cbrt_vector = unary(_cbrt, cbrt_scalar, -LARGEST, LARGEST, tiny=SMALLEST_NORMAL)
