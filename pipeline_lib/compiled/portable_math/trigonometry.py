"""sin, cos, tan, in radians.

x = k*pi/64 + r, with r as a sum of two doubles; then sin(a + r) = sin(a)*cos(r) + cos(a)*sin(r), where a = k*pi/64
is in a table. Arguments up to FAR are reduced with pi/64 in three parts (Cody and Waite, 1980); larger ones with the
exact integers of x and pi (as Payne and Hanek, 1983), one element at a time.
"""

import numpy as np

from pipeline_lib.compiled.portable_math.blocks import unary
from pipeline_lib.compiled.portable_math.double_double import NAN, Array, Value, fast_two_sum, quotient, split, two_sum
from pipeline_lib.compiled.portable_math.tables import columns, pair, pi, turn_rows

FAR = 4096.0  # up to here k has 17 bits: k times a part of 36 bits is exact

ROWS = turn_rows()
_HIGH, _LOW, _HEAD, _REST = columns(ROWS)
_PI_BITS = 1300  # enough for the largest double: 1024 bits before the point, and 276 after it
_STEP = pi(_PI_BITS) // 64
_PER_STEP = (1 << 2 * _PI_BITS) // _STEP / (1 << _PI_BITS)
_FIRST = (_STEP >> (_PI_BITS - 40)) / 2**40
_SECOND = ((_STEP >> (_PI_BITS - 76)) % 2**36) / 2**76
_THIRD = (_STEP % (1 << (_PI_BITS - 76))) / (1 << _PI_BITS)
_ROUND = 1.5 * 2**52
_6TH, _24TH, _120TH, _720TH, _5040TH = 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040


def _remainder(x: Value, k: Value) -> tuple[Value, Value]:
    """x - k*pi/64 as a sum of two doubles."""
    high, error = two_sum(x - k * _FIRST, -(k * _SECOND))
    return fast_two_sum(high, error - k * _THIRD)


def _far_remainder(x: float) -> tuple[int, float, float]:
    """k modulo 128 and x - k*pi/64, for any finite x."""
    numerator, denominator = x.as_integer_ratio()
    k, rest = divmod((numerator << _PI_BITS) // denominator + (_STEP >> 1), _STEP)
    return k & 127, *pair((rest - (_STEP >> 1)) >> (_PI_BITS - 160))


def _turned(r: Value, r_low: Value, high: Value, low: Value, head: Value, rest: Value) -> tuple[Value, Value]:
    """sin(a + r), where sin(a) = high + low and cos(a) = head + rest."""
    r_head, r_tail = split(r)
    whole = head * r_head  # exact: 26 bits times 26
    total, error = fast_two_sum(high, whole)
    square, cosine = r * r, head + rest
    less_one = square * (square * (_24TH - square * _720TH) - 0.5)
    sine_rest = r * square * (square * (_120TH - square * _5040TH) - _6TH)
    carried = (low + cosine * r_low) + (head * r_tail + rest * r)
    return total, error + (carried + (high * less_one + cosine * sine_rest))


def _reduce(block: Array) -> tuple[np.ndarray, Array, Array]:
    rounded = block * _PER_STEP + _ROUND
    r, r_low = _remainder(block, rounded - _ROUND)
    return rounded.view(np.int64), r, r_low


def _reduce_scalar(x: float) -> tuple[int, float, float]:
    if not -FAR <= x <= FAR:
        return _far_remainder(x)
    k = (x * _PER_STEP + _ROUND) - _ROUND
    return int(k), *_remainder(x, k)


def _row(k: np.ndarray) -> tuple[Array, Array, Array, Array]:
    row = k & 127
    return _HIGH.take(row), _LOW.take(row), _HEAD.take(row), _REST.take(row)


def _keep_zeros(result: Array, block: Array) -> Array:
    zero = block == 0.0  # the sums above lose the sign of zero
    if zero.any():
        result[zero] = block[zero]
    return result


def _sin(block: Array) -> Array:
    k, r, r_low = _reduce(block)
    high, low = _turned(r, r_low, *_row(k))
    return _keep_zeros(high + low, block)


def sin_scalar(x: float) -> float:
    """Sine of a float."""
    if x == 0.0 or x - x != 0.0:
        return x if x == 0.0 else NAN
    k, r, r_low = _reduce_scalar(x)
    high, low = _turned(r, r_low, *ROWS[k & 127])
    result: float = high + low
    return result


def _cos(block: Array) -> Array:
    k, r, r_low = _reduce(block)
    high, low = _turned(r, r_low, *_row(k + 32))
    result: Array = high + low
    return result


def cos_scalar(x: float) -> float:
    """Cosine of a float."""
    if x - x != 0.0:
        return NAN
    k, r, r_low = _reduce_scalar(x)
    high, low = _turned(r, r_low, *ROWS[(k + 32) & 127])
    result: float = high + low
    return result


def _ratio(sine: tuple[Value, Value], cosine: tuple[Value, Value]) -> Value:
    high, low = quotient(*fast_two_sum(*sine), *fast_two_sum(*cosine))
    return high + low


def _tan(block: Array) -> Array:
    k, r, r_low = _reduce(block)
    return _keep_zeros(_ratio(_turned(r, r_low, *_row(k)), _turned(r, r_low, *_row(k + 32))), block)


def tan_scalar(x: float) -> float:
    """Tangent of a float."""
    if x == 0.0 or x - x != 0.0:
        return x if x == 0.0 else NAN
    k, r, r_low = _reduce_scalar(x)
    result: float = _ratio(_turned(r, r_low, *ROWS[k & 127]), _turned(r, r_low, *ROWS[(k + 32) & 127]))
    return result


sin_vector = unary(_sin, sin_scalar, -FAR, FAR)
cos_vector = unary(_cos, cos_scalar, -FAR, FAR)
tan_vector = unary(_tan, tan_scalar, -FAR, FAR)
