"""Which dtypes of the library an operator may take, where the plan's own dtype says too little.

the library's         the plan's   what differs
int8 ... uint32       int64        results that do not fit wrap around
int64 or float64      float64      the dtype of the batch decides whether large integers are rounded or wrap around
float32               float64      each operation rounds to 24 bits
object                any          Python's own operators: True + True is 2, 1 // 0 is an error
category              any          `<` goes by the order of the categories
Int64, boolean, ...   any          a missing value makes a comparison missing
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.bounds import EXACT, LARGEST, value_range
from pipeline_lib.compiler.tracing.integer_batches import is_integer, mixes_integers
from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.rows.checks import checked

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
DROP_ZONE = "take its fields, such as .dt.hour, or drop the zone: .dt.tz_localize(None)"
SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "&",
    "or": "|",
    "xor": "^",
}
"""Operators as own code writes them, by the names of their methods."""
_OF_OBJECTS = (*COMPARISONS, "add", "sub", "mul")
_WHOLE = ("add", "sub", "mul", "pow", "floordiv", "mod")
"""Operators whose result on integers is an integer."""


def dtypes_of(series: Recorded) -> list[Any]:
    """The dtypes that a Series or array has on the shadows, each once.

    Shadows that were given up since it was made count, too: they show which dtypes a batch can have.
    """
    found: dict[str, Any] = {}
    for real in series._reals:
        if real is not None:
            found.setdefault(str(real.dtype), real.dtype)
    return list(found.values())


def zone_of(dtype: Any) -> Any:
    """The time zone of a dtype of dates; None without one."""
    return getattr(dtype, "tz", None)


def refuse_zones(result: Recorded) -> None:
    """Refuse dates with a time zone among the columns that own code returns: other steps read their local fields."""
    real = result._reals[0]
    dtypes = list(real.dtypes) if hasattr(real, "columns") else [getattr(real, "dtype", None)]
    for dtype, value in zip(dtypes, result._values, strict=False):  # an array has one dtype
        if zone_of(dtype) is not None and value.kind == "datetime":
            refuse(f"a column of {dtype} returned", "raw rows and plans have dates without a zone", DROP_ZONE)


def is_object(series: Recorded) -> bool:
    """Whether a Series holds Python objects for some rows."""
    return any(str(dtype) == "object" for dtype in dtypes_of(series))


def has_integers(series: Recorded) -> bool:
    """Whether a column is of integers in some batches."""
    return any(isinstance(dtype, np.dtype) and dtype.kind in "iu" for dtype in dtypes_of(series))


def has_fixed_categories(series: Recorded) -> bool:
    """Whether a column that holds categories has the same ones in any batch; True for other columns."""
    dtypes = [real.dtype for real in series._reals if real is not None]
    return all(dtype == dtypes[0] for dtype in dtypes) or not any(str(dtype) == "category" for dtype in dtypes)


def is_python_dates(operand: Any) -> bool:
    """Whether an operand is Python's `date`, or a column of them."""
    if not isinstance(operand, Recorded):
        return type(operand) is date
    reals = [operand._reals[number] for number in operand._recording.living()]
    # a column of missing ones only is datetime64 to pandas
    return {type(each) for real in reals for each in real[~pd.isna(real)]} == {date}


def check_operands(name: str, operands: Sequence[Any]) -> None:
    """Refuse operands, Series and constants, whose dtype the plan has no exact rule for."""
    texts = {str(each) for one in operands if isinstance(one, Recorded) for each in dtypes_of(one)}
    if name == "add" and {"str", "object"} <= texts:
        _stop(name, "object and one of str", "without text in the rows it is an error", "cast both with astype(str)")
    for operand in operands:
        if not isinstance(operand, Recorded):
            continue
        kind, dtypes = operand._values[0].kind, dtypes_of(operand)
        if name not in COMPARISONS and {"bool", "object"} <= set(map(str, dtypes)):
            _stop(name, "bool or object, by its rows", "True + True is True or 2", "cast with astype(float) first")
        for dtype in dtypes:
            text = str(dtype)
            if name not in COMPARISONS and isinstance(dtype, np.dtype) and _is_narrow(dtype):
                _check_constants(name, dtype, operands)
            if text in ("float32", "float16"):
                _stop(name, text, "it rounds to fewer bits than a plan", "cast with astype(float) first")
            if text == "category":
                _check_category(name, dtype, kind, alone=sum(isinstance(each, Recorded) for each in operands) == 1)
            elif text == "object":
                _check_object(name, kind, operands)
            elif not isinstance(dtype, np.dtype) and kind in ("int64", "float64", "bool"):
                _stop(name, text, "a missing value makes its result missing", "cast with astype(float) first")
            elif text.endswith("[ns]") and name not in COMPARISONS:
                _stop(
                    name,
                    text,
                    "it holds dates from 1677 to 2262 only",
                    "leave out what made nanoseconds, or cast with astype('datetime64[us]')",
                )


def _check_constants(name: str, dtype: Any, operands: Sequence[Any]) -> None:
    """Refuse integers that a narrow dtype does not hold: an error, unless missing values make floats of the batch."""
    ends = np.iinfo(dtype)
    if any(type(each) is int and not ends.min <= each <= ends.max for each in operands):
        _stop(name, str(dtype), "it does not hold the other number", "cast with astype(float) or astype(int) first")


