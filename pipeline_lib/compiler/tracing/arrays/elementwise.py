"""NumPy functions that work value by value, on frames, Series, arrays, constants, and the values of one row.

`apply` calls the function on the shadows and writes a formula for each column of the result.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.dtypes import computed, dtype_of, kind_of
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, is_constant, of_shadow, recorded_in
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.rows.values import make_value

Formula = Callable[..., Value]
Finish = Callable[[Call, Value, Any], Value]
_RANKS = ("value", "array", "series", "frame")
_LABELLED = ("series", "frame")


def apply(
    call: Call,
    function: Callable[..., Any],
    args: Sequence[Any],
    formula: Formula,
    *,
    options: Mapping[str, Any] | None = None,
    by_label: bool = True,
    objects: bool = False,
    finish: Finish = computed,
) -> Any:
    """The result of `function(*args, **options)`; `formula(build, *values)` writes one column of it.

    With `by_label` pandas matches Series by their index; else NumPy by position. Arrays of objects are refused unless
    `objects`. `finish` fits a written column into the dtype of the result.
    """
    recorded = recorded_in(list(args))
    owner = max(recorded, key=lambda each: _RANKS.index(each._kind) if each._kind in _RANKS else -1)
    options = dict(options or {})
    if any(each._kind not in _RANKS for each in recorded):
        refuse(f"{call.name} of a {recorded[0]._title}", "the recorder has no rule for it", PLAN)
    if any(each._kind == "value" for each in recorded):
        return _of_row(call, recorded, args, formula)
    for each in recorded:
        if not objects and is_object(each):
            _refuse_objects(call, each)

    def write(reals: list[Any]) -> list[Value]:
        made = Call(call.recording, owner, call.name, reals)
        columns = columns_of(made, args, by_label=by_label)
        written = _rectified(call.build, *columns) if function is np.maximum else None
        written = written or [formula(call.build, *values) for values in zip(*columns, strict=True)]
        return [finish(made, value, dtype_of(reals[0], index)) for index, value in enumerate(written)]

    return call.recording.perform(
        call.name, lambda number: function(*of_shadow(list(args), number), **options), write, owner._rows
    )


def _rectified(build: Builder, columns: Sequence[Value], others: Sequence[Value]) -> list[Value] | None:
    """The larger of a whole vector's items and 0.0 as one operation: layers of neural networks are hundreds wide."""
    vector = build.vector_of(columns)
    zero = build.value(0.0)
    if vector is None or not math.isfinite(vector.abs_max) or any(build.number(other) is not zero for other in others):
        return None
    return build.items(build.activation(vector, kind="relu"))


def _of_row(call: Call, recorded: Sequence[Recorded], args: Sequence[Any], formula: Formula) -> Any:
    if any(each._kind != "value" for each in recorded):
        refuse(f"{call.name} of one row's value and a column", "the recorder has no rule for it", PLAN)
    values = [each._values[0] if isinstance(each, Recorded) else call.of(each) for each in args]
    return make_value(call.recording, formula(call.build, *values), "numpy")


def is_object(thing: Recorded) -> bool:
    """Whether a recorded object has a column of objects, such as text."""
    real = thing._reals[0]
    dtypes = list(real.dtypes) if thing._kind == "frame" else [getattr(real, "dtype", None)]
    return any(kind_of(dtype) == "O" for dtype in dtypes if dtype is not None)


def _refuse_objects(call: Call, thing: Recorded) -> None:
    if any(value.kind in ("float64", "int64", "bool") for value in thing._values):
        refuse(
            f"{call.name} of a column of objects",
            "NumPy calls Python's functions for them, or raises an error",
            "cast it first, for example with astype(float)",
        )


def columns_of(call: Call, args: Sequence[Any], *, by_label: bool) -> list[list[Value]]:
    """The arguments column by column, as NumPy broadcasts them."""
    recorded = [each for each in args if isinstance(each, Recorded)]
    shapes = [each._reals[0].ndim for each in recorded]
    two = 2 in shapes
    if two and 1 in shapes:
        refuse(
            f"{call.name} of one column and several",
            "NumPy matches rows with columns",
            "write column[:, None] or column.reshape(-1, 1)",
        )
    width = max(len(each._values) for each in recorded)
    _check_rows(call, recorded, by_label=by_label)
    return [_side(call, each, width, two=two) for each in args]


def _check_rows(call: Call, recorded: Sequence[Recorded], *, by_label: bool) -> None:
    first = recorded[0]
    for other in recorded[1:]:
        labelled = by_label and first._kind in _LABELLED and other._kind in _LABELLED
        if not first._rows.same(other._rows, by_position=not labelled):
            refuse(
                f"{call.name} of objects with other rows or another index",
                "they are matched by label or position, and production has other rows",
                "compute both from the same rows, or write .values",
            )
        if labelled and _labels(first) != _labels(other):
            refuse(f"{call.name} of frames of other columns", "pandas aligns them by name", "name them alike")


def _labels(thing: Recorded) -> list[Any]:
    return list(thing._reals[0].columns) if thing._kind == "frame" else []


def _side(call: Call, argument: Any, width: int, *, two: bool) -> list[Value]:
    if isinstance(argument, Recorded):
        values = list(argument._values)
    elif is_constant(argument):
        values = [call.of(argument)]
    else:
        values = [call.of(each) for each in _items(call, argument, width, two=two)]
    if len(values) not in (1, width):
        refuse(f"{call.name} of {len(values)} columns and {width}", "NumPy does not match them", PLAN)
    return values * (width if len(values) == 1 else 1)


def _items(call: Call, argument: Any, width: int, *, two: bool) -> list[Any]:
    """The items of a plain list or array, one for each column or one for all."""
    labelled = type(argument).__name__ in ("Series", "DataFrame", "Index")
    shape = () if labelled else np.shape(argument)
    if shape not in ((1,), (1, 1)) and not (two and shape in ((width,), (1, width))):
        refuse(
            f"{call.name} of columns and a {type(argument).__name__} of {np.size(argument)} values",
            "it is matched with the rows, and production has other rows",
            "give one value for each column, or one for all",
        )
    return list(np.ravel(np.asarray(argument)))
