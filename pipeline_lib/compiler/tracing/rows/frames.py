"""Rows of a frame, as functions get them from `frame.apply(f, axis=1)`: `row["age"]`, `row[["a", "b"]].sum()`.

A row is a Series of one dtype: where the columns are integers and floats its values are NumPy's floats; where they are
of several kinds its values are Python's own numbers, text and Timestamps.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import rule
from pipeline_lib.compiler.tracing.rows.operands import PYTHON
from pipeline_lib.compiler.tracing.rows.values import RecordedValue, make_value


class RecordedRow(Recorded):
    """One row of a frame, or a Series that a function of a row makes: values by label."""

    __slots__ = ("_dtype", "_items")
    _kind = "row"
    _title = "row"
    _items: dict[Any, Any]
    _dtype: str

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._items and not hasattr(pd.Series, name):
            return self._items[name]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._items:
            super().__setattr__(name, value)
        self[name] = value

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        if isinstance(key, list | pd.Index | tuple):
            return make_row(self._recording, {each: self._item(each) for each in key}, self._dtype)
        return self._item(key)

    def _item(self, key: Any) -> Any:
        if isinstance(key, Recorded | slice) or (isinstance(key, int) and not self._has_numbers()):
            self._stop(
                f"a part of a row by {type(key).__name__}", "the recorder has no rule for it", "write row['name']"
            )
        if key not in self._items:
            raise KeyError(key)
        return self._items[key]

    def _has_numbers(self) -> bool:
        return any(isinstance(label, int | np.integer) for label in self._items)

    def __setitem__(self, key: Any, value: Any) -> None:
        value = unwrap(value)
        if isinstance(key, Recorded | list | slice) or (
            isinstance(value, Recorded) and type(value) is not RecordedValue
        ):
            self._stop("several values set in a row", "the recorder has no rule for it", "set them one by one")
        kind = _kind(value)
        items = {**self._items, key: value}
        if self._dtype != "object" and (kind, self._dtype) not in _KEPT:
            object.__setattr__(self, "_dtype", "object")
            items = {label: _with_sample(self._recording, each, "python") for label, each in items.items()}
        elif self._dtype != "object":
            items[key] = _as_dtype(self._recording, value, self._dtype)
        object.__setattr__(self, "_items", items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Any:
        return iter(self._items.values())

    def _elementwise(self, name: str, other: Any) -> Any:
        if isinstance(unwrap(other), Recorded) and type(unwrap(other)) is not RecordedValue:
            self._stop("an operator of two rows", "the recorder has no rule for it", "compare the values one by one")
        items = {
            label: getattr(recorded_value(self._recording, each), name)(other) for label, each in self._items.items()
        }
        return make_row(self._recording, items, "bool")

    def __eq__(self, other: object) -> Any:
        return self._elementwise("__eq__", other)

    def __ne__(self, other: object) -> Any:
        return self._elementwise("__ne__", other)

    def __lt__(self, other: Any) -> Any:
        return self._elementwise("__lt__", other)

    def __le__(self, other: Any) -> Any:
        return self._elementwise("__le__", other)

    def __gt__(self, other: Any) -> Any:
        return self._elementwise("__gt__", other)

    def __ge__(self, other: Any) -> Any:
        return self._elementwise("__ge__", other)

    __hash__ = None  # type: ignore[assignment]


_KEPT = {("int64", "int64"), ("float64", "float64"), ("int64", "float64"), ("bool", "bool"), ("str", "str")}
"""Kinds of values that may be set in a row of a dtype without changing it."""


def _kind(value: Any) -> str:
    if type(value) is RecordedValue:
        return str(value._operand.kind)
    return "float64" if is_missing(value) else {bool: "bool", int: "int64", float: "float64"}.get(type(value), "str")


def recorded_value(recording: Recording, value: Any) -> Any:
    """A value of a row, recorded also where it is a constant."""
    if type(value) is RecordedValue:
        return value
    return make_value(recording, recording.build.value(math.nan if is_missing(value) else value))


def _with_sample(recording: Recording, value: Any, flavour: str) -> Any:
    if type(value) is not RecordedValue:
        return value
    operand = value._operand
    return make_value(recording, operand.value, flavour, bound=operand.bound, stable=operand.stable)


def _as_dtype(recording: Recording, value: Any, dtype: str) -> Any:
    value = recorded_value(recording, value)
    if dtype == "float64":
        return make_value(recording, recording.build.number(value._values[0]), "numpy")
    return _with_sample(recording, value, "numpy")


def make_row(recording: Recording, items: dict[Any, Any], dtype: str) -> RecordedRow:
    """A row of values by label; `dtype` is that of the Series, object for several kinds of values."""
    values = [value._values[0] for value in items.values() if type(value) is RecordedValue]
    made = RecordedRow(recording, [pd.Series(dtype=object)] * len(recording.shadows), values, recording.all_rows)
    object.__setattr__(made, "_items", items)
    object.__setattr__(made, "_dtype", dtype)
    return made


def row_of(frame: Recorded) -> RecordedRow:
    """A row of a frame, as the library hands it to a function."""
    recording = frame._recording
    reals = [frame._reals[number] for number in recording.living() if len(frame._reals[number])]
    labels = list(reals[0].columns)
    dtypes = {str(real.iloc[0].dtype) for real in reals}
    dtype = dtypes.pop() if len(dtypes) == 1 else "float64" if dtypes == {"int64", "float64"} else ""
    if len(set(labels)) < len(labels) or not (dtype in ("object", *_SAMPLES) or dtype.startswith(("date", "time"))):
        refuse(
            f"rows of dtype {dtype or ' or '.join(sorted(dtypes))}",
            "the recorder knows rows of numbers of 64 bits, bools, text, dates, and of several kinds",
            "choose the columns that the function reads: X[[...]].apply(f, axis=1)",
        )
    items = {}
    for index, (label, value) in enumerate(zip(labels, frame._values, strict=True)):
        items[label] = _row_value(recording, value, dtype, [real.dtypes.iloc[index] for real in reals])
    return make_row(recording, items, dtype)


_SAMPLES = ("int64", "float64", "bool", "str", "category")


def _row_value(recording: Recording, value: Value, dtype: str, dtypes: list[Any]) -> Any:
    if value.kind not in PYTHON:
        refuse(f"a row with a value of {value.kind}", "the recorder has no rule for it", "leave the column out")
    if dtype == "float64":
        return make_value(recording, recording.build.number(value), "numpy")
    kinds = {each.kind for each in dtypes}
    expected = {"int64": "iuO", "float64": "f", "bool": "bO"}.get(value.kind)
    stable = expected is None or all(kind in expected for kind in kinds)
    return make_value(recording, value, "python" if dtype == "object" else "numpy", stable=stable)


@rule("row", "get", raw=True)
def get(call: Call, key: Any, default: Any = None) -> Any:
    """A value by its label."""
    return call.owner._items.get(key, default)


@rule("row", "__len__", raw=True)
def length(call: Call) -> int:
    """How many values a row has."""
    return len(call.owner._items)


@rule("row", "index", attribute=True, raw=True)
def labels(call: Call) -> Any:
    """The labels."""
    return pd.Index(list(call.owner._items))


@rule("row", "keys", raw=True)
def keys(call: Call) -> Any:
    """The labels."""
    return pd.Index(list(call.owner._items))


@rule("row", "items", raw=True)
def items(call: Call) -> Any:
    """Labels and values."""
    return list(call.owner._items.items())


@rule("row", "to_dict", raw=True)
def to_dict(call: Call) -> Any:
    """The values by label."""
    return dict(call.owner._items)


@rule("row", "tolist", "to_list", raw=True)
def tolist(call: Call) -> Any:
    """The values."""
    return list(call.owner._items.values())


@rule("row", "copy", raw=True)
def copy(call: Call, deep: bool = True) -> Any:
    """Another row of the same values."""
    return make_row(call.recording, dict(call.owner._items), call.owner._dtype)


@rule("row function", "pandas.Series", raw=True)
def series_of(call: Call, data: Any = None, index: Any = None, dtype: Any = None, name: Any = None) -> Any:
    """A Series of values of a row: what a function returns for several columns."""
    if dtype is not None or not isinstance(data, list | tuple | dict):
        call.stop("pd.Series of a row's value", "the recorder has no rule for it", "write pd.Series([...])")
    labels = list(data) if isinstance(data, dict) else list(range(len(data))) if index is None else list(index)
    values = list(data.values()) if isinstance(data, dict) else list(data)
    if (isinstance(data, dict) and index is not None) or len(labels) != len(values):
        call.stop("pd.Series of values and other labels", "the recorder has no rule for it", "give one label for each")
    kinds = {_kind(each) for each in values}
    if kinds == {"int64", "float64"}:
        values = [_as_dtype(call.recording, each, "float64") for each in values]
    return make_row(call.recording, dict(zip(labels, values, strict=True)), "object" if len(kinds) > 1 else kinds.pop())


def parts_of(result: Any, *, expand: bool) -> dict[Any, Any]:
    """What a function of a row returned: values by column; the only one of a function that returns a value is ""."""
    if type(result) is RecordedRow:
        return result._items
    if isinstance(result, pd.Series):
        return dict(result.items())
    if isinstance(result, list | tuple | np.ndarray):
        if not expand:
            refuse(
                "a function of a row that returns a list",
                "a column of lists is no column of numbers or text",
                "return pd.Series([...]), or write result_type='expand'",
            )
        return dict(enumerate(result))
    return {"": result}


def columns_in_order(columns: dict[Any, Value], reals: list[Any], recording: Recording) -> list[Value]:
    """The columns of a function's results in the order of the library's frame; the only one of a Series."""
    if list(columns) == [""]:
        return [columns[""]]
    if any(not len(reals[number]) for number in recording.living()):
        refuse(
            "a function of chosen rows that returns several columns",
            "pandas gives other columns where no row is chosen",
            "call it on all rows",
        )
    return [columns[label] for label in reals[0].columns]
