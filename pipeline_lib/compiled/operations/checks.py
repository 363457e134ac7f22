"""Rows that a step refuses, as its library raises for them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.errors import InputError

BEYOND_SINGLE = 3.4028235677973366e38  # from here on a double rounds to a float32 infinity


def _words(settings: Settings) -> Callable[[Any], str]:
    """What is said of a value that is refused."""
    where, name, expected, advice = (settings[key] for key in ("where", "name", "expected", "advice"))

    def words(value: Any) -> str:
        return f"{where}: found {shown(settings, value)} in column {name!r}, expected {expected}; {advice}"

    return words


def _bind(settings: Settings) -> Callable[[Any, Any], Any]:
    words = _words(settings)

    def demand(column: Any, good: Any) -> Any:
        refuse(column, good, words)
        return column

    return demand


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return _write_test(code, inputs[0], f"not {inputs[1]}", _words(settings))


def _write_test(code: Code, name: str, bad: str, words: Callable[[Any], str]) -> str:
    def refused(value: Any) -> None:
        raise InputError(words(value))

    code.line(f"if {bad}: {code.bind(refused, 'refuse')}({name})")
    return name


# The value as it is, where the condition behind it holds; other rows are refused. `where` and `name` say whose value
# it is, `expected` and `advice` what to do.
operation(
    "demand",
    ("float64|int64|bool|str|datetime", "bool"),
    lambda settings, dtypes: dtypes[0],
    column=_bind,
    writer=_write,
    abs_max=lambda settings, maxima: maxima[0],
)


@dataclass(frozen=True)
class _Range:
    """Numbers that pass: `good` says which of a column, the code `bad` whether one does not; `missing` ones may."""

    good: Callable[[Any], Any]
    bad: str
    expected: str
    advice: str
    largest: float = math.inf
    missing: bool = False

    def words(self, settings: Settings) -> Callable[[Any], str]:
        """What is said of another number."""
        return _words({**settings, "expected": self.expected, "advice": self.advice})


_FINITE = _Range(
    np.isfinite,
    "{0} - {0} != 0.0",
    "a finite number",
    "correct the row, or impute and cap before this step",
    largest=1.7976931348623157e308,
)
_NOT_INFINITE = _Range(
    lambda column: ~np.isinf(column),
    "{0} == {0} and {0} - {0} != 0.0",
    "a finite or missing number",
    "correct the row, or cap before this step",
    missing=True,
)
_SINGLE = _Range(
    lambda column: np.abs(column) < BEYOND_SINGLE,
    f"not -{BEYOND_SINGLE!r} < {{0}} < {BEYOND_SINGLE!r}",
    "a number of float32's range",
    "correct the row, or impute and cap before this step",
    largest=BEYOND_SINGLE,
)
_SINGLE_OR_MISSING = _Range(
    lambda column: (np.abs(column) < BEYOND_SINGLE) | np.isnan(column),
    f"not -{BEYOND_SINGLE!r} < {{0}} < {BEYOND_SINGLE!r} and {{0}} == {{0}}",
    "a number or a missing value of float32's range",
    "correct the row, or impute and cap before this step",
    missing=True,
)


def _range_operation(name: str, range_of: Callable[[Settings], _Range]) -> None:
    """Enter an operation that gives a number as it is, and refuses those beyond a range."""

    def column(settings: Settings) -> Callable[[Any], Any]:
        passes = range_of(settings)
        words = passes.words(settings)

        def checked(numbers: Any) -> Any:
            refuse(numbers, passes.good(numbers), words)
            return numbers

        return checked

    def write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
        passes = range_of(settings)
        return _write_test(code, inputs[0], passes.bad.format(inputs[0]), passes.words(settings))

    def abs_max(settings: Settings, maxima: Sequence[float]) -> float:
        passes = range_of(settings)
        return math.inf if passes.missing else min(maxima[0], passes.largest)

    operation(name, ("float64",), "float64", column=column, writer=write, abs_max=abs_max)


_range_operation("finite", lambda settings: _FINITE)  # as estimators demand of their input
_range_operation("not_infinite", lambda settings: _NOT_INFINITE)
_range_operation("single_range", lambda settings: _SINGLE_OR_MISSING if settings["missing"] else _SINGLE)
