"""Dates and durations: differences, sums, comparisons, parts. A missing one makes the result missing, or False.

A duration is int64 microseconds, as a datetime is; `NAT` is missing. Sums that 64 bits do not hold are refused, as
pandas raises an error for them.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import divide
from pipeline_lib.compiled.operations.calendar import DAY, SECOND
from pipeline_lib.compiled.operations.integers import INT
from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import operation
from pipeline_lib.compiled.operations.setting_types import one_of
from pipeline_lib.errors import InputError

BEYOND = "found dates or durations whose result 64 bits do not hold in microseconds; correct the row"
"""The refusal of sums, multiples and roundings."""
_LONGEST = 2**53  # microseconds that a double holds exactly: 285 years
_LONG = (
    "found a duration of more than 285 years, expected one whose microseconds a double holds exactly; correct the row"
)
_MOMENTS = ("datetime|duration", "datetime|duration")
_DURATIONS = ("duration", "duration")


def _is_missing(left: Any, right: Any) -> Any:
    return (left == NAT) | (right == NAT)


def _exact(compute: Callable[[Any, Any], Any]) -> tuple[Callable[[Any, Any], Any], Callable[[int, int], int]]:
    """`compute(left, right)` of integers for columns and for one row; refused where 64 bits do not hold the result."""

    def of_columns(left: Any, right: Any) -> Any:
        left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
        missing = _is_missing(left, right)
        result = np.where(missing, NAT, compute(left, right))
        # float64 is exact enough to tell a result that wrapped around: that is off by 2**64
        near = np.abs(compute(left.astype(np.float64), right.astype(np.float64)) - result) < float(INT)
        refuse(result, missing | (near & (result != NAT)), lambda value: BEYOND)
        return result

    def of_one(left: int, right: int) -> int:
        if NAT in (left, right):
            return NAT
        result: int = compute(left, right)
        if not -INT < result < INT:
            raise InputError(BEYOND)
        return result

    return of_columns, of_one


def _operation_of_two(
    name: str, takes: tuple[str, str], gives: str, doc: str, compute: Callable[[Any, Any], Any]
) -> None:
    of_columns, of_one = _exact(compute)
    parameters = ("value", takes[1]) if takes[0] != takes[1] and takes[1] == "duration" else ()
    operation(
        name,
        takes,
        gives,
        doc=doc,
        parameters=parameters or (("duration", "factor") if takes[1] == "int64" else ()),
        abs_max=lambda settings, maxima: float(INT) if all(map(math.isfinite, maxima)) else math.inf,
        column=lambda settings: of_columns,
        row=lambda settings: of_one,
    )


_operation_of_two(
    "subtract_dates", ("datetime", "datetime"), "duration", "The time from `right` to `left`.", lambda a, b: a - b
)
_operation_of_two(
    "add_duration", ("datetime", "duration"), "datetime", "The date a duration later.", lambda a, b: a + b
)
_operation_of_two(
    "subtract_duration", ("datetime", "duration"), "datetime", "The date a duration earlier.", lambda a, b: a - b
)
_operation_of_two("add_durations", _DURATIONS, "duration", "The sum of two durations.", lambda a, b: a + b)
_operation_of_two("subtract_durations", _DURATIONS, "duration", "`left` less `right`.", lambda a, b: a - b)
_operation_of_two(
    "scale_duration", ("duration", "int64"), "duration", "A duration times an integer.", lambda a, b: a * b
)


def _compare(name: str, doc: str, column: Callable[[Any, Any], Any]) -> None:
    """Register a comparison that is False where one of two dates or durations is missing."""

    def of_columns(left: Any, right: Any) -> Any:
        left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
        return column(left, right) & ~_is_missing(left, right)

    def of_one(left: int, right: int) -> bool:
        return bool(NAT not in (left, right) and column(left, right))

    operation(
        name,
        _MOMENTS,
        "bool",
        doc=doc,
        column=lambda settings: of_columns,
        row=lambda settings: of_one,
        abs_max=lambda settings, maxima: 1.0,
    )


_compare("date_less", "Whether `left < right`, of dates or durations; False where one is missing.", lambda a, b: a < b)
_compare(
    "date_less_equal",
    "Whether `left <= right`, of dates or durations; False where one is missing.",
    lambda a, b: a <= b,
)
_compare("date_equal", "Whether two dates or durations are equal; False where one is missing.", lambda a, b: a == b)


# NAT is the smallest integer: NumPy's negative and absolute value of it are NAT again
operation(
    "negate_duration",
    ("duration",),
    "duration",
    doc="The duration with the other sign.",
    column=lambda settings: lambda value: np.negative(np.asarray(value, dtype=np.int64)),
    row=lambda settings: lambda value: NAT if value == NAT else -value,
)
operation(
    "absolute_duration",
    ("duration",),
    "duration",
    doc="The duration without its sign.",
    column=lambda settings: lambda value: np.abs(np.asarray(value, dtype=np.int64)),
    row=lambda settings: lambda value: NAT if value == NAT else abs(value),
)


def _quotients(left: Any, right: Any) -> Any:
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    quotients = left.astype(np.float64) / right.astype(np.float64)
    return np.where(_is_missing(left, right), np.nan, quotients)


def _quotient(left: int, right: int) -> float:
    return math.nan if NAT in (left, right) else divide(float(left), float(right))


operation(
    "divide_durations",
    _DURATIONS,
    "float64",
    doc="The quotient of two durations; NaN where one is missing, by zero as `divide`.",
    column=lambda settings: _quotients,
    row=lambda settings: _quotient,
)


def _whole_quotients(left: Any, right: Any) -> Any:
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    return np.where(_is_missing(left, right), np.nan, (left // right).astype(np.float64))


def _whole_quotient(left: int, right: int) -> float:
    if NAT in (left, right):
        return math.nan
    return float(left // right) if right else 0.0


operation(
    "floor_divide_durations",
    _DURATIONS,
    "float64",
    doc="The quotient of two durations, rounded down; NaN where one is missing, by zero 0, as pandas.",
    column=lambda settings: _whole_quotients,
    row=lambda settings: _whole_quotient,
)


def _remainders(left: Any, right: Any) -> Any:
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    return np.where(_is_missing(left, right), NAT, np.where(right == 0, left, left % right))


def _remainder(left: int, right: int) -> int:
    if NAT in (left, right):
        return NAT
    return left % right if right else left


operation(
    "remainder_durations",
    _DURATIONS,
    "duration",
    doc="The remainder of two durations with the divisor's sign; for divisor 0 `left`, as pandas.",
    column=lambda settings: _remainders,
    row=lambda settings: _remainder,
)

_PARTS: dict[str, Callable[[Any], Any]] = {
    "days": lambda value: value // DAY,
    "seconds": lambda value: value % DAY // SECOND,
    "microseconds": lambda value: value % SECOND,
}


def _bind_part(settings: dict[str, Any]) -> Callable[[Any], Any]:
    part = _PARTS[settings["part"]]

    def parts(value: Any) -> Any:
        value = np.asarray(value, dtype=np.int64)
        return np.where(value == NAT, np.nan, part(value).astype(np.float64))

    return parts


def _bind_part_row(settings: dict[str, Any]) -> Callable[[int], float]:
    part = _PARTS[settings["part"]]
    return lambda value: math.nan if value == NAT else float(part(value))


operation(
    "duration_part",
    ("duration",),
    "float64",
    doc="A part of a duration as in datetime.timedelta: of -1 second, -1 days and 86399 seconds; missing is NaN.",
    settings={"part": one_of(tuple(_PARTS))},
    column=_bind_part,
    row=_bind_part_row,
)


def _seconds(value: Any) -> Any:
    value = np.asarray(value, dtype=np.int64)
    missing = value == NAT
    refuse(value, missing | (np.abs(value) <= _LONGEST), lambda duration: _LONG)
    return np.where(missing, np.nan, value // SECOND + (value % SECOND) / float(SECOND))


def _seconds_of_one(value: int) -> float:
    if value == NAT:
        return math.nan
    if abs(value) > _LONGEST:
        raise InputError(_LONG)
    return value // SECOND + value % SECOND / float(SECOND)


# As pandas: whole seconds, rounded down, plus the rest, so that -1 microsecond is -1 + 0.999999. Source:
# pandas/core/arrays/timedeltas.py, total_seconds.
operation(
    "duration_seconds",
    ("duration",),
    "float64",
    doc="The duration in seconds, as pandas' total_seconds in every unit; missing is NaN.",
    column=lambda settings: _seconds,
    row=lambda settings: _seconds_of_one,
)
