"""Methods of a Series that work value by value: operators by name, missing values, conditions, bounds, rounding."""

import math
from typing import Any

import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.bounds import EXACT
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.frames.assignment import choose
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.series.arithmetic import magnitude
from pipeline_lib.compiler.tracing.series.dtype_rules import (
    check_operands,
    dtypes_of,
    has_fixed_categories,
    has_integers,
    is_object,
    refuse_overflow,
)
from pipeline_lib.compiler.tracing.series.operators import binary, rows_of
from pipeline_lib.compiler.tracing.series.series import method, operate_series, operate_values
from pipeline_lib.compiler.tracing.series.times import plain_operand

_OPERATORS = {
    "add": "add",
    "sub": "sub",
    "subtract": "sub",
    "mul": "mul",
    "multiply": "mul",
    "pow": "pow",
    "mod": "mod",
    "div": "truediv",
    "divide": "truediv",
    "truediv": "truediv",
    "floordiv": "floordiv",
    **{name: name for name in ("eq", "ne", "lt", "le", "gt", "ge")},
}
_SWAPPED = {
    "radd": "add",
    "rsub": "sub",
    "rmul": "mul",
    "rpow": "pow",
    "rmod": "mod",
    "rdiv": "truediv",
    "rtruediv": "truediv",
    "rfloordiv": "floordiv",
}
_NUMBERS = {"int64", "float64"}


def _operator_method(name: str, operator: str, *, swapped: bool) -> None:
    def method(call: Call, other: Any, level: Any = None, fill_value: Any = None, axis: Any = 0) -> Any:
        owner = call.owner
        if level is not None:
            call.stop(f"{call.name} with level", "the recorder has no rule for it", PLAN)
        if fill_value is None:
            return binary(owner, operator, other, swapped=swapped)

        def write(reals: list[Any]) -> Value:
            return _filled(Call(call.recording, owner, call.name, reals), operator, other, fill_value, swapped=swapped)

        def real(number: int) -> Any:
            return getattr(owner._reals[number], name)(of_shadow(other, number), fill_value=fill_value)

        return call.recording.perform(call.name, real, write, rows_of(owner, other))

    rule("series", name, raw=True)(method)


for _name, _operator in _OPERATORS.items():
    _operator_method(_name, _operator, swapped=False)
for _name, _operator in _SWAPPED.items():
    _operator_method(_name, _operator, swapped=True)


def _filled(call: Call, operator: str, other: Any, fill_value: Any, *, swapped: bool) -> Value:
    """An operator for which a value that is missing on one side only is `fill_value`."""
    build, series, other = call.build, call.owner, plain_operand(other)
    check_operands(operator, (series, other))
    mine, theirs, filler = call.value, call.of(other, rows=series._rows), call.of(fill_value)
    constants = [fill_value, *([other] if is_constant(other) else [])]
    if not {mine.kind, theirs.kind, filler.kind} <= _NUMBERS or any(map(is_missing, constants)):
        call.stop(f"{call.name} with fill_value of other columns than numbers", "the recorder has no rule for it", PLAN)
    alone = (
        build.value(True)
        if is_constant(other)
        else build.logical_not(build.logical_and(mine.missing(), theirs.missing()))
    )

    def filled(value: Value) -> Value:
        if value.kind == "int64":
            return value
        return build.where(build.logical_and(value.missing(), alone), filler, value)

    pair = (filled(mine), theirs if is_constant(other) else filled(theirs))
    return operate_values(series, call, operator, pair, other, swapped=swapped)


@rule("series", "isna", "isnull")
def isna(call: Call) -> Value:
    """Whether a value is missing."""
    return call.value.missing()


@rule("series", "notna", "notnull")
def notna(call: Call) -> Value:
    """Whether a value is present."""
    return call.build.logical_not(call.value.missing())


@rule("series", "between")
def between(call: Call, left: Any, right: Any, inclusive: str = "both") -> Value:
    """Whether a value lies between two others."""
    low = operate_series(call.owner, call, "ge" if inclusive in ("both", "left") else "gt", left, swapped=False)
    high = operate_series(call.owner, call, "le" if inclusive in ("both", "right") else "lt", right, swapped=False)
    return call.build.logical_and(low, high)


def filler(call: Call, value: Any) -> Value:
    """A value that is put into some rows of the column, such as `fillna` does: of the column's own dtype."""
    if isinstance(value, dict) or (not isinstance(value, Recorded) and not is_constant(value)):
        call.stop(
            f"a {type(value).__name__} put into a Series",
            "pandas takes its labels as rows",
            "give a constant or a column",
        )
    kind = call.value.kind
    if kind == "datetime" and isinstance(value, str):
        value = pd.Timestamp(value)
    given = call.of(plain_operand(value))
    both = [call.owner, value] if isinstance(value, Recorded) else [call.owner]
    narrow = any(str(dtype) in ("float32", "float16") for each in both for dtype in dtypes_of(each))
    if narrow and not is_missing(value):
        call.stop("a value put into a float32 column", "pandas rounds it", "cast with astype(float) first")
    if type(value) in (int, float) and EXACT < abs(value) < math.inf and has_integers(call.owner):
        call.stop(f"{value} put into integers", "pandas raises an error or not, by the rows", "write astype(float)")
    if isinstance(value, Recorded) or is_missing(value):
        return given
    if given.kind == "bool" and kind in _NUMBERS and not is_object(call.owner):
        call.stop("a bool put into a column of numbers", "pandas makes Python objects of it", "write 0 or 1")
    return call.build.number(given) if given.kind == "bool" and kind == "float64" else given


