"""Statistics of a row that a function gets: `row[["a", "b"]].sum()`, `row.isna().sum()`, `(row > 0).any()`."""

import math
from typing import Any

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.frames.row_statistics import Numbers
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import PLAN
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.rows.frames import make_row, recorded_value
from pipeline_lib.compiler.tracing.rows.values import make_value


@rule("row", "isna", "isnull", raw=True)
def isna(call: Call) -> Any:
    """Which values are missing."""
    return _missing(call, negated=False)


@rule("row", "notna", "notnull", raw=True)
def notna(call: Call) -> Any:
    """Which values are not missing."""
    return _missing(call, negated=True)


def _missing(call: Call, *, negated: bool) -> Any:
    build, result = call.build, {}
    for label, each in call.owner._items.items():
        value = recorded_value(call.recording, each)._values[0].missing()
        result[label] = make_value(call.recording, build.logical_not(value) if negated else value, "numpy")
    return make_row(call.recording, result, "bool")


def _numbers(call: Call, skipna: Any) -> Numbers:
    values = [recorded_value(call.recording, each)._values[0] for each in call.owner._items.values()]
    if not values or any(value.kind not in ("int64", "float64", "bool") for value in values):
        call.stop(f"{call.name} of values that are no numbers", "the recorder has no rule for it", "choose columns")
    return Numbers(call.build, values, bool(skipna))


def _result(call: Call, value: Value, *, mean: bool = False) -> Any:
    python = call.owner._dtype == "object" and not mean
    return make_value(call.recording, value, "python" if python else "numpy")


@rule("row", "sum", raw=True)
def total(call: Call, skipna: bool = True) -> Any:
    """The sum of the numbers that are present."""
    numbers = _numbers(call, skipna)
    if numbers.floats():
        return _result(call, numbers.total(numbers.filled(0.0)))
    python = call.owner._dtype == "object"
    values = [make_value(call.recording, each, "python" if python else "numpy") for each in numbers.integers()]
    result: Any = values[0]
    for value in values[1:]:
        result = result + value
    return result


@rule("row", "mean", raw=True)
def mean(call: Call, skipna: bool = True) -> Any:
    """The mean of the numbers that are present."""
    numbers = _numbers(call, skipna)
    return _result(call, numbers.total(numbers.filled(0.0)) / call.build.number(numbers.count()), mean=True)


@rule("row", "max", "min", raw=True)
def extreme(call: Call, skipna: bool = True) -> Any:
    """The largest or smallest of the numbers that are present."""
    numbers, build = _numbers(call, skipna), call.build
    if numbers.kinds() == {"bool"} or not skipna:
        call.stop(f"{call.name} of these values", "the recorder has no rule for it", PLAN)
    values = numbers.filled(math.nan) if numbers.floats() else numbers.integers()
    best = values[0]
    for value in values[1:]:
        better = value >= best if call.name.endswith("max") else value <= best  # of 0.0 and -0.0 the last one
        best = build.where(build.logical_or(best.missing(), better), value, best)
    return _result(call, best)


@rule("row", "any", "all", raw=True)
def truth(call: Call) -> Any:
    """Whether any, or every, value of conditions is true."""
    values = [recorded_value(call.recording, each)._values[0] for each in call.owner._items.values()]
    if not values or any(value.kind != "bool" for value in values):
        call.stop(f"{call.name} of values that are no conditions", "the recorder has no rule for it", "compare first")
    result = values[0]
    for value in values[1:]:
        result = result | value if call.name.endswith("any") else result & value
    return _result(call, result)
