"""Dtypes of arrays: what the plan's values become in an array of a dtype, and which dtypes are refused.

A plan computes in float64 and int64. Arrays of float32 and of narrow integers round or wrap around otherwise, arrays of
objects compute with Python's values one by one, and fixed-width text cuts what is longer.
"""

import math
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.bounds import value_range
from pipeline_lib.compiler.tracing.constants import missing
from pipeline_lib.compiler.tracing.frames.assignment import constant_of
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of


def dtype_of(real: Any, index: int = 0) -> Any:
    """The library's dtype of a column of a frame, series or array."""
    return real.dtypes.iloc[index] if hasattr(real, "dtypes") and real.ndim == 2 else real.dtype


def kind_of(dtype: Any) -> str:
    """NumPy's letter for a dtype; O for those of text and categories."""
    return str(getattr(dtype, "kind", "O")) if str(dtype) not in ("str", "category") else "O"


def is_narrow(dtype: Any) -> bool:
    """Whether a dtype is float32, float16, an integer of fewer than 64 bits, or unsigned."""
    return str(dtype).lower().removeprefix("u") in ("float32", "float16", "int8", "int16", "int32") or (
        kind_of(dtype) == "u"
    )


def fits(call: Call, value: Value, dtype: Any) -> bool:
    """Whether a column's values are known to lie within an integer dtype."""
    low, high = value_range(call.recording, value)
    ends = np.iinfo(np.dtype(str(dtype).lower()))
    return ends.min <= low and high <= ends.max


def check_stable(call: Call, thing: Recorded) -> None:
    """Refuse a column whose dtype depends on the batch, such as integers that missing values make floats."""
    dtypes = sorted(map(str, dtypes_of(thing)))
    if len(dtypes) > 1:
        refuse(
            f"{call.name} of a column that is {' or '.join(dtypes)}, by its rows",
            "it depends on the batch",
            "cast it first, for example with astype(float)",
        )


def computed(call: Call, value: Value, dtype: Any) -> Value:
    """A computed column as the library's result holds it, which has a dtype; refused where a plan has no such dtype."""
    kind = kind_of(dtype)
    if is_narrow(dtype) and (kind == "f" or not fits(call, value, dtype)):
        refuse(
            f"{call.name} with a result of {dtype}",
            "it rounds or wraps around otherwise than a plan, which computes in 64 bits",
            f"write astype({'float' if kind == 'f' else 'int'}) first",
        )
    return as_kind(call, value, kind)


def as_kind(call: Call, value: Value, kind: str) -> Value:
    """A column as part of a result of NumPy's kind `f`, `i`, `b` and so on."""
    if kind == "f" and value.kind in ("int64", "bool"):
        return call.build.number(value)
    if kind in "iu" and value.kind == "bool":
        return call.build.integer(value)
    if kind in "iu" and value.kind == "float64":
        refuse(f"{call.name} with a result of integers", "the recorder has no rule for it", "write astype(float) first")
    return value


def moved(call: Call, value: Value, dtype: Any) -> Value:
    """A column put into an array of a dtype with others, as by np.column_stack, which casts what it puts together."""
    kind = kind_of(dtype)
    if kind == "U" and value.kind != "str":
        refuse(
            f"{value.kind} and text in one array",
            "NumPy makes text of all of it",
            "build a DataFrame, which has a dtype for each column",
        )
    if str(dtype) in ("float32", "float16") and value.kind == "float64":
        return in_single(call, value, dtype)
    if kind in "iu" and value.kind == "int64" and is_narrow(dtype) and not fits(call, value, dtype):
        refuse(f"integers in an array of {dtype}", "they wrap around", "write astype(int) first")
    return as_kind(call, value, kind)


def in_single(call: Call, value: Value, dtype: Any) -> Value:
    """A number as float32 holds it."""
    if str(dtype).lower() != "float32":
        refuse(f"numbers as {dtype}", "the recorder has no rule for it", "write astype('float32')")
    return call.build.round32(call.build.number(value))


