"""Operators of dates and durations, and the constants used with them: dates as text, offsets, Timedelta."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import constant
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import refuse

TIMES = {"datetime", "duration"}
_FIXED = {"weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds"}
"""Parts of a DateOffset that are always equally long."""


def operate_times(call: Call, name: str, left: Value, right: Value) -> Value:
    """An operator of which at least one side is a date or a duration."""
    build = call.build
    left, right = _as_time(call, left, right), _as_time(call, right, left)
    pair = (left.kind, right.kind)
    if name in _COMPARISONS:
        if left.kind != right.kind:  # the library raises an error for the others
            return build.value(name == "ne")
        return _COMPARISONS[name](build, left, right)
    write = _OPERATIONS.get((name, *pair))
    if write is None:
        refuse(
            f"the operator `{name}` of {left.kind} and {right.kind}",
            "the recorder has no exact rule for it",
            "turn durations into numbers with .dt.total_seconds(), or into days by dividing by pd.Timedelta(days=1)",
        )
    return write(build, left, right)


def _as_time(call: Call, value: Value, other: Value) -> Value:
    """Text beside a date or duration, as pandas reads it; others as they are."""
    node = call.build.nodes[value.node]
    if value.kind != "str" or node.operation != "constant" or other.kind not in TIMES:
        return value
    kind = pd.Timestamp if other.kind == "datetime" else pd.Timedelta
    try:
        read = kind(node.settings["value"])
    except ValueError:
        return value
    if getattr(read, "tzinfo", None) is not None:
        return value
    return constant(call.build, whole_microseconds(read))


_COMPARISONS: dict[str, Callable[[Builder, Value, Value], Value]] = {
    "eq": lambda build, left, right: build.date_equal(left, right),
    "ne": lambda build, left, right: build.logical_not(build.date_equal(left, right)),
    "lt": lambda build, left, right: build.date_less(left, right),
    "le": lambda build, left, right: build.date_less_equal(left, right),
    "gt": lambda build, left, right: build.date_less(right, left),
    "ge": lambda build, left, right: build.date_less_equal(right, left),
}
_OPERATIONS: dict[tuple[str, str, str], Callable[[Builder, Value, Value], Value]] = {
    ("sub", "datetime", "datetime"): lambda build, left, right: build.subtract_dates(left, right),
    ("add", "datetime", "duration"): lambda build, left, right: build.add_duration(left, right),
    ("add", "duration", "datetime"): lambda build, left, right: build.add_duration(right, left),
    ("sub", "datetime", "duration"): lambda build, left, right: build.subtract_duration(left, right),
    ("add", "duration", "duration"): lambda build, left, right: build.add_durations(left, right),
    ("sub", "duration", "duration"): lambda build, left, right: build.subtract_durations(left, right),
    ("truediv", "duration", "duration"): lambda build, left, right: build.divide_durations(left, right),
    ("floordiv", "duration", "duration"): lambda build, left, right: build.floor_divide_durations(left, right),
    ("mod", "duration", "duration"): lambda build, left, right: build.remainder_durations(left, right),
    ("mul", "duration", "int64"): lambda build, left, right: build.scale_duration(left, right),
    ("mul", "int64", "duration"): lambda build, left, right: build.scale_duration(right, left),
}


def plain_operand(value: Any) -> Any:
    """The other side of an operator as a constant that means the same to the plan.

    A `date` equals no date of a datetime column, and a DateOffset of fixed length is a Timedelta.
    """
    if type(value) is date:
        return pd.NaT
    if isinstance(value, pd.offsets.BaseOffset):
        return _fixed_offset(value)
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return whole_microseconds(value)
    return value


def _fixed_offset(offset: Any) -> pd.Timedelta:
    if isinstance(offset, pd.offsets.Tick):
        return pd.Timedelta(whole_microseconds(pd.Timedelta(offset)))
    if type(offset) is pd.offsets.Day:
        return pd.Timedelta(days=offset.n)
    fixed = type(offset) is pd.DateOffset and offset.kwds and set(offset.kwds) <= _FIXED
    if fixed and not getattr(offset, "normalize", False):
        return pd.Timedelta(**{name: count * offset.n for name, count in offset.kwds.items()})
    return refuse(
        f"the offset {offset!r}",
        "its length depends on the date, and the recorder has no rule for it",
        "add a pd.Timedelta, or compute it before the pipeline",
    )


def whole_microseconds(value: Any) -> Any:
    """A Timestamp or Timedelta; one with a part of a microsecond is refused."""
    if value is not pd.NaT and (value.nanoseconds if isinstance(value, pd.Timedelta) else value.nanosecond):
        refuse(f"{value!r}", "a plan counts microseconds", "round it with .round('us')")
    return value
