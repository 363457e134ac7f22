"""Functions that pandas calls row by row or value by value: `map(f)`, `apply(f)`, `np.vectorize(f)`.

The function runs on recorded values, once for each path through it. Beside that the library calls it on the shadows; a
row of a shadow for which it raises an error is no longer compared, and must be refused by the plan.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.own_code.functions import public_name
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, call_function
from pipeline_lib.compiler.tracing.recording import RecordedLine, Recording
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.rows.frames import columns_in_order, parts_of
from pipeline_lib.compiler.tracing.rows.functions import (
    Calls,
    living,
    positions_of,
    prepared,
    refuse_changed,
    refuse_columns,
    refuse_none,
    snapshot,
    values_of,
)
from pipeline_lib.compiler.tracing.rows.paths import leaves_of
from pipeline_lib.compiler.tracing.rows.results import by_row, kinds_of, paths_of
from pipeline_lib.errors import InputError


def call_series(call: Call, function: Any, args: Sequence[Any], options: dict[str, Any], *, ignore: bool) -> Any:
    """`series.map(f)`: a function of each value; with `ignore` not of missing ones."""
    recording, series, first = call.recording, call.owner, len(call.build.nodes)
    refuse_none(living(recording, series))
    refuse_columns([*args, *options.values()])
    plan = prepared(recording, function)
    value = values_of(recording, series._values[0], living(recording, series))

    def run() -> Any:
        if ignore and recording.scope.decide(value._values[0].missing()):
            return np.nan
        return plan(value, *args, **options)

    tree = paths_of(recording, run)
    calls, kept, action = Calls(recording, function, series._rows), snapshot(function), "ignore" if ignore else None

    def real(number: int) -> Any:
        column = series._reals[number]
        positions = positions_of(recording, series._rows, number)
        if ignore:
            positions = positions[column.notna().to_numpy()]
        if call.name.endswith("map"):
            called = functools.partial(_mapped, column, args, options, action)
        else:
            called = functools.partial(_applied, column, args, options)
        return calls.answer(number, called, positions)

    def write(reals: list[Any]) -> list[Value]:
        refuse_changed(kept)
        if call.name.endswith("map"):
            return list(by_row(recording, tree, calls.raised_in(), series._rows).values())
        parts = functools.partial(parts_of, expand=False)
        return columns_in_order(by_row(recording, tree, calls.raised_in(), series._rows, parts), reals, recording)

    recording.lines.append(RecordedLine(recording.line(), call.name, first, len(call.build.nodes)))
    return recording.perform(call.name, real, write, series._rows)


def _mapped(column: Any, args: Any, options: Any, action: Any, function: Any) -> Any:
    return column.map(lambda x: function(x, *args, **options), na_action=action)


def _applied(column: Any, args: Any, options: Any, function: Any) -> Any:
    return column.apply(lambda x: function(x, *args, **options))


def is_function(thing: Any) -> bool:
    """Whether the argument of `map` is a function, not a table."""
    return callable(thing) and not isinstance(thing, dict | pd.Series | pd.Index)


def series_apply(call: Call, func: Any, args: Any = (), by_row: Any = "compat", **options: Any) -> Any:
    """A function of each value; a NumPy function of the whole column; a method by its name."""
    if by_row != "compat":
        call.stop("by_row=False", "the function would get the whole column", "call the function on the column")
    if isinstance(func, str):
        return getattr(call.owner, func)(*args, **options)
    if isinstance(func, np.ufunc) and not args and not options:
        return call_function(call.recording, func, public_name(func), (call.owner,), {})
    if not is_function(func):
        call.stop(f"apply of {type(func).__name__}", "the recorder has no rule for it", "give a function")
    return call_series(call, func, tuple(args), options, ignore=False)


@rule("series", "map(function)", raw=True)
def map_values(call: Call, arg: Any, na_action: Any = None, **options: Any) -> Any:
    """A function of each value."""
    if not is_function(arg) or na_action not in (None, "ignore"):
        call.stop(f"map by a {type(arg).__name__}", "the recorder has no rule for it", "give a function or a dict")
    return call_series(call, arg, (), options, ignore=na_action == "ignore")


@rule("series", "apply", raw=True)
def apply(call: Call, func: Any, args: Any = (), by_row: Any = "compat", **options: Any) -> Any:
    """A function of each value."""
    return series_apply(call, func, args, by_row, **options)


@rule("series", "transform", raw=True)
def transform(call: Call, func: Any, axis: Any = 0, *args: Any, **options: Any) -> Any:
    """A function of each value."""
    return series_apply(call, func, args, **options)


@rule("function", "numpy.vectorize!", "numpy.vectorize", raw=True)
def vectorize(call: Call, pyfunc: Any, otypes: Any = None) -> Any:
    """A function of each row's values of several columns."""
    if otypes is not None and (isinstance(otypes, str) or len(otypes) != 1):
        call.stop(f"otypes={otypes!r}", "the recorder has no rule for it", "write otypes=[float]")
    return Vectorized(call.recording, pyfunc, otypes)


