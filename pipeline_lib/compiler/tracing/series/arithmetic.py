"""Arithmetic, comparisons and logic between columns, as pandas and NumPy do it for each dtype.

`operate(call, name, left, right)` writes the plan of one operator on two columns; the shadows have shown the dtypes.
"""

from collections.abc import Callable
from typing import Any

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.rows.checks import checked
from pipeline_lib.compiler.tracing.series.dtype_rules import COMPARISONS, SYMBOLS
from pipeline_lib.compiler.tracing.series.times import TIMES, operate_times

LOGIC = ("and", "or", "xor")
_MOST_COPIES = 100  # of a text that is multiplied
_MOST_BITS = 63  # the largest exponent of an integer power: beyond it only 0, 1 and -1 stay within int64


def operate(call: Call, name: str, left: Value, right: Value) -> Value:
    """`left OPERATOR right`, by the operator's name without underscores: add, truediv, lt, and."""
    build, kinds = call.build, {left.kind, right.kind}
    if name in LOGIC:
        return _logic(build, name, left, right)
    if kinds & TIMES:
        return operate_times(call, name, left, right)
    if "str" in kinds:
        return _text(build, name, left, right)
    if name in COMPARISONS:
        return _PYTHON[name](left, right)  # type: ignore[no-any-return]
    if kinds == {"bool"}:
        return _bools(call, name, left, right)
    if name in ("floordiv", "mod"):
        return _whole(call, name, left, right)
    if name == "pow":
        return _power(call, left, right)
    return _PYTHON[name](left, right)  # type: ignore[no-any-return]


_PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "mul": lambda left, right: left * right,
    "truediv": lambda left, right: left / right,
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


def constant_of(build: Builder, value: Value) -> Any:
    """The constant that a value is; None for a column."""
    node = build.nodes[value.node]
    return node.settings["value"] if node.operation == "constant" else None


def negated(build: Builder, value: Value, *, pandas: bool) -> Value:
    """`-value`; of bools pandas gives the opposite."""
    if value.kind == "bool" and pandas:
        return build.logical_not(value)
    if value.kind == "duration":
        return build.negate_duration(value)
    if value.kind == "int64":
        return build.subtract_int(build.value(0), value)
    if value.kind != "float64":
        refuse(f"`-` of a column of {value.kind}", "the recorder has no rule for it", "cast it with astype(float)")
    return build.negative(value)


def magnitude(build: Builder, value: Value) -> Value:
    """`abs(value)`; bools stay."""
    if value.kind == "bool":
        return value
    if value.kind == "duration":
        return build.absolute_duration(value)
    if value.kind == "int64":
        return build.where(value < 0, build.subtract_int(build.value(0), value), value)
    if value.kind != "float64":
        refuse(f"abs of a column of {value.kind}", "the recorder has no rule for it", "cast it with astype(float)")
    return build.absolute(value)


def inverted(build: Builder, value: Value) -> Value:
    """`~value`: the opposite of a condition, or an integer's bits."""
    if value.kind == "int64":
        return build.subtract_int(build.value(-1), value)
    if value.kind != "bool":
        refuse(
            f"`~` of a column of {value.kind}",
            "it is no condition: with missing values pandas raises an error or gives numbers",
            "cast it with astype(bool), after fillna(False)",
        )
    return build.logical_not(value)


def _logic(build: Builder, name: str, left: Value, right: Value) -> Value:
    if {left.kind, right.kind} <= {"int64", "bool"} and left.kind == "int64":
        refuse(f"`{SYMBOLS[name]}` of integers", "a plan has no bits", "write column % 2 == 1 for `column & 1`")
    if {left.kind, right.kind} != {"bool"}:
        refuse(
            f"`{SYMBOLS[name]}` of {left.kind} and {right.kind} columns",
            "pandas gives other dtypes where values are missing",
            "cast both with astype(bool), after fillna(False)",
        )
    if name == "xor":
        return build.logical_xor(left, right)
    return build.logical_and(left, right) if name == "and" else build.logical_or(left, right)


