"""Rows that a step refuses, as its library raises for them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.lookups import RefusedRowsError
from pipeline_lib.compiled.operations.rowcode import Code
from pipeline_lib.compiled.operations.table import NAT, Settings, operation
from pipeline_lib.compiled.operations.text import Text
from pipeline_lib.errors import InputError


def _words(settings: Settings) -> Callable[[Any], str]:
    """What is said of a value that is refused."""
    where, name, expected, advice = (settings[key] for key in ("where", "name", "expected", "advice"))

    def words(value: Any) -> str:
        missing = value is None or value != value or (type(value) is int and value == NAT)
        found = "a missing value" if missing else repr(value)
        return f"{where}: found {found} in column {name!r}, expected {expected}; {advice}"

    return words


def _bind(settings: Settings) -> Callable[[Any, Any], Any]:
    words = _words(settings)

    def demand(column: Any, good: Any) -> Any:
        good = np.asarray(good)
        if not good.all():
            row = int(np.argmin(good))
            values = column.tolist() if isinstance(column, Text | np.ndarray) else [column]
            raise RefusedRowsError(row, words(values[row] if len(values) > 1 else values[0]))
        return column

    return demand


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    words = _words(settings)

    def refuse(value: Any) -> None:
        raise InputError(words(value))

    code.line(f"if not {inputs[1]}: {code.bind(refuse, 'refuse')}({inputs[0]})")
    return inputs[0]


# The value as it is, where the condition behind it holds; other rows are refused. `where` and `name` say whose value
# it is, `expected` and `advice` what to do.
operation(
    "demand",
    ("float64|int64|bool|str|datetime", "bool"),
    lambda settings, dtypes: dtypes[0],
    column=_bind,
    writer=_write,
    limit=lambda settings, limits: limits[0],
)
