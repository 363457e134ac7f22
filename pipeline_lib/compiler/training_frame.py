"""The rows that a pipeline was fitted on, in any container, as a frame with a name for each column."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiler.fitted_names import takes_texts
from pipeline_lib.errors import InputError
from pipeline_lib.rows.containers import column_label, is_instance, is_rows_of_mappings
from pipeline_lib.rows.schema import RowSchema

FRAME, SERIES, ARRAY, VECTOR = "frame", "series", "array", "vector"


def training_frame(like: Any, row: RowSchema | None, steps: Sequence[tuple[str, Any]]) -> tuple[Any, str]:
    """The rows as a DataFrame, and the container in which pipelines with these steps take them.

    Columns without a name have that of Row, else x0, x1, …. Raises InputError for other rows, and for two columns of
    one name.
    """
    frame, container = _as_frame(like, row)
    if container == FRAME and takes_texts(steps):
        container = _texts_of(frame)
    _refuse_duplicates(frame)
    return frame, container


def _as_frame(like: Any, row: RowSchema | None) -> tuple[Any, str]:
    """The rows as a DataFrame with names, and their container."""
    import pandas as pd

    arrow = isinstance(like, pa.Table | pa.RecordBatch | pa.Array | pa.ChunkedArray)
    if arrow or is_instance(like, "polars", "DataFrame", "Series"):
        like = like.to_pandas()
    elif isinstance(like, Sequence) and not isinstance(like, str | bytes):
        like = pd.DataFrame(list(like)) if is_rows_of_mappings(like) else _listed(like)
    if isinstance(like, pd.DataFrame):
        return like, FRAME
    if isinstance(like, pd.Series):
        return like.to_frame(_only_name(row, like.name)), SERIES
    if isinstance(like, np.ndarray) and like.ndim == 1:
        return pd.DataFrame({_only_name(row, None): pd.Series(like, dtype=_column_dtype(like))}), VECTOR
    if isinstance(like, np.ndarray) and like.ndim == 2:
        return _array_frame(like, row), ARRAY
    hint = "X.toarray()" if hasattr(like, "toarray") else "X_train"
    raise InputError(
        f"found {type(like).__name__} as like=, expected the training rows as a DataFrame, Series, array, list, polars "
        f"or Arrow table; pass {hint}"
    )


def _texts_of(frame: Any) -> str:
    """The container of a frame for a vectorizer, which goes through texts and not through the names of columns."""
    if frame.shape[1] > 1 and all(isinstance(name, str) for name in frame.columns):
        raise InputError(
            f"found {frame.shape[1]} columns for a vectorizer, expected the one of texts that it was fitted on; pass a "
            f"column of texts: like=frame[{frame.columns[0]!r}]"
        )
    return SERIES if frame.shape[1] == 1 else FRAME


def _array_frame(array: Any, row: RowSchema | None) -> Any:
    import pandas as pd

    names = [column_label(index) for index in range(array.shape[1])]
    if row is not None:
        names = [column.name for column in row.columns]
        if len(names) != array.shape[1]:
            raise InputError(
                f"found an array of {array.shape[1]} columns, expected the {len(names)} of Row in its order; pass "
                "these, or a DataFrame"
            )
    series = {name: pd.Series(array[:, index], dtype=_column_dtype(array)) for index, name in enumerate(names)}
    return pd.DataFrame(series)


def _column_dtype(array: Any) -> Any:
    return object if array.dtype.kind in "UO" else array.dtype


def _listed(rows: Sequence[Any]) -> Any:
    """A list of texts, or of rows, as an array; of objects where its values are of several types."""
    array = np.asarray(rows, dtype=object)
    if array.ndim == 2 or (array.ndim == 1 and not any(isinstance(each, list | tuple) for each in rows)):
        types = {type(value) for value in array.ravel()}
        return np.asarray(rows) if types and types <= {int, float, bool, np.float64, np.int64} else array
    raise InputError("found rows of several lengths as like=, expected as many values in each; pass X_train")


def _only_name(row: RowSchema | None, name: Any) -> str:
    """The name of the only raw column: that of Row, else that of the Series."""
    if row is None:
        return column_label(0) if name in (None, "") else str(name)
    if len(row.columns) != 1:
        raise InputError(
            f"found rows of one column as like=, expected the {len(row.columns)} of Row; pass a DataFrame, or declare "
            "one column"
        )
    return row.columns[0].name


def _refuse_duplicates(frame: Any) -> None:
    twice = {name: count for name, count in Counter(map(str, frame.columns)).items() if count > 1}
    if twice:
        raise InputError(
            "\n".join(f"{name}: found {count} columns of this name, expected one" for name, count in twice.items())
            + "\nrename the others, and fit again"
        )