def _text(build: Builder, name: str, left: Value, right: Value) -> Value:
    if left.kind == right.kind == "str":
        if name == "add":
            return build.concatenate(left, right)
        if name in ("eq", "ne"):
            equal = build.text_equal(left, right)
            return equal if name == "eq" else ~equal
        refuse(
            f"`{SYMBOLS[name]}` of text",
            "the recorder has no rule for the order of text",
            "look the words up in a dict: column.map({'low': 0, 'high': 1})",
        )
    if name in ("eq", "ne"):
        return build.value(name == "ne")
    text, count = (left, constant_of(build, right)) if left.kind == "str" else (right, constant_of(build, left))
    if name == "mul" and type(count) is int and 0 < count <= _MOST_COPIES:
        return build.concatenate(*[text] * count)
    return refuse(
        f"`{SYMBOLS[name]}` of {left.kind} and {right.kind} columns", "the recorder has no rule for it", "cast one"
    )


def _bools(call: Call, name: str, left: Value, right: Value) -> Value:
    """Bools in arithmetic: logic to pandas and NumPy, numbers to Python."""
    build = call.build
    if getattr(call.owner, "_kind", "") == "value":
        return operate(call, name, build.integer(left), build.integer(right))
    if name == "add":
        return build.logical_or(left, right)
    if name == "mul":
        return build.logical_and(left, right)
    if name == "truediv":
        return build.number(left) / build.number(right)
    return refuse(
        f"`{SYMBOLS[name]}` of bool columns", "pandas and NumPy refuse it or differ", "cast both with astype(int)"
    )


def _whole(call: Call, name: str, left: Value, right: Value) -> Value:
    """`//` and `%`: of integers by a constant, since a 0 in a column of divisors gives the batch another dtype."""
    build, divisor = call.build, constant_of(call.build, right)
    if not {left.kind, right.kind} <= {"int64", "bool"}:
        operation = build.floor_divide if name == "floordiv" else build.remainder
        return operation(build.number(left), build.number(right))
    if divisor is not None and divisor != 0:
        operation = build.floor_divide_int if name == "floordiv" else build.remainder_int
        return operation(build.integer(left), build.integer(right))
    if divisor is not None and getattr(call.owner, "_kind", "") == "series":
        return _whole(call, name, build.number(left), build.number(right))
    return refuse(
        f"integers `{SYMBOLS[name]}` a column, in which a 0 changes the dtype of the whole batch",
        "for one row it would answer otherwise than for many",
        "cast both with astype(float)",
    )


def _power(call: Call, left: Value, right: Value) -> Value:
    """`**`: integers stay integers; x ** 2, x ** 0.5 and x ** -1 of float64 are x * x, the square root and 1 / x."""
    build, exponent = call.build, constant_of(call.build, right)
    if {left.kind, right.kind} <= {"int64", "bool"}:
        if exponent is not None and exponent > _MOST_BITS:
            refuse(f"integers `** {exponent}`", "their result is beyond 64 bits", "cast them with astype(float)")
        power = build.power_int(build.integer(left), build.integer(right))
        if exponent is not None:
            return power
        return checked(
            call.recording,
            power,
            build.less_equal_int(build.value(0), build.integer(right)),
            "an exponent of 0 or more, as integers have no negative powers",
            "cast the column with astype(float) in the step",
        )
    number = build.number(left)
    if exponent in _EXACT_POWERS:
        return _EXACT_POWERS[exponent](build, number)
    return build.pow(number, build.number(right))


_EXACT_POWERS: dict[float, Callable[[Builder, Value], Value]] = {
    1: lambda build, value: value,
    2: lambda build, value: value * value,
    0.5: lambda build, value: build.sqrt(value),
    -1: lambda build, value: build.value(1.0) / value,
}
