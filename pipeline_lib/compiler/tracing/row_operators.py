"""Operators on the values of one row, as Python's and NumPy's scalars do them.

    1 / 0                 ZeroDivisionError: the path ends, as in own code
    np.float64(1) / 0     inf
    "a" + nan             TypeError: text is missing on one of two paths
    2**62 * 4             beyond 64 bits in Python, where a plan wraps around: the row is refused

Each operand carries a sample of its Python type. The operator runs on the samples first: it raises the TypeError that
own code would raise, and shows the type of the result.
"""

import datetime
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import constant, is_missing
from pipeline_lib.compiler.tracing.paths import Scope
from pipeline_lib.compiler.tracing.recording import PLAN
from pipeline_lib.compiler.tracing.refusals import refuse

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
LOGIC = ("and", "or", "xor")
EXACT = 2.0**53 - 1
"""Integers up to this magnitude are exact in float64, and no other integer becomes the same number."""
SUMMED = 2.0**60
"""Integers up to this magnitude may be added and subtracted without leaving 64 bits."""
MOST = 9.2e18
"""The magnitude, a little below 2**63, beyond which an integer result is refused."""
_MOST_REPEATS = 64


@dataclass(frozen=True, eq=False)
class Operand:
    """A value of any row: a column of the plan, a sample of its Python type, and what is known of it.

    `bound` is the largest magnitude of an integer. An unstable value is an integer in some batches, in others a float.
    """

    value: Value
    sample: Any
    bound: float = np.inf
    stable: bool = True

    @property
    def kind(self) -> str:
        """The dtype of the column."""
        return self.value.kind


SAMPLES: dict[type, Any] = {
    int: 1,
    float: 1.0,
    bool: True,
    str: "a",
    np.int64: np.int64(1),
    np.float64: np.float64(1.0),
    np.bool_: np.True_,
    pd.Timestamp: pd.Timestamp(2000, 1, 1),
    pd.Timedelta: pd.Timedelta(1, "D"),
    datetime.date: datetime.date(2000, 1, 1),
    datetime.timedelta: datetime.timedelta(1),
    datetime.datetime: pd.Timestamp(2000, 1, 1),
    np.str_: "a",
}
"""A sample of each type that a row's value may have."""
PYTHON: dict[str, Any] = {
    "int64": 1,
    "float64": 1.0,
    "bool": True,
    "str": "a",
    "datetime": SAMPLES[pd.Timestamp],
    "duration": SAMPLES[pd.Timedelta],
}
"""Samples of Python's own types, by dtype of the plan."""
NUMPY = PYTHON | {"int64": np.int64(1), "float64": np.float64(1.0), "bool": np.True_}


_KINDS = {"int": "int64", "float": "float64", "bool": "bool", "str": "str", "Timestamp": "datetime"} | {
    "date": "datetime",
    "Timedelta": "duration",
    "timedelta": "duration",
}


def kind_of(sample: Any) -> str:
    """The dtype of the plan for a sample."""
    name = type(sample.item() if isinstance(sample, np.generic) else sample).__name__
    return _KINDS[name]


KIND_OF_TYPE = {kind: kind_of(sample) for kind, sample in SAMPLES.items() if kind is not datetime.date}
"""The dtype of a result, by its type; pandas keeps dates without time as Python objects."""


def sample_of(found: Any, name: str) -> Any:
    """The sample of a result's type. Raises TraceRefusedError for other types."""
    sample = SAMPLES.get(type(found))
    if sample is None:
        refuse(f"{name} of a row's values, which gives {type(found).__name__}", "the recorder has no rule for it", PLAN)
    return sample


def operand_of(build: Builder, thing: Any) -> Operand:
    """A constant as an operand."""
    kind = thing.item() if isinstance(thing, np.generic) else thing
    bound = float(abs(kind)) if isinstance(kind, int) else np.inf
    return Operand(constant(build, thing), thing, bound)


