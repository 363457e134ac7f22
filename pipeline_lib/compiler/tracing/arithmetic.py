"""Arithmetic, comparisons and logic between columns, as pandas and NumPy do it for each dtype.

`operate(call, name, left, right)` writes the plan of one operator on two columns; the shadows have shown the dtypes.
"""

from collections.abc import Callable
from typing import Any

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import refuse

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
LOGIC = ("and", "or", "xor")
SYMBOLS = {
    **{"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"},
    **{"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&", "or": "|", "xor": "^"},
}


def operate(call: Call, name: str, left: Value, right: Value) -> Value:
    """`left OPERATOR right`, by the operator's name without underscores: add, truediv, lt, and."""
    build, kinds = call.build, {left.kind, right.kind}
    if name in LOGIC:
        return _logic(build, name, left, right)
    if "str" in kinds:
        return _text(build, name, left, right)
    if kinds & {"datetime", "duration"}:
        return _times(build, name, left, right)
    if name in COMPARISONS:
        return _PYTHON[name](left, right)  # type: ignore[no-any-return]
    if kinds == {"bool"}:
        return _bools(build, name, left, right)
    if name in ("floordiv", "mod") and kinds <= {"int64", "bool"}:
        return _whole(build, name, left, right)
    if name == "pow":
        return _power(build, left, right)
    return _PYTHON[name](left, right)  # type: ignore[no-any-return]


_PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "mul": lambda left, right: left * right,
    "truediv": lambda left, right: left / right,
    "floordiv": lambda left, right: left // right,
    "mod": lambda left, right: left % right,
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


def _logic(build: Builder, name: str, left: Value, right: Value) -> Value:
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
    if name in ("eq", "ne"):
        return build.value(name == "ne")
    refuse(f"`{SYMBOLS[name]}` of {left.kind} and {right.kind} columns", "the recorder has no rule for it", "cast one")


def _times(build: Builder, name: str, left: Value, right: Value) -> Value:
    return _PYTHON[name](left, right)  # type: ignore[no-any-return]


def _bools(build: Builder, name: str, left: Value, right: Value) -> Value:
    if name == "add":
        return build.logical_or(left, right)
    if name == "mul":
        return build.logical_and(left, right)
    if name == "truediv":
        return build.number(left) / build.number(right)
    refuse(f"`{SYMBOLS[name]}` of bool columns", "pandas and NumPy refuse it or differ", "cast both with astype(int)")


def _whole(build: Builder, name: str, left: Value, right: Value) -> Value:
    """`//` and `%` of integers: by a constant other than 0; a divisor of 0 gives pandas another dtype for the batch."""
    node = build.nodes[right.node]
    if node.operation == "constant" and node.settings["value"] != 0:
        operation = build.floor_divide_int if name == "floordiv" else build.remainder_int
        return operation(build.integer(left), build.integer(right))
    refuse(
        f"integers `{SYMBOLS[name]}` a column, in which a 0 changes the dtype of the whole batch",
        "for one row it would answer otherwise than for many",
        "cast both with astype(float)",
    )


def _power(build: Builder, left: Value, right: Value) -> Value:
    node = build.nodes[right.node]
    if node.operation == "constant":
        return left ** node.settings["value"]  # type: ignore[no-any-return]
    return left**right  # type: ignore[no-any-return]
