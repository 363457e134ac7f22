"""Functions of `math`, NumPy and pandas on the values of one row: `math.log(value)`, `pd.isna(value)`."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.rows.operands import Operand
from pipeline_lib.compiler.tracing.rows.operators import operate
from pipeline_lib.compiler.tracing.rows.python import to_float, to_int, whole_number
from pipeline_lib.compiler.tracing.rows.values import RecordedValue, make_value, of_operand, raise_when, scope_of


@rule("row function", "pandas.isna", "pandas.isnull", "pandas.notna", "pandas.notnull", raw=True)
def is_missing_value(call: Call, obj: Any) -> Any:
    """Whether a value is missing."""
    missing = obj._values[0].missing()
    negated = call.name.startswith("pandas.not")
    return make_value(call.recording, call.build.logical_not(missing) if negated else missing)


@rule(
    "row function",
    "numpy.isnan",
    "numpy.isinf",
    "numpy.isfinite",
    "math.isnan",
    "math.isinf",
    "math.isfinite",
    raw=True,
)
def is_special(call: Call, x: Any) -> Any:
    """Whether a number is NaN, infinite or neither."""
    name = call.name.split(".")[1]
    flavour = "numpy" if call.name.startswith("numpy") else "python"
    settled = x._settled()
    function = getattr(np if flavour == "numpy" else math, name)
    if settled is not x or x._operand.kind not in ("int64", "float64", "bool"):
        return function(x._operand.sample if settled is x else settled)
    build = call.build
    if x._operand.kind != "float64":
        return make_value(call.recording, build.value(name == "isfinite"), flavour)
    value, infinite = x._values[0], build.absolute(x._values[0]) == np.inf
    missing = value.missing()
    found = {"isnan": missing, "isinf": infinite}.get(name)
    if found is None:
        found = build.logical_not(build.logical_or(missing, infinite))
    return make_value(call.recording, found, flavour)


_Domain = Callable[[Builder, Value], Value]
_Math = tuple[Callable[[Builder, Value], Value], _Domain | None]
"""The operation of a function of `math`, and where it raises ValueError."""

_MATH: dict[str, _Math] = {
    "sqrt": (lambda build, x: build.sqrt(x), lambda build, x: x < 0.0),
    "log": (lambda build, x: build.log(x), lambda build, x: x <= 0.0),
    "log2": (lambda build, x: build.log2(x), lambda build, x: x <= 0.0),
    "log10": (lambda build, x: build.log10(x), lambda build, x: x <= 0.0),
    "log1p": (lambda build, x: build.log1p(x), lambda build, x: x <= -1.0),
    "exp": (lambda build, x: build.exp(x), None),
    "expm1": (lambda build, x: build.expm1(x), None),
    "sin": (lambda build, x: build.sin(x), lambda build, x: build.absolute(x) == np.inf),
    "cos": (lambda build, x: build.cos(x), lambda build, x: build.absolute(x) == np.inf),
    "tan": (lambda build, x: build.tan(x), lambda build, x: build.absolute(x) == np.inf),
    "asin": (lambda build, x: build.arcsin(x), lambda build, x: build.absolute(x) > 1.0),
    "acos": (lambda build, x: build.arccos(x), lambda build, x: build.absolute(x) > 1.0),
    "atan": (lambda build, x: build.arctan(x), None),
    "tanh": (lambda build, x: build.tanh(x), None),
    "cbrt": (lambda build, x: build.cbrt(x), None),
    "erf": (lambda build, x: build.erf(x), None),
    "fabs": (lambda build, x: build.absolute(x), None),
    "radians": (lambda build, x: x * (math.pi / 180.0), None),
    "degrees": (lambda build, x: x * (180.0 / math.pi), None),
}


def _number(call: Call, x: Any) -> Value:
    """A number as float64. Text raises TypeError as in Python."""
    if type(x) is not RecordedValue:
        return call.build.number(float(x))
    settled = x._settled()
    if settled is not x:
        return call.build.number(float(settled))
    if x._operand.kind not in ("int64", "float64", "bool"):
        math.sqrt(x._operand.sample)  # raises what own code would raise
    return call.build.number(x._values[0])


def _math(name: str) -> None:
    write, domain = _MATH[name]

    @rule("row function", f"math.{name}", raw=True)
    def call_math(call: Call, x: Any, *others: Any) -> Any:
        build, value = call.build, _number(call, x)
        if domain is not None:
            raise_when(call.recording, domain(build, value), ValueError("math domain error"))
        result = write(build, value)
        if name in ("exp", "expm1"):
            beyond = build.logical_and(result == np.inf, value < np.inf)
            raise_when(call.recording, beyond, OverflowError("math range error"))
        if not others:
            return make_value(call.recording, result)
        if name != "log" or len(others) > 1 or not isinstance(others[0], int | float):
            call.stop(f"{call.name} with more arguments", "the recorder has no rule for it", PLAN)
        return make_value(call.recording, result / math.log(others[0]))


for _name in _MATH:
    _math(_name)


@rule("row function", "math.floor", "math.ceil", "math.trunc", raw=True)
def whole_part(call: Call, x: Any) -> Any:
    """The integer below or above, or towards zero."""
    name, settled = call.name.split(".")[1], x._settled()
    operand = x._operand
    if settled is not x or operand.kind not in ("int64", "float64", "bool"):
        return getattr(math, name)(operand.sample if settled is x else settled)
    if operand.kind != "float64":
        return make_value(call.recording, call.build.integer(operand.value), bound=operand.bound)
    return whole_number(call, getattr(call.build, name)(operand.value))


@rule("row function", "math.atan2", raw=True)
def arctangent(call: Call, y: Any, x: Any) -> Any:
    """The angle of a point."""
    return make_value(call.recording, call.build.arctan2(_number(call, y), _number(call, x)))


@rule("row function", "math.pow", raw=True)
def power(call: Call, x: Any, y: Any) -> Any:
    """`x` to the power of `y`, as floats."""
    base, exponent = (Operand(_number(call, each), 1.0) for each in (x, y))
    try:
        return of_operand(call.recording, operate(scope_of(call.recording), "pow", base, exponent))
    except ZeroDivisionError:
        raise ValueError("math domain error") from None


@rule("row function", "numpy.absolute", "numpy.abs", raw=True)
def absolute(call: Call, x: Any) -> Any:
    """The magnitude, as NumPy's number."""
    found = abs(x)
    if type(found) is not RecordedValue:
        return np.abs(found)
    return make_value(call.recording, found._values[0], "numpy", bound=found._operand.bound)


@rule("row function", "numpy.float64", "numpy.int64", raw=True)
def numpy_number(call: Call, x: Any) -> Any:
    """A value as NumPy's number, for which `1 / 0` is infinite."""
    found = (to_float if call.name == "numpy.float64" else to_int)(Call(call.recording, x, call.name, []))
    if type(found) is not RecordedValue:
        return getattr(np, call.name.split(".")[1])(found)
    return make_value(call.recording, found._values[0], "numpy")


@rule("row function", "numpy.where", raw=True)
def where(call: Call, condition: Any, x: Any, y: Any) -> Any:
    """One of two values."""
    return x if bool(condition) else y


refused("row function", "math.hypot math.dist math.fmod math.gcd", "no rule", "write it with operators and math.sqrt")
