"""Conversion between a library's columns (Series, arrays) and the columns of a plan."""

from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

_TIMES = {"datetime": "datetime64[us]", "duration": "timedelta64[us]"}


def plan_column(values: Any, dtype: str) -> PlanColumn:
    """A pandas Series or one-dimensional array as a column of a plan; InputError where it does not fit."""
    own = getattr(values, "dtype", None)
    if dtype == "float64" and own == np.float64 and isinstance(own, np.dtype):
        return np.array(values, dtype=np.float64)
    kind = str(own or "")
    if dtype == "str":
        items = values.tolist() if kind != "category" else values.astype(object).tolist()
        return TextColumn.of([None if _is_missing(value) else str(value) for value in items])
    if dtype in _TIMES:
        if kind == "object":  # dates; a missing one is NaN
            values = [None if _is_missing(value) else value for value in values]
        times = np.asarray(values, dtype=_TIMES[dtype])
        return np.where(np.isnat(times), NAT, times.view(np.int64))
    if dtype in ("bool", "int64"):
        with np.errstate(invalid="ignore"):
            exact = np.asarray(values, dtype=dtype)
        if (exact != np.asarray(values)).any():
            raise InputError(f"found values of dtype {kind} from the library, expected {dtype} as in the plan")
        return exact
    if kind == "object" and hasattr(values, "notna"):  # pd.NA is missing, but no float
        values = values.where(values.notna(), np.nan)
    try:
        return np.asarray(values.astype(float) if hasattr(values, "astype") else values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"found values of dtype {kind} from the library, expected numbers as in the plan") from None


def _is_missing(value: Any) -> bool:
    """Whether an object is None, NaN, NaT or NA, which has no truth value."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def library_series(column: PlanColumn, dtype: str, rows: Any) -> Any:
    """Some rows of a plan's column, by their indices, as a pandas Series."""
    import pandas as pd

    if dtype == "str":
        words = column.take(rows).tolist()
        return pd.Series([np.nan if word is None else word for word in words], dtype=pd.StringDtype(na_value=np.nan))
    values = np.asarray(column)[rows]
    if dtype in _TIMES:
        return pd.Series(values.view(_TIMES[dtype]))  # NAT is NumPy's NaT
    return pd.Series(values)


def pandas_frame(data: Any) -> Any:
    """A polars frame, as `set_output(transform="polars")` has steps give, in pandas; anything else as it is."""
    return data.to_pandas() if hasattr(data, "to_pandas") and hasattr(data, "to_arrow") else data


def data_columns(data: Any) -> list[tuple[str, Any]]:
    """The columns of a frame, array or sparse matrix with their names; an array's are x0, x1, …"""
    data = pandas_frame(data)
    if hasattr(data, "toarray"):
        data = data.toarray()
    if hasattr(data, "columns"):
        return [(str(name), data.iloc[:, index]) for index, name in enumerate(data.columns)]
    if data.ndim == 1:
        return [("x0", data)]
    return [(f"x{index}", data[:, index]) for index in range(data.shape[1])]
