"""Functions of a frame's rows, columns and values: `frame.apply(f, axis=1)`, `frame.apply(f)`, `frame.map(f)`."""

import functools
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.frames.structure import structure
from pipeline_lib.compiler.tracing.own_code.functions import public_name
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, call_function
from pipeline_lib.compiler.tracing.recording import RecordedLine
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.rows.frames import columns_in_order, parts_of, row_of
from pipeline_lib.compiler.tracing.rows.functions import (
    Calls,
    positions_of,
    prepared,
    refuse_changed,
    refuse_columns,
    refuse_none,
    snapshot,
    values_of,
)
from pipeline_lib.compiler.tracing.rows.results import by_row, paths_of


@rule("frame", "apply", raw=True)
def apply(
    call: Call, func: Any, axis: Any = 0, raw: Any = False, result_type: Any = None, args: Any = (), **options: Any
) -> Any:
    """A function of each row, or of each column."""
    if raw or "by_row" in options or "engine" in options:
        call.stop("apply with raw, by_row or engine", "the recorder has no rule for it", "leave it out")
    if isinstance(func, str):
        return getattr(call.owner, func)(*args, axis=axis, **options)
    if not callable(func):
        call.stop(f"apply of {type(func).__name__}", "the recorder has no rule for it", "give a function")
    if axis in (1, "columns"):
        return _rows(call, func, result_type, tuple(args), options)
    if isinstance(func, np.ufunc) and not args and not options:
        return call_function(call.recording, func, public_name(func), (call.owner,), {})
    return _columns(call, func, tuple(args), options)


def _rows(call: Call, function: Any, result_type: Any, args: Any, options: dict[str, Any]) -> Any:
    """A function of each row."""
    recording, frame = call.recording, call.owner
    if result_type not in (None, "expand"):
        call.stop(f"result_type={result_type!r}", "the recorder has no rule for it", "write result_type='expand'")
    first = len(call.build.nodes)
    for index in range(len(frame._values)):
        refuse_none(_columns_of(frame, index))
    refuse_columns([*args, *options.values()])
    plan = prepared(recording, function)
    tree = paths_of(recording, lambda: plan(row_of(frame), *args, **options))
    calls, kept = Calls(recording, function, frame._rows), snapshot(function)

    def real(number: int) -> Any:
        positions = positions_of(recording, frame._rows, number)
        if not len(positions):  # pandas would return the empty frame
            return pd.Series([], dtype=object)
        table = frame._reals[number]
        return calls.answer(
            number,
            lambda f: table.apply(lambda row: f(row, *args, **options), axis=1, result_type=result_type),
            positions,
        )

    def write(reals: list[Any]) -> list[Value]:
        refuse_changed(kept)
        parts = functools.partial(parts_of, expand=result_type == "expand")
        return columns_in_order(by_row(recording, tree, calls.raised_in(), frame._rows, parts), reals, recording)

    recording.lines.append(RecordedLine(recording.line(), "DataFrame.apply(axis=1)", first, len(call.build.nodes)))
    return recording.perform("DataFrame.apply(axis=1)", real, write, frame._rows)


def _columns_of(frame: Recorded, index: int) -> list[Any]:
    """The library's columns at an index, of the shadows that answer."""
    return [frame._reals[number].iloc[:, index] for number in frame._recording.living()]


def _column(index: int, table: Any) -> Any:
    return table.iloc[:, index]


def _columns(call: Call, func: Any, args: Any, options: dict[str, Any]) -> Any:
    """A function of each column."""
    recording, frame = call.recording, call.owner
    function = prepared(recording, func) if not hasattr(func, "_substitution") else func
    results = []
    for index in range(len(frame._values)):
        column = structure(frame, "frame.iloc[:, i]", functools.partial(_column, index))
        result = function(column, *args, **options)
        if not isinstance(result, Recorded) or result._kind != "series" or not frame._rows.same(result._rows):
            call.stop(f"a function of a column that returns {type(result).__name__}", ONE_ROW, "return a column")
        results.append(result)

    def real(number: int) -> Any:
        columns = iter([result._reals[number] for result in results])
        return frame._reals[number].apply(lambda column: next(columns))

    return recording.perform(
        "DataFrame.apply", real, lambda reals: [result._values[0] for result in results], frame._rows
    )


@rule("frame", "map", raw=True)
def map_values(call: Call, func: Any, na_action: Any = None, **options: Any) -> Any:
    """A function of each value of each column."""
    recording, frame = call.recording, call.owner
    if na_action is not None or not callable(func):
        call.stop("map of a frame with na_action, or with no function", "the recorder has no rule for it", PLAN)
    plan, first, trees = prepared(recording, func), len(call.build.nodes), []
    for index, column in enumerate(frame._values):
        refuse_none(_columns_of(frame, index))
        value = values_of(recording, column, _columns_of(frame, index))
        trees.append(paths_of(recording, functools.partial(plan, value, **options)))
    calls, kept = Calls(recording, func, frame._rows), snapshot(func)

    def real(number: int) -> Any:
        table, rows = frame._reals[number], positions_of(recording, frame._rows, number)
        positions = np.tile(rows, table.shape[1])
        return calls.answer(number, lambda f: table.map(lambda x: f(x, **options)), positions, group=len(rows))

    def write(reals: list[Any]) -> list[Value]:
        refuse_changed(kept)
        return [by_row(recording, tree, calls.raised_in(index), frame._rows)[""] for index, tree in enumerate(trees)]

    recording.lines.append(RecordedLine(recording.line(), call.name, first, len(call.build.nodes)))
    return recording.perform(call.name, real, write, frame._rows)
