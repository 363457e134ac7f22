"""Comparisons, conditions, and what depends on them: missing values, choices, counts of sorted edges."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.registry import Settings, formula, operation
from pipeline_lib.compiled.operations.setting_types import NUMBERS, one_of
from pipeline_lib.compiled.operations.text_columns import TextColumn, choose


def _one(maxima: Sequence[float]) -> float:
    return 1.0


_TWO = ("float64", "float64")
formula("less", _TWO, "bool", np.less, "{0} < {1}", "Whether `left < right`; False for NaN.", abs_max=_one)
formula(
    "less_equal", _TWO, "bool", np.less_equal, "{0} <= {1}", "Whether `left <= right`; False for NaN.", abs_max=_one
)
formula("equal", _TWO, "bool", np.equal, "{0} == {1}", "Whether two numbers are equal; False for NaN.", abs_max=_one)

_WHOLE = ("int64|datetime", "int64|datetime")
formula("less_int", _WHOLE, "bool", np.less, "{0} < {1}", "Whether `left < right`, of integers or dates.", abs_max=_one)
formula(
    "less_equal_int",
    _WHOLE,
    "bool",
    np.less_equal,
    "{0} <= {1}",
    "Whether `left <= right`, of integers or dates.",
    abs_max=_one,
)
formula("equal_int", _WHOLE, "bool", np.equal, "{0} == {1}", "Whether two integers or dates are equal.", abs_max=_one)

formula("and", ("bool", "bool"), "bool", np.logical_and, "({0} and {1})", "Whether both conditions hold.", abs_max=_one)
formula(
    "or",
    ("bool", "bool"),
    "bool",
    np.logical_or,
    "({0} or {1})",
    "Whether at least one of two conditions holds.",
    abs_max=_one,
)
formula(
    "logical_xor",
    ("bool", "bool"),
    "bool",
    np.logical_xor,
    "({0} != {1})",
    "Whether one of two conditions holds and the other does not.",
    abs_max=_one,
)
formula("not", ("bool",), "bool", np.logical_not, "not {0}", "Whether a condition does not hold.", abs_max=_one)


def _is_missing(column: Any) -> Any:
    if isinstance(column, TextColumn):
        return column.missing()
    column = np.asarray(column)
    return np.isnan(column) if column.dtype == np.float64 else column == NAT


def _write_missing(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    test = {
        "float64": "{0} != {0}",
        "str": "{0} is None",
        "datetime": f"{{0}} == {NAT}",
        "duration": f"{{0}} == {NAT}",
    }[dtypes[0]]
    return test.format(inputs[0])


def _where(condition: Any, then: Any, other: Any) -> Any:
    if isinstance(then, TextColumn | str | None) or isinstance(other, TextColumn | str | None):
        return choose(condition, then, other)
    return np.where(condition, then, other)


operation(
    "is_missing",
    ("float64|str|datetime|duration",),
    "bool",
    doc="Whether a value is missing: NaN, missing text, a missing date or duration.",
    column=lambda settings: _is_missing,
    writer=_write_missing,
    abs_max=lambda settings, maxima: 1.0,
)
operation(
    "where",
    None,
    lambda settings, dtypes: dtypes[1],
    doc="`then` where the condition holds, else `other`, both of one dtype.",
    parameters=("condition", "then", "other"),
    column=lambda settings: _where,
    writer=lambda code, settings, inputs, dtypes: "({1} if {0} else {2})".format(*inputs),
    abs_max=lambda settings, maxima: max(maxima[1:]),
)


def _bind_search(settings: Settings) -> Any:
    edges, side = np.asarray(settings["edges"], dtype=np.float64), settings["side"]
    return lambda x: np.searchsorted(edges, x, side=side).astype(np.int64)


def _bind_search_row(settings: Settings) -> Any:
    edges = np.asarray(settings["edges"], dtype=np.float64).tolist()
    search = {"left": bisect_left, "right": bisect_right}[settings["side"]]
    return lambda x: search(edges, x) if x == x else len(edges)  # NumPy sorts NaN behind all numbers


operation(
    "search",
    ("float64",),
    "int64",
    doc="How many of the sorted `edges` lie below the number (`side` left), or not above it (right).",
    settings={"edges": NUMBERS, "side": one_of(["left", "right"])},
    column=_bind_search,
    row=_bind_search_row,
    abs_max=lambda settings, maxima: float(len(settings["edges"])),
)
