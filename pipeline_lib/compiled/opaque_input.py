"""What an opaque step takes and returns: columns of a plan as the frame, array or matrix that its library had at fit.

`form` says what the library had: "frame" and "series" of pandas, "array" and "values" (one-dimensional) of NumPy,
"csr" or "csc" of SciPy. `kinds` are the dtypes of its columns, of an array and a matrix the one of all; categories
come with theirs. Steps of earlier releases have neither: their frames are of the plan's own dtypes, arrays float64.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.library_columns import data_columns, library_series, plan_column
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

OBJECT_BOOL, OBJECT_DATE, OBJECT_NONE = "object of bool", "object of date", "object with None"
_DEFAULTS = {
    "float64": "float64",
    "int64": "int64",
    "bool": "bool",
    "str": "str",
    "datetime": "datetime64[us]",
    "duration": "timedelta64[us]",
}


def library_input(settings: Mapping[str, Any], columns: Sequence[PlanColumn], dtypes: Sequence[str], rows: Any) -> Any:
    """The rows with these indices as a step's library takes them; `dtypes` are those of the columns in the plan."""
    names, kinds = settings["names"], settings.get("kinds")
    form = settings.get("form") or ("array" if names is None else "frame")
    if form in ("frame", "series"):
        import pandas as pd

        categories = settings.get("categories") or [None] * len(columns)
        taken = [
            _of_kind(library_series(column, dtype, rows), dtype, kind, words)
            for column, dtype, kind, words in zip(
                columns, dtypes, kinds or [_DEFAULTS[dtype] for dtype in dtypes], categories, strict=True
            )
        ]
        if form == "series":
            return taken[0].rename(names[0] if names else None)
        frame = pd.DataFrame(dict(enumerate(taken)), index=pd.RangeIndex(len(rows)))
        frame.columns = pd.Index(list(names), dtype=pd.StringDtype(na_value=np.nan))
        return frame
    kind = kinds[0] if kinds else "float64"
    if form in ("csr", "csc"):
        return _matrix(columns, rows, form, kind)
    parts = [_numbers(column, dtype, rows, kind) for column, dtype in zip(columns, dtypes, strict=True)]
    array = np.concatenate(parts, axis=1) if parts else np.empty((len(rows), 0))
    return array[:, 0] if form == "values" else array


def plan_results(result: Any, dtypes: Sequence[str], rows: int) -> list[PlanColumn]:
    """The first rows of a library's result as columns of the plan: of a frame, array, matrix, or a list of arrays."""
    if list(dtypes) == ["bag"]:
        return [SparseColumn.of(result[:rows])]
    columns = [values for _, values in result_columns(result)]
    if len(columns) != len(dtypes):
        raise InputError(
            f"found {len(columns)} columns from the library, expected {len(dtypes)} as when it was compiled"
        )
    return [plan_column(values[:rows], dtype) for values, dtype in zip(columns, dtypes, strict=True)]


def result_columns(result: Any) -> list[tuple[str, Any]]:
    """The columns of a library's result with their names; those of a list, one array for each target, in order."""
    if isinstance(result, list) and result and getattr(result[0], "ndim", 0) == 2:
        return [
            (f"{target}_{name}", values) for target, part in enumerate(result) for name, values in data_columns(part)
        ]
    return data_columns(result if hasattr(result, "shape") else np.asarray(result))


def row_count(result: Any) -> int:
    """How many rows a library's result has."""
    if isinstance(result, list):
        return row_count(result[0]) if result and hasattr(result[0], "shape") and result[0].ndim == 2 else len(result)
    return int(result.shape[0])


def no_rows(dtype: str, width: int) -> PlanColumn:
    """A column without rows."""
    if dtype == "str":
        return TextColumn.of([])
    if dtype == "bag":
        return SparseColumn(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0), width)
    return np.zeros(0, {"datetime": np.int64, "duration": np.int64}.get(dtype, dtype))


def broadcast(column: PlanColumn, dtype: str, rows: int) -> PlanColumn:
    """A column of a plan with as many rows: constants are scalars."""
    from pipeline_lib.compiled.columns import broadcast_rows

    return broadcast_rows(column, dtype, rows)


def _of_kind(series: Any, dtype: str, kind: str, categories: Any) -> Any:
    """A column with the dtype that the library had."""
    if kind == "category":
        import pandas as pd

        ordered, values = categories
        more = series[series.notna() & ~series.isin(values)].unique().tolist()  # as astype("category") has them
        return pd.Series(pd.Categorical(series, categories=[*values, *more], ordered=bool(ordered)))
    if kind == OBJECT_BOOL:
        return series.astype(object).where(series.isna(), series == 1)
    if kind == OBJECT_DATE:
        return series.dt.date.astype(object).where(series.notna(), np.nan)
    if kind == OBJECT_NONE:
        return series.astype(object).where(series.notna(), None)
    return series if kind == _DEFAULTS.get(dtype) else series.astype(kind)


def _numbers(column: PlanColumn, dtype: str, rows: Any, kind: str) -> Any:
    """A column's rows as part of an array: (rows, width)."""
    if dtype == "bag":
        return column.take(rows).toarray().T.astype(kind)
    if dtype == "vector":
        return np.ascontiguousarray(column[:, rows].T).astype(kind)
    if dtype == "str":
        return np.array([[np.nan if word is None else word] for word in column.take(rows).tolist()], object).astype(
            kind
        )
    values = np.asarray(column)[rows]
    if dtype in ("datetime", "duration"):
        values = values.view({"datetime": "datetime64[us]", "duration": "timedelta64[us]"}[dtype])
    return values.astype(object if kind in (OBJECT_BOOL, OBJECT_DATE) else kind)[:, None]


def _matrix(columns: Sequence[PlanColumn], rows: Any, form: str, kind: str) -> Any:
    """Columns, of which some are sparse, as a SciPy matrix of the library's form and dtype."""
    import scipy.sparse  # type: ignore[import-untyped]

    parts = []
    for column in columns:
        if isinstance(column, SparseColumn):
            taken = column.take(rows)
            shape = (len(rows), taken.width)
            parts.append(scipy.sparse.csr_matrix((taken.values, taken.indices, taken.indptr), shape=shape))
        else:
            values = np.asarray(column)
            parts.append(scipy.sparse.csr_matrix(values[:, rows].T if values.ndim == 2 else values[rows][:, None]))
    if len(parts) == 1:
        return parts[0].asformat(form).astype(kind)
    return scipy.sparse.hstack(parts, format=form, dtype=kind)
