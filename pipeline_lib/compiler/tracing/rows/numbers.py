"""Arithmetic on the numbers of one row: integers that leave 64 bits are refused, what Python raises is a path."""

import math
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.rows.operands import (
    EXACT,
    LOGIC,
    MOST,
    NUMPY,
    OPERATORS,
    PYTHON,
    SUMMED,
    Operand,
    guard,
    known_number,
)
from pipeline_lib.compiler.tracing.rows.paths import Scope


def bools(build: Builder, name: str, left: Operand, right: Operand) -> Value:
    """bool of two bools: Python's `&`, `|`, `^`, and NumPy's `+` and `*`."""
    if name == "xor":
        return build.logical_not(build.equal_int(build.integer(left.value), build.integer(right.value)))
    either = build.logical_or if name in ("or", "add") else build.logical_and
    return either(left.value, right.value)


def whole(scope: Scope, name: str, left: Operand, right: Operand, *, python: bool) -> tuple[Value, float]:
    """An integer of two integers or bools, and its largest magnitude."""
    build = scope.build
    if name in LOGIC:
        refuse("bits of a row's integers", "the recorder has no rule for it", "write `and`, `or`, `not` for conditions")
    first, second = build.integer(left.value), build.integer(right.value)
    sizes = [min(each.bound, each.value.abs_max, 2.0**63) for each in (left, right)]
    if name in ("floordiv", "mod"):
        operation = build.floor_divide_int if name == "floordiv" else build.remainder_int
        if python and scope.decide(second == 0):
            OPERATORS[name](1, 0)
        if python and known_number(build, second) in (None, -1):  # -2**63 // -1 is 2**63
            guard(scope, left, MOST)
        return operation(first, second), sizes[0] if name == "floordiv" else sizes[1]
    if python and name in ("add", "sub"):
        for each in (left, right):
            guard(scope, each, SUMMED)
        sizes = [min(size, SUMMED) for size in sizes]
    if python and name == "mul":
        sizes = _product_sizes(scope, left, right, sizes)
    result = OPERATORS[name](first, second)
    size = sizes[0] * sizes[1] if name == "mul" else sizes[0] + sizes[1]
    return result, min(size, 2.0**63)


def _product_sizes(scope: Scope, left: Operand, right: Operand, sizes: list[float]) -> list[float]:
    """The largest magnitudes of the factors of a product that stays within 64 bits; other rows are refused."""
    build = scope.build
    if sizes[0] * sizes[1] <= MOST:
        return sizes
    for place, (factor, other) in enumerate(((left, right), (right, left))):
        known = known_number(build, factor.value)
        if known is not None:
            limit = MOST / max(abs(float(known)), 1.0)
            guard(scope, other, limit)
            sizes[1 - place] = min(sizes[1 - place], limit)
            return sizes
    scope.guard(build.absolute(build.number(left.value) * build.number(right.value)) > MOST)
    return [MOST, 1.0]


def floats(scope: Scope, name: str, left: Operand, right: Operand, sample: Any) -> Value:
    """A float of two numbers; Python's own raise ZeroDivisionError where NumPy's give infinity or NaN."""
    build, python = scope.build, type(sample) is float
    first, second = build.number(left.value), build.number(right.value)
    if python and name in ("truediv", "floordiv", "mod") and scope.decide(second == 0.0):
        OPERATORS[name](left.sample, type(right.sample)(0))
    if python and "float64" not in (left.kind, right.kind):  # Python divides exact integers
        guard(scope, left, EXACT)
        guard(scope, right, EXACT)
    if name in ("floordiv", "mod"):
        return (build.floor_divide if name == "floordiv" else build.remainder)(first, second)
    return OPERATORS[name](first, second)  # type: ignore[no-any-return]


def power(scope: Scope, left: Operand, right: Operand, sample: Any) -> Operand:
    """A power: of integers an integer, else by the C library's pow, whose errors Python raises."""
    build, python = scope.build, not isinstance(sample, np.generic)
    if {left.kind, right.kind} <= {"int64", "bool"}:
        known = known_number(build, right.value)
        if known is None and python:
            refuse("an integer to the power of a row's integer", "it may be huge", "write float(base) ** exponent")
        negative = scope.decide(build.integer(right.value) < 0) if known is None else known < 0
        if negative and not python:
            OPERATORS["pow"](np.int64(1), -1)
        if not negative:
            return _whole_power(scope, left, right, PYTHON["int64"] if python else NUMPY["int64"])
        guard(scope, left, EXACT)
    base, exponent = build.number(left.value), build.number(right.value)
    square = known_number(build, exponent) == 2.0
    result = build.allow_ulps(base * base, 1.0) if square else build.pow(base, exponent)
    if python:
        _check_power(scope, base, exponent, result)
    return Operand(result, PYTHON["float64"] if python else NUMPY["float64"])


def _check_power(scope: Scope, base: Value, exponent: Value, result: Value) -> None:
    """Raise what Python raises for a power of floats; refuse rows for which it gives a complex number."""
    build, known = scope.build, known_number(scope.build, exponent)
    if (known is None or known < 0) and scope.decide(build.logical_and(base == 0.0, exponent < 0.0)):
        OPERATORS["pow"](0.0, -1.0)
    if known is None or known != math.floor(known):
        scope.guard((base < 0.0) & ~build.equal(build.floor(exponent), exponent) & (build.absolute(base) < np.inf))
    if known is None or not 0 <= known <= 1:
        finite = build.absolute(base) < np.inf
        if known is None:
            finite = finite & (build.absolute(exponent) < np.inf)
        if scope.decide(finite & (build.absolute(result) == np.inf)):
            raise OverflowError(34, "Numerical result out of range")


def _whole_power(scope: Scope, left: Operand, right: Operand, sample: Any) -> Operand:
    build = scope.build
    base, exponent = build.integer(left.value), build.integer(right.value)
    known, size = known_number(build, exponent), min(left.bound, left.value.abs_max, 2.0**63)
    if type(sample) is int and known is not None and 0 < known < 64:
        limit = math.floor(MOST ** (1.0 / known))
        guard(scope, left, limit)
        size = min(size, limit)
    bound = size**known if known is not None and 0 <= known < 64 else np.inf
    return Operand(build.power_int(base, exponent), sample, min(bound, 2.0**63))
