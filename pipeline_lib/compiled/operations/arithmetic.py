"""Arithmetic of float64 numbers: every operation is rounded once, as IEEE 754 says."""

import math
from collections.abc import Sequence
from ctypes import c_float
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings, formula, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, NUMBER, NUMBERS

HALF_ULP = 2.0**-53  # the largest part of a result by which one rounding moves it
WHOLE = 2.0**52  # from here on every double is an integer
_TERMS = 40  # terms of a sum written in one line: Python's parser nests one level per term


def divide(a: float, b: float) -> float:
    """IEEE division of Python floats: by zero infinite, 0/0 NaN."""
    if b != 0:  # NaN too
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def floor_divide(a: float, b: float) -> float:
    """`a // b` as NumPy has it: by zero as in division."""
    return a // b if b != 0 and math.isfinite(a) else divide(a, b) if b == 0 else math.nan


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


def _first(maxima: Sequence[float]) -> float:
    return maxima[0]


def _added(maxima: Sequence[float]) -> float:
    return maxima[0] + maxima[1]


def _first_and_one(maxima: Sequence[float]) -> float:
    return maxima[0] + 1


def _multiplied(maxima: Sequence[float]) -> float:
    return maxima[0] * maxima[1] if math.isfinite(maxima[0] * maxima[1]) else math.inf


def _write_divide(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    try:
        never_zero = float(inputs[1]) != 0  # a literal
    except ValueError:
        never_zero = False
    return f"{inputs[0]} / {inputs[1]}" if never_zero else f"{code.bind(divide, 'divide')}({', '.join(inputs)})"


_TWO = ("float64", "float64")
_ONE = ("float64",)
formula("add", _TWO, "float64", np.add, "{0} + {1}", "The sum of two numbers.", abs_max=_added)
formula("subtract", _TWO, "float64", np.subtract, "{0} - {1}", "The difference of two numbers.", abs_max=_added)
formula("multiply", _TWO, "float64", np.multiply, "{0} * {1}", "The product of two numbers.", abs_max=_multiplied)
operation(
    "divide",
    _TWO,
    "float64",
    doc="The quotient of two numbers; division by zero is infinite, 0/0 is NaN.",
    column=lambda settings: np.true_divide,
    writer=_write_divide,
)
formula(
    "remainder",
    _TWO,
    "float64",
    np.remainder,
    remainder,
    "The remainder with the divisor's sign, as numpy.remainder; NaN for divisor 0.",
)
formula("negative", _ONE, "float64", np.negative, "-{0}", "The number with the other sign.", abs_max=_first)
formula("absolute", _ONE, "float64", np.absolute, "abs({0})", "The absolute value.", abs_max=_first)
formula(
    "floor_divide",
    _TWO,
    "float64",
    np.floor_divide,
    floor_divide,
    "The quotient rounded down, as numpy.floor_divide; by zero as `divide`.",
)
formula("sqrt", _ONE, "float64", np.sqrt, sqrt, "The square root; NaN below 0.")
formula("floor", _ONE, "float64", np.floor, floor, "The largest integer not above the number.", abs_max=_first_and_one)
formula("ceil", _ONE, "float64", np.ceil, ceil, "The smallest integer not below the number.", abs_max=_first_and_one)
formula("trunc", _ONE, "float64", np.trunc, trunc, "The integer part of a number.", abs_max=_first)
formula("rint", _ONE, "float64", np.rint, rint, "The nearest integer; halves go to even.", abs_max=_first_and_one)
formula(
    "round32",
    _ONE,
    "float64",
    lambda x: np.asarray(x, dtype=np.float32).astype(np.float64),
    round32,
    "The nearest float32, as float64.",
)
formula(
    "smaller",
    _TWO,
    "float64",
    lambda a, b: np.where(b < a, b, a),
    "({1} if {1} < {0} else {0})",
    "`right` where it is smaller, else `left`: NaN stays in `left` and is ignored in `right`.",
)
formula(
    "larger",
    _TWO,
    "float64",
    lambda a, b: np.where(b > a, b, a),
    "({1} if {1} > {0} else {0})",
    "`right` where it is larger, else `left`: NaN stays in `left` and is ignored in `right`.",
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
    return moved + (len(weights) + 2) * HALF_ULP * terms


operation(
    "dot",
    ("float64", "..."),
    "float64",
    doc="The sum of numbers times `weights`, from left to right.",
    settings={"weights": NUMBERS},
    column=_bind_dot,
    writer=_write_dot,
    abs_max=lambda settings, maxima: _dot_abs_max(settings, maxima),
    error_bound=_dot_error_bound,
)


def _dot_abs_max(settings: Settings, maxima: Sequence[float]) -> float:
    total = sum(abs(float(w)) * abs_max for w, abs_max in zip(settings["weights"], maxima, strict=True))
    return total if math.isfinite(total) else math.inf


def _bind_earlier(settings: Settings) -> Any:
    lookback = settings["back"]

    def earlier(column: Any) -> Any:
        return np.concatenate([np.full(min(lookback, len(column)), np.nan), column[: max(len(column) - lookback, 0)]])

    return earlier


def _earlier_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    return np.nan_to_num(_bind_earlier(settings)(np.broadcast_to(bounds[0], np.shape(inputs[0]))), nan=0.0)


operation(
    "earlier",
    ("float64",),
    "float64",
    doc="The value some rows before; NaN in a block's first rows, which the executor drops.",
    settings={"back": INTEGER},
    column=_bind_earlier,
    error_bound=_earlier_error_bound,
)


def _allow_ulps_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    return bounds[0] + settings["ulps"] * np.spacing(np.abs(inputs[1]))


operation(
    "allow_ulps",
    ("float64", "float64"),
    "float64",
    doc="`value` itself, which the reference may compute up to `ulps` ULPs of `scale` off; written while checking.",
    parameters=("value", "scale"),
    settings={"ulps": NUMBER},
    column=lambda settings: lambda value, scale: value,
    writer=lambda code, settings, inputs, dtypes: inputs[0],
    abs_max=lambda settings, maxima: maxima[0],
    error_bound=_allow_ulps_error_bound,
)
