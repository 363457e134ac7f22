"""exp, expm1, sigmoid, tanh.

With x = k*log(2)/128 + r: exp(x) = 2**(k // 128) * T[k % 128] * exp(r), where T[j] = 2**(j/128) is a sum of two
doubles and exp(r) a polynomial, |r| < 0.0028. Source of the table-driven reduction: Tang, ACM TOMS 15 (1989).
"""

from math import copysign, ldexp

import numpy as np

from pipeline_lib.compiled.portable_math.blocks import unary
from pipeline_lib.compiled.portable_math.double_double import INF, NAN, Array, Value, fast_two_sum, quotient, two_sum
from pipeline_lib.compiled.portable_math.tables import BITS, LN2, ONE, columns, exp_rows

EXP_LARGEST, EXP_SMALLEST = 709.782712893384, -745.1332191019412  # log of the largest double, of half the smallest
EXP_NORMAL = -708.0  # results of larger arguments are normal: log(2**-1022) = -708.4
EXPM1_FAR = 44.0  # exp(-44) and 1 / exp(44) are below 2**-63
SIGMOID_FAR, SIGMOID_ONE, TANH_ONE = -600.0, 40.0, 22.0  # beyond: exp(x); 1; 1

ROWS = exp_rows()
_HIGH, _LOW = columns(ROWS)
_PER_STEP = (128 * ONE * ONE // LN2) / ONE
_STEP = (LN2 // 128 >> (BITS - 42)) / 2**42  # 35 bits: k * _STEP is exact
_STEP_LOW = (LN2 // 128 - (LN2 // 128 >> (BITS - 42) << (BITS - 42))) / ONE
_ROUND = 1.5 * 2**52  # adding it rounds to an integer: its last place is 1
_ROUND_BITS = np.array(_ROUND).view(np.int64)
_SIXTH, _24TH, _120TH, _720TH = 1 / 6, 1 / 24, 1 / 120, 1 / 720


def _scaled_exp(high: Value, low: Value, r: Value) -> Value:
    """(high + low) * exp(r), with an error of about 0.51 ULP."""
    return high + (low + high * (r + r * r * (0.5 + r * (_SIXTH + r * (_24TH + r * _120TH)))))


def _reduce(block: Array) -> tuple[np.ndarray, Array]:
    """k twice: in the low bits of an integer, and as a float."""
    rounded = block * _PER_STEP + _ROUND
    return rounded.view(np.int64), rounded - _ROUND


def _scaled(value: Array, k: np.ndarray) -> Array:
    """value * 2**(k // 128), for normal results."""
    scaled: Array = (value.view(np.int64) + (k >> 7 << 52)).view(np.float64)
    return scaled


def _exp(block: Array) -> Array:
    k, steps = _reduce(block)
    r = (block - steps * _STEP) - steps * _STEP_LOW
    row = k & 127
    return _scaled(_scaled_exp(_HIGH.take(row), _LOW.take(row), r), k)


def exp_scalar(x: float) -> float:
    """e to the power of a float."""
    if not EXP_SMALLEST <= x <= EXP_LARGEST:
        return INF if x > 0.0 else 0.0 if x < 0.0 else NAN
    steps = (x * _PER_STEP + _ROUND) - _ROUND
    k = int(steps)
    r = (x - steps * _STEP) - steps * _STEP_LOW
    high, low = ROWS[k & 127]  # as in _scaled_exp, without the call
    return ldexp(high + (low + high * (r + r * r * (0.5 + r * (_SIXTH + r * (_24TH + r * _120TH))))), k >> 7)


def exp_of_sum_vector(high: Array, low: Array) -> Array:
    """exp(high + low) for results in the normal range."""
    k, steps = _reduce(high)
    r = (high - steps * _STEP) + (low - steps * _STEP_LOW)
    row = k & 127
    return _scaled(_scaled_exp(_HIGH.take(row), _LOW.take(row), r), k)


def exp_of_sum_scalar(high: float, low: float) -> float:
    """exp(high + low), for any finite high + low."""
    if not EXP_SMALLEST - 0.1 <= high <= EXP_LARGEST + 0.1:
        return INF if high > 0.0 else 0.0
    steps = (high * _PER_STEP + _ROUND) - _ROUND
    k = int(steps)
    r = (high - steps * _STEP) + (low - steps * _STEP_LOW)
    value = _scaled_exp(*ROWS[k & 127], r)
    return INF if k >> 7 == 1024 and value >= 1.0 else ldexp(value, k >> 7)


def _less_one(x: Value, steps: Value, high: Value, low: Value) -> tuple[Value, Value]:
    """exp(x) - 1 as a sum of two doubles, where high + low is 2**(steps / 128)."""
    head, tail = x - steps * _STEP, steps * _STEP_LOW
    r = head - tail
    base, error = two_sum(high, -1.0)
    total, error_of_head = fast_two_sum(base, head)
    series = r * r * (0.5 + r * (_SIXTH + r * (_24TH + r * (_120TH + r * _720TH))))
    return total, (error_of_head + error) + (low * (1.0 + r) + ((base * r - tail) + high * series))


def _less_one_vector(block: Array) -> tuple[Array, Array]:
    k, steps = _reduce(block)
    row, scale = k & 127, _scaled(np.ones_like(block), k)
    return _less_one(block, steps, _HIGH.take(row) * scale, _LOW.take(row) * scale)


def _less_one_scalar(x: float) -> tuple[float, float]:
    steps = (x * _PER_STEP + _ROUND) - _ROUND
    k = int(steps)
    high, low = ROWS[k & 127]
    scale = ldexp(1.0, k >> 7)
    return _less_one(x, steps, high * scale, low * scale)


def _expm1(block: Array) -> Array:
    high, low = _less_one_vector(block)
    return np.copysign(high + low, block)


def expm1_scalar(x: float) -> float:
    """exp(x) - 1 of a float, accurate near 0."""
    if not -EXPM1_FAR <= x <= EXPM1_FAR:
        return -1.0 if x < 0.0 else exp_scalar(x)
    if x == 0.0:
        return x
    high, low = _less_one_scalar(x)
    return high + low


def _exp_parts(r: Value, high: Value, low: Value) -> tuple[Value, Value]:
    """(high + low) * exp(r) as a sum of two doubles."""
    return fast_two_sum(high, low + high * (r + r * r * (0.5 + r * (_SIXTH + r * (_24TH + r * _120TH)))))


def exp_parts_vector(high: Array, low: Array) -> tuple[np.ndarray, Array, Array]:
    """An integer n and two doubles whose sum times 2**n is exp(high + low)."""
    k, steps = _reduce(high)
    row = k & 127
    parts = _exp_parts((high - steps * _STEP) + (low - steps * _STEP_LOW), _HIGH.take(row), _LOW.take(row))
    return (k - _ROUND_BITS) >> 7, *parts


def exp_parts_scalar(high: float, low: float) -> tuple[int, float, float]:
    """The same for floats."""
    steps = (high * _PER_STEP + _ROUND) - _ROUND
    k = int(steps)
    return k >> 7, *_exp_parts((high - steps * _STEP) + (low - steps * _STEP_LOW), *ROWS[k & 127])


def _sigmoid_of(high: Value, low: Value) -> Value:
    """E / (1 + E) for E = high + low."""
    divisor, error = two_sum(1.0, high)
    first, rest = quotient(high, low, divisor, error + low)
    return first + rest


def _sigmoid(block: Array) -> Array:
    k, steps = _reduce(block)
    r = (block - steps * _STEP) - steps * _STEP_LOW
    row, scale = k & 127, _scaled(np.ones_like(block), k)
    result: Array = _sigmoid_of(*_exp_parts(r, _HIGH.take(row) * scale, _LOW.take(row) * scale))
    return result


def sigmoid_scalar(x: float) -> float:
    """1 / (1 + exp(-x)) of a float."""
    if not SIGMOID_FAR <= x <= SIGMOID_ONE:
        return 1.0 if x > 0.0 else exp_scalar(x)  # under SIGMOID_FAR the divisor is 1 to 2**-865
    steps = (x * _PER_STEP + _ROUND) - _ROUND
    k = int(steps)
    high, low = ROWS[k & 127]
    scale = ldexp(1.0, k >> 7)
    result: float = _sigmoid_of(*_exp_parts((x - steps * _STEP) - steps * _STEP_LOW, high * scale, low * scale))
    return result


def _tanh_of(high: Value, low: Value) -> Value:
    """E / (E + 2) for E = high + low = exp(2 * x) - 1."""
    high, low = fast_two_sum(high, low)
    divisor, error = two_sum(2.0, high)
    first, rest = quotient(high, low, divisor, error + low)
    return first + rest


def _tanh(block: Array) -> Array:
    return np.copysign(_tanh_of(*_less_one_vector(2.0 * np.abs(block))), block)


def tanh_scalar(x: float) -> float:
    """Hyperbolic tangent of a float."""
    if not -TANH_ONE <= x <= TANH_ONE:
        return 1.0 if x > 0.0 else -1.0 if x < 0.0 else NAN
    return copysign(_tanh_of(*_less_one_scalar(2.0 * abs(x))), x)


exp_vector = unary(_exp, exp_scalar, EXP_NORMAL, EXP_LARGEST, (EXP_SMALLEST, 0.0), (EXP_LARGEST, INF))
expm1_vector = unary(_expm1, expm1_scalar, -EXPM1_FAR, EXPM1_FAR, (-EXPM1_FAR, -1.0), (EXP_LARGEST, INF))
sigmoid_vector = unary(_sigmoid, sigmoid_scalar, SIGMOID_FAR, SIGMOID_ONE, (EXP_SMALLEST, 0.0), (SIGMOID_ONE, 1.0))
tanh_vector = unary(_tanh, tanh_scalar, -TANH_ONE, TANH_ONE, (-TANH_ONE, -1.0), (TANH_ONE, 1.0))
