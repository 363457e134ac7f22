"""Statistics of each row: `X[columns].sum(axis=1)`, `(X > 0).any(axis=1)`, `X.isna().sum(axis=1)`.

Without `axis=1` they are statistics of the rows at hand, which are refused, but for conditions that guard the batch.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.batch import all_rows, any_row
from pipeline_lib.compiler.tracing.frames import row_statistics
from pipeline_lib.compiler.tracing.frames.row_statistics import Numbers
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.recording import RowCheck
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN, refuse
from pipeline_lib.compiler.tracing.registry import rule

__all__ = ["FIT", "Numbers"]

FIT = "learn it in `fit` and keep it on `self`; write axis=1 for a statistic of each row"


_COLUMNS_OF = {
    "numbers": {"int64", "float64", "bool"},
    "any": {"int64", "float64", "bool", "str", "datetime", "duration"},
}


def _by_row(
    call: Call,
    write: Callable[[Numbers], Value],
    options: dict[str, Any],
    *,
    taken: str = "numbers",
    mixed: bool = True,
) -> Any:
    """A statistic of each row, as a Series; `mixed` if some columns may be bools and others numbers."""
    frame, name = call.owner, call.name.rsplit(".", 1)[1]
    numeric_only = options.get("numeric_only") or options.get("bool_only")
    dtypes = list(frame._reals[0].dtypes)
    wanted = pd.api.types.is_bool_dtype if options.get("bool_only") else pd.api.types.is_numeric_dtype
    pairs = [pair for pair in zip(frame._values, dtypes, strict=True) if not numeric_only or wanted(pair[1])]
    values = [value for value, _ in pairs]

    def written(reals: list[Any]) -> Value:
        kinds = {str(value.kind) for value in values}
        if not values:
            refuse(f"{call.name} of no column", "the recorder has no rule for it", "select some columns")
        if not kinds <= _COLUMNS_OF[taken]:
            found = ", ".join(sorted(kinds - _COLUMNS_OF[taken]))
            refuse(f"{call.name}(axis=1) of {found} columns", "it is for numbers", "select the columns of numbers")
        if kinds > {"bool"} and not mixed:
            refuse(
                f"{call.name}(axis=1) of bools beside numbers",
                "pandas computes it with Python's objects",
                "cast the bools with astype(int)",
            )
        if str(reals[0].dtype) in ("float32", "float16") and name not in ("min", "max"):
            refuse(f"{call.name} in {reals[0].dtype}", "a plan computes in float64", "cast with astype(float)")
        return write(Numbers(call.build, values, bool(options.get("skipna", True))))

    return call.recording.perform(
        call.name, lambda number: getattr(frame._reals[number], name)(axis=1, **options), written, frame._rows
    )


def _of_rows(axis: Any) -> bool:
    return axis in (1, "columns")


def refuse_statistic(call: Call) -> None:
    """Refuse a statistic of the rows at hand."""
    refuse(f"{call.name} of each column", ONE_ROW, FIT)


@rule("frame", "sum", "prod", "product", raw=True)
def sum_(call: Call, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, min_count: int = 0) -> Any:
    """The sum or product of each row; without numbers 0 or 1, unless `min_count` asks for some."""
    name = call.name.rsplit(".", 1)[1]
    if not _of_rows(axis):
        if name == "sum" and all(value.kind == "bool" for value in call.values):
            return any_row(call, call.values)
        refuse_statistic(call)

    def write(numbers: Numbers) -> Value:
        total = (row_statistics.sum_ if name == "sum" else row_statistics.product)(numbers)
        if min_count <= 0 or not numbers.floats():
            if min_count > len(numbers.values):
                refuse(f"min_count={min_count} of {len(numbers.values)} columns", "it is never met", "leave it out")
            return total
        return numbers.build.where(numbers.count() < min_count, math.nan, total)

    return _by_row(call, write, {"skipna": skipna, "numeric_only": numeric_only, "min_count": min_count})


def _statistic(name: str, write: Callable[[Numbers], Value], *, mixed: bool = False, taken: str = "numbers") -> None:
    @rule("frame", name, raw=True)
    def statistic(call: Call, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        if not _of_rows(axis):
            refuse_statistic(call)
        options = {"skipna": skipna, "numeric_only": numeric_only}
        return _by_row(call, write, options, mixed=mixed, taken=taken)


def _extreme(numbers: Numbers, *, largest: bool) -> Value:
    kinds = numbers.kinds()
    if "str" in kinds or (kinds & {"datetime", "duration"} and len(kinds) > 1):
        refuse(
            f"the extreme of {' and '.join(sorted(kinds))} columns",
            "it is for numbers or dates",
            "select columns of one kind",
        )
    return row_statistics.extreme(numbers, largest=largest)


_statistic("mean", row_statistics.mean, mixed=True)
_statistic("median", row_statistics.median)
_statistic("min", partial(_extreme, largest=False), mixed=True, taken="any")
_statistic("max", partial(_extreme, largest=True), mixed=True, taken="any")


@rule("frame", "std", "var", "sem", raw=True)
def spread(call: Call, axis: Any = 0, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
    """The standard deviation, variance or standard error of each row."""
    name = call.name.rsplit(".", 1)[1]
    if not _of_rows(axis):
        refuse_statistic(call)

    def write(numbers: Numbers) -> Value:
        build, variance = numbers.build, row_statistics.variance(numbers, ddof)
        if name == "var":
            return variance
        deviation = build.sqrt(variance)
        return deviation if name == "std" else deviation / build.sqrt(build.number(numbers.count()))

    return _by_row(call, write, {"skipna": skipna, "ddof": ddof, "numeric_only": numeric_only}, mixed=False)


@rule("frame", "any", "all", raw=True)
def any_or_all(call: Call, *, axis: Any = 0, bool_only: bool = False, skipna: bool = True) -> Any:
    """Whether any or every value of each row is true; without `axis=1`, a question about the batch."""
    name = call.name.rsplit(".", 1)[1]
    if not _of_rows(axis):
        return (any_row if name == "any" else all_rows)(call, call.values)
    return _by_row(
        call, row_statistics.any_ if name == "any" else row_statistics.all_, {"skipna": skipna, "bool_only": bool_only}
    )


@rule("frame", "count", raw=True)
def count(call: Call, axis: Any = 0, numeric_only: bool = False) -> Any:
    """How many values of each row are present."""
    if not _of_rows(axis):
        refuse_statistic(call)
    return _by_row(call, Numbers.count, {"numeric_only": numeric_only}, taken="any")


@rule("frame", "nunique", raw=True)
def nunique(call: Call, axis: Any = 0, dropna: bool = True) -> Any:
    """How many different values each row has."""
    if not _of_rows(axis):
        refuse_statistic(call)

    def write(numbers: Numbers) -> Value:
        if len(numbers.kinds()) > 1 and not numbers.kinds() <= _COLUMNS_OF["numbers"]:
            refuse("nunique(axis=1) of columns of several kinds", "the recorder has no rule for it", PLAN)
        total = row_statistics.distinct(numbers)
        return total if dropna else total + numbers.build.integer(numbers.any_missing())

    return _by_row(call, write, {"dropna": dropna}, taken="any")


@rule("frame", "idxmax", "idxmin", raw=True)
def index_of_extreme(call: Call, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
    """The name of the column with the largest or smallest number of each row, the first of equal ones."""
    name, labels = call.name.rsplit(".", 1)[1], list(call.owner._reals[0].columns)
    if not _of_rows(axis):
        refuse_statistic(call)
    if not skipna or numeric_only or not all(isinstance(label, str) for label in labels):
        refuse(f"{call.name} with these arguments", "the recorder has no rule for it", "select columns named by text")

    def write(numbers: Numbers) -> Value:
        build = numbers.build
        values = numbers.filled(math.nan) if numbers.floats() else numbers.integers()
        best, at = values[0], build.value(0)
        for index, value in enumerate(values[1:], 1):
            better = value > best if name == "idxmax" else value < best
            better = build.logical_or(best.missing(), better)
            best, at = build.where(better, value, best), build.where(better, index, at)
        if numbers.floats():
            call.recording.checks.append(RowCheck(best.missing(), f"{name} of a row without numbers"))
        return build.choose(at, labels, "str")

    return _by_row(call, write, {}, mixed=False)
