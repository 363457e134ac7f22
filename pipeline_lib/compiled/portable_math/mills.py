"""The table of Mills' ratio, computed at its first use: that takes some 20 ms."""

from functools import cache
from math import isqrt

from pipeline_lib.compiled.portable_math.double_double import Array
from pipeline_lib.compiled.portable_math.tables import BITS, ONE, columns, pair, pi

LAST = 39 * 16  # the last node, in sixteenths: beyond, ndtr is 0
DEGREE = 9
_BITS = 320  # the recurrence below loses up to 100 of these bits
_ONE = 1 << _BITS

ROOT2, ROOT2_LOW = pair(isqrt(2 << 2 * BITS))
_DENSITY = _ONE * _ONE // isqrt(2 * pi(_BITS) << _BITS)  # 1 / sqrt(2 * pi)
DENSITY, DENSITY_LOW = pair(_DENSITY >> (_BITS - BITS))


def _taylor(node: int, value: int, terms: int) -> list[int]:
    """The series of R at node / 16, from R' = x*R - 1."""
    series = [value, (node * value >> 4) - _ONE]
    for n in range(1, terms):
        series.append(((node * series[n] >> 4) + series[n - 1]) // (n + 1))
    return series


@cache
def mills_rows() -> list[tuple[float, ...]]:
    """At multiples of 1/16: the ratio over sqrt(2*pi) as two doubles, and the coefficients of r to r**9."""
    top = (LAST << _BITS) // 16
    value = top
    for n in range(400, 0, -1):  # the continued fraction 1/(x + 1/(x + 2/(x + 3/(x + ...))))
        value = top + n * _ONE * _ONE // value
    value, rows = _ONE * _ONE // value, []
    for node in range(LAST, -1, -1):
        series = _taylor(node, value, 45)
        scaled = [(term * _DENSITY) >> (2 * _BITS - BITS) for term in series[: DEGREE + 1]]
        rows.append((*pair(scaled[0]), *(term / ONE for term in scaled[1:])))
        value = 0
        for term in reversed(series):  # at node - 1: from large to small arguments errors shrink
            value = term - (value >> 4)
    return rows[::-1]


@cache
def mills_columns() -> tuple[Array, ...]:
    """The same for the vector form, one array per column."""
    return columns(mills_rows())
