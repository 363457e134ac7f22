"""What XGBoost computes in float32: exp as the C libraries glibc and musl have it, and sums of weighted numbers.

exp(x) = 2**(k / 32) * 2**(r / 32), where k is the integer nearest to x * 32 / log(2) and r the rest, at most 1/2:

    2**(k / 32)     a table of 32 numbers, scaled by a power of two
    2**(r / 32)     a polynomial of degree 3

All of it is computed in float64 and rounded to float32 once, at the end. The result is within 0.502 ULP of float32, so
about one number in 1,600 is not the nearest. The polynomial is that of sysdeps/ieee754/flt-32/e_exp2f_data.c in glibc.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBER, NUMBERS

_PARTS = 32
_PER_LOG_2 = float.fromhex("0x1.71547652b82fep+0") * _PARTS  # 1 / log(2), rounded to float64
_CUBIC, _SQUARE, _LINEAR = (
    float.fromhex(digits) / _PARTS**power
    for digits, power in (("0x1.c6af84b912394p-5", 3), ("0x1.ebfce50fac4f3p-3", 2), ("0x1.62e42ff0c52d6p-1", 1))
)
_LOW, _HIGH = -110.0, 100.0  # beyond them the result is 0 or infinite in float32, and in float64 still a number
_BITS = 120


def _root(part: int) -> float:
    """2**(part / 32), the nearest float64."""
    power = 1 << (part + _PARTS * _BITS)
    for _ in range(5):  # 32 = 2**5
        power = math.isqrt(power)
    return power / (1 << _BITS)


_ROOTS = np.array([_root(part) for part in range(_PARTS)])


def float32_exp(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp of float32 numbers, rounded to float32; NaN stays NaN."""
    x = np.clip(np.asarray(values, dtype=np.float64), _LOW, _HIGH)
    scaled = x * _PER_LOG_2
    whole = np.rint(scaled)
    rest = scaled - whole
    number = np.where(np.isnan(whole), 0.0, whole).astype(np.int64)
    scale = np.ldexp(_ROOTS[number % _PARTS], (number // _PARTS).astype(np.int32))
    power = (_CUBIC * rest + _SQUARE) * (rest * rest) + (_LINEAR * rest + 1.0)
    with np.errstate(over="ignore", under="ignore"):  # to infinity or 0, as in the C libraries
        result = (power * scale).astype(np.float32).astype(np.float64)
    return np.where(x == _HIGH, np.inf, result)


operation(
    "exp_float32",
    ("float64|vector",),
    lambda settings, dtypes: dtypes[0],
    doc="e to the power of float32 numbers, in float32 as glibc and musl compute it.",
    parameters=("value",),
    column=lambda settings: float32_exp,
    width=lambda settings, widths: widths[0],
)


def _bind_dot(settings: Settings) -> Callable[..., Any]:
    weights, start = np.asarray(settings["weights"], dtype=np.float32), np.float32(settings["start"])

    def dot(*columns: Any) -> Any:
        total: Any = start
        for column, weight in zip(columns, weights, strict=True):
            number = np.asarray(column, dtype=np.float32)
            total = np.where(np.isnan(number), total, total + number * weight)
        return np.asarray(total, dtype=np.float64)

    return dot


operation(
    "dot_float32",
    ("float64", "..."),
    "float64",
    doc="`start` and the sum of numbers times weights, each step rounded to float32; missing numbers add nothing.",
    parameters=("values", "..."),
    settings={"weights": NUMBERS, "start": NUMBER},
    column=_bind_dot,
)
