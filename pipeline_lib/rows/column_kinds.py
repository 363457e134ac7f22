"""The kind of raw column that a pandas Series belongs to, whatever its dtype, and what to do where there is none."""

from datetime import date, datetime
from typing import Any

import numpy as np

from pipeline_lib.rows.conform_values import value_kind

_NUMPY_KINDS = {"i": "integer", "u": "integer", "f": "number", "b": "boolean"}
_NUMBERS = {"integer", "number"}


def kind_of(series: Any) -> tuple[str, bool] | None:
    """The kind of a Series' values and whether its dtype has a missing value; None for what no raw column holds.

    A category counts as its values. Columns of objects need values of one kind: text, bools, numbers, dates or
    datetimes without a zone.
    """
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        inner = kind_of(pd.Series(dtype.categories))
        return None if inner is None else (inner[0], True)
    if isinstance(dtype, pd.StringDtype):
        return "string", True
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_kind(dtype.pyarrow_dtype)
    if dtype.kind == "M":
        naive = getattr(dtype, "tz", None) is None and str(dtype).startswith("datetime64")
        return ("datetime", True) if naive else None
    if dtype.kind == "O":
        return _object_kind(series) if isinstance(dtype, np.dtype) else None
    if isinstance(dtype, pd.SparseDtype) or dtype.kind not in _NUMPY_KINDS or _is_other_float(dtype):
        return None
    return _NUMPY_KINDS[dtype.kind], dtype.kind == "f" or not isinstance(dtype, np.dtype)


def _is_other_float(dtype: Any) -> bool:
    """Whether a float is neither float32 nor float64."""
    return dtype.kind == "f" and dtype.itemsize not in (4, 8)


def _arrow_kind(dtype: Any) -> tuple[str, bool] | None:
    import pyarrow as pa

    kinds = {
        "integer": pa.types.is_integer(dtype),
        "number": pa.types.is_floating(dtype) and not pa.types.is_float16(dtype),
        "string": pa.types.is_string(dtype) or pa.types.is_large_string(dtype),
        "boolean": pa.types.is_boolean(dtype),
        "datetime": pa.types.is_timestamp(dtype) and dtype.tz is None,
        "date": pa.types.is_date(dtype),
    }
    return next(((kind, True) for kind, holds in kinds.items() if holds), None)


def _object_kind(series: Any) -> tuple[str, bool] | None:
    types = {type(value) for value in series[series.notna()]}
    kinds = {value_kind(kind) for kind in types}
    if not kinds:
        return "string", True
    if kinds == _NUMBERS:
        return "number", True
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind == "datetime" and any(each.tzinfo for each in series.dropna() if isinstance(each, datetime)):
        return None
    if kind == "date" and types != {date}:
        return None
    return None if kind is None else (kind, True)


def conversion(series: Any) -> str:
    """What to write in `load` for a Series without a kind."""
    dtype, name = series.dtype, repr(series.name)
    text = str(dtype)
    if text.startswith(("timedelta64", "duration")):
        return f"X[{name}].dt.total_seconds() is a number"
    if getattr(dtype, "tz", None) is not None or "tz=" in text:
        return (
            f'X[{name}].dt.tz_convert("UTC").dt.tz_localize(None) is a datetime in UTC without a zone, '
            f"X[{name}].dt.tz_localize(None) is what the zone's clocks show"
        )
    if text.startswith("period"):
        return f"X[{name}].dt.to_timestamp() is a datetime"
    if text.startswith("Sparse"):
        return f"X[{name}].sparse.to_dense() holds the same numbers"
    if text.startswith("complex"):
        return "real and imaginary part as two columns are numbers"
    if getattr(dtype, "kind", "") == "f" or text.startswith("halffloat"):
        return f"X[{name}].astype(float) is a number"
    if text == "object":
        types = sorted({type(value).__name__ for value in series[series.notna()]})
        if set(types) & {"Decimal", "Fraction"}:
            return f"X[{name}].astype(float) is a number"
        return f"it holds {', '.join(types)}: values of one type can be a raw column, for example X[{name}].astype(str)"
    return f"X[{name}].astype(str) is text"
