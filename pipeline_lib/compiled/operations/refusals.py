"""How an operation refuses rows: the first bad row's number, and a message about its value."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

NAT = -(2**63)
"""A missing datetime: the integer that NumPy uses for NaT."""


class RefusedRowsError(InputError):
    """Rows that an operation refuses.

    `row` is the first one's number in its block; the executor puts the number in the whole batch before the message.
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


class RefusedRowError(InputError):
    """A batch with a row that an operation refuses: its number, below 0 for an earlier row, and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"{f'row {row}' if row >= 0 else f'earlier row {row}'}: {reason}")
        self.row = row
        self.reason = reason


def refuse(column: Any, good: Any, message: Callable[[Any], str]) -> None:
    """Raise RefusedRowsError for the first row that is not good, with `message` of its value."""
    good = np.asarray(good)
    if not good.all():
        row = int(np.argmin(good))
        values = column.tolist() if isinstance(column, TextColumn) else np.ravel(column).tolist()
        raise RefusedRowsError(row, message(values[row if len(values) > 1 else 0]))


def shown(settings: Mapping[str, Any], value: Any) -> str:
    """A value as a message shows it; settings of what depends on a sensitive column are `hidden`."""
    if settings.get("hidden"):
        return "a value (hidden: sensitive)"
    missing = value is None or value != value or (type(value) is int and value == NAT)
    return "a missing value" if missing else repr(value)