def _check_category(name: str, dtype: Any, kind: str, *, alone: bool) -> None:
    if (
        name not in ("eq", "ne")
        or not alone
        or (kind == "str" and str(dtype.categories.dtype) not in ("str", "object"))
    ):
        _stop(
            name,
            "category",
            "pandas goes by the categories and their order",
            "cast with astype(str) or astype(float) first",
        )


def _check_object(name: str, kind: str, operands: Sequence[Any]) -> None:
    if kind in ("datetime", "duration") and not (name in ("eq", "ne") and all(map(is_python_dates, operands))):
        _stop(
            name,
            "object, such as Python's dates",
            "they equal no Timestamp, and in other operators missing ones are an error or not, by the other rows",
            "compare dates by == and != only, or write .dt.normalize() or pd.to_datetime(column) instead",
        )
    if kind in ("int64", "float64", "bool") and name not in _OF_OBJECTS:
        _stop(
            name,
            "object",
            "Python's own operators answer otherwise",
            "cast with astype(float), or fillna and astype(bool)",
        )


def _stop(name: str, dtype: str, why: str, remedy: str) -> None:
    refuse(f"`{SYMBOLS.get(name, name)}` of a column of dtype {dtype}", why, remedy)


def guard(recording: Recording, name: str, operands: Sequence[Any], reals: Sequence[Any], value: Value) -> Value:
    """A result as the library has it for any batch: refused, or refused for some rows, where integers do not fit.

    `reals` are the library's results.
    """
    found = [reals[number].dtype for number in recording.living() if hasattr(reals[number], "dtype")]
    if name in _WHOLE or name in ("neg", "abs"):
        refuse_overflow(recording, name, found, value)
    unstable = [each._values[0] for each in operands if isinstance(each, Recorded) and _is_unstable(recording, each)]
    return _guard_unstable(recording, name, unstable, value) if unstable else value


def refuse_overflow(recording: Recording, name: str, dtypes: Sequence[Any], value: Value) -> None:
    """Refuse a result in narrow integers that need not fit in them."""
    narrow = {str(dtype): dtype for dtype in dtypes if isinstance(dtype, np.dtype) and _is_narrow(dtype)}
    if not narrow:
        return
    low, high = value_range(recording, value)
    for text, dtype in narrow.items():
        if low < np.iinfo(dtype).min or high > np.iinfo(dtype).max:
            refuse(
                f"`{name}` of integers whose result is {text}",
                "a larger result would wrap around",
                "cast the column first, with astype(int), or astype(float) where it may be missing",
            )


def _is_narrow(dtype: Any) -> bool:
    return dtype.kind in "iu" and dtype != np.int64


def is_python_bools(series: Recorded) -> bool:
    """Whether a column of objects is of bools and missing values, as raw columns of bools that may be missing are."""
    reals = [real for real in series._reals if real is not None]
    return {type(each) for real in reals for each in real[~pd.isna(real)]} <= {bool}


def _is_unstable(recording: Recording, operand: Recorded) -> bool:
    """Whether a column of numbers is integers in some batches and float64 in others, or Python's numbers."""
    if operand._values[0].kind not in ("int64", "float64"):
        return False
    kinds = {dtype.kind for dtype in dtypes_of(operand) if isinstance(dtype, np.dtype)}
    objects = "O" in kinds and not is_python_bools(operand)
    mixed = mixes_integers(recording.build.nodes, operand._values[0].node, recording.mixed)
    return objects or mixed or ("f" in kinds and bool(kinds & {"i", "u"}))


def _guard_unstable(recording: Recording, name: str, operands: Sequence[Value], value: Value) -> Value:
    """A result of such columns: refused in rows where the dtype of the batch makes a difference."""
    build = recording.build
    if name == "truediv":
        return value
    node = build.nodes[value.node]
    largest = EXACT if node.operation == "pow" else LARGEST
    tested = [(each, EXACT) for each in operands] + ([(value, largest)] if name in _WHOLE else [])
    if node.operation == "pow" and is_integer(build.nodes, node.inputs[0], recording.mixed):
        value = _check_exponent(recording, operands, node.inputs[1], value)
    for each, most in tested:
        low, high = value_range(recording, each)
        if low < -most or high > most:
            number = build.number(each)
            exact = build.logical_or(number.missing(), build.less_equal(build.absolute(number), most))
            value = checked(
                recording,
                value,
                exact,
                "an integer that is the same in an int64 and in a float64 column, since the batch decides which it is",
                "cast the column with astype(float) in the step",
            )
    return value


def _check_exponent(recording: Recording, operands: Sequence[Value], number: int, value: Value) -> Value:
    """A power of integers: a negative exponent is an error where the batch has integers only."""
    exponent = next((each for each in operands if each.node == number), None)
    if exponent is None:
        return value
    build = recording.build
    allowed = build.logical_or(exponent.missing(), build.less_equal(build.value(0.0), exponent))
    return checked(
        recording,
        value,
        allowed,
        "an exponent of 0 or more, as integers have no negative powers",
        "cast the column with astype(float) in the step",
    )
