"""The one table of operations: each is defined once, for whole columns and for one row, with the same bits.

Columns are NumPy arrays: float64, int64, bool, int64 microseconds for datetime, shape (numbers, rows) for
vector; `TextColumn` for str; `ListColumn` for child rows; constants are Python scalars. In one row they are float,
int, bool, int, an array (numbers,), str or None, and a list's values as a column. Missing is NaN, None, or `NAT`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.list_columns import LIST, ListColumn, over_one_list
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.text_columns import TextColumn

Settings = dict[str, Any]
Bind = Callable[[Settings], Callable[..., Any]]
RowWriter = Callable[[Code, Settings, Sequence[str], Sequence[str]], str]


@dataclass(frozen=True)
class Operation:
    """One operation of the table.

    `takes` are the dtypes of its inputs (`float64|int64` for either, a last `...` repeats the one before; None:
    any). `column(settings)` gives a function of columns, `row` writes the same for one row and returns an
    expression. `rounding`: by how many ULPs of the result a reference library may differ on the same inputs.
    `abs_max` bounds the result's magnitude from the inputs' bounds, inf where it may be NaN. `error_bound(settings,
    inputs, bounds, result)` says how far a reference may be; None: by moving the inputs by their bounds.
    `width`: how many numbers a row of a vector or bag holds. A `plain` operation has no settings.
    """

    name: str
    takes: tuple[str, ...] | None
    gives: str | Callable[[Settings, Sequence[str]], str]
    column: Bind
    row: RowWriter
    rounding: float = 0.0
    abs_max: Callable[[Settings, Sequence[float]], float] = lambda settings, maxima: math.inf
    error_bound: Callable[..., Any] | None = None
    width: Callable[[Settings, Sequence[int]], int] = lambda settings, widths: 1
    plain: bool = False

    @property
    def of_lists(self) -> bool:
        """Whether it takes child rows together; every other operation takes them one by one."""
        return any(LIST in take for take in self.takes or ())


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str,
    takes: tuple[str, ...] | None,
    gives: str | Callable[[Settings, Sequence[str]], str],
    *,
    column: Bind,
    row: Bind | None = None,
    writer: RowWriter | None = None,
    rounding: float = 0.0,
    abs_max: Callable[[Settings, Sequence[float]], float] | None = None,
    error_bound: Callable[..., Any] | None = None,
    width: Callable[[Settings, Sequence[int]], int] | None = None,
    plain: bool = False,
) -> None:
    """Enter an operation: `row(settings)` gives its function of scalars; without one, `column` serves one row."""
    if name in OPERATIONS:
        raise ValueError(f"found operation {name!r} twice, expected each name once")
    write = writer or (partial(_call, row) if row else writes_lifted(column))
    abs_max = abs_max or (lambda settings, maxima: math.inf)
    width = width or (lambda settings, widths: 1)
    OPERATIONS[name] = Operation(name, takes, gives, column, write, rounding, abs_max, error_bound, width, plain)


def formula(
    name: str,
    takes: tuple[str, ...],
    gives: str | Callable[[Settings, Sequence[str]], str],
    column: Callable[..., Any],
    row: str | Callable[..., Any],
    *,
    rounding: float = 0.0,
    abs_max: Callable[[Sequence[float]], float] | None = None,
) -> None:
    """Enter an operation without settings: a function of columns, and for one row a template or a function."""
    bounded = abs_max or (lambda maxima: math.inf)
    template = row if isinstance(row, str) else None

    def write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
        if template is not None:
            return template.format(*inputs)
        return f"{code.bind(row, name)}({', '.join(inputs)})"

    operation(
        name,
        takes,
        gives,
        column=lambda settings: column,
        writer=write,
        rounding=rounding,
        abs_max=lambda settings, maxima: bounded(maxima),
        plain=True,
    )


def _call(row: Bind, code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return f"{code.bind(row(settings), 'f')}({', '.join(inputs)})"


def writes_lifted(column: Bind) -> RowWriter:
    """One row as a column of one row."""
    return partial(_lift, column)


def _lift(column: Bind, code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    function = column(settings)
    lifts = [_LIFTS[dtype] for dtype in dtypes]

    def of_one_row(*values: Any) -> Any:
        with np.errstate(all="ignore"):
            return lower(function(*(lift(value) for lift, value in zip(lifts, values, strict=True))))

    return f"{code.bind(of_one_row, 'f')}({', '.join(inputs)})"


_LIFTS: dict[str, Callable[[Any], Any]] = {
    "float64": lambda value: np.array([value], dtype=np.float64),
    "int64": lambda value: np.array([value], dtype=np.int64),
    "datetime": lambda value: np.array([value], dtype=np.int64),
    "bool": lambda value: np.array([value], dtype=np.bool_),
    "str": lambda value: TextColumn.of([value]),
    "vector": lambda value: value[:, None],
    "bag": lambda value: value,
}
_LIFTS |= {
    f"{dtype}{LIST}": lambda values: ListColumn(values, np.array([0, len(values)]))
    for dtype in ("float64", "int64", "bool", "str", "datetime")
}


def write_over_list(
    code: Code, function: Callable[..., Any], inputs: Sequence[str], dtypes: Sequence[str], constant: Sequence[bool]
) -> str:
    """Python source for one row of a function of the child rows' columns."""
    is_list = [dtype.endswith(LIST) for dtype in dtypes]
    lifts = [None if known else _LIFTS[dtype] for known, dtype in zip(constant, dtypes, strict=True)]
    return f"{code.bind(over_one_list(function, is_list, lifts), 'f')}({', '.join(inputs)})"


def lower(column: Any) -> Any:
    """The only row of a column, as one row has it."""
    if isinstance(column, TextColumn):
        return column.tolist()[0]
    if isinstance(column, ListColumn):
        return column.values
    if isinstance(column, np.ndarray):
        return column[:, 0] if column.ndim == 2 else column[0].item()
    return column
