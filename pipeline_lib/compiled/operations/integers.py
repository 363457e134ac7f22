"""Integers of 64 bits, which wrap around, and casts between integers, bools and numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import formula

INT = 2**63
"""The first integer beyond int64."""


def wrap(x: int) -> int:
    """An integer as 64 bits hold it."""
    return x if -INT <= x < INT else (x + INT) % (2 * INT) - INT


def truncate_int(x: float) -> int:
    """The integer part as int64; `NAT` for NaN and beyond 64 bits."""
    return int(x) if -9.223372036854775808e18 <= x < 9.223372036854775808e18 else NAT


def _truncate_ints(x: NDArray[np.float64]) -> NDArray[np.int64]:
    inside = (x >= -9.223372036854775808e18) & (x < 9.223372036854775808e18)
    return np.where(inside, np.where(inside, x, 0.0).astype(np.int64), np.int64(NAT))


def _int64(maxima: Sequence[float]) -> float:
    return INT


_INTS = ("int64", "int64")
formula(
    "add_int",
    _INTS,
    "int64",
    np.add,
    lambda a, b: wrap(a + b),
    "The sum of integers; beyond 64 bits it wraps around.",
    abs_max=_int64,
)
formula(
    "subtract_int",
    _INTS,
    "int64",
    np.subtract,
    lambda a, b: wrap(a - b),
    "The difference of integers; beyond 64 bits it wraps around.",
    abs_max=_int64,
)
formula(
    "multiply_int",
    _INTS,
    "int64",
    np.multiply,
    lambda a, b: wrap(a * b),
    "The product of integers; beyond 64 bits it wraps around.",
    abs_max=_int64,
)
formula(
    "floor_divide_int",
    _INTS,
    "int64",
    np.floor_divide,
    lambda a, b: wrap(a // b) if b else 0,
    "The quotient of integers, rounded down; 0 for divisor 0, as numpy.floor_divide.",
    abs_max=_int64,
)
formula(
    "remainder_int",
    _INTS,
    "int64",
    np.remainder,
    lambda a, b: a % b if b else 0,
    "The remainder of integers with the divisor's sign; 0 for divisor 0, as numpy.remainder.",
    abs_max=_int64,
)
formula(
    "power_int",
    _INTS,
    "int64",
    lambda base, exponent: np.power(base, np.maximum(exponent, 0)),
    lambda base, exponent: wrap(pow(base, max(exponent, 0), 2 * INT)),
    "An integer to the power of another, wrapped to 64 bits; a negative exponent counts as 0.",
    parameters=("base", "exponent"),
    abs_max=_int64,
)

formula(
    "to_float",
    ("int64|bool",),
    "float64",
    lambda x: np.asarray(x).astype(np.float64),
    "float({0})",
    "An integer or bool as float64.",
    abs_max=lambda maxima: maxima[0],
)
formula(
    "to_int",
    ("bool",),
    "int64",
    lambda x: np.asarray(x).astype(np.int64),
    "int({0})",
    "A bool as int64: 0 or 1.",
    abs_max=lambda maxima: maxima[0],
)
formula(
    "truncate_int",
    ("float64",),
    "int64",
    _truncate_ints,
    truncate_int,
    "The integer part as int64; -2**63 for NaN and beyond 64 bits.",
    abs_max=_int64,
)
