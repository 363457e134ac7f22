"""Numbers: arithmetic, comparisons, rounding, casts. Every operation is exactly rounded IEEE 754, or integer."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from ctypes import c_float
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import Settings, formula, operation
from pipeline_lib.compiled.operations.text_columns import TextColumn, choose

WHOLE = 2.0**52  # from here on every double is an integer
INT = 2**63
_TERMS = 40  # of a sum in one line: Python's parser nests once for each


def divide(a: float, b: float) -> float:
    """IEEE division of Python floats: by zero infinite, 0/0 NaN."""
    if b != 0:  # NaN too
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def remainder(a: float, b: float) -> float:
    """`a % b` with the sign of b, as NumPy has it; NaN for b = 0."""
    return a % b if b != 0 and math.isfinite(a) else math.nan


def sqrt(x: float) -> float:
    """The square root, NaN below 0."""
    return math.sqrt(x) if x >= 0 else math.nan


def floor(x: float) -> float:
    """The largest integer that is not above x, as float; -0.0, infinities and NaN stay."""
    return math.copysign(float(math.floor(x)), x) if abs(x) < WHOLE else x


def ceil(x: float) -> float:
    """The smallest integer that is not below x, as float."""
    return math.copysign(float(math.ceil(x)), x) if abs(x) < WHOLE else x


def trunc(x: float) -> float:
    """The integer part of x, as float."""
    return math.copysign(float(math.trunc(x)), x) if abs(x) < WHOLE else x


def rint(x: float) -> float:
    """The nearest integer, halves to even, as float."""
    return math.copysign(float(round(x)), x) if abs(x) < WHOLE else x


def round32(x: float) -> float:
    """The nearest float32, as a double."""
    return c_float(x).value


def wrap(x: int) -> int:
    """An integer as 64 bits hold it."""
    return x if -INT <= x < INT else (x + INT) % (2 * INT) - INT


def truncate_int(x: float) -> int:
    """The integer part as int64; `NAT` for NaN and beyond 64 bits."""
    return int(x) if -9.223372036854775808e18 <= x < 9.223372036854775808e18 else NAT


def _truncate_ints(x: NDArray[np.float64]) -> NDArray[np.int64]:
    inside = (x >= -9.223372036854775808e18) & (x < 9.223372036854775808e18)
    return np.where(inside, np.where(inside, x, 0.0).astype(np.int64), np.int64(NAT))


def _first(maxima: Sequence[float]) -> float:
    return maxima[0]


def _added(maxima: Sequence[float]) -> float:
    return maxima[0] + maxima[1]


def _multiplied(maxima: Sequence[float]) -> float:
    return maxima[0] * maxima[1] if math.isfinite(maxima[0] * maxima[1]) else math.inf


def _write_divide(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    try:
        plain = float(inputs[1]) != 0  # a literal
    except ValueError:
        plain = False
    return f"{inputs[0]} / {inputs[1]}" if plain else f"{code.bind(divide, 'divide')}({', '.join(inputs)})"


_TWO = ("float64", "float64")
_ONE = ("float64",)
formula("add", _TWO, "float64", np.add, "{0} + {1}", abs_max=_added)
formula("subtract", _TWO, "float64", np.subtract, "{0} - {1}", abs_max=_added)
formula("multiply", _TWO, "float64", np.multiply, "{0} * {1}", abs_max=_multiplied)
operation("divide", _TWO, "float64", column=lambda settings: np.true_divide, writer=_write_divide, plain=True)
formula("remainder", _TWO, "float64", np.remainder, remainder)
formula("negative", _ONE, "float64", np.negative, "-{0}", abs_max=_first)
formula("absolute", _ONE, "float64", np.absolute, "abs({0})", abs_max=_first)
formula("sqrt", _ONE, "float64", np.sqrt, sqrt)
formula("floor", _ONE, "float64", np.floor, floor, abs_max=lambda maxima: maxima[0] + 1)
formula("ceil", _ONE, "float64", np.ceil, ceil, abs_max=lambda maxima: maxima[0] + 1)
formula("trunc", _ONE, "float64", np.trunc, trunc, abs_max=_first)
formula("rint", _ONE, "float64", np.rint, rint, abs_max=lambda maxima: maxima[0] + 1)
formula("round32", _ONE, "float64", lambda x: np.asarray(x, dtype=np.float32).astype(np.float64), round32)
# The second where it is smaller (larger), else the first: NaN in the first stays, NaN in the second is passed over.
formula("smaller", _TWO, "float64", lambda a, b: np.where(b < a, b, a), "({1} if {1} < {0} else {0})")
formula("larger", _TWO, "float64", lambda a, b: np.where(b > a, b, a), "({1} if {1} > {0} else {0})")

formula("less", _TWO, "bool", np.less, "{0} < {1}", abs_max=lambda maxima: 1.0)
formula("less_equal", _TWO, "bool", np.less_equal, "{0} <= {1}", abs_max=lambda maxima: 1.0)
formula("equal", _TWO, "bool", np.equal, "{0} == {1}", abs_max=lambda maxima: 1.0)

_INTS = ("int64", "int64")
formula("add_int", _INTS, "int64", np.add, lambda a, b: wrap(a + b), abs_max=lambda maxima: INT)
formula("subtract_int", _INTS, "int64", np.subtract, lambda a, b: wrap(a - b), abs_max=lambda maxima: INT)
formula("multiply_int", _INTS, "int64", np.multiply, lambda a, b: wrap(a * b), abs_max=lambda maxima: INT)
# Division by zero gives 0, as NumPy has it.
formula(
    "floor_divide_int", _INTS, "int64", np.floor_divide, lambda a, b: wrap(a // b) if b else 0, abs_max=lambda _: INT
)
formula("remainder_int", _INTS, "int64", np.remainder, lambda a, b: a % b if b else 0, abs_max=lambda _: INT)
_WHOLE = ("int64|datetime", "int64|datetime")
formula("less_int", _WHOLE, "bool", np.less, "{0} < {1}", abs_max=lambda maxima: 1.0)
formula("less_equal_int", _WHOLE, "bool", np.less_equal, "{0} <= {1}", abs_max=lambda maxima: 1.0)
formula("equal_int", _WHOLE, "bool", np.equal, "{0} == {1}", abs_max=lambda maxima: 1.0)

formula("and", ("bool", "bool"), "bool", np.logical_and, "({0} and {1})", abs_max=lambda maxima: 1.0)
formula("or", ("bool", "bool"), "bool", np.logical_or, "({0} or {1})", abs_max=lambda maxima: 1.0)
formula("not", ("bool",), "bool", np.logical_not, "not {0}", abs_max=lambda maxima: 1.0)

formula(
    "to_float", ("int64|bool",), "float64", lambda x: np.asarray(x).astype(np.float64), "float({0})", abs_max=_first
)
formula("to_int", ("bool",), "int64", lambda x: np.asarray(x).astype(np.int64), "int({0})", abs_max=_first)
formula("truncate_int", _ONE, "int64", _truncate_ints, truncate_int, abs_max=lambda maxima: INT)


def _is_missing(column: Any) -> Any:
    if isinstance(column, TextColumn):
        return column.missing()
    column = np.asarray(column)
    return np.isnan(column) if column.dtype == np.float64 else column == NAT


def _write_missing(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    test = {"float64": "{0} != {0}", "str": "{0} is None", "datetime": f"{{0}} == {NAT}"}[dtypes[0]]
    return test.format(inputs[0])


def _where(condition: Any, then: Any, other: Any) -> Any:
    if isinstance(then, TextColumn | str) or isinstance(other, TextColumn | str):
        return choose(condition, then, other)
    return np.where(condition, then, other)


operation(
    "is_missing",
    ("float64|str|datetime",),
    "bool",
    column=lambda settings: _is_missing,
    writer=_write_missing,
    plain=True,
    abs_max=lambda settings, maxima: 1.0,
)
operation(
    "where",
    None,
    lambda settings, dtypes: dtypes[1],
    column=lambda settings: _where,
    writer=lambda code, settings, inputs, dtypes: "({1} if {0} else {2})".format(*inputs),
    abs_max=lambda settings, maxima: max(maxima[1:]),
)


def _bind_search(settings: Settings) -> Any:
    edges, side = np.asarray(settings["edges"], dtype=np.float64), settings["side"]
    return lambda x: np.searchsorted(edges, x, side=side).astype(np.int64)


def _bind_search_row(settings: Settings) -> Any:
    edges = np.asarray(settings["edges"], dtype=np.float64).tolist()
    search = {"left": bisect_left, "right": bisect_right}[settings["side"]]
    return lambda x: search(edges, x) if x == x else len(edges)  # NumPy sorts NaN behind all numbers


# How many of the sorted `edges` lie below x (`side` left), or not above it (right).
operation(
    "search",
    _ONE,
    "int64",
    column=_bind_search,
    row=_bind_search_row,
    abs_max=lambda settings, maxima: float(len(settings["edges"])),
)


def _bind_dot(settings: Settings) -> Any:
    weights = [float(weight) for weight in settings["weights"]]

    def dot(*columns: Any) -> Any:
        total = columns[0] * weights[0]
        for column, weight in zip(columns[1:], weights[1:], strict=True):
            total = total + column * weight
        return total

    return dot


def _write_dot(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    terms = [
        name if weight == 1 else f"{name} * {weight!r}"
        for name, weight in zip(inputs, map(float, settings["weights"]), strict=True)
    ]
    total = code.fresh("sum")
    code.line(f"{total} = {' + '.join(terms[:_TERMS])}")
    for start in range(_TERMS, len(terms), _TERMS):
        code.line(f"{total} = {total} + {' + '.join(terms[start : start + _TERMS])}")
    return total


def _dot_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    weights = np.abs(np.asarray(settings["weights"], dtype=np.float64))
    moved: Any = sum(w * r for w, r in zip(weights, bounds, strict=True))
    terms: Any = sum(w * np.abs(x) for w, x in zip(weights, inputs, strict=True))
    return moved + (len(weights) + 2) * 2.0**-53 * terms


operation(
    "dot",
    ("float64", "..."),
    "float64",
    column=_bind_dot,
    writer=_write_dot,
    abs_max=lambda settings, maxima: _dot_abs_max(settings, maxima),
    error_bound=_dot_error_bound,
)


def _dot_abs_max(settings: Settings, maxima: Sequence[float]) -> float:
    total = sum(abs(float(w)) * abs_max for w, abs_max in zip(settings["weights"], maxima, strict=True))
    return total if math.isfinite(total) else math.inf


def _bind_earlier(settings: Settings) -> Any:
    back = settings["back"]

    def earlier(column: Any) -> Any:
        return np.concatenate([np.full(min(back, len(column)), np.nan), column[: max(len(column) - back, 0)]])

    return earlier


def _earlier_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    return np.nan_to_num(_bind_earlier(settings)(np.broadcast_to(bounds[0], np.shape(inputs[0]))), nan=0.0)


# The value of a row so many rows before; NaN where a block has none, which the executor leaves out.
operation("earlier", ("float64",), "float64", column=_bind_earlier, error_bound=_earlier_error_bound)


def _allow_ulps_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    return bounds[0] + settings["ulps"] * np.spacing(np.abs(inputs[1]))


operation(
    "allow_ulps",
    ("float64", "float64"),
    "float64",
    column=lambda settings: lambda value, scale: value,
    writer=lambda code, settings, inputs, dtypes: inputs[0],
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=_allow_ulps_error_bound,
)
