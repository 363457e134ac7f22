"""Python's own functions on the values of a row: `float`, `int`, `str`, `round`, `isinstance`, `math`, `pd.isna`."""

import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.rows.operands import MOST, Operand
from pipeline_lib.compiler.tracing.rows.text import whole_argument
from pipeline_lib.compiler.tracing.rows.values import (
    RecordedValue,
    decide,
    make_value,
    raise_when,
    scope_of,
    truth,
)

_NAN = r"\s*[+-]?nan\s*"
_INTEGER = r"\s*[+-]?\d+(_\d+)*\s*"
_IGNORE_CASE = 2


def _settled(call: Call) -> tuple[Any, Any]:
    """The value itself, or NaN or NaT on the path on which it is missing, and a sample of its type."""
    settled = call.owner._settled()
    return settled, call.owner._operand.sample if settled is call.owner else settled


@rule("value", "float", raw=True)
def to_float(call: Call) -> Any:
    """`float(value)`."""
    settled, sample = _settled(call)
    if settled is not call.owner or call.value.kind in ("datetime", "duration"):
        return float(sample)
    if call.value.kind != "str":
        return make_value(call.recording, call.build.number(call.value))
    build = call.build
    number = build.number_of_text(call.value, how="python")
    nan = build.regex_test(call.value, pattern=_NAN, how="fullmatch", flags=_IGNORE_CASE)
    wrong = build.logical_and(number.missing(), build.logical_not(nan))
    raise_when(call.recording, wrong, ValueError("could not convert string to float"))
    return make_value(call.recording, number)


@rule("value", "int", raw=True)
def to_int(call: Call) -> Any:
    """`int(value)`: cut off towards zero."""
    settled, sample = _settled(call)
    if settled is not call.owner or call.value.kind in ("datetime", "duration"):
        return int(sample)
    return int_of(call)


def int_of(call: Call) -> Any:
    """A number or text that is present as an integer."""
    build, value, operand = call.build, call.value, call.owner._operand
    if value.kind in ("int64", "bool"):
        return make_value(call.recording, build.integer(value), bound=operand.bound)
    if value.kind == "str":
        right = build.regex_test(value, pattern=_INTEGER, how="fullmatch")
        raise_when(call.recording, build.logical_not(right), ValueError("invalid literal for int() with base 10"))
        number = build.number_of_text(value, how="python")
        scope_of(call.recording).guard(build.absolute(number) > MOST)
        digits = build.where(build.logical_and(right, build.absolute(number) <= MOST), value, build.value("0"))
        return make_value(call.recording, build.int_of_text(digits, name="the text", where="int()"))
    return whole_number(call, value)


def whole_number(call: Call, value: Value) -> Any:
    """A float as an integer; NaN and infinity raise what Python raises."""
    build = call.build
    raise_when(call.recording, value.missing(), ValueError("cannot convert float NaN to integer"))
    infinite = build.absolute(value) == np.inf
    raise_when(call.recording, infinite, OverflowError("cannot convert float infinity to integer"))
    scope_of(call.recording).guard(build.absolute(value) > MOST)
    return make_value(call.recording, build.truncate_int(value))


@rule("value", "str", raw=True)
def to_text(call: Call) -> Any:
    """`str(value)`."""
    settled, _ = _settled(call)
    if settled is not call.owner:
        return str(settled)
    return text_of(call.owner)


def text_of(value: RecordedValue) -> Any:
    """A value that is present as text."""
    build, operand, recording = value._recording.build, value._operand, value._recording
    if operand.kind == "str":
        return value
    if not operand.stable:
        value._stop(
            "str() of a number that is an integer in some batches and a float in others",
            "where a value is missing pandas makes floats of the column, and their text ends in .0",
            "write str(float(value)) or str(int(value))",
        )
    if operand.kind == "bool":
        return make_value(recording, build.where(operand.value, build.value("True"), build.value("False")))
    if operand.kind == "datetime" and type(operand.sample) is pd.Timestamp:
        whole, parts = (build.date_text(operand.value, format=f"%Y-%m-%d %H:%M:%S{end}") for end in ("", ".%f"))
        exact = build.calendar(operand.value, field="microsecond") == 0
        return make_value(recording, build.where(exact, whole, parts))
    if operand.kind not in ("int64", "float64"):
        value._stop(f"str() of a {type(operand.sample).__name__}", "no rule", "write value.strftime(...)")
    return make_value(recording, build.text_of_number(operand.value, how="python"))