class Vectorized:
    """`np.vectorize(f)`: a function of the values of each row of several columns."""

    def __init__(self, recording: Recording, function: Any, otypes: Any) -> None:
        self._recording = recording
        self._function = function
        self._otypes = otypes

    def __call__(self, *columns: Any, **options: Any) -> Any:
        columns = tuple(unwrap(each) for each in columns)
        recorded = [each for each in columns if isinstance(each, Recorded)]
        if not recorded:
            return np.vectorize(self._function, otypes=self._otypes)(*columns, **options)
        try:
            return _vectorize(self._recording, self._function, self._otypes, columns, recorded, options)
        except InputError as error:
            self._recording.refused(error)


def _vectorize(
    recording: Recording, function: Any, otypes: Any, columns: Any, recorded: list[Recorded], options: dict[str, Any]
) -> Any:
    rows, first = recorded[0]._rows, len(recording.build.nodes)
    for each in recorded:
        refuse_none(living(recording, each))
    if options or any(each._kind not in ("series", "array") or len(each._values) != 1 for each in recorded):
        refuse("np.vectorize of something else than columns", "the recorder has no rule for it", PLAN)
    if any(not rows.same(each._rows, by_position=True) for each in recorded):
        refuse("np.vectorize of columns of other rows", "their rows do not match", PLAN)
    plan = prepared(recording, function)
    values = [
        values_of(recording, each._values[0], living(recording, each)) if isinstance(each, Recorded) else each
        for each in columns
    ]
    tree, calls = paths_of(recording, lambda: plan(*values)), Calls(recording, function, rows)

    kinds = kinds_of(leaf.result for leaf in leaves_of(tree) if leaf.error is None)
    if otypes is None and len({"float64" if kind == "missing" else kind for kind in kinds}) > 1:
        refuse(
            f"np.vectorize of a function that returns {' and '.join(sorted(kinds))}",
            "NumPy takes the type of the first row's result, and cuts the others",
            "return one type on every path, or give otypes=[float]",
        )

    def real(number: int) -> Any:
        given = [each._reals[number] if isinstance(each, Recorded) else each for each in columns]
        positions = positions_of(recording, rows, number)
        if not len(positions):
            return np.zeros(0)
        if otypes is None:  # NumPy calls the function once more, to see its type
            positions = np.concatenate([positions[:1], positions])
        return calls.answer(number, lambda f: np.vectorize(f, otypes=otypes)(*given), positions)

    def write(reals: list[Any]) -> Value:
        value = by_row(recording, tree, calls.raised_in(), rows)[""]
        return _as_type(recording, value, reals)

    recording.lines.append(RecordedLine(recording.line(), "np.vectorize", first, len(recording.build.nodes)))
    return recording.perform("np.vectorize", real, write, rows)


def _as_type(recording: Recording, value: Value, reals: list[Any]) -> Value:
    """The column in the dtype that np.vectorize gives it."""
    kinds = {reals[number].dtype.kind for number in recording.living() if len(reals[number])}
    expected = {"f": "float64", "i": "int64", "u": "int64", "b": "bool", "U": "str"}
    found = {expected.get(kind, "") for kind in kinds}
    if found == {"float64"}:
        return recording.build.number(value)
    if found != {value.kind}:
        refuse(
            f"np.vectorize that makes {' or '.join(sorted(kinds))} of {value.kind}",
            "values would be cut",
            "give otypes=[float], or return one type on every path",
        )
    return value