@method("fillna")
def fillna(call: Call, value: Any = None, *, axis: Any = None, limit: Any = None) -> Value:
    """The value, another where it is missing."""
    if limit is not None:
        call.stop("fillna with limit", "which rows are filled depends on the batch", "leave it out")
    if call.value.kind in ("int64", "bool"):
        return call.value
    _refuse_categories(call, value)
    return choose(call.build, call.value.missing(), filler(call, value), call.value)


def _refuse_categories(call: Call, value: Any) -> None:
    """Refuse a value put into categories that depend on the batch: where it is none, pandas raises an error."""
    if not is_missing(value) and not has_fixed_categories(call.owner):
        call.stop(
            "a value put into a column of categories",
            "the categories depend on the rows at hand, and pandas refuses others",
            "do it before astype('category')",
        )


@rule("series", "combine_first")
def combine_first(call: Call, other: Any) -> Value:
    """The value, that of another column where it is missing."""
    theirs = filler(call, other)
    mine = call.build.number(call.value) if {call.value.kind, theirs.kind} == _NUMBERS else call.value
    return choose(call.build, mine.missing(), theirs, mine)


def _chosen(call: Call, condition: Any, other: Any, *, keep: bool) -> Value:
    """`where` and `mask`: the value in rows of a condition (`keep`) or of its opposite, another in the other rows."""
    if not isinstance(condition, Recorded):
        call.stop(f"a condition given as {type(condition).__name__}", "it is no column", "compare columns")
    test, mine = call.of(condition), call.value
    if test.kind != "bool":
        call.stop("a condition that is no column of bools", "pandas takes missing values as False", "write column == 1")
    _refuse_categories(call, other)
    theirs = filler(call, other)
    if mine.kind == "bool" and is_missing(other):
        mine = call.build.number(mine)
    return choose(call.build, test, mine, theirs) if keep else choose(call.build, test, theirs, mine)


def _register_choice(name: str, *, keep: bool) -> None:
    def written(call: Call, cond: Any, other: Any = math.nan, *, inplace: bool = False, axis: Any = None) -> Any:
        cond = cond(call.owner) if callable(cond) and not isinstance(cond, Recorded) else cond
        other = other(call.owner) if callable(other) and not isinstance(other, Recorded) else other
        owner = call.owner

        def real(number: int) -> Any:
            return getattr(owner._reals[number], name)(of_shadow(cond, number), of_shadow(other, number))

        def write(reals: list[Any]) -> Value:
            return _chosen(Call(call.recording, owner, call.name, reals), cond, other, keep=keep)

        result = call.recording.perform(call.name, real, write, owner._rows)
        if not inplace:
            return result
        owner._replace(result)
        return owner

    rule("series", name, raw=True)(written)


_register_choice("where", keep=True)
_register_choice("mask", keep=False)


@method("clip")
def clip(call: Call, lower: Any = None, upper: Any = None, *, axis: Any = None) -> Value:
    """The value, at least `lower` and at most `upper`; a missing bound is none."""
    value = call.value
    if value.kind not in (*_NUMBERS, "datetime", "duration") or is_object(call.owner):
        call.stop(f"clip of a column of {value.kind}", "the recorder has no rule for it", "cast it with astype(float)")
    bounds = [None if is_constant(each) and is_missing(each) else each for each in (lower, upper)]
    scalars = all(each is not None and is_constant(each) for each in bounds)
    if scalars:
        bounds = [min(lower, upper), max(lower, upper)]
    for bound, name, endless in ((bounds[0], "ge", -math.inf), (bounds[1], "le", math.inf)):
        if bound is not None and not (is_constant(bound) and bound == endless):
            # pandas compares the value itself with a column of bounds, not the result of the lower one
            tested = value if is_constant(bound) else call.value
            value = _bounded(call, value, tested, bound, name)
    return value


def _bounded(call: Call, value: Value, tested: Value, bound: Any, name: str) -> Value:
    build, kind = call.build, call.value.kind
    if kind == "int64" and isinstance(bound, float) and bound.is_integer() and abs(bound) < 2**53:
        bound = int(bound)
    limit = filler(call, bound)
    if limit.kind != kind and {limit.kind, kind} != _NUMBERS:
        call.stop(
            f"clip of a column of {kind} with {limit.kind}", "the recorder has no rule for it", "cast one of them"
        )
    inside = tested >= limit if name == "ge" else tested <= limit
    kept = build.logical_or(inside, build.logical_or(tested.missing(), limit.missing()))
    return build.where(kept, value, limit)


@rule("series", "abs")
def absolute(call: Call) -> Value:
    """The absolute value."""
    if is_object(call.owner):
        refuse("abs of a column of Python objects", "the recorder has no rule for it", "cast it with astype(float)")
    result = magnitude(call.build, call.value)
    refuse_overflow(call.recording, "abs", dtypes_of(call.owner), result)
    return result


@rule("series", "round")
def round_series(call: Call, decimals: Any = 0) -> Value:
    """The number rounded to some decimals, halves to even as NumPy does it."""
    dtypes = set(map(str, dtypes_of(call.owner)))
    if call.value.kind == "bool" or (call.value.kind == "int64" and decimals >= 0):
        return call.value
    if call.value.kind != "float64" or dtypes & {"float32", "float16", "object"}:
        call.stop(
            f"round of a column of {'/'.join(sorted(dtypes))}",
            "the recorder has no rule for it",
            "cast with astype(float)",
        )
    if dtypes != {"float64"} and decimals < 0:
        call.stop("round(-1) of integers", "the recorder has no rule for it", "cast with astype(float) first")
    return call.build.round_decimals(call.value, decimals=int(decimals))
