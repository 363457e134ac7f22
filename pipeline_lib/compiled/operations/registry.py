"""The table of operations: each is registered once, with a form for columns and a form for one row.

Both forms give the same bits. What a value is, by dtype:

    dtype       column                                   one row
    float64     float64 array                            float, missing is NaN
    int64       int64 array                              int
    bool        bool array                               bool
    datetime    int64 array, microseconds since 1970     int, missing is `NAT`
    duration    int64 array, microseconds                int, missing is `NAT`
    str         `TextColumn`                             str, missing is None
    vector      float64 array of shape (width, rows)     float64 array of shape (width,)
    bag         `SparseColumn`                           `SparseColumn` of one row
    float64[]   `ListColumn` of child rows               the child rows' column; so for the other dtypes

A constant is a Python scalar in both forms. Operations are listed in docs/operations.md, which is generated from
this table by `python -m tools.operations`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.list_columns import LIST, ListColumn, over_one_list
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.setting_types import SettingType
from pipeline_lib.compiled.operations.text_columns import TextColumn

Settings = dict[str, Any]
Bind = Callable[[Settings], Callable[..., Any]]
RowWriter = Callable[[Code, Settings, Sequence[str], Sequence[str]], str]


@dataclass(frozen=True)
class Operation:
    """One operation of the table.

    `name` is the name on disk and never changes. `doc` is one line for the docs and for `Builder`'s method.
    `takes` are the dtypes of its inputs: `float64|int64` for either, a last `...` repeats the one before, None takes
    anything; `parameters` are the inputs' names. `gives` is the result's dtype, or a function of settings and inputs'
    dtypes. `settings` are the types of its settings, checked when a plan is written.

    `column(settings)` returns the function of columns; `row` writes the same for one row and returns a Python
    expression. `rounding`: by how many ULPs of the result a reference library may differ on the same inputs.
    `abs_max(settings, maxima)` bounds the result's magnitude from the inputs' bounds; inf where it may be NaN.
    `check(settings)` raises InputError for settings that do not fit together; only the compiler calls it.
    `error_bound(settings, inputs, bounds, result)` is how far a reference may be; without one, the inputs are moved
    by their bounds. `doubt(settings)` says why a reference has no answer of its own where the bound is infinite, ""
    where it has one that the operation repeats. `width(settings, widths)`: how many numbers a row of a vector or
    sparse vector holds.
    """

    name: str
    doc: str
    takes: tuple[str, ...] | None
    gives: str | Callable[[Settings, Sequence[str]], str]
    column: Bind
    row: RowWriter
    rounding: float = 0.0
    abs_max: Callable[[Settings, Sequence[float]], float] = lambda settings, maxima: math.inf
    error_bound: Callable[..., Any] | None = None
    width: Callable[[Settings, Sequence[int]], int] = lambda settings, widths: 1
    settings: Mapping[str, SettingType] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    check: Callable[[Settings], None] | None = None
    doubt: Callable[[Settings], str] = lambda settings: ""

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
    doc: str,
    column: Bind,
    settings: Mapping[str, SettingType] | None = None,
    parameters: tuple[str, ...] = (),
    row: Bind | None = None,
    writer: RowWriter | None = None,
    rounding: float = 0.0,
    abs_max: Callable[[Settings, Sequence[float]], float] | None = None,
    error_bound: Callable[..., Any] | None = None,
    width: Callable[[Settings, Sequence[int]], int] | None = None,
    check: Callable[[Settings], None] | None = None,
    doubt: Callable[[Settings], str] | None = None,
) -> None:
    """Register an operation; its fields are those of `Operation`.

    `row(settings)` returns the function of one row's scalars, or `writer` writes its source. Without either, `column`
    computes a column of one row.
    """
    if name in OPERATIONS:
        raise ValueError(f"found operation {name!r} twice, expected each name once")
    OPERATIONS[name] = Operation(
        name,
        doc,
        takes,
        gives,
        column,
        writer or (partial(_call, row) if row else write_lifted(column)),
        rounding,
        abs_max or (lambda settings, maxima: math.inf),
        error_bound,
        width or (lambda settings, widths: 1),
        settings or {},
        parameters,
        check,
        doubt or (lambda settings: ""),
    )


def formula(
    name: str,
    takes: tuple[str, ...],
    gives: str | Callable[[Settings, Sequence[str]], str],
    column: Callable[..., Any],
    row: str | Callable[..., Any],
    doc: str,
    *,
    parameters: tuple[str, ...] = (),
    rounding: float = 0.0,
    abs_max: Callable[[Sequence[float]], float] | None = None,
) -> None:
    """Register an operation without settings: a function of columns, and for one row a template or a function.

    A template is Python source in which `{0}` is the first input.
    """
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
        doc=doc,
        column=lambda settings: column,
        parameters=parameters,
        writer=write,
        rounding=rounding,
        abs_max=lambda settings, maxima: bounded(maxima),
    )


def _call(row: Bind, code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return f"{code.bind(row(settings), 'f')}({', '.join(inputs)})"


def write_lifted(column: Bind) -> RowWriter:
    """The writer of an operation that computes one row as a column of one row."""
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
    "duration": lambda value: np.array([value], dtype=np.int64),
    "bool": lambda value: np.array([value], dtype=np.bool_),
    "str": lambda value: TextColumn.of([value]),
    "vector": lambda value: value[:, None],
    "bag": lambda value: value,
}
_LIFTS |= {
    f"{dtype}{LIST}": lambda values: ListColumn(values, np.array([0, len(values)]))
    for dtype in ("float64", "int64", "bool", "str", "datetime", "duration")
}


def write_over_list(
    code: Code, function: Callable[..., Any], inputs: Sequence[str], dtypes: Sequence[str], constant: Sequence[bool]
) -> str:
    """Python source that calls, for one main row, a function of its child rows' columns."""
    is_list = [dtype.endswith(LIST) for dtype in dtypes]
    lifts = [None if known else _LIFTS[dtype] for known, dtype in zip(constant, dtypes, strict=True)]
    return f"{code.bind(over_one_list(function, is_list, lifts), 'f')}({', '.join(inputs)})"


def lower(column: Any) -> Any:
    """The only row of a column, in the form that the row executor computes with."""
    if isinstance(column, TextColumn):
        return column.tolist()[0]
    if isinstance(column, ListColumn):
        return column.values
    if isinstance(column, np.ndarray):
        return column[:, 0] if column.ndim == 2 else column[0].item()
    return column
