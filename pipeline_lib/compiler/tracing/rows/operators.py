"""Operators on the values of one row, as Python's and NumPy's scalars do them.

    1 / 0                 ZeroDivisionError: the path ends, as in own code
    np.float64(1) / 0     inf
    "a" + nan             TypeError: text is missing on one of two paths
    2**62 * 4             beyond 64 bits in Python, where a plan wraps around: the row is refused

Each operand carries a sample of its Python type. The operator runs on the samples first: it raises the TypeError that
own code would raise, and shows the type of the result.
"""

import datetime
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.rows.numbers import bools, floats, power, whole
from pipeline_lib.compiler.tracing.rows.operands import (
    COMPARISONS,
    EXACT,
    OPERATORS,
    SAMPLES,
    Operand,
    guard,
    kind_of,
    operand_of,
    sample_of,
    settle,
)
from pipeline_lib.compiler.tracing.rows.paths import Scope

_MOST_REPEATS = 64


def operate(scope: Scope, name: str, left: Any, right: Any) -> Any:
    """`left OPERATOR right`, of operands and constants: an operand, or a constant on the path where text is missing."""
    build = scope.build
    if name not in ("eq", "ne"):
        left, right = (settle(scope, each) if _is_text(each) else each for each in (left, right))
    if not isinstance(left, Operand) and not isinstance(right, Operand):
        return OPERATORS[name](left, right)
    if name in ("eq", "ne") and any(each is None for each in (left, right)):
        return name == "ne"
    for each in (left, right):
        if not isinstance(each, Operand) and not _is_scalar(each):
            refuse(f"an operator on a row's value and {type(each).__name__}", "the recorder has no rule for it", PLAN)
    samples = [each.sample if isinstance(each, Operand) else each for each in (left, right)]
    _refuse_text(name, *samples)
    with np.errstate(all="ignore"):
        found = OPERATORS[name](*samples)
    if found is pd.NaT:
        return found
    sample = sample_of(found, f"`{name}`")
    left, right = (each if isinstance(each, Operand) else operand_of(build, each) for each in (left, right))
    kinds, kind = {left.kind, right.kind}, kind_of(sample)
    stable = left.stable and right.stable
    if name in COMPARISONS:
        return Operand(_compare(scope, name, left, right, numpy=isinstance(sample, np.generic)), sample)
    if "str" in kinds:
        return Operand(_texts(build, name, left, right), sample)
    if kinds & {"datetime", "duration"}:
        return Operand(_times(scope, name, left, right), sample)
    if kind == "bool":
        return Operand(bools(build, name, left, right), sample)
    if name == "pow":
        return power(scope, left, right, sample)
    if kind == "int64":
        value, bound = whole(scope, name, left, right, python=type(sample) is int)
        return Operand(value, sample, bound, stable)
    return Operand(floats(scope, name, left, right, sample), sample, stable=stable)


def _is_text(thing: Any) -> bool:
    return isinstance(thing, Operand) and thing.kind == "str"


def _is_scalar(thing: Any) -> bool:
    return isinstance(thing, bool | int | float | str | np.generic) or type(thing) in SAMPLES or is_missing(thing)


def _refuse_text(name: str, left: Any, right: Any) -> None:
    """Refuse what cannot be tried on a sample: text formatted by `%`, and repeated very often."""
    if name == "mod" and isinstance(left, str):
        refuse("a text formatted with a row's value", "the recorder has no rule for it", "write 'text' + str(value)")
    times = [each for each in (left, right) if isinstance(each, int) and not isinstance(each, bool)]
    if name == "mul" and isinstance(left, str) | isinstance(right, str) and times and abs(times[0]) > _MOST_REPEATS:
        refuse(f"a text repeated {times[0]} times", "the plan would hold it so often", "build it in `fit`")


def _compare(scope: Scope, name: str, left: Operand, right: Operand, *, numpy: bool) -> Value:
    build, kinds = scope.build, (left.kind, right.kind)
    if "str" in kinds:
        if kinds != ("str", "str"):
            return build.value(name == "ne")
        if name not in ("eq", "ne"):
            refuse("an order of texts", "the recorder has no rule for it", "compare texts by == or look them up")
        equal = build.text_equal(left.value, right.value)
        return equal if name == "eq" else build.logical_not(equal)
    times = [kind in ("datetime", "duration") for kind in kinds]
    if times[0] != times[1] or (all(times) and _differ(left, right)):
        if name in ("eq", "ne"):
            return build.value(name == "ne")
        refuse(f"`{name}` of {' and '.join(kinds)}", "the recorder has no rule for it", PLAN)
    if not numpy and {"int64", "float64"} == set(kinds):
        for number, other in ((left, right), (right, left)):
            if number.kind == "int64" and not _small(build, other):
                guard(scope, number, EXACT)
    return OPERATORS[name](left.value, right.value)  # type: ignore[no-any-return]


def _differ(left: Operand, right: Operand) -> bool:
    """Whether two dates are a Timestamp and a date, which are never equal."""
    return (type(left.sample) is datetime.date) != (type(right.sample) is datetime.date)


def _small(build: Builder, operand: Operand) -> bool:
    """Whether an operand is a constant with which any int64 compares as in Python."""
    node = build.nodes[operand.value.node]
    return node.operation == "constant" and not abs(float(node.settings["value"])) > EXACT


def _texts(build: Builder, name: str, left: Operand, right: Operand) -> Value:
    if name == "add":
        return build.concatenate(left.value, right.value)
    text, times = (left, right) if left.kind == "str" else (right, left)
    node = build.nodes[times.value.node]
    if node.operation != "constant":
        refuse("a text repeated as often as a row's value says", "the recorder has no rule for it", PLAN)
    count = int(node.settings["value"])
    return build.concatenate(*[text.value] * count) if count > 0 else build.value("")


def _times(scope: Scope, name: str, left: Operand, right: Operand) -> Value:
    """Dates and durations; a duration by one of zero, or by 0, raises ZeroDivisionError."""
    if name in ("truediv", "floordiv"):
        if name == "floordiv" or right.kind != "duration":
            refuse("a duration divided by a number", "the recorder has no rule for it", "divide its total_seconds()")
        if scope.decide(right.value == scope.build.duration(0)):
            raise ZeroDivisionError("division by zero")
    return OPERATORS[name](left.value, right.value)  # type: ignore[no-any-return]
