"""Raw rows in the containers that users have them in: what `conform` reads, under the names of the raw columns.

    DataFrame, Arrow table, mappings   have names of their own
    polars DataFrame                   as an Arrow table
    array or list of rows              columns by position, named as in the schema
    Series, 1-d array, list of texts   the only column of the schema

Columns without a name are called x0, x1, … where a schema is made of them (`column_label`).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema

_TEXTS = (str, bytes, bytearray)


@dataclass(frozen=True)
class NamedColumns:
    """Columns by name, each a list, an array, a Series or an Arrow array of `rows` values."""

    columns: Mapping[str, Any]
    rows: int


def column_label(index: int) -> str:
    """The name of a raw column that has none, by its position from 0."""
    return f"x{index}"


def is_instance(data: object, library: str, *names: str) -> bool:
    """Whether `data` is of a class of a library that is perhaps not installed; nothing is imported.

    A library that another thread imports just now has not all its classes yet: no data is of them.
    """
    module = sys.modules.get(library)
    return module is not None and isinstance(data, tuple(getattr(module, name, ()) for name in names))


def is_rows_of_mappings(data: object) -> bool:
    """Whether `data` is a list of mappings; an empty list is one."""
    return (
        isinstance(data, Sequence)
        and not isinstance(data, _TEXTS)
        and all(issubclass(kind, Mapping) for kind in set(map(type, data)))
    )


def with_names(data: Any, schema: RowSchema) -> Any:
    """Rows under the names of a schema: a container without names as `NamedColumns`, polars as Arrow, others as is.

    `schema` has all raw columns, since those of an array or of lists are found by their position. Raises `InputError`
    for rows of another width.
    """
    if is_instance(data, "polars", "DataFrame"):
        return data.to_arrow()
    if is_instance(data, "polars", "Series"):
        return _only_column(data.to_arrow(), schema, "a polars Series")
    if is_instance(data, "pandas", "Series"):
        return _only_column(data, schema, "a Series")
    if isinstance(data, pa.Array | pa.ChunkedArray):
        return _only_column(data, schema, "an Arrow array")
    if isinstance(data, np.ndarray):
        if data.ndim == 1:
            return _only_column(data, schema, "an array of one dimension")
        if data.ndim == 2:
            return _by_position([data[:, index] for index in range(data.shape[1])], len(data), schema)
    if isinstance(data, Sequence) and not isinstance(data, _TEXTS) and not is_rows_of_mappings(data):
        return _listed(data, schema)
    return data


def _listed(rows: Sequence[Any], schema: RowSchema) -> Any:
    """A list of rows that are sequences, or of the values of the only column; other lists as they are."""
    kinds = set(map(type, rows))
    if all(issubclass(kind, list | tuple | np.ndarray) for kind in kinds):
        widths = sorted({len(row) for row in rows})
        if len(widths) > 1:
            raise InputError(
                f"found rows of {widths[0]} to {widths[-1]} values, expected as many in each; correct them"
            )
        return _by_position(list(map(list, zip(*rows, strict=True))), len(rows), schema)
    if any(issubclass(kind, Mapping) for kind in kinds):
        return rows
    return _only_column(list(rows), schema, "a list of values")


def _by_position(columns: Sequence[Any], rows: int, schema: RowSchema) -> NamedColumns:
    names = [column.name for column in schema.columns]
    if len(columns) != len(names):
        raise InputError(
            f"found rows of {len(columns)} values, expected {len(names)}: {', '.join(names[:8])}"
            f"{', …' if len(names) > 8 else ''}; give every raw column in this order, or rows with names"
        )
    return NamedColumns(dict(zip(names, columns, strict=True)), rows)


def _only_column(values: Any, schema: RowSchema, found: str) -> NamedColumns:
    if len(schema.columns) != 1:
        names = [column.name for column in schema.columns]
        raise InputError(
            f"found {found}, expected rows with {len(names)} values each, {', '.join(names[:8])}"
            f"{', …' if len(names) > 8 else ''}; pass rows, or one row as a mapping to predict_row"
        )
    return NamedColumns({schema.columns[0].name: values}, len(values))
