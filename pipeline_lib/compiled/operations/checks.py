"""Checks: values that a step refuses, as its library raises an error for them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, TEXT, SettingType
from pipeline_lib.errors import InputError

LARGEST = 1.7976931348623157e308  # the largest double
BEYOND_SINGLE = 3.4028235677973366e38  # 2**128 - 2**103: from here on a double rounds to a float32 infinity
_OWNER = {"name": TEXT, "where": TEXT}  # the column's name and the step's, for the message


def _message_of(settings: Settings) -> Callable[[Any], str]:
    """The message for a refused value; without a name, that of a row as a whole."""
    where, name, expected, advice = (settings[key] for key in ("where", "name", "expected", "advice"))
    if not name:
        return lambda value: f"{where}: found {expected}; {advice}"

    def message(value: Any) -> str:
        return f"{where}: found {shown(settings, value)} in column {name!r}, expected {expected}; {advice}"

    return message


def _bind(settings: Settings) -> Callable[[Any, Any], Any]:
    message = _message_of(settings)

    def check(column: Any, good: Any) -> Any:
        refuse(column, good, message)
        return column

    return check


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return _write_test(code, inputs[0], f"not {inputs[1]}", _message_of(settings))


def _write_test(code: Code, name: str, bad: str, message: Callable[[Any], str]) -> str:
    def refused(value: Any) -> None:
        raise InputError(message(value))

    code.line(f"if {bad}: {code.bind(refused, 'refuse')}({name})")
    return name


operation(
    "demand",
    ("float64|int64|bool|str|datetime|duration", "bool"),
    lambda settings, dtypes: dtypes[0],
    doc="The value, where the condition holds; other rows are refused with a message.",
    parameters=("value", "condition"),
    settings={**_OWNER, "expected": TEXT, "advice": TEXT},
    column=_bind,
    writer=_write,
    abs_max=lambda settings, maxima: maxima[0],
)


@dataclass(frozen=True)
class _Range:
    """A range of numbers: `good` tests a column, the source `bad` tests whether one number is outside.

    `largest` bounds the numbers that pass, unless `missing` ones pass, too.
    """

    good: Callable[[Any], Any]
    bad: str
    expected: str
    advice: str
    largest: float = math.inf
    missing: bool = False

    def message_of(self, settings: Settings) -> Callable[[Any], str]:
        """The message for a number outside the range."""
        return _message_of({**settings, "expected": self.expected, "advice": self.advice})


_FINITE = _Range(
    np.isfinite,
    "{0} - {0} != 0.0",
    "a finite number",
    "correct the row, or impute and cap before this step",
    largest=LARGEST,
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


def _range_operation(
    name: str, range_of: Callable[[Settings], _Range], doc: str, settings: Mapping[str, SettingType] = _OWNER
) -> None:
    """Register an operation that returns a number unchanged and refuses numbers outside a range."""

    def column(settings: Settings) -> Callable[[Any], Any]:
        allowed = range_of(settings)
        message = allowed.message_of(settings)

        def checked(numbers: Any) -> Any:
            refuse(numbers, allowed.good(numbers), message)
            return numbers

        return checked

    def write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
        allowed = range_of(settings)
        return _write_test(code, inputs[0], allowed.bad.format(inputs[0]), allowed.message_of(settings))

    def abs_max(settings: Settings, maxima: Sequence[float]) -> float:
        allowed = range_of(settings)
        return math.inf if allowed.missing else min(maxima[0], allowed.largest)

    operation(name, ("float64",), "float64", doc=doc, settings=settings, column=column, writer=write, abs_max=abs_max)


_range_operation("finite", lambda settings: _FINITE, "The number; missing and infinite ones are refused.")
_range_operation("not_infinite", lambda settings: _NOT_INFINITE, "The number; infinite ones are refused.")
_range_operation(
    "single_range",
    lambda settings: _SINGLE_OR_MISSING if settings["missing"] else _SINGLE,
    "The number; what float32 cannot hold is refused, and so is missing unless `missing`.",
    {**_OWNER, "missing": FLAG},
)