def settle(scope: Scope, thing: Any) -> Any:
    """An operand, or NaN or NaT on the path on which it is missing text, date or duration."""
    if not isinstance(thing, Operand) or thing.kind not in ("str", "datetime", "duration"):
        return thing
    if not scope.decide(thing.value.missing()):
        return thing
    return np.nan if thing.kind == "str" else pd.NaT


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
        return Operand(_bools(build, name, left, right), sample)
    if name == "pow":
        return _power(scope, left, right, sample)
    if kind == "int64":
        value, bound = _whole(scope, name, left, right, python=type(sample) is int)
        return Operand(value, sample, bound, stable)
    return Operand(_floats(scope, name, left, right, sample), sample, stable=stable)


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


def guard(scope: Scope, operand: Operand, limit: float) -> None:
    """Refuse rows in which an integer is larger than `limit`."""
    if min(operand.bound, operand.value.abs_max) > limit:
        scope.guard(scope.build.absolute(scope.build.number(operand.value)) > limit)


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


def _bools(build: Builder, name: str, left: Operand, right: Operand) -> Value:
    """bool of two bools: Python's `&`, `|`, `^`, and NumPy's `+` and `*`."""
    if name == "xor":
        return build.logical_not(build.equal_int(build.integer(left.value), build.integer(right.value)))
    either = build.logical_or if name in ("or", "add") else build.logical_and
    return either(left.value, right.value)


def _whole(scope: Scope, name: str, left: Operand, right: Operand, *, python: bool) -> tuple[Value, float]:
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
        if python and _constant(build, second) in (None, -1):  # -2**63 // -1 is 2**63
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
        known = _constant(build, factor.value)
        if known is not None:
            limit = MOST / max(abs(float(known)), 1.0)
            guard(scope, other, limit)
            sizes[1 - place] = min(sizes[1 - place], limit)
            return sizes
    scope.guard(build.absolute(build.number(left.value) * build.number(right.value)) > MOST)
    return [MOST, 1.0]


def _floats(scope: Scope, name: str, left: Operand, right: Operand, sample: Any) -> Value:
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


def _power(scope: Scope, left: Operand, right: Operand, sample: Any) -> Operand:
    """A power: of integers an integer, else by the C library's pow, whose errors Python raises."""
    build, python = scope.build, not isinstance(sample, np.generic)
    if {left.kind, right.kind} <= {"int64", "bool"}:
        known = _constant(build, right.value)
        if known is None and python:
            refuse("an integer to the power of a row's integer", "it may be huge", "write float(base) ** exponent")
        negative = scope.decide(build.integer(right.value) < 0) if known is None else known < 0
        if negative and not python:
            OPERATORS["pow"](np.int64(1), -1)
        if not negative:
            return _whole_power(scope, left, right, PYTHON["int64"] if python else NUMPY["int64"])
        guard(scope, left, EXACT)
    base, exponent = build.number(left.value), build.number(right.value)
    square = _constant(build, exponent) == 2.0
    result = build.allow_ulps(base * base, 1.0) if square else build.pow(base, exponent)
    if python:
        _check_power(scope, base, exponent, result)
    return Operand(result, PYTHON["float64"] if python else NUMPY["float64"])


def _check_power(scope: Scope, base: Value, exponent: Value, result: Value) -> None:
    """Raise what Python raises for a power of floats; refuse rows for which it gives a complex number."""
    build, known = scope.build, _constant(scope.build, exponent)
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
    known, size = _constant(build, exponent), min(left.bound, left.value.abs_max, 2.0**63)
    if type(sample) is int and known is not None and 0 < known < 64:
        limit = math.floor(MOST ** (1.0 / known))
        guard(scope, left, limit)
        size = min(size, limit)
    bound = size**known if known is not None and 0 <= known < 64 else np.inf
    return Operand(build.power_int(base, exponent), sample, min(bound, 2.0**63))


def _constant(build: Builder, value: Value) -> Any:
    """The number of a constant, also of one that is cast; None for a column."""
    node = build.nodes[value.node]
    if node.operation in ("to_float", "to_int"):
        node = build.nodes[node.inputs[0]]
    return node.settings["value"] if node.operation == "constant" else None
