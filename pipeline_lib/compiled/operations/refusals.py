"""Rows that a step refuses, as its library raises for them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.lookups import RefusedRows
from pipeline_lib.compiled.operations.rowcode import Code
from pipeline_lib.compiled.operations.table import NAT, Settings, operation
from pipeline_lib.compiled.operations.text import Text
from pipeline_lib.errors import InputError


def _message(settings: Settings, value: Any) -> str:
    missing = value is None or value != value or (type(value) is int and value == NAT)
    return (
        f"{settings['where']}: found {'a missing value' if missing else repr(value)} in column {settings['name']!r}, "
        f"expected {settings['expected']}; {settings['advice']}"
    )


def _bind(settings: Settings) -> Callable[[Any, Any], Any]:
    def demand(column: Any, good: Any) -> Any:
        good = np.asarray(good)
        if not good.all():
            row = int(np.argmin(good))
            values = column.tolist() if isinstance(column, Text | np.ndarray) else [column]
            raise RefusedRows(row, _message(settings, values[row] if len(values) > 1 else values[0]))
        return column

    return demand


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    def refuse(value: Any) -> None:
        raise InputError(_message(settings, value))

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
