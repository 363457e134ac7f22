"""ndtr, ndtri, erf: the normal distribution.

With t = |x|: the upper tail is Q(t) = exp(-t*t/2) * R(t), where R (Mills' ratio over sqrt(2*pi)) is smooth and is
computed by Taylor series at multiples of 1/16; near 0, G(t) = 1/2 - Q(t) has a series of its own. ndtri starts from
Acklam's approximation (2003, relative error 1.2e-9) and makes one step of third order.
"""

from math import copysign, factorial, ldexp, sqrt
from typing import Any

import numpy as np

from pipeline_lib.compiled.portable_math.blocks import unary
from pipeline_lib.compiled.portable_math.double_double import INF, NAN, Array, Value, fast_two_sum, product
from pipeline_lib.compiled.portable_math.exponentials import exp_parts_scalar, exp_parts_vector
from pipeline_lib.compiled.portable_math.logarithms import log_scalar, log_vector
from pipeline_lib.compiled.portable_math.mills import DENSITY, DENSITY_LOW, ROOT2, ROOT2_LOW, mills_columns, mills_rows

CENTRE = 0.5  # G serves up to here, Q beyond
NDTR_ZERO, NDTR_NORMAL, NDTR_ONE = -38.6, -37.0, 9.0  # results are 0 below, normal above, 1 above
ERF_ONE, ERF_TINY = 6.0, ldexp(1.0, -900)  # results are 1 above; smaller arguments are scaled up first
NDTRI_NORMAL = 1e-300  # arguments whose tail has no subnormal factors
_TO_NODE = 1.5 * 2**48  # adding it rounds to a multiple of 1/16, its last place
_NODE_BITS = int(np.float64(_TO_NODE).view(np.int64))
_ONE_BITS = 1023 << 52
_SERIES = [(-1) ** n / (2**n * factorial(n) * (2 * n + 1)) for n in range(11, 0, -1)]