@rule("value", "bool", raw=True)
def to_bool(call: Call) -> Any:
    """`bool(value)`."""
    return make_value(call.recording, truth(call.owner))


@rule("value", "isinstance", raw=True)
def is_instance(call: Call, kinds: Any) -> bool:
    """`isinstance(value, kinds)`: missing text is a float, a missing date NaT."""
    operand = call.owner._operand
    present = isinstance(operand.sample, kinds)
    if not operand.stable and len({isinstance(each, kinds) for each in (1, 1.0, True)}) > 1:
        call.stop("the type of a number that is an integer in some batches", "pandas makes floats of it", "cast it")
    missing = {"str": math.nan, "datetime": pd.NaT, "duration": pd.NaT}.get(operand.kind)
    if missing is None or isinstance(missing, kinds) == present:
        return present
    return decide(call.recording, operand.value.missing()) is not present


@rule("value", "type", raw=True)
def type_of(call: Call) -> Any:
    """`type(value)`."""
    if not call.owner._operand.stable:
        call.stop("the type of a number that is an integer in some batches", "pandas makes floats of it", "cast it")
    return type(_settled(call)[1])


def _round(kind: str) -> None:
    @rule(f"value {kind}", "round()", raw=True)
    def round_value(call: Call, ndigits: Any) -> Any:
        return rounded(call, ndigits)


for _kind in ("float64", "int64", "bool"):
    _round(_kind)


def rounded(call: Call, ndigits: Any) -> Any:
    """`round(value)`, to an integer, and `round(value, digits)`: Python's decimals or NumPy's."""
    build, operand = call.build, call.owner._operand
    if ndigits is None:
        if operand.kind == "float64":
            return whole_number(call, build.rint(operand.value))
        return make_value(call.recording, build.integer(operand.value), bound=operand.bound)
    digits = whole_argument(call, ndigits, "ndigits")
    if operand.kind != "float64":
        if digits < 0:
            call.stop("an integer rounded to tens", "the recorder has no rule for it", "round a float")
        return make_value(call.recording, build.integer(operand.value), sample=_whole_sample(operand))
    if isinstance(operand.sample, np.generic):
        return make_value(call.recording, build.round_decimals(operand.value, decimals=digits), "numpy")
    return make_value(call.recording, build.round_python(operand.value, decimals=digits))


def _whole_sample(operand: Operand) -> Any:
    return np.int64(1) if type(operand.sample) is np.int64 else 1


@rule("value float64", "is_integer", raw=True)
def is_integer(call: Call) -> Any:
    """Whether a float is a whole number."""
    build, value = call.build, call.value
    finite = build.absolute(value) < np.inf
    return make_value(call.recording, build.logical_and(finite, build.floor(value) == value))


def _of_descriptor(name: str) -> None:
    @rule("row function", f"builtins.str.{name}", raw=True)
    def call_descriptor(call: Call, text: Any, *args: Any) -> Any:
        if type(text) is not RecordedValue:
            return getattr(str, name)(text, *args)
        settled = text._settled()
        if settled is not text or text._operand.kind != "str":
            getattr(str, name)(text._operand.sample if settled is text else settled, *args)  # raises TypeError
        return getattr(text, name)(*args)


for _name in ("lower", "upper", "title", "capitalize", "swapcase", "casefold", "strip", "lstrip", "rstrip", "split"):
    _of_descriptor(_name)
for _name in ("isdigit", "isalpha", "isalnum", "isnumeric", "startswith", "endswith", "replace", "count", "zfill"):
    _of_descriptor(_name)

refused(
    "row function",
    "pandas.to_datetime pandas.to_numeric pandas.Timestamp datetime.datetime.strptime",
    "the recorder has no rule for it in a function of one row",
    "convert the whole column before: pd.to_datetime(X['date'], format=...), pd.to_numeric(X['a'])",
)
