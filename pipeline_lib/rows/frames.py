"""DataFrames of raw rows: as a pipeline sees them, in research and in production."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import MAX_EXACT_INTEGER, Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import split_tables

if TYPE_CHECKING:
    import pandas as pd


class Frames(dict[str, "pd.DataFrame"]):
    """Raw tables by name, the main one first, as the first step of a pipeline over several tables sees them."""

    @property
    def shape(self) -> tuple[int, int]:
        """Main rows, and columns of all tables."""
        frames = list(self.values())
        return len(frames[0]), sum(frame.shape[1] for frame in frames)

    def copy(self) -> "Frames":
        """The same tables, each copied."""
        return Frames({name: frame.copy() for name, frame in self.items()})


def to_pipeline_input(table: pa.Table, schema: RowSchema) -> "pd.DataFrame | Frames":
    """A conformed table as the pipeline's first step sees it: one DataFrame, or one for each table."""
    if schema.key is None:
        return to_frame(table)
    return Frames({name: to_frame(part) for name, part in split_tables(table, schema).items()})


def to_frame(table: pa.Table) -> "pd.DataFrame":
    """Return a conformed table as the DataFrame that a pipeline sees, in research and in production.

    A column's dtype depends on its Arrow field alone, never on the rows of the batch:

        kind        dtype             where missing is allowed
        integer     int64             float64, as in pandas itself
        number      float64           float64
        string      str               str
        boolean     bool              object
        datetime    datetime64[us]    datetime64[us]
        date        object            object

    Missing is NaN (NaT in datetimes). The index is a RangeIndex.

    Raises `InputError` for an integer beyond 2**53 in a column where missing is allowed.
    """
    import pandas as pd

    text = pd.StringDtype(na_value=np.nan)
    if set(table.schema.types) == {pa.float64()}:  # all columns at once, in a fifth of the time for hundreds
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, use_threads=False)
    else:
        frame = _frame_by_columns(table, text)
    frame.columns = pd.Index(table.column_names, dtype=text)
    return frame


def _frame_by_columns(table: pa.Table, text: Any) -> "pd.DataFrame":
    import pandas as pd

    series = {}
    for number, field in enumerate(table.schema):
        column = table.column(number)
        if pa.types.is_integer(field.type) and field.nullable:
            column = _as_float(column, field.name)
        if pa.types.is_date(field.type) or (pa.types.is_boolean(field.type) and field.nullable):
            values = [np.nan if value is None else value for value in column.to_pylist()]
            series[number] = pd.Series(values, dtype=object)
        else:
            series[number] = column.to_pandas(types_mapper={pa.string(): text, pa.large_string(): text}.get)
    return pd.DataFrame(series, index=pd.RangeIndex(table.num_rows))


def dtype_differences(data: "pd.DataFrame | Mapping[str, pd.DataFrame]", schema: RowSchema) -> list[str]:
    """Every column on which a pipeline was fitted with another dtype than `to_frame` gives it in production.

    `data` is the training frame, or a mapping of frames by table. One line for each column; empty when all agree.
    """
    if schema.key is None:
        return _frame_differences(data, schema)
    absent = [table.name for table in schema.tables if not isinstance(data, Mapping) or table.name not in data]
    if absent:
        return [f"found no table {', '.join(absent)}, expected a mapping of frames by name"]
    parts = {table.name: replace(table, key=None) for table in schema.tables}
    return [f"{name}: {line}" for name, part in parts.items() for line in _frame_differences(data[name], part)]


def _frame_differences(frame: Any, schema: RowSchema) -> list[str]:
    expected = to_frame(schema.arrow.empty_table()).dtypes
    lines = []
    for name in schema.names:
        dtype = frame.dtypes.get(name)
        if dtype is None:
            lines.append(f"{name}: found no such column, expected dtype {expected[name]}")
        elif dtype != expected[name]:
            # repr where the names are the same: two `str` dtypes may differ in how they are stored
            show = repr if str(dtype) == str(expected[name]) else str
            lines.append(
                f"{name}: found dtype {show(dtype)}, expected {show(expected[name])}: "
                "convert the column where the data is loaded"
            )
        elif str(dtype) == "object":
            missing = frame[name][frame[name].isna()]
            others = sorted({type(value).__name__ for value in missing} - {"float"})
            if others:
                lines.append(f"{name}: found missing values as {', '.join(others)}, expected NaN")
    return lines


def schema_of_frame(frame: "pd.DataFrame") -> RowSchema:
    """The widest schema that a frame's dtypes allow: any value of the kind, missing where the dtype has it.

    int64, float64, `str`, bool and datetime64[us] columns; object columns of dates, and of bool with NaN.
    Raises InputError naming every column of another dtype.
    """
    kinds = {"int64": "integer", "float64": "number", "str": "string", "bool": "boolean", "datetime64[us]": "datetime"}
    columns, problems = [], []
    for name, dtype in frame.dtypes.items():
        kind = kinds.get(str(dtype))
        if kind is None and str(dtype) == "object":
            types = {type(value) for value in frame[name].dropna()}
            kind = {frozenset({date}): "date", frozenset({bool}): "boolean"}.get(frozenset(types))
        if kind is None:
            problems.append(f"{name}: found dtype {dtype}, expected one of {', '.join(kinds)}")
        else:
            columns.append(Column(str(name), kind, nullable=str(dtype) not in ("int64", "bool")))
    if problems:
        raise InputError("\n".join([*problems, "convert these columns where the data is loaded, or pass `row`"]))
    return RowSchema(tuple(columns))


def _as_float(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    beyond = pc.or_(pc.greater(column, MAX_EXACT_INTEGER), pc.less(column, -MAX_EXACT_INTEGER))
    count = pc.sum(beyond).as_py()
    if count:
        raise InputError(
            f"{name}: found {count} integers beyond 2**53, expected integers that float64 holds exactly, as "
            "the column may be missing: declare it without `| None`, or as str"
        )
    return column.cast(pa.float64())
