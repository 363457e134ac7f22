"""Constants of a plan: Python and NumPy scalars, dates and durations, as a value and dtype of the plan."""

import math
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.lookups import EMPTY
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiler.times import TIMES, dtype_of, is_time, microseconds
from pipeline_lib.errors import InputError

_DTYPES = {bool: "bool", int: "int64", float: "float64", str: "str"}


def constant(value: Any) -> tuple[Any, str]:
    """A scalar as the plan holds it, with its dtype; times are microseconds. Raises InputError for other values."""
    if is_time(value):
        dtype = dtype_of(value)
        return microseconds(value, dtype), dtype
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, bool | int | float | str):
        raise InputError(
            f"found {type(value).__name__} as a constant, expected a number, bool, text, datetime or timedelta; "
            "give one of them"
        )
    return value, _DTYPES[type(value)]


def missing_constant(dtype: str) -> Any:
    """The missing value of a dtype. Raises InputError for one that has none."""
    if dtype not in EMPTY:
        raise InputError(f"found a missing value of {dtype}, expected one of {', '.join(EMPTY)}; convert it first")
    return EMPTY[dtype]


def abs_max_of(value: Any, dtype: str) -> float:
    """The magnitude of a constant, 0 of text; infinite for a missing or infinite one."""
    if dtype == "str":
        return math.inf if value is None else 0.0
    present = math.isfinite(value) and not (dtype in TIMES and value == NAT)
    return abs(float(value)) if present else math.inf
