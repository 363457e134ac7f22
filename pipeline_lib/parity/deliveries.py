"""Deliveries: how raw rows may reach production, by number and order and by form.

Each function takes the evidence's rows and returns them as production would hold them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, split_tables

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RowsToDeliver:
    """The rows to deliver, their schema, and a folder for files.

    Of several raw tables each row of `table` has its child rows as lists, as `pipeline_lib.rows.conform` makes them.
    The first `context_rows` rows are only the context of the others, where these need earlier rows.
    """

    table: pa.Table
    schema: RowSchema
    folder: Path
    context_rows: int = 0

    @property
    def frame(self) -> "pd.DataFrame":
        """The rows as a DataFrame; needs pandas."""
        from pipeline_lib.rows.frames import to_frame

        return to_frame(self.table)


@dataclass(frozen=True)
class Delivery:
    """Rows as they reach the model: parts as `predict` takes them, each with the indexes of its rows (int64).

    Indexes count the rows of `RowsToDeliver.table`. With `alone` each part is one row as a mapping, for `predict_row`.
    """

    parts: Sequence[tuple[Any, NDArray[np.int64]]]
    alone: bool = False


def of_each_table(deliver: Callable[[RowsToDeliver], Delivery]) -> Callable[[RowsToDeliver], Delivery]:
    """Make a delivery of one whole table one of several: each table by itself, all as a mapping by name."""

    @wraps(deliver)
    def by_name(rows: RowsToDeliver) -> Delivery:
        if rows.schema.key is None:
            return deliver(rows)
        data: dict[str, Any] = {}
        for part, table in zip(rows.schema.tables, split_tables(rows.table, rows.schema).values(), strict=True):
            folder = rows.folder / f"table {len(data)}"
            folder.mkdir()
            data[part.name] = deliver(RowsToDeliver(table, replace(part, key=None), folder)).parts[0][0]
        return one_part(rows, data)

    return by_name


@of_each_table
def at_once(rows: RowsToDeliver) -> Delivery:
    """All rows as one Arrow table."""
    return one_part(rows, rows.table)


def one_row(rows: RowsToDeliver) -> Delivery:
    """Each row alone, as a table of one row."""
    return _batches(rows, 1)


def batches_of_2(rows: RowsToDeliver) -> Delivery:
    """Two rows at a time."""
    return _batches(rows, 2)


def batches_of_3(rows: RowsToDeliver) -> Delivery:
    """Three rows at a time."""
    return _batches(rows, 3)


def batches_of_7(rows: RowsToDeliver) -> Delivery:
    """Seven rows at a time."""
    return _batches(rows, 7)


def batches_of_64(rows: RowsToDeliver) -> Delivery:
    """Sixty-four rows at a time."""
    return _batches(rows, 64)


def shuffled_rows(rows: RowsToDeliver) -> Delivery:
    """All rows in another order; rows with a context each alone."""
    order = np.random.default_rng(0).permutation(rows.table.num_rows)
    if rows.context_rows:
        return Delivery([(rows.table.slice(index, 1), np.array([index])) for index in order])
    return Delivery([(_parts(rows, rows.table.take(pa.array(order))), order)])


def shuffled_child_rows(rows: RowsToDeliver) -> Delivery:
    """The rows of each child table in another order."""
    rng = np.random.default_rng(0)
    tables = split_tables(rows.table, rows.schema)
    orders = {child.name: rng.permutation(tables[child.name].num_rows) for child in rows.schema.children}
    return one_part(rows, tables | {name: tables[name].take(pa.array(order)) for name, order in orders.items()})


@of_each_table
def other_columns(rows: RowsToDeliver) -> Delivery:
    """The columns in another order, with extra columns."""
    names = np.random.default_rng(0).permutation(rows.table.column_names).tolist()
    table = rows.table.select(names)
    for position, kind in ((0, pa.float64()), (len(names) // 2, pa.string()), (len(names), pa.int64())):
        name = f"extra {position}"
        while name in names:
            name += "_"
        table = table.add_column(min(position, table.num_columns), name, pa.nulls(table.num_rows, kind))
    return one_part(rows, table)


@of_each_table
def data_frame(rows: RowsToDeliver) -> Delivery:
    """A DataFrame with the dtypes that research saw."""
    return one_part(rows, rows.frame)


def mappings(rows: RowsToDeliver) -> Delivery:
    """Each row alone as a mapping."""
    mapped = as_rows(rows.table, rows.schema)
    return Delivery([(row, np.array([index])) for index, row in enumerate(mapped)], alone=True)


@of_each_table
def list_of_mappings(rows: RowsToDeliver) -> Delivery:
    """All rows as a list of mappings."""
    return one_part(rows, rows.table.to_pylist())


def _batches(rows: RowsToDeliver, size: int) -> Delivery:
    parts = [(rows.table.slice(start, size), start) for start in range(0, rows.table.num_rows, size)]
    return Delivery([(_parts(rows, part), np.arange(start, start + part.num_rows)) for part, start in parts])


def _parts(rows: RowsToDeliver, table: pa.Table) -> Any:
    """Some rows as production would hold them: several tables as a mapping by name."""
    return table if rows.schema.key is None else split_tables(table, rows.schema)


def one_part(rows: RowsToDeliver, data: Any) -> Delivery:
    """A delivery of all rows at once."""
    return Delivery([(data, np.arange(rows.table.num_rows))])