def set_item(call: Call, value: Value, dtype: Any) -> Value:
    """A value that is set in an array of a dtype, into which NumPy casts it."""
    kind, number = kind_of(dtype), constant_of(call.build, value)
    if kind == "f":
        if value.kind not in ("float64", "int64", "bool"):
            refuse(f"{value.kind} set in an array of numbers", "NumPy reads it as numbers", "make an array of objects")
        return in_single(call, value, dtype) if is_narrow(dtype) else call.build.number(value)
    if kind in "iu":
        return _set_integer(call, value, dtype, number)
    if kind == "b" and value.kind != "bool":
        refuse(f"{value.kind} set in an array of bools", "NumPy makes bools of it", "set True or False")
    if kind == "U" and not (isinstance(number, str) and len(number) <= dtype.itemsize // 4):
        refuse(
            f"text set in an array of {dtype.itemsize // 4} characters at most",
            "NumPy cuts what is longer",
            "make it an array of objects first, astype(object), or write np.where(condition, then, other)",
        )
    if kind in "Mm" and value.kind == "float64":
        return missing(call.build, "datetime" if kind == "M" else "duration")
    return value


def _set_integer(call: Call, value: Value, dtype: Any, number: Any) -> Value:
    if value.kind == "float64" and number is not None and math.isfinite(number) and float(number).is_integer():
        value = call.build.value(int(number))
    if value.kind not in ("int64", "bool"):
        refuse(
            f"{value.kind} set in an array of integers",
            "NumPy cuts what is behind the point, and missing values",
            "make the array of floats first, with astype(float) or dtype=float",
        )
    value = call.build.integer(value)
    if is_narrow(dtype) and not fits(call, value, dtype):
        refuse(f"integers set in an array of {dtype}", "they wrap around", "make the array with dtype=int")
    return value


def cast(call: Call, value: Value, source: Any, target: Any) -> Value:
    """A column of dtype `source` after `astype(target)` of an array."""
    build, kind = call.build, kind_of(target)
    if kind == "f":
        if value.kind not in ("float64", "int64", "bool"):
            refuse(f"{value.kind} cast to {target}", "NumPy reads the text of each value", "write pd.to_numeric first")
        return build.number(value) if str(target) == "float64" else in_single(call, value, target)
    if kind in "iu":
        return _cast_to_integer(call, value, source, target)
    if kind == "b":
        if value.kind not in ("float64", "int64", "bool"):
            refuse(f"{value.kind} cast to bool", "the recorder has no rule for it", "write a comparison: X[:, 0] != ''")
        return value if value.kind == "bool" else ~(value == 0)
    if kind == "O" or target == source:
        return value
    if kind in "US":
        return _cast_to_text(call, value, source, target)
    return _cast_to_unit(call, value, target)


def _cast_to_integer(call: Call, value: Value, source: Any, target: Any) -> Value:
    build = call.build
    if value.kind == "duration" and kind_of(source) == "m":  # how many of the dtype's units; NaT is the least integer
        value = build.floor_divide_durations(value, build.duration(np.ones(1, dtype=source)[0]))
    if value.kind not in ("float64", "int64", "bool"):
        refuse(
            f"{value.kind} cast to {target}",
            "dates become numbers of their unit since 1970, and text is read",
            "subtract a date and divide by a unit: (X[:, 0] - start) / np.timedelta64(1, 'D')",
        )
    whole = build.truncate_int(value) if value.kind == "float64" else build.integer(value)
    if is_narrow(target) and not fits(call, whole, target):
        refuse(f"numbers cast to {target}", "what is beyond wraps around", "write astype(int)")
    return whole


def _cast_to_text(call: Call, value: Value, source: Any, target: Any) -> Value:
    if target.itemsize:
        refuse(f"text of {target}", "NumPy cuts what is longer", "write astype(str)")
    if value.kind == "str":
        return call.build.fill(value, "nan")
    if value.kind not in ("int64", "float64", "bool") or is_narrow(source) or kind_of(source) == "O":
        refuse(f"{value.kind} cast to text", "the recorder has no rule for it", "cast the column of the DataFrame")
    if value.kind == "bool":
        return call.build.where(value, "True", "False")
    check_stable(call, call.owner)
    return call.build.text_of_number(value, how="python")


_UNITS = {"D": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}


def _cast_to_unit(call: Call, value: Value, target: Any) -> Value:
    if value.kind != {"M": "datetime", "m": "duration"}.get(kind_of(target)):
        refuse(
            f"{value.kind} cast to {target}", "the recorder has no rule for it", "cast it with pandas, before .values"
        )
    unit, count = np.datetime_data(target)
    if unit in ("us", "ns"):
        return value
    if unit not in _UNITS or count != 1:
        refuse(f"{value.kind} cast to {target}", "the recorder has no rule for it", "use X['when'].dt before .values")
    return call.build.apply("date_floor", value, unit=_UNITS[unit])