def _polynomial(x: Value, coefficients: list[Value]) -> Value:
    """The highest power's coefficient first."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def _centre(t: Value, t_low: Value) -> tuple[Value, Value]:
    """1/2 - Q(t) as a sum of two doubles, for t up to CENTRE."""
    square = t * t
    whole, error = product(t, DENSITY)
    rest = square * _polynomial(square, _SERIES)
    return fast_two_sum(whole, (error + (t * DENSITY_LOW + t_low * DENSITY)) + whole * rest)


def _tail_of(r: Value, row: Any, high: Value, low: Value) -> tuple[Value, Value]:
    """exp(-t*t/2) * R(node + r), where the first factor is high + low."""
    first, first_low, *series = row
    ratio, ratio_low = fast_two_sum(first, first_low + r * _polynomial(r, series[::-1]))
    whole, error = product(high, ratio)
    return fast_two_sum(whole, error + (high * ratio_low + low * ratio))


def _exponent(t: Value, t_low: Value) -> tuple[Value, Value]:
    """-t*t/2 as a sum of two doubles."""
    square, error = product(t, t)
    return -0.5 * square, -0.5 * (error + 2.0 * t * t_low)


def _tail_vector(t: Array, t_low: Array) -> tuple[np.ndarray, Array, Array, Array]:
    """An integer n, exp(-t*t/2) and two doubles whose sum is Q(t), all divided by 2**n."""
    n, high, low = exp_parts_vector(*_exponent(t, t_low))
    rounded = t + _TO_NODE
    node = rounded.view(np.int64) - _NODE_BITS
    row = [column.take(node, mode="clip") for column in mills_columns()]
    return n, high, *_tail_of((t - (rounded - _TO_NODE)) + t_low, row, high, low)


def _tail_scalar(t: float, t_low: float) -> tuple[int, float, float, float]:
    n, high, low = exp_parts_scalar(*_exponent(t, t_low))
    node = (t + _TO_NODE) - _TO_NODE
    row = mills_rows()[int(node * 16.0)]
    return n, high, *_tail_of((t - node) + t_low, row, high, low)


def _joined(base: Value, sign: Value, high: Value, low: Value) -> Value:
    """base + sign * (high + low)."""
    total, error = fast_two_sum(base, sign * high)
    return total + (error + sign * low)


def _power_of_two(n: np.ndarray) -> Array:
    power: Array = ((n << 52) + _ONE_BITS).view(np.float64)
    return power


def _ndtr(block: Array) -> Array:
    t = np.abs(block)
    zero = np.zeros_like(t)
    n, _, high, low = _tail_vector(t, zero)
    scale = _power_of_two(n)
    near, near_low = _centre(t, zero)
    upper, centre = block > 0.0, t <= CENTRE
    base = np.where(centre, 0.5, np.where(upper, 1.0, 0.0))
    sign = np.where(centre == upper, 1.0, -1.0)
    result: Array = _joined(base, sign, np.where(centre, near, high * scale), np.where(centre, near_low, low * scale))
    return result


def ndtr_scalar(x: float) -> float:
    """The normal distribution function of a float."""
    if not NDTR_ZERO <= x <= NDTR_ONE:
        return 1.0 if x > 0.0 else 0.0 if x < 0.0 else NAN
    t = abs(x)
    if t <= CENTRE:
        base, sign, high, low = 0.5, 1.0 if x > 0.0 else -1.0, *_centre(t, 0.0)
    else:
        n, _, high, low = _tail_scalar(t, 0.0)
        if x < 0.0:
            return ldexp(high + low, n)
        base, sign, high, low = 1.0, -1.0, ldexp(high, n), ldexp(low, n)
    result: float = _joined(base, sign, high, low)
    return result


def _erf(block: Array) -> Array:
    size = np.abs(block)
    t, t_low = product(size, ROOT2)
    t, t_low = fast_two_sum(t, t_low + size * ROOT2_LOW)
    n, _, high, low = _tail_vector(t, t_low)
    scale = _power_of_two(n)
    near, near_low = _centre(t, t_low)
    centre = t <= CENTRE
    base, sign = np.where(centre, 0.0, 1.0), np.where(centre, 2.0, -2.0)
    result = _joined(base, sign, np.where(centre, near, high * scale), np.where(centre, near_low, low * scale))
    return np.copysign(result, block)


def erf_scalar(x: float) -> float:
    """The error function of a float."""
    if not -ERF_ONE <= x <= ERF_ONE:
        return 1.0 if x > 0.0 else -1.0 if x < 0.0 else NAN
    if abs(x) < ERF_TINY:
        return ldexp(erf_scalar(ldexp(x, 200)), -200) if x != 0.0 else x
    size = abs(x)
    t, t_low = product(size, ROOT2)
    t, t_low = fast_two_sum(t, t_low + size * ROOT2_LOW)
    if t <= CENTRE:
        result: float = _joined(0.0, 2.0, *_centre(t, t_low))
    else:
        n, _, high, low = _tail_scalar(t, t_low)
        result = _joined(1.0, -2.0, ldexp(high, n), ldexp(low, n))
    return copysign(result, x)


# Acklam's coefficients, the highest power first: polynomials of (p - 1/2)**2 near 1/2, of sqrt(-2 log p) in the tail
_NEAR = [
    -39.69683028665376,
    220.9460984245205,
    -275.9285104469687,
    138.3577518672690,
    -30.66479806614716,
    2.506628277459239,
]
_NEAR_UNDER = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1.0]
_FAR = [
    -0.007784894002430293,
    -0.3223964580411365,
    -2.400758277161838,
    -2.549732539343734,
    4.374664141464968,
    2.938163982698783,
]
_FAR_UNDER = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1.0]
_FAR_BELOW = 0.02425  # Acklam's limit of the tail
_CENTRE_OF_NDTRI = 0.19  # below 1/2 - Q(CENTRE) = 0.1915


def _near_start(part: Value) -> Value:
    square = part * part
    return part * _polynomial(square, _NEAR) / _polynomial(square, _NEAR_UNDER)


def _far_start(root: Value) -> Value:
    return -(_polynomial(root, _FAR) / _polynomial(root, _FAR_UNDER))


def _step(t: Value, miss: Value) -> Value:
    """The argument at which Q is smaller by miss * density(t) than at t."""
    return t + (miss + 0.5 * t * miss * miss)


def _ndtri(block: Array) -> Array:
    tail: Array = np.where(block < 0.5, block, 1.0 - block)
    part = 0.5 - tail
    far: Array = _far_start(np.sqrt(-2.0 * log_vector(tail)))
    t = np.where(tail < _FAR_BELOW, far, _near_start(part))
    n, density, high, low = _tail_vector(t, np.zeros_like(t))
    near, near_low = _centre(t, np.zeros_like(t))
    centre = part <= _CENTRE_OF_NDTRI
    far_miss = ((high - tail * _power_of_two(-n)) + low) / (density * DENSITY)
    near_miss = ((part - near) - near_low) / (density * _power_of_two(n) * DENSITY)
    result: Array = _step(t, np.where(centre, near_miss, far_miss))
    return np.where(block < 0.5, -result, result)


def ndtri_scalar(p: float) -> float:
    """The inverse of ndtr, of a float."""
    if not 0.0 < p < 1.0:
        return -INF if p == 0.0 else INF if p == 1.0 else NAN
    tail = p if p < 0.5 else 1.0 - p
    part = 0.5 - tail
    t = _far_start(sqrt(-2.0 * log_scalar(tail))) if tail < _FAR_BELOW else _near_start(part)
    n, density, high, low = _tail_scalar(t, 0.0)
    if part <= _CENTRE_OF_NDTRI:
        near, near_low = _centre(t, 0.0)
        miss = ((part - near) - near_low) / (density * ldexp(1.0, n) * DENSITY)
    else:
        miss = ((high - ldexp(tail, -n)) + low) / (density * DENSITY)
    result: float = _step(t, miss)
    return -result if p < 0.5 else result


ndtr_vector = unary(_ndtr, ndtr_scalar, NDTR_NORMAL, NDTR_ONE, (NDTR_ZERO, 0.0), (NDTR_ONE, 1.0))
ndtri_vector = unary(_ndtri, ndtri_scalar, NDTRI_NORMAL, 1.0 - 1 / 2**53)
erf_vector = unary(_erf, erf_scalar, -ERF_ONE, ERF_ONE, (-ERF_ONE, -1.0), (ERF_ONE, 1.0), ERF_TINY)
