"""Functions that the library calls row by row: made ready for recorded values, and run on the shadows.

A row of a shadow for which the function raises an error gets another row's result, so that the library goes on; it is
no longer compared, and the plan must refuse it.
"""

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CellType, FunctionType, MethodType
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.own_code.functions import OwnFunction, codes_of
from pipeline_lib.compiler.tracing.own_code.scan import identity_tests, kept_between_rows
from pipeline_lib.compiler.tracing.own_code.state import LookupDict, LookupSeries, substitute_result
from pipeline_lib.compiler.tracing.recorded import Recorded, recorded_in
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import PLAN, TraceRefusedError, line_of, located, refuse
from pipeline_lib.compiler.tracing.rows.values import make_value
from pipeline_lib.compiler.tracing.selection import Rows

_RAISED = object()
_BEYOND = object()  # a result that a plan cannot hold


@dataclass
class Calls:
    """A function of own code that the library calls on the rows of the shadows."""

    recording: Recording
    function: Callable[..., Any]
    rows: Rows
    raised: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.raised = [None] * len(self.recording.shadows)

    def answer(self, number: int, call: Callable[[Callable[..., Any]], Any], positions: Any, group: int = 0) -> Any:
        """What the library makes of a shadow; `positions` are the rows for which it calls the function, in order.

        Where the function raises an error, the library gets another row's result instead, of the same `group` calls.
        """
        results: list[Any] = []
        errors: list[Exception] = []

        def first(*args: Any, **options: Any) -> Any:
            try:
                result = self.function(*args, **options)
                results.append(_BEYOND if _is_beyond(result) else result)
            except TraceRefusedError:
                raise
            except Exception as error:
                errors.append(error)
                results.append(_RAISED)
            return None if results[-1] is _RAISED or results[-1] is _BEYOND else results[-1]

        answer = call(first)
        group = group or max(len(positions), 1)
        raised = np.zeros((max(len(positions) // group, 1), len(self.recording.answered[number])), dtype=bool)
        self.raised[number] = raised
        beyond = [each is _BEYOND for each in results]
        if not errors and not any(beyond):
            return answer
        error = errors[0] if errors else OverflowError("an integer beyond 64 bits, or a complex number")
        if number == 0 or len(results) != len(positions):
            raise error
        failed = np.flatnonzero([each is _RAISED for each in results])
        raised[failed // group, np.asarray(positions)[failed]] = True
        self.recording.answered[number][np.asarray(positions)[beyond]] = False
        filled = iter(_filled(results, group, error))
        return call(lambda *args, **options: next(filled))

    def raised_in(self, group: int = 0) -> list[Any]:
        """By shadow, the rows for which the function raised an error in one group of calls."""
        return [None if each is None else each[group] for each in self.raised]


def _is_beyond(result: Any) -> bool:
    """Whether a plan cannot hold a result: an integer beyond 64 bits, or a complex number."""
    return isinstance(result, complex) or (type(result) is int and not -(2**63) <= result < 2**63)


def _filled(results: list[Any], group: int, error: Exception) -> list[Any]:
    """The results with that of another row where the function raised an error."""
    filled = []
    for start in range(0, len(results), group):
        part = results[start : start + group]
        answered = [each for each in part if each is not _RAISED and each is not _BEYOND]
        if not answered:
            raise error
        filled += [answered[0] if each is _RAISED or each is _BEYOND else each for each in part]
    return filled


def positions_of(recording: Recording, rows: Rows, number: int) -> Any:
    """The rows of a shadow that a recorded object has."""
    return (
        np.flatnonzero(rows.masks[number]) if rows.condition is not None else np.arange(len(recording.answered[number]))
    )


def prepared(recording: Recording, function: Any, *, none: bool = False) -> Callable[..., Any]:
    """A function as it is called with recorded values; refused where it keeps something from row to row.

    With `none` the values may be None, so that `is None` is refused, too.
    """
    substitution = recording.substitution
    if isinstance(function, OwnFunction):
        if none:
            _refuse_identity(function.original, with_none=True)
        return function
    if isinstance(function, functools.partial):
        return functools.partial(prepared(recording, function.func, none=none), *function.args, **function.keywords)
    if isinstance(function, MethodType) and isinstance(function.__self__, LookupDict | LookupSeries):
        return function
    if isinstance(function, BuiltinFunctionType) and isinstance(function.__self__, dict):  # table.get
        return getattr(substitute_result(substitution, function.__self__), function.__name__)  # type: ignore[no-any-return]
    if any(function is each for each in substitution.builtins.values()):
        return function  # type: ignore[no-any-return]
    if isinstance(function, FunctionType) and function.__globals__.get("__builtins__") is substitution.builtins:
        return _copy_of(recording, function, {}, none=none)
    if not callable(function):
        refuse(f"{type(function).__name__} called for each row", "a function is expected", PLAN)
    return substitution.of(function)  # type: ignore[no-any-return]


def _copy_of(
    recording: Recording, function: FunctionType, made: dict[int, FunctionType], *, none: bool
) -> FunctionType:
    """A function that own code has made, with substitutes of what it captures; functions that capture it are known."""
    _refuse_identity(function, with_none=none)
    for name in kept_between_rows(function.__code__):
        refuse(
            f"a variable {name!r} that a function of one row changes",
            "the result of a row would depend on the rows before",
            "compute it from the row alone",
        )

    def substitute(content: Any) -> Any:
        refuse_columns(content)
        if isinstance(content, FunctionType) and content.__globals__ is function.__globals__:
            return made.get(id(content)) or _copy_of(recording, content, made, none=none)
        return substitute_result(recording.substitution, content) if isinstance(content, _CONTAINERS) else content

    cells = tuple(CellType() for _ in function.__closure__ or ())
    defaults = tuple(map(substitute, function.__defaults__ or ()))
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, defaults, cells)
    copy.__kwdefaults__ = {name: substitute(each) for name, each in (function.__kwdefaults__ or {}).items()}
    made[id(function)] = copy
    for cell, original in zip(cells, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # an empty cell
            cell.cell_contents = substitute(original.cell_contents)
    return copy


_CONTAINERS = (dict, set, frozenset, list, pd.Series)


def _refuse_identity(function: FunctionType, *, with_none: bool) -> None:
    for code in codes_of(function.__code__):
        for line in identity_tests(code, with_none=with_none):
            raise located(
                line_of(code, line),
                "found `is` in a function of one row's values: it compares objects, not values, so it cannot be "
                "recorded; write pd.isna(value), or ==",
            )


def refuse_columns(content: Any) -> None:
    columns = [each for each in recorded_in(content) if each._kind != "value"]
    if columns:
        refuse(
            f"a {columns[0]._title} used inside a function of one row's values",
            "it has a value for each row",
            "compute the column before, and call the function on a frame that has it: apply(f, axis=1)",
        )


def values_of(recording: Recording, value: Value, reals: list[Any]) -> Any:
    """A recorded value of a column, as the library hands it to a function; `reals` are the library's columns."""
    kinds = {real.dtype.kind for real in reals}
    if any(getattr(real.dtype, "tz", None) is not None for real in reals):
        refuse("values with a time zone in a function of one row", "a plan's dates have none", "convert the column")
    if value.kind not in ("int64", "float64", "bool", "str", "datetime", "duration"):
        refuse(f"a function of one row's values of {value.kind}", "the recorder has no rule for it", PLAN)
    expected = {"int64": "iuO", "float64": "f", "bool": "bO"}.get(value.kind)
    return make_value(recording, value, stable=expected is None or all(kind in expected for kind in kinds))


def refuse_none(reals: list[Any]) -> None:
    """Refuse a column of Python objects of which some are None."""
    if any(real.dtype == object and any(each is None for each in real) for real in reals):
        refuse(
            "a function of one row's values on a column that holds None",
            "a plan knows that a value is missing, not whether it is None or NaN",
            'cast it first: column.astype("str")',
        )


def living(recording: Recording, owner: Recorded) -> list[Any]:
    return [owner._reals[number] for number in recording.living()]


def snapshot(function: Any) -> list[tuple[Any, int]]:
    """The containers that a function captures or has as defaults, and their lengths."""
    contents = list(getattr(function, "__defaults__", None) or ())
    for cell in getattr(function, "__closure__", None) or ():
        try:
            contents.append(cell.cell_contents)
        except ValueError:
            continue
    return [(each, len(each)) for each in contents if isinstance(each, list | dict | set)]


def refuse_changed(kept: list[tuple[Any, int]]) -> None:
    if any(len(each) != length for each, length in kept):
        refuse(
            "a list, dict or set that a function of one row's values changes",
            "the result of a row would depend on the rows before",
            "compute it from the row alone, or learn it in `fit`",
        )
