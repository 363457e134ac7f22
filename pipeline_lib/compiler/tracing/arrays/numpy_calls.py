"""NumPy's functions on whole columns: `np.where`, `np.select`, `np.clip`, `np.isin`, `np.digitize`, `np.interp`."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.dtypes import kind_of, moved
from pipeline_lib.compiler.tracing.arrays.elementwise import apply, is_object
from pipeline_lib.compiler.tracing.arrays.numpy_functions import extreme, truth
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.frames.assignment import choose
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, rule

_EXACT = 2.0**53  # up to here a float64 holds every integer
_MATCH = ("it looks at all rows", "learn it in `fit`")


@function("numpy.where", raw=True)
def where(call: Call, condition: Any, *branches: Any) -> Any:
    """The first value where the condition holds, else the second one, as an array."""
    if len(branches) != 2:
        refuse(
            "np.where with a condition alone",
            "which rows meet it depends on the batch",
            "write np.where(condition, then, other), or X[condition]",
        )
    then, other = branches
    if not isinstance(condition, Recorded):
        refuse("np.where with a condition that is no column", "it has other rows", "write `a if condition else b`")
    if is_object(condition) and any(value.kind != "bool" for value in condition._values):
        refuse("np.where with a condition of objects", "None is false, and NaN is true", "cast it with astype(bool)")

    def formula(build: Builder, test: Value, first: Value, second: Value) -> Value:
        return choose(build, truth(build, test), *promoted(build, first, second))

    return apply(
        call, np.where, [condition, then, other], formula, by_label=False, objects=True, finish=_of_parts((then, other))
    )


def promoted(build: Builder, *values: Value) -> list[Value]:
    """Numbers and bools in one dtype, as NumPy promotes them; other values as they are."""
    kinds = {value.kind for value in values}
    if len(kinds) == 1 or not kinds <= {"bool", "int64", "float64"}:
        return list(values)
    return [build.number(value) if "float64" in kinds else build.integer(value) for value in values]


def _of_parts(parts: Sequence[Any]) -> Callable[[Call, Value, Any], Value]:
    """How a value that is chosen among others is put into the result."""

    def finish(call: Call, value: Value, dtype: Any) -> Value:
        if kind_of(dtype) == "U":
            for part in parts:
                text = isinstance(part, str) or (isinstance(part, Recorded) and kind_of(part._reals[0].dtype) == "U")
                if not text:
                    found = "a missing value" if not isinstance(part, Recorded) and is_missing(part) else repr(part)
                    refuse(
                        f"{call.name} of text and {found}",
                        "NumPy makes text of all of it, such as 'nan'",
                        "give text on both sides, or use X['a'].where(condition, other)",
                    )
        return moved(call, value, dtype)

    return finish


@function("numpy.select", raw=True)
def select(call: Call, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The value of the first condition that holds."""
    count = len(condlist)
    if count != len(choicelist):
        refuse(f"np.select of {count} conditions and {len(choicelist)} values", "each needs one", "correct the lists")

    def real(*args: Any) -> Any:
        return np.select(list(args[:count]), list(args[count:-1]), args[-1])

    def formula(build: Builder, *values: Value) -> Value:
        conditions, choices = values[:count], promoted(build, *values[count:])
        result = choices[-1]
        for condition, choice in zip(reversed(conditions), reversed(choices[:-1]), strict=True):
            result = choose(build, condition, choice, result)
        return result

    return apply(
        call,
        real,
        [*condlist, *choicelist, default],
        formula,
        by_label=False,
        objects=True,
        finish=_of_parts([*choicelist, default]),
    )


@function("numpy.clip", raw=True)
def clip(call: Call, a: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Any:
    """The number, at least the first bound and at most the second one; None leaves a side open."""
    low, high = options.pop("min", a_min), options.pop("max", a_max)
    if any(value is not None for value in options.values()):
        refuse(f"np.clip with {', '.join(options)}", "it sets values in place", "assign the result")
    if isinstance(a, Recorded) and a._kind in ("series", "frame"):
        return a.clip(low, high)
    return clipped(call, a, low, high)


def clipped(call: Call, a: Any, low: Any, high: Any) -> Any:
    """np.clip of an array."""
    bounds = [(bound, largest) for bound, largest in ((low, True), (high, False)) if bound is not None]
    given = [low is not None, high is not None]
    last = not (all(given) and is_constant(low) and is_constant(high))  # NumPy has a loop of its own for two constants

    def real(array: Any, *ends: Any) -> Any:
        ends = iter(ends)  # type: ignore[assignment]
        return np.clip(array, *(next(ends) if each else None for each in given))  # type: ignore[call-overload]

    def formula(build: Builder, value: Value, *ends: Value) -> Value:
        for end, (_, largest) in zip(ends, bounds, strict=True):
            value = extreme(largest=largest, keep_missing=True, last=last)(build, value, end)
        return value

    return apply(call, real, [a, *(bound for bound, _ in bounds)], formula)


@rule("array", "clip", raw=True)
def clip_method(call: Call, min: Any = None, max: Any = None, out: Any = None) -> Any:
    """The number, at least the first bound and at most the second one."""
    if out is not None:
        refuse("clip with out", "it sets values in place", "assign the result")
    return clipped(call, call.owner, min, max)


@rule("array", "round", raw=True)
def round_method(call: Call, decimals: Any = 0, out: Any = None) -> Any:
    """The number rounded to some decimals."""
    if out is not None:
        refuse("round with out", "it sets values in place", "assign the result")
    return rounded(call, call.owner, decimals)


@function("numpy.round", "numpy.around", raw=True)
def round_(call: Call, a: Any, decimals: Any = 0, out: Any = None) -> Any:
    """The number rounded to some decimals."""
    if out is not None:
        refuse("np.round with out", "it sets values in place", "assign the result")
    if isinstance(a, Recorded) and a._kind in ("series", "frame"):
        return a.round(decimals)
    return rounded(call, a, decimals)


def rounded(call: Call, a: Any, decimals: Any) -> Any:
    """np.round of an array."""

    def formula(build: Builder, value: Value) -> Value:
        if value.kind == "int64" and decimals >= 0:
            return value
        if value.kind != "float64":
            refuse(f"{call.name} of {value.kind} to {decimals} decimals", "the recorder has no rule for it", PLAN)
        return build.rint(value) if decimals == 0 else build.round_decimals(value, decimals=int(decimals))

    return apply(call, lambda array: np.round(array, decimals), [a], formula)


@function("numpy.nan_to_num", raw=True)
def nan_to_num(call: Call, x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """The number, others where it is missing or infinite, as an array."""
    if not copy:
        refuse("np.nan_to_num with copy=False", "it sets values in place", "assign the result")
    largest = float(np.finfo(np.float64).max)

    def formula(build: Builder, value: Value) -> Value:
        if value.kind != "float64":
            return value
        high = build.where(value == math.inf, float(largest if posinf is None else posinf), value)
        low = build.where(value == -math.inf, float(-largest if neginf is None else neginf), high)
        return build.where(value.missing(), float(nan), low)

    return apply(
        call, lambda array: np.nan_to_num(array, nan=nan, posinf=posinf, neginf=neginf), [x], formula, by_label=False
    )


@function("numpy.shape", "numpy.ndim", raw=True)
def shape_or_dimensions(call: Call, a: Any) -> Any:
    """The shape of an array, or how many dimensions it has."""
    return getattr(a, call.name.rsplit(".", 1)[1])
