"""NumPy's statistics of each row: `np.mean(X, axis=1)`, `X.max(axis=1)`, `np.nansum(X, axis=1)`.

A missing value makes a result missing, but for the functions whose names begin with nan. Sums go from left to right,
with an error bound, since NumPy adds in another order where a row has eight or more numbers.
"""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.dtypes import computed, dtype_of, kind_of
from pipeline_lib.compiler.tracing.arrays.numpy_functions import extreme, truth
from pipeline_lib.compiler.tracing.batch import all_rows, any_row
from pipeline_lib.compiler.tracing.frames.row_reductions import FIT, Numbers
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, refuse
from pipeline_lib.compiler.tracing.registry import function, rule
from pipeline_lib.compiler.tracing.rows.values import make_value

_GUARDS = {"any": any_row, "all": all_rows, "sum": any_row, "count_nonzero": any_row}
_OF_PANDAS = ("sum", "prod", "mean", "std", "var", "min", "max", "any", "all", "amin", "amax")
"""Functions for which NumPy calls the method of a Series or DataFrame."""


def _sum(numbers: Numbers) -> Value:
    if not numbers.floats():
        return reduce(lambda total, value: total + value, numbers.integers())
    return numbers.total(numbers.filled(0.0))


def _product(numbers: Numbers) -> Value:
    values = numbers.filled(1.0) if numbers.floats() else numbers.integers()
    product = reduce(lambda total, value: total * value, values)
    # two orders of factors differ by at most n - 1 roundings each
    return numbers.build.allow_ulps(product, 2.0 * (len(values) - 1)) if numbers.floats() else product


def _mean(numbers: Numbers) -> Value:
    total = numbers.total(numbers.filled(0.0))
    return total / (numbers.build.number(numbers.count()) if numbers.skipna else float(len(numbers.values)))


def _variance(numbers: Numbers, ddof: int) -> Value:
    build, mean = numbers.build, _mean(numbers)
    squares = [(value - mean) * (value - mean) for value in numbers.filled(0.0)]
    if not numbers.skipna:
        return numbers.total(squares) / float(len(squares) - ddof)
    pairs = zip(numbers.values, squares, strict=True)
    total = numbers.total([build.where(value.missing(), 0.0, square) for value, square in pairs])
    count = numbers.count()
    return build.where(count > ddof, total / build.number(count - ddof), math.nan)


def _median(numbers: Numbers) -> Value:
    build = numbers.build
    middle = build.median(*(build.number(value) for value in numbers.values), plain=not numbers.skipna)
    return middle + 0.0  # a mean of the middle, so that it is never -0.0


def _folded(numbers: Numbers, *, largest: bool) -> Value:
    formula = extreme(largest=largest, keep_missing=not numbers.skipna, last=not numbers.skipna)
    return reduce(lambda best, value: formula(numbers.build, best, value), numbers.values)


def _index(numbers: Numbers, *, largest: bool) -> Value:
    """The index of the largest or smallest number, the first of equal ones; the first missing one is it."""
    build = numbers.build
    values = numbers.filled(math.nan) if numbers.floats() else numbers.integers()
    best, at = values[0], build.value(0)
    for index, value in enumerate(values[1:], 1):
        better = value > best if largest else value < best
        better = ~best.missing() & (value.missing() | better)
        best, at = build.where(better, value, best), build.where(better, index, at)
    return at


def _count(numbers: Numbers) -> Value:
    build = numbers.build
    return reduce(lambda total, value: total + value, [build.integer(truth(build, value)) for value in numbers.values])


_STATISTICS: dict[str, Callable[[Numbers], Value]] = {
    "sum": _sum,
    "prod": _product,
    "mean": _mean,
    "median": _median,
    "min": lambda numbers: _folded(numbers, largest=False),
    "max": lambda numbers: _folded(numbers, largest=True),
    "ptp": lambda numbers: _folded(numbers, largest=True) - _folded(numbers, largest=False),
    "any": lambda numbers: reduce(lambda a, b: a | b, [truth(numbers.build, value) for value in numbers.values]),
    "all": lambda numbers: reduce(lambda a, b: a & b, [truth(numbers.build, value) for value in numbers.values]),
    "argmax": lambda numbers: _index(numbers, largest=True),
    "argmin": lambda numbers: _index(numbers, largest=False),
    "count_nonzero": _count,
}
_NAN = ("sum", "prod", "mean", "median", "min", "max")


def statistic(build: Builder, name: str, values: Sequence[Value], ddof: int = 0) -> Value:
    """A statistic of a row's values, by NumPy's name for it."""
    plain = name.removeprefix("nan")
    numbers = Numbers(build, values, skipna=plain != name)
    kinds = numbers.kinds()
    times = kinds & {"datetime", "duration"}
    if "str" in kinds or (times and (len(kinds) > 1 or plain not in ("min", "max"))):
        refuse(f"np.{name} of {' and '.join(sorted(kinds))} columns", "it is for numbers", "select columns of numbers")
    if plain in ("std", "var"):
        if ddof >= len(values):
            refuse(
                f"np.{name} with ddof={ddof} of {len(values)} columns", "it is missing for every row", "leave it out"
            )
        variance = _variance(numbers, ddof)
        return variance if plain == "var" else build.sqrt(variance)
    return _STATISTICS[plain](numbers)


