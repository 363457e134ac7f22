"""Constants and tables, computed once from Python integers, so that no long literals can be mistyped.

Every number is a fixed-point integer with 160 fraction bits before it becomes a double, or the sum of two. Python
rounds a quotient of integers correctly on every machine.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np

from pipeline_lib.compiled.portable_math.double_double import Array

BITS = 160
ONE = 1 << BITS


def pair(fixed: int, short: int | None = None) -> tuple[float, float]:
    """A fixed-point integer as the sum of two doubles; with `short` the first is a multiple of 2**-short."""
    if short is not None:
        drop = BITS - short
        high = ((fixed + (1 << (drop - 1))) >> drop) / (1 << short)
    else:
        high = fixed / ONE
    numerator, denominator = high.as_integer_ratio()
    return high, (fixed - (numerator << BITS) // denominator) / ONE


def log_ratio(a: int, b: int) -> int:
    """log(a / b) in fixed point, by the series of the inverse hyperbolic tangent."""
    term = (2 * (a - b) << BITS) // (a + b)
    square, total, odd = ((a - b) * (a - b) << BITS) // ((a + b) * (a + b)), 0, 1
    while term not in (0, -1):
        total += term // odd
        term = (term * square) >> BITS
        odd += 2
    return total


LN2 = log_ratio(2, 1)
LOG_FIRST, LOG_LAST = 724, 1448  # the nodes F = n / 1024 from sqrt(1/2) to sqrt(2)


def log_rows() -> list[tuple[float, float, float, float]]:
    """For each node F: c, near 1 / F and of 11 bits; F * c - 1, exact; -log(c) as two doubles."""
    logs, total = {1024: 0}, 0
    for n in range(1024, LOG_LAST):
        total += log_ratio(n + 1, n)
        logs[n + 1] = total
    total = 0
    for n in range(1024, LOG_FIRST, -1):
        total += log_ratio(n - 1, n)
        logs[n - 1] = total
    rows = []
    for node in range(LOG_FIRST, LOG_LAST + 1):
        inverse = (2 * 1024 * 1024 + node) // (2 * node)
        rows.append((inverse / 1024, (node * inverse - 2**20) / 2**20, *pair(-logs[inverse], 42)))
    return rows


def exp_rows() -> list[tuple[float, float]]:
    """2 ** (j / 128) as two doubles."""
    root = 2 * ONE
    for _ in range(7):
        root = isqrt(root << BITS)
    rows, power = [], ONE
    for _ in range(128):
        rows.append(pair(power))
        power = (power * root) >> BITS
    return rows


def columns(rows: Sequence[tuple[float, ...]]) -> tuple[Array, ...]:
    """The same table for the vector form: one array per column."""
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def turn_rows() -> list[tuple[float, float, float, float]]:
    """For k from 0 to 127: sin(k * pi / 64) as two doubles, cos(k * pi / 64) as a double of 26 bits and another."""
    cosine = 0
    for _ in range(5):
        cosine = isqrt((ONE + cosine) // 2 << BITS)
    sine, rows, x, y = isqrt((ONE * ONE) - cosine * cosine), [], ONE, 0
    for _ in range(128):
        rows.append((*pair(_rounded(y)), *pair(_rounded(x), 26)))
        x, y = (x * cosine - y * sine) >> BITS, (x * sine + y * cosine) >> BITS
    return rows


def _rounded(fixed: int) -> int:
    """Rounded without the last 20 bits, where errors accumulate: 0 and 1 are exact."""
    return (fixed + (1 << 19)) >> 20 << 20


def pi(bits: int) -> int:
    """pi * 2**bits, by Machin's formula."""
    guard = bits + 16
    return (16 * _arctan_inverse(5, guard) - 4 * _arctan_inverse(239, guard)) >> 16


def _arctan_inverse(n: int, bits: int) -> int:
    power, total, odd = (1 << bits) // n, 0, 1
    while power:
        total += power // odd if odd % 4 == 1 else -(power // odd)
        power //= n * n
        odd += 2
    return total


ARC_FIRST, ARC_LAST = -6, 7  # below 2**-6 the node is 0, from 2**7 on it is infinity


def arc_rows() -> list[tuple[float, float, float, float]]:
    """Nodes c of 6 bits, 32 to a power of two: (1, c, arctan(c) as two doubles), and (0, 1, pi/2) for infinity."""
    rows, angle, before = [(1.0, 0.0, 0.0, 0.0)], 0, 0
    for exponent in range(ARC_FIRST, ARC_LAST):
        for mantissa in range(32, 64):
            node = mantissa << (exponent - ARC_FIRST)  # in units of 2**-11
            angle += _arctan_ratio((node - before) << 11, (1 << 22) + node * before)
            before = node
            rows.append((1.0, node / 2048, *pair(angle)))
    return [*rows, (0.0, 1.0, *pair(pi(BITS - 1)))]


def _arctan_ratio(a: int, b: int) -> int:
    """arctan(a / b) in fixed point, for a below b / 8."""
    term, total, odd = (a << BITS) // b, 0, 1
    square = (a * a << BITS) // (b * b)
    while term:
        total += term // odd if odd % 4 == 1 else -(term // odd)
        term = (term * square) >> BITS
        odd += 2
    return total
