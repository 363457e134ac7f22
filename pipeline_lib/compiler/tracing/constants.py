"""Constants of own code as values of a plan: Python, NumPy and pandas scalars, and missing ones."""

import math
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.refusals import refuse


def is_missing(value: Any) -> bool:
    """Whether a scalar is missing to pandas: None, NaN, NaT, pd.NA."""
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def constant(build: Builder, value: Any) -> Value:
    """A scalar as a value of the plan. Raises InputError for what is none."""
    import pandas as pd

    if isinstance(value, pd.Timestamp | np.datetime64):
        return build.date(pd.Timestamp(value).to_pydatetime())
    if isinstance(value, pd.Timedelta | np.timedelta64):
        return build.duration(_microseconds(pd.Timedelta(value)))
    if type(value).__module__ == "datetime":
        if type(value).__name__ in ("datetime", "date"):
            return build.date(pd.Timestamp(value).to_pydatetime())
        if type(value).__name__ == "timedelta":
            return build.duration(_microseconds(pd.Timedelta(value)))
    if is_missing(value):
        return build.value(math.nan)
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, bool | int | float | str):
        if reason := getattr(type(value), "_no_value", None):
            refuse(*reason)
        refuse(f"{type(value).__name__} as a value", "a plan holds numbers, bools, text and dates", "give one of them")
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        refuse(f"the integer {value}", "it is beyond 64 bits", "write it as a float")
    return build.value(value)


def missing(build: Builder, dtype: str) -> Value:
    """A missing value of a dtype of the plan; of integers and bools as float64."""
    return build.missing(dtype) if dtype in ("str", "datetime", "duration") else build.value(math.nan)


def _microseconds(duration: Any) -> int:
    whole = duration.value // 1000 if duration.unit == "ns" else int(duration / np.timedelta64(1, "us"))
    return int(whole)
