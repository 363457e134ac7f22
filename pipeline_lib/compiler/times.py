"""Dates and durations while a plan is written: constants as microseconds, and the operation of an operator.

>>> microseconds("2020-01-01", "datetime"), microseconds(timedelta(seconds=1), "duration")
(1577836800000000, 1000000)
"""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.errors import InputError

TIMES = ("datetime", "duration")
_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)  # naive, as raw rows are
_OPERATIONS = {
    ("add", "datetime", "duration"): "add_duration",
    ("add", "duration", "duration"): "add_durations",
    ("subtract", "datetime", "datetime"): "subtract_dates",
    ("subtract", "datetime", "duration"): "subtract_duration",
    ("subtract", "duration", "duration"): "subtract_durations",
    ("multiply", "duration", "int64"): "scale_duration",
    ("divide", "duration", "duration"): "divide_durations",
    ("floor_divide", "duration", "duration"): "floor_divide_durations",
    ("remainder", "duration", "duration"): "remainder_durations",
}
_OPERATIONS |= {(name, kind, kind): f"date_{name}" for name in ("less", "less_equal", "equal") for kind in TIMES}
_COMMUTATIVE = ("add", "multiply")


def operation_of(operator: str, left: str, right: str) -> tuple[str, bool]:
    """The operation that an operator writes for two kinds, and whether its inputs are swapped.

    One kind at least is that of a date or duration. Raises InputError where there is no such operation.
    """
    name = _OPERATIONS.get((operator, left, right))
    if name is not None:
        return name, False
    swapped = _OPERATIONS.get((operator, right, left)) if operator in _COMMUTATIVE else None
    if swapped is None:
        raise InputError(
            f"{operator}: found a {left} and a {right}, expected two dates, two durations, or a date and a duration; "
            "convert one of them, as with build.date, build.duration, build.duration_seconds"
        )
    return swapped, True


def is_time(value: object) -> bool:
    """Whether a constant is a date or a duration of Python, NumPy or pandas."""
    return isinstance(value, date | timedelta | np.datetime64 | np.timedelta64)


def dtype_of(value: object) -> str:
    """The dtype of a constant for which `is_time` holds."""
    return "duration" if isinstance(value, timedelta | np.timedelta64) else "datetime"


def microseconds(value: Any, dtype: str) -> int:
    """A date or duration as int64 microseconds, `NAT` for a missing one. Raises InputError for what is none.

    A date is ISO text, a datetime or date, a NumPy datetime64, microseconds since 1970, or None; a duration is a
    timedelta, a NumPy timedelta64, microseconds, or None.
    """
    if value is None or value != value:
        return NAT
    if dtype == "datetime" and isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, np.datetime64 | np.timedelta64) and dtype_of(value) == dtype:
        return _of_numpy(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    if dtype == "datetime" and isinstance(value, date):
        return _of_date(value)
    if dtype == "duration" and isinstance(value, timedelta):
        _check_nanoseconds(value, "nanoseconds")
        return value // _MICROSECOND
    raise InputError(f"found {type(value).__name__} as a {dtype}, expected {_expected(dtype)}; convert it")


def _expected(dtype: str) -> str:
    return "ISO text, a datetime or microseconds since 1970" if dtype == "datetime" else "a timedelta or microseconds"


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"found {text!r} as a datetime, expected ISO text such as '2020-01-31'; correct it") from None


def _of_date(value: date) -> int:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        raise InputError(
            f"found the date {value} with a time zone, expected one without; bring it to the column's zone"
        )
    _check_nanoseconds(value, "nanosecond")
    return (datetime(*value.timetuple()[:6], value.microsecond) - _EPOCH) // _MICROSECOND


def _check_nanoseconds(value: Any, name: str) -> None:
    if getattr(value, name, 0):
        raise InputError(f"found {value} with nanoseconds, expected whole microseconds; round it")


def _of_numpy(value: Any) -> int:
    kind = "datetime64[us]" if isinstance(value, np.datetime64) else "timedelta64[us]"
    whole = value.astype(kind)
    if whole != value:
        raise InputError(f"found {value} with parts of microseconds, expected whole ones; round it")
    return int(whole.astype(np.int64))
