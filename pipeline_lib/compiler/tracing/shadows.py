"""Shadows: small real tables on which the library itself runs beside the recording.

    whole      rows of the training data as they are
    gaps       the same with missing values in places
    missing    every value missing that may be
    single     one row
    edges      zeros, signs, halves, unseen words, odd letters, ends of years
    far        numbers near the ends of the dtype

Dtypes, names and shapes of results are read from the shadows, and the plan is compared with them after each line. A
shadow on which the library raises an error is given up; on `whole` it must not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.library_input import LibraryColumns

WHOLE_ROWS = 64
_GAP_ROWS = 12
_OWN_VALUES = 6
_TEXTS = (
    *("", " ", "a", "A", "ab", "A b, C. d/e-f_g", "Unseen, Mr. Xyz (né)", "ß", "İı", "ﬁn", "Ünï", "Σάς", "ǆ"),
    *(
        "0",
        "7",
        "-7",
        "007",
        "1.5",
        " 12 ",
        "1e3",
        "1,5",
        "nan",
        "None",
        "True",
        "٣",
        "x1y22z",
        "\t",
        "C85 C87",
        "a" * 40,
    ),
)
_MILD = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, 2.0, 3.0, -3.0, 7.0, 10.0, 100.0, 0.1, -12.25, 12345.678, 1e-3)
_FAR = (1e300, -1e300, 5e-324, 2.0**53, -(2.0**53), 1e16, 123456789.123)
_INTEGERS = (0, 1, -1, 2, 3, -3, 7, 10, 12, 100, 1999, 2010, -12345)
_FAR_INTEGERS = (2**31, -(2**31), 2**53, -(2**53), 2**40 + 1)
_DATES = (
    *("1969-12-31T23:59:59.999999", "1970-01-01", "2000-02-29", "1999-12-31T23:59:59", "2000-01-01", "2001-01-01"),
    *("2004-12-31", "2009-01-01", "2010-01-03", "2021-03-28T02:30:00", "1900-03-01", "2100-12-31T12:00:00.5"),
)


def sample(data: Any) -> Any:
    """The rows of what a step receives that are kept for its shadows: some of them, evenly spread."""
    rows = data.shape[0]
    return _take(data, np.unique(np.linspace(0, rows - 1, min(rows, WHOLE_ROWS)).astype(int)))


@dataclass(frozen=True)
class Shadows:
    """The shadows of one input, and each as columns of the plan by name."""

    tables: list[Any]
    columns: Sequence[Mapping[str, PlanColumn]]


_LATEST: list[tuple[Any, Any, Shadows]] = []
"""The shadows that were made last: own code with branches is recorded several times on the same rows."""


def prepare_shadows(data: Any, columns: Mapping[str, Value]) -> Shadows:
    """The shadows of what a step receives, converted to columns of the plan."""
    key = [(name, value.dtype, value.abs_max, value.width) for name, value in columns.items()]
    for known, known_key, shadows in _LATEST:
        if known is data and known_key == key:
            return shadows
    tables = make_shadows(data, list(columns.values()))
    shadows = Shadows(tables, [LibraryColumns(table, columns) for table in tables])
    _LATEST[:] = [(data, key, shadows)]
    return shadows


def make_shadows(data: Any, columns: Sequence[Value]) -> list[Any]:
    """Shadows of what a step receives: a frame, array or sparse matrix; `columns` are its columns in the plan."""
    whole = sample(data)
    if hasattr(data, "toarray"):  # sparse
        return [whole, whole[:1], whole[:5]]
    if not hasattr(data, "columns"):
        return _arrays(whole, columns)
    shadows = [whole, _first(whole, 1)]
    if any(map(_may_miss, columns)):
        shadows += [_with_gaps(_first(whole, _GAP_ROWS), columns, 2), _with_gaps(_first(whole, 3), columns, 1)]
    shadows += [_edges(whole, far=False), _edges(whole, far=True)]
    return [_shuffled(shadow, number) for number, shadow in enumerate(shadows)]


def _arrays(whole: Any, columns: Sequence[Value]) -> list[Any]:
    if whole.dtype.kind not in "fiub":
        return [whole, whole[:1], whole[:3]]
    frame = pd.DataFrame(whole)
    edges = [_edges(frame, far=far).to_numpy().astype(whole.dtype) for far in (False, True)]
    shadows = [whole, whole[:1], *edges]
    if whole.dtype.kind == "f" and any(map(_may_miss, columns)):
        gaps = whole[:_GAP_ROWS].copy()
        for index, value in enumerate(columns):
            if _may_miss(value):
                gaps[index % 2 :: 2, index] = np.nan
        shadows += [gaps]
    return shadows


def _may_miss(value: Value) -> bool:
    return value.abs_max == np.inf and value.kind not in ("int64", "bool")


def _take(data: Any, rows: Any) -> Any:
    return data.iloc[rows].copy() if hasattr(data, "iloc") else data[rows].copy()


def _first(frame: Any, rows: int) -> Any:
    return frame.iloc[:rows].copy()


def _shuffled(frame: Any, number: int) -> Any:
    """A frame whose index is not in order, as after a split: what aligns by accident is seen."""
    labels = np.random.RandomState(number).permutation(len(frame)) + 1000 + 7 * number
    return frame.set_axis(labels, axis=0)


def _with_gaps(frame: Any, columns: Sequence[Value], step: int) -> Any:
    """A frame with a missing value in every row or, with a `step` of 2, every second row of each column that may."""
    parts = {}
    for index, (value, (_, column)) in enumerate(zip(columns, frame.items(), strict=True)):
        if _may_miss(value):
            kept = (np.arange(len(frame)) + index) % step != 0
            replaced = column.where(kept)
            column = replaced if replaced.dtype == column.dtype else column  # else the dtype holds no missing value
        parts[index] = column
    return pd.DataFrame(parts).set_axis(frame.columns, axis=1)


def _edges(frame: Any, *, far: bool) -> Any:
    """Rows that take the edge values of every column in turn; values that a dtype cannot hold are left out."""
    pools = [_pool(column, far=far) for _, column in frame.items()]
    rows = max(map(len, pools), default=1) + 3
    parts = {
        index: pool.take((np.arange(rows) * (1 + index % 3) + index) % len(pool)) for index, pool in enumerate(pools)
    }
    return pd.DataFrame(parts).set_axis(frame.columns, axis=1)


def _pool(column: Any, *, far: bool) -> Any:
    """The edge values of one column, as an array of its dtype, after some of its own values."""
    values, extra = column.array, _edge_values(column.dtype, far)
    own = values[~values.isna()]
    own = own[:: max(1, len(own) // _OWN_VALUES)]
    if not len(extra):
        return own if len(own) else values
    return type(values)._concat_same_type([own, extra])


@cache
def _edge_values(dtype: Any, far: bool) -> Any:
    """The edge values of a dtype."""
    kind, values = getattr(dtype, "kind", "O"), list[Any]()
    if str(dtype) == "str":
        values = list(_TEXTS)
    elif kind == "f":
        values = list(_FAR if far else _MILD)
    elif kind in "iu":
        ends = np.iinfo(getattr(dtype, "numpy_dtype", dtype))  # of Int64, and of Arrow's dtypes
        values = [value for value in (_FAR_INTEGERS if far else _INTEGERS) if ends.min <= value <= ends.max]
    elif kind == "b":
        values = [True, False]
    elif isinstance(dtype, np.dtype) and kind == "M":
        values = [pd.Timestamp(text) for text in _DATES]
    with np.errstate(over="ignore"):  # numbers beyond float32 are infinite in it
        return pd.Series(values).astype(dtype).array
