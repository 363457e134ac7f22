"""log, log1p, log2, log10.

x = 2**k * m with m from sqrt(1/2) to sqrt(2). F is the multiple of 1/1024 nearest to m, and c a number of 11 bits
near 1 / F, so that r = m*c - 1 = (m - F)*c + (F*c - 1) is small and exact, and log(x) = k*log(2) - log(c) +
log(1 + r). For F = 1, c is 1: near 1 nothing cancels. Source of the table-driven reduction: Tang, ACM TOMS 16 (1990).
"""

from math import frexp, ldexp

import numpy as np

from pipeline_lib.compiled.portable_math.blocks import unary
from pipeline_lib.compiled.portable_math.double_double import INF, NAN, Array, Value, fast_two_sum, product, two_sum
from pipeline_lib.compiled.portable_math.tables import LN2, LOG_FIRST, ONE, columns, log_ratio, log_rows, pair

SMALLEST_NORMAL, LARGEST = 2.2250738585072014e-308, 1.7976931348623157e308
ROUND_TO_NODE = 1.5 * 2**42  # adding it rounds to a multiple of 1/1024, its last place
_FIRST = 0.70703125  # below sqrt(1/2)
# The vector form's constants are arrays: NumPy takes 0.2 us longer to convert a Python float.
_TO_NODE = np.array(ROUND_TO_NODE)
_NODE_BITS = np.array(_TO_NODE.view(np.int64) + LOG_FIRST)
_FIRST_BITS = np.array(_FIRST).view(np.int64)
_EXPONENT_BITS = np.array(-(1 << 52))
_ONE_BITS = np.array(1.0).view(np.int64)

