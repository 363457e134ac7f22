"""NumPy's functions of single values: `np.log`, `np.maximum`, `np.isnan`."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.feature_engine.transformation import arcsinh_value
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.elementwise import Formula, apply
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, refused
from pipeline_lib.compiler.tracing.series.operators import binary

_SLACK = 4.0  # ULPs by which NumPy's own functions, which differ by CPU, may be from ours

_BINARY = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "truediv",
    "floor_divide": "floordiv",
    "remainder": "mod",
    "power": "pow",
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "bitwise_and": "and",
    "bitwise_or": "or",
    "bitwise_xor": "xor",
}
"""The operator that a function stands for."""
_UNARY: dict[str, Callable[[Any], Any]] = {
    "negative": lambda x: -x,
    "absolute": abs,
    "positive": lambda x: +x,
    "invert": lambda x: ~x,
}


def _operator(name: str) -> None:
    @function(f"numpy.{name}", raw=True)
    def call_operator(call: Call, *args: Any, **options: Any) -> Any:
        _refuse_options(call, options)
        if len(args) != 2:
            refuse(f"{call.name} with {len(args)} arguments", "the recorder has no rule for it", PLAN)
        left, right = args
        if isinstance(left, Recorded):
            return binary(left, _BINARY[name], right)
        return binary(right, _BINARY[name], left, swapped=True)


def _refuse_options(call: Call, options: dict[str, Any]) -> None:
    """Refuse `out=`, `where=`, `dtype=` and the like."""
    given = {name for name, value in options.items() if value is not None}
    if given:
        refuse(
            f"{call.name} with {', '.join(sorted(given))}",
            "it sets values in place, or computes in another dtype",
            "assign the result, and write np.where(condition, then, other)",
        )


for _name in _BINARY:
    _operator(_name)


def _unary(name: str) -> None:
    @function(f"numpy.{name}", raw=True)
    def call_unary(call: Call, x: Any, **options: Any) -> Any:
        _refuse_options(call, options)
        return _UNARY[name](x)


for _name in _UNARY:
    _unary(_name)


def register(ufunc: Any, formula: Formula, *names: str) -> None:
    """Register the formula of a function by its full names."""

    @function(*names, raw=True)
    def call_function(call: Call, *args: Any, **options: Any) -> Any:
        _refuse_options(call, options)
        if len(args) != getattr(ufunc, "nin", 1):
            refuse(f"{call.name} with {len(args)} arguments", "the last one is set in place", "assign the result")
        return apply(call, ufunc, args, formula)


_FLOAT_FUNCTIONS = (
    *("arccos", "arcsin", "arctan", "cbrt", "cos", "exp", "expm1", "log", "log10", "log1p", "log2", "rint", "sin"),
    *("sqrt", "tan", "tanh"),
)
"""Functions whose operation has the same name."""


def _float_function(operation: str) -> Formula:
    return lambda build, x: build.apply(operation, build.number(x))


def _whole(operation: str) -> Formula:
    """floor, ceil and trunc, which leave integers as they are."""

    def formula(build: Builder, x: Value) -> Value:
        return x if x.kind in ("int64", "bool") else build.apply(operation, build.number(x))

    return formula


def _sign(build: Builder, x: Value) -> Value:
    if x.kind == "int64":
        return build.where(x > 0, 1, build.where(x < 0, -1, 0))
    x = build.number(x)
    return build.where(x > 0.0, 1.0, build.where(x < 0.0, -1.0, build.where(x == 0.0, 0.0, x)))


def _reciprocal(build: Builder, x: Value) -> Value:
    if x.kind != "float64":
        refuse("np.reciprocal of integers", "it gives integers, mostly 0", "write 1 / x")
    return 1.0 / x


def _hypot(build: Builder, x: Value, y: Value) -> Value:
    """The length of (x, y), without overflow on the way: the larger part times sqrt(1 + ratio²)."""
    x, y = abs(build.number(x)), abs(build.number(y))
    most, least = build.where(y > x, y, x), build.where(y > x, x, y)
    ratio = least / build.where(most == 0.0, 1.0, most)
    length = build.allow_ulps(most * build.sqrt(1.0 + ratio * ratio), _SLACK)
    infinite: Value = build.where((x == math.inf) | (y == math.inf), math.inf, length)
    return infinite


def _fmod(build: Builder, x: Value, y: Value) -> Value:
    """The remainder with the sign of x."""
    if {x.kind, y.kind} <= {"int64", "bool"}:
        refuse("np.fmod of integers", "the recorder has no rule for it", "write x % y, or cast with astype(float)")
    x, y = build.number(x), build.number(y)
    rest = build.remainder(abs(x), abs(y))
    return build.where(x < 0.0, -rest, build.where(x == 0.0, rest * x, rest))


def extreme(*, largest: bool, keep_missing: bool, last: bool = True) -> Formula:
    """np.maximum and np.minimum, in which a missing value wins, or np.fmax and np.fmin, which ignore it.

    Of equal numbers the result is the second one with `last`: of 0.0 and -0.0 that decides the sign.
    """

    def formula(build: Builder, left: Value, right: Value) -> Value:
        kinds = {left.kind, right.kind}
        if kinds == {"bool"}:
            return left | right if largest else left & right
        if kinds <= {"int64", "bool"}:
            left, right = build.integer(left), build.integer(right)
            return build.where(right > left if largest else right < left, right, left)
        if kinds <= {"float64", "int64", "bool"}:
            left, right = build.number(left), build.number(right)
            pair = (right, left) if last else (left, right)
            chosen = (build.larger if largest else build.smaller)(*pair)
        elif len(kinds) == 1 and kinds <= {"datetime", "duration"}:
            chosen = build.where(right > left if largest else right < left, right, left)
        else:
            refuse(f"the larger of {left.kind} and {right.kind}", "the recorder has no rule for it", "cast one")
        if keep_missing:
            return build.where(left.missing(), left, build.where(right.missing(), right, chosen))
        return build.where(left.missing(), right, build.where(right.missing(), left, chosen))

    return formula


def truth(build: Builder, x: Value) -> Value:
    """Whether a number is true to NumPy: it is not 0; missing ones are."""
    if x.kind == "bool":
        return x
    if x.kind not in ("int64", "float64"):
        refuse(f"the truth of {x.kind}", "the recorder has no rule for it", "write a comparison")
    return ~x.equals(0)


def is_finite(build: Builder, x: Value) -> Value:
    """Whether a number is neither missing nor infinite."""
    if x.kind in ("datetime", "duration"):
        return ~x.missing()
    if x.kind in ("int64", "bool"):
        return build.value(True)
    x = build.number(x)
    return (x > -math.inf) & (x < math.inf)


def is_infinite(build: Builder, x: Value, *, signs: tuple[float, ...] = (1.0, -1.0)) -> Value:
    """Whether a number is infinite, with one of some signs."""
    if x.kind in ("int64", "bool", "datetime", "duration"):
        return build.value(False)
    x = build.number(x)
    tests = [x.equals(sign * math.inf) for sign in signs]
    return tests[0] if len(tests) == 1 else tests[0] | tests[1]


def is_nan(build: Builder, x: Value) -> Value:
    """Whether a number, date or duration is missing."""
    if x.kind == "str":
        refuse("np.isnan of text", "NumPy raises an error", "write pd.isna(values)")
    return x.missing()


def _heaviside(build: Builder, x: Value, at_zero: Value) -> Value:
    x = build.number(x)
    above = build.where(x > 0.0, 1.0, x)  # NaN stays
    return build.where(x < 0.0, 0.0, build.where(x == 0.0, build.number(at_zero), above))


FORMULAS: dict[str, Formula] = {
    **{name: _float_function(name) for name in _FLOAT_FUNCTIONS},
    **{name: _whole(name) for name in ("floor", "ceil", "trunc")},
    "fabs": lambda build, x: abs(build.number(x)),
    "square": lambda build, x: x if x.kind == "bool" else x * x,
    "sign": _sign,
    "reciprocal": _reciprocal,
    "exp2": lambda build, x: build.pow(build.value(2.0), build.number(x)),
    "arcsinh": lambda build, x: build.allow_ulps(arcsinh_value(build.number(x), build), _SLACK),
    "arctan2": lambda build, y, x: build.arctan2(build.number(y), build.number(x)),
    "hypot": _hypot,
    "float_power": lambda build, x, y: build.pow(build.number(x), build.number(y)),
    "fmod": _fmod,
    "deg2rad": lambda build, x: build.number(x) * (math.pi / 180.0),
    "radians": lambda build, x: build.number(x) * (math.pi / 180.0),
    "rad2deg": lambda build, x: build.number(x) * (180.0 / math.pi),
    "degrees": lambda build, x: build.number(x) * (180.0 / math.pi),
    "maximum": extreme(largest=True, keep_missing=True),
    "minimum": extreme(largest=False, keep_missing=True),
    "fmax": extreme(largest=True, keep_missing=False, last=False),
    "fmin": extreme(largest=False, keep_missing=False, last=False),
    "isnan": is_nan,
    "isnat": is_nan,
    "isfinite": is_finite,
    "isinf": is_infinite,
    "logical_and": lambda build, x, y: truth(build, x) & truth(build, y),
    "logical_or": lambda build, x, y: truth(build, x) | truth(build, y),
    "logical_xor": lambda build, x, y: build.logical_xor(truth(build, x), truth(build, y)),
    "logical_not": lambda build, x: ~truth(build, x),
    "heaviside": _heaviside,
}
"""NumPy's functions by name."""

for _name, _formula in FORMULAS.items():
    register(getattr(np, _name), _formula, f"numpy.{_name}")
register(np.fix, _whole("trunc"), "numpy.fix")
for _name, _signs in (("isposinf", (1.0,)), ("isneginf", (-1.0,))):
    register(getattr(np, _name), lambda build, x, signs=_signs: is_infinite(build, x, signs=signs), f"numpy.{_name}")

refused("function", "numpy.divmod numpy.modf numpy.frexp", "it gives two columns", "write x // y and x % y")