def reduced(call: Call, name: str, a: Any, axis: Any, options: dict[str, Any], function_: Any = None) -> Any:
    """`np.NAME(a, axis, **options)`: a statistic of each row, or a question about the batch.

    `function_` is the library's function, where it is another than `np.NAME`.
    """
    function_ = function_ or getattr(np, name)
    options = {key: value for key, value in options.items() if value is not None}
    ddof = options.get("ddof", 0)
    unknown = sorted(set(options) - {"keepdims", "ddof"})
    if unknown:
        refuse(f"{call.name} with {', '.join(unknown)}", "the recorder has no rule for it", "leave it out")
    if isinstance(a, list | tuple):
        return _of_list(call, name, list(a), axis, options, function_)
    if a._kind == "columns":
        if axis != 0:
            refuse(f"{call.name} over rows", ONE_ROW, FIT)
        return reduced(call, name, a._source, 1, options, function_)
    if a._kind in ("series", "frame") and name in _OF_PANDAS:
        return _of_pandas(a, name.removeprefix("a") if name in ("amin", "amax") else name, axis, options)
    if a._kind not in ("array", "series", "frame"):
        refuse(f"{call.name} of a {a._title}", "the recorder has no rule for it", PLAN)
    name = {"amin": "min", "amax": "max"}.get(name, name)
    two = a._reals[0].ndim == 2
    if not two or axis not in (1, -1):
        if name in _GUARDS and (axis is None or not two) and all(value.kind == "bool" for value in a._values):
            return _GUARDS[name](call, list(a._values))
        refuse(f"{call.name} over rows", ONE_ROW, FIT)
    return _performed(call, name, [a], lambda number: function_(a._reals[number], axis=1, **options), ddof)


def _of_pandas(a: Recorded, name: str, axis: Any, options: dict[str, Any]) -> Any:
    if name in ("std", "var"):
        options = {"ddof": 0, **options}
    given = {} if axis is None and a._kind == "series" else {"axis": axis}
    return getattr(a, name)(**given, **options)


def _of_list(call: Call, name: str, parts: list[Any], axis: Any, options: dict[str, Any], function_: Any) -> Any:
    """`np.mean([X["a"], X["b"]], axis=0)`, and `np.max([row["a"], row["b"]])` of the values of one row."""
    recorded = [each for each in parts if isinstance(each, Recorded)]
    name = {"amin": "min", "amax": "max"}.get(name, name)
    if all(each._kind == "value" for each in recorded) and axis in (None, 0, -1):
        values = [each._values[0] if isinstance(each, Recorded) else call.of(each) for each in parts]
        return make_value(call.recording, statistic(call.build, name, values, options.get("ddof", 0)), "numpy")
    one = all(isinstance(each, Recorded) and each._kind in ("series", "array") for each in parts)
    if not one or any(each._reals[0].ndim != 1 for each in recorded):
        refuse(f"{call.name} of a list of other things than columns", "the recorder has no rule for it", PLAN)
    if axis != 0:
        refuse(f"{call.name} over rows", ONE_ROW, "write axis=0 for a statistic of each row")
    if any(not recorded[0]._rows.same(each._rows, by_position=True) for each in recorded):
        refuse(f"{call.name} of columns of other rows", "NumPy matches them by position", PLAN)
    return _performed(
        call,
        name,
        parts,
        lambda number: function_(of_shadow(parts, number), axis=0, **options),
        options.get("ddof", 0),
    )


def _performed(call: Call, name: str, parts: list[Any], real: Callable[[int], Any], ddof: int) -> Any:
    values = [value for each in parts for value in each._values]

    def write(reals: list[Any]) -> Value:
        for each in parts:
            dtypes = {
                str(dtype_of(each._reals[0], index)): dtype_of(each._reals[0], index)
                for index in range(len(each._values))
            }
            if any(kind_of(dtype) == "O" for dtype in dtypes.values()) or "float32" in dtypes or "float16" in dtypes:
                refuse(f"{call.name} of {', '.join(dtypes)}", "a plan computes in float64", "write astype(float) first")
        return computed(call, statistic(call.build, name, values, ddof), dtype_of(reals[0]))

    return call.recording.perform(call.name, real, write, parts[0]._rows)


def _register(name: str) -> None:
    @function(f"numpy.{name}", raw=True)
    def call_function(call: Call, a: Any, axis: Any = None, **options: Any) -> Any:
        return reduced(call, name, a, axis, options)


def _register_method(name: str) -> None:
    @rule("array", name, raw=True)
    @rule("columns", name, raw=True)
    def call_method(call: Call, axis: Any = None, **options: Any) -> Any:
        return reduced(call, name, call.owner, axis, options)


for _name in (*_STATISTICS, "std", "var", "amin", "amax"):
    _register(_name)
for _name in (*_NAN, "std", "var"):
    _register(f"nan{_name}")
for _name in (*_STATISTICS, "std", "var"):
    if _name not in ("median", "ptp", "count_nonzero"):
        _register_method(_name)

_FOLDS = {
    "logical_and": "all",
    "logical_or": "any",
    "maximum": "max",
    "minimum": "min",
    "fmax": "nanmax",
    "fmin": "nanmin",
    "add": "sum",
    "multiply": "prod",
}


def _register_fold(name: str, statistic_: str) -> None:
    @function(f"numpy.{name}.reduce", raw=True)
    def call_reduce(call: Call, array: Any, axis: Any = 0, **options: Any) -> Any:
        if isinstance(array, Recorded) and array._kind not in ("array", "columns"):
            refuse(f"{call.name} of a {array._title}", "the recorder has no rule for it", "give a list of columns")
        return reduced(call, statistic_, array, axis, options, getattr(np, name).reduce)


for _name, _statistic in _FOLDS.items():
    _register_fold(_name, _statistic)
