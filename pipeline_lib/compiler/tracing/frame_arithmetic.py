"""Operators of a DataFrame with a constant, a Series of fitted values by column, a frame, or a column."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arithmetic import operate
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant
from pipeline_lib.compiler.tracing.recording import PLAN
from pipeline_lib.compiler.tracing.refusals import refuse


def operate_frame(frame: Recorded, call: Call, name: str, other: Any, *, swapped: bool) -> list[Value]:
    """The columns of `frame OPERATOR other`."""
    pairs = zip(frame._values, by_column(frame, call, other), strict=True)
    return [operate(call, name, right, left) if swapped else operate(call, name, left, right) for left, right in pairs]


def by_column(frame: Recorded, call: Call, other: Any) -> list[Value]:
    """The other side of an operation with a frame, as one value for each of its columns."""
    columns = list(frame._reals[0].columns)
    if isinstance(other, Recorded):
        same = frame._rows.same(other._rows, by_position=other._kind == "array")
        if other._kind == "frame" and list(other._reals[0].columns) != columns:
            refuse("frames of other columns", "pandas aligns them by name", "select the same columns of both")
        if other._kind == "series" or not same or len(other._values) != len(columns):
            refuse(
                f"a DataFrame and a {other._title} in one operation",
                "pandas aligns them by label",
                "write it column by column, or frame.mul(series, axis=0)",
            )
        return list(other._values)
    if isinstance(other, pd.Series):
        if set(other.index) != set(columns):
            refuse("a Series with other labels than the frame's columns", "pandas adds columns of missing values", PLAN)
        return [call.of(other[column]) for column in columns]
    if isinstance(other, dict):
        refuse("a dict and a DataFrame in one operation", "the recorder has no rule for it", PLAN)
    if is_constant(other):
        return [call.of(other)] * len(columns)
    if np.shape(other) != (len(columns),):
        refuse(f"values of shape {np.shape(other)} and a DataFrame", "the recorder has no rule for it", PLAN)
    return [call.of(each) for each in other]
