"""Operators of a DataFrame and their methods (`add`, `div`, `gt`, ...), column by column, as of a Series.

The other side is a constant, fitted values by column (Series, list, array), a frame of the same columns, an array, or,
with `axis=0`, a column of the same rows.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.frames.structure import column, column_call
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.series.operators import rows_of

ROWWISE = (0, "index", "rows")


def operate_frame(frame: Recorded, call: Call, name: str, other: Any, *, swapped: bool, axis: Any = 1) -> list[Value]:
    """The columns of `frame OPERATOR other`, in the order of the library's result."""
    others, order = by_column(frame, other, axis), _order(frame, call.reals[0])
    written = []
    for place, index in enumerate(order):
        right = others[index]
        if not recorded_in(right) and not is_constant(right):
            refuse(
                f"a {type(right).__name__} in an operation with a DataFrame", "the recorder has no rule for it", PLAN
            )
        part = column_call(call, index, place)
        written.append(part.owner._operate(part, name, right, swapped=swapped))
    return written


def _order(frame: Recorded, result: Any) -> list[int]:
    """The number in the frame of each column of a result, in which pandas may have sorted them by name."""
    before, after = list(frame._reals[0].columns), list(result.columns)
    if before == after:
        return list(range(len(before)))
    if len(set(before)) < len(before) or set(before) != set(after):
        refuse("labels that are not the frame's columns", "pandas adds columns of missing values", "name them alike")
    return [before.index(label) for label in after]


def by_column(frame: Recorded, other: Any, axis: Any = 1) -> list[Any]:
    """The other side of an operation, as one recorded column or constant for each column of the frame."""
    labels = list(frame._reals[0].columns)
    if isinstance(other, Recorded):
        return _recorded_by_column(frame, other, labels, axis)
    if axis in ROWWISE and not is_constant(other):
        refuse(
            f"a {type(other).__name__} of fitted values by row",
            "production has other rows",
            "give values by column, or a column of the same rows",
        )
    if isinstance(other, pd.Series | dict):
        if set(other.keys()) != set(labels) or len(other) != len(labels):
            refuse(
                "fitted values with other labels than the frame's columns",
                "pandas adds columns of missing values",
                "select the columns first, X[self.columns_], or the values, self.values_[columns]",
            )
        return [other[label] for label in labels]
    if is_constant(other):
        return [other] * len(labels)
    if isinstance(other, pd.DataFrame) or np.shape(other) != (len(labels),):
        refuse(f"values of shape {np.shape(other)} and a DataFrame", "the recorder has no rule for it", PLAN)
    return list(other)


def _recorded_by_column(frame: Recorded, other: Recorded, labels: list[Any], axis: Any) -> list[Any]:
    """A recorded object beside each column of a frame: a frame, an array, or with `axis=0` one column."""
    if not frame._rows.same(other._rows, by_position=other._kind == "array"):
        refuse(
            f"a DataFrame and a {other._title} of other rows or another index in one operation",
            "pandas aligns them by label, and production's labels are others",
            "compute both from the same rows",
        )
    if other._kind == "frame":
        if list(other._reals[0].columns) != labels:
            refuse(
                "frames of other columns in one operation",
                "pandas aligns them by name and makes missing values",
                "name the columns alike, or write .values behind one of them",
            )
        return [column(other, index) for index in range(len(labels))]
    if other._kind == "series":
        if axis not in ROWWISE:
            refuse(
                "a DataFrame and a Series of its rows in one operation",
                "pandas matches the Series' labels with the columns",
                "write frame.mul(series, axis=0), or the same for add, sub, div",
            )
        return [other] * len(labels)
    if other._kind == "array" and other._reals[0].ndim == 2 and len(other._values) in (1, len(labels)):
        parts = [column(other, index) for index in range(len(other._values))]
        return parts * (len(labels) // len(parts))
    if other._kind != "array" or other._reals[0].ndim != 1 or axis not in ROWWISE:
        refuse(f"a DataFrame and a {other._title} in one operation", "pandas matches it with the columns", PLAN)
    return [other] * len(labels)


_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_METHODS = dict.fromkeys(("div", "divide", "truediv"), "truediv") | {
    **{name: name for name in ("add", "sub", "mul", "pow", "mod", "floordiv", *_COMPARISONS)},
    "subtract": "sub",
    "multiply": "mul",
}
_SWAPPED = dict.fromkeys(("rdiv", "rtruediv"), "truediv") | {
    f"r{name}": name for name in ("add", "sub", "mul", "pow", "mod", "floordiv")
}


def _method(method: str, name: str, *, swapped: bool) -> None:
    def operator_method(call: Call, other: Any, axis: Any = "columns", fill_value: Any = None) -> Any:
        frame: Recorded = call.owner

        def real(number: int) -> Any:
            options = {} if fill_value is None else {"fill_value": fill_value}
            return getattr(frame._reals[number], method)(of_shadow(other, number), axis=axis, **options)

        def write(reals: list[Any]) -> list[Value]:
            call.reals = reals
            if fill_value is None:
                return operate_frame(frame, call, name, other, swapped=swapped, axis=axis)
            return _filled(frame, call, name, other, swapped, fill_value)

        return call.recording.perform(call.name, real, write, rows_of(frame, other))

    def comparison(call: Call, other: Any, axis: Any = "columns") -> Any:
        return operator_method(call, other, axis)

    rule("frame", method, raw=True)(comparison if name in _COMPARISONS else operator_method)


for _name, _operator in _METHODS.items():
    _method(_name, _operator, swapped=False)
for _name, _operator in _SWAPPED.items():
    _method(_name, _operator, swapped=True)


def _filled(frame: Recorded, call: Call, name: str, other: Any, swapped: bool, filler: Any) -> list[Value]:
    """An operation in which a missing value counts as another, unless both sides are missing."""
    build = call.build
    others = by_column(frame, other, 1)
    if not isinstance(other, Recorded) or other._kind != "frame":
        refuse(f"{call.name} with fill_value and no frame", "the recorder has no rule for it", "write fillna before it")
    written = []
    for index, right in enumerate(others):
        part = column_call(call, index)
        left = part.owner
        both = build.logical_and(left._values[0].missing(), right._values[0].missing())
        for each in (left, right):
            each._values[0] = build.fill(each._values[0], call.of(filler))
        value = left._operate(part, name, right, swapped=swapped)
        written.append(build.where(both, math.nan, value) if value.kind == "float64" else value)
    return written