ROWS = log_rows()
_C, _G, _HIGH, _LOW = columns(ROWS)
_LN2_HIGH, _LN2_LOW = pair(LN2, 42)
_HEAD = 1.5 * 2**20  # adding it rounds to a multiple of 2**-32, its last place
_THIRD, _FIFTH, _SIXTH, _SEVENTH = 1 / 3, 1 / 5, 1 / 6, 1 / 7
_LN2_HIGH_SHIFTED, _LN2_LOW_SHIFTED = np.array(_LN2_HIGH / 2**52), np.array(_LN2_LOW / 2**52)
_ARRAY_HALF, _ARRAY_THIRD, _ARRAY_QUARTER, _ARRAY_FIFTH = (np.array(value) for value in (0.5, _THIRD, 0.25, _FIFTH))
_LOG2_E, _LOG2_E_LOW = pair(ONE * ONE // LN2)
_LOG10_E, _LOG10_E_LOW = pair(ONE * ONE // (3 * LN2 + log_ratio(5, 4)))


def _near(k: Value, f: Value, rest: Value, c: Value, g: Value, high: Value, low: Value) -> Value:
    """log(2**k * (F + f + rest)), with an error of about 0.51 ULP; the row of F is c, g, high, low."""
    head, tail = f * c + g, rest * c
    top = k * _LN2_HIGH + high  # exact: a multiple of 2**-42 below 2**10
    total = top + head
    r = head + tail
    series = r * r * (r * (_THIRD + r * (r * _FIFTH - 0.25)) - 0.5)
    return total + (((top - total) + head) + (k * _LN2_LOW + low) + (tail + series))


def _far(k: Value, f: Value, c: Value, g: Value, high: Value, low: Value) -> tuple[Value, Value]:
    """The same as a sum of two doubles, with a relative error of about 2**-68."""
    whole = f * c  # exact: 42 bits times 11
    head = (whole + _HEAD) - _HEAD
    tail = whole - head
    head = head + g
    r = head + tail
    top = (k * _LN2_HIGH + high) + head  # exact
    half = head * head * -0.5  # exact
    total, error = fast_two_sum(top, half)
    total, error_of_tail = fast_two_sum(total, tail)
    series = r * r * r * (_THIRD + r * (r * (_FIFTH + r * (r * _SEVENTH - _SIXTH)) - 0.25)) - tail * (head + 0.5 * tail)
    return fast_two_sum(total, (error + error_of_tail) + ((k * _LN2_LOW + low) + series))


def _reduce(block: Array) -> tuple[np.ndarray, Array, np.ndarray]:
    """For normal positive x: k * 2**52, m - F, and the row of F."""
    bits = block.view(np.int64)
    shifted = (bits - _FIRST_BITS) & _EXPONENT_BITS
    m = (bits - shifted).view(np.float64)
    rounded = m + _TO_NODE
    return shifted, m - (rounded - _TO_NODE), rounded.view(np.int64) - _NODE_BITS


def _row(row: np.ndarray) -> tuple[Array, Array, Array, Array]:
    return _C.take(row), _G.take(row), _HIGH.take(row), _LOW.take(row)


def log_parts_vector(block: Array) -> tuple[Array, Array]:
    """log(x) as a sum of two doubles, for normal positive x."""
    shifted, f, row = _reduce(block)
    return _far((shifted >> 52).astype(np.float64), f, *_row(row))


def log_parts_scalar(x: float) -> tuple[float, float]:
    """log(x) as a sum of two doubles, for finite positive x."""
    m, k = frexp(x)
    if m < _FIRST:
        m, k = m + m, k - 1
    node = (m + ROUND_TO_NODE) - ROUND_TO_NODE
    return _far(k, m - node, *ROWS[int(node * 1024.0) - LOG_FIRST])


def _log(block: Array) -> Array:
    shifted, f, row = _reduce(block)
    c, g, high, low = _row(row)
    k = shifted.astype(np.float64)  # times 2**52, as the two constants are times 2**-52
    f *= c  # from here on as in _near with no rest, in place
    f += g
    r, top = f, k * _LN2_HIGH_SHIFTED
    top += high
    total = top + r
    top -= total
    top += r
    k *= _LN2_LOW_SHIFTED
    k += low
    top += k
    series = r * _ARRAY_FIFTH
    series -= _ARRAY_QUARTER
    series *= r
    series += _ARRAY_THIRD
    series *= r
    series -= _ARRAY_HALF
    r *= r
    series *= r
    top += series
    total += top
    result: Array = total
    return result


def log_scalar(x: float) -> float:
    """Natural logarithm of a float."""
    if not 0.0 < x < INF:
        return x if x == INF else -INF if x == 0.0 else NAN
    m, k = frexp(x)
    if m < _FIRST:
        m, k = m + m, k - 1
    node = (m + ROUND_TO_NODE) - ROUND_TO_NODE
    c, g, high, low = ROWS[int(node * 1024.0) - LOG_FIRST]
    r = (m - node) * c + g  # from here on as in _near with no rest, without the call
    top = k * _LN2_HIGH + high
    total = top + r
    return total + (((top - total) + r) + (k * _LN2_LOW + low) + r * r * (r * (_THIRD + r * (r * _FIFTH - 0.25)) - 0.5))


def _log1p(block: Array) -> Array:
    u, error = two_sum(1.0, block)
    shifted, f, row = _reduce(u)
    scale = (_ONE_BITS - shifted).view(np.float64)
    result = _near((shifted >> 52).astype(np.float64), f, error * scale, *_row(row))
    return np.copysign(result, block)


def log1p_scalar(x: float) -> float:
    """log(1 + x) of a float, accurate near 0."""
    if not -1.0 < x < INF:
        return x if x == INF else -INF if x == -1.0 else NAN
    if x == 0.0:
        return x
    u, error = two_sum(1.0, x)
    m, k = frexp(u)
    if m < _FIRST:
        m, k = m + m, k - 1
    node = (m + ROUND_TO_NODE) - ROUND_TO_NODE
    result: float = _near(k, m - node, error * ldexp(1.0, -k), *ROWS[int(node * 1024.0) - LOG_FIRST])
    return result


def _other_base(high: Value, low: Value, factor: float, factor_low: float) -> Value:
    whole, error = product(high, factor)
    return whole + (error + (high * factor_low + low * factor))


def _log2(block: Array) -> Array:
    result: Array = _other_base(*log_parts_vector(block), _LOG2_E, _LOG2_E_LOW)
    return result


def log2_scalar(x: float) -> float:
    """Logarithm to base 2 of a float; exact for powers of two."""
    if not 0.0 < x < INF:
        return x if x == INF else -INF if x == 0.0 else NAN
    result: float = _other_base(*log_parts_scalar(x), _LOG2_E, _LOG2_E_LOW)
    return result


def _log10(block: Array) -> Array:
    result: Array = _other_base(*log_parts_vector(block), _LOG10_E, _LOG10_E_LOW)
    return result


def log10_scalar(x: float) -> float:
    """Logarithm to base 10 of a float; exact for powers of ten."""
    if not 0.0 < x < INF:
        return x if x == INF else -INF if x == 0.0 else NAN
    result: float = _other_base(*log_parts_scalar(x), _LOG10_E, _LOG10_E_LOW)
    return result


log_vector = unary(_log, log_scalar, SMALLEST_NORMAL, LARGEST)
log1p_vector = unary(_log1p, log1p_scalar, -1.0 + 1 / 2**53, ldexp(1.0, 1000))
log2_vector = unary(_log2, log2_scalar, SMALLEST_NORMAL, LARGEST)
log10_vector = unary(_log10, log10_scalar, SMALLEST_NORMAL, LARGEST)
