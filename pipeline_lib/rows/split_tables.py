"""A conformed table, which holds child rows as lists, split into its tables, or into rows; and its lists sorted."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.errors import InputError
from pipeline_lib.rows.arrow_arrays import column_array, decoded_array, int64_array, to_numpy
from pipeline_lib.rows.schema import RowSchema


def split_tables(table: pa.Table, schema: RowSchema) -> dict[str, pa.Table]:
    """The tables that a conformed table holds, by name; child rows are in order of their main rows.

    A row that several main rows look up is listed once. Raises `InputError` for a table without the child columns, or
    with lists that do not fit together.
    """
    if schema.key is None:
        return {schema.name: table}
    absent = [name for name in schema.names if name not in table.column_names]
    if absent:
        raise InputError(
            f"found an Arrow table without {', '.join(absent)}, expected one with each child column as lists, or a "
            f"mapping of the tables {', '.join(part.name for part in schema.tables)}; pass these"
        )
    try:
        table.validate(full=True)  # Arrow believes offsets and codes, and reads beyond an array where they are wrong
    except pa.ArrowException as error:
        raise InputError(
            f"found an Arrow table with wrong offsets, codes or lengths ({error}), expected a valid one; build it again"
        ) from error
    tables = {schema.name: table.select([column.name for column in schema.columns])}
    for child in schema.children:
        lists = [_list_array(table, f"{child.name}.{column.name}", child) for column in child.own]
        lengths = pc.list_value_length(lists[0])
        if not all(pc.list_value_length(other).equals(lengths) for other in lists):
            raise InputError(
                f"{child.name}: found lists of different lengths in one row, expected a value for each child row in "
                "each; pass a mapping of tables"
            )
        columns = {column.name: pc.list_flatten(part) for column, part in zip(child.own, lists, strict=True)}
        main_rows = pc.list_parent_indices(lists[0])
        columns |= {name: decoded_array(table, name).take(main_rows) for name in child.links}
        fields = [pa.field(column.name, columns[column.name].type, column.nullable) for column in child.columns]
        part = pa.Table.from_arrays([columns[field.name] for field in fields], schema=pa.schema(fields))
        tables[child.name] = _distinct_rows(part) if child.by else part
    return tables


def as_rows(table: pa.Table, schema: RowSchema) -> list[dict[str, Any]]:
    """Each row of a conformed table as `predict_row` takes it: column names to values.

    Of several tables: the main table's name to its row, and each child's name to a list of rows.
    """
    if schema.key is None:
        return list(table.to_pylist())
    tables = split_tables(table, schema)
    rows: list[dict[str, Any]] = [{schema.name: row} for row in tables.pop(schema.name).to_pylist()]
    for child in schema.children:
        owners: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in rows:
            row[child.name] = []
            owners.setdefault(tuple(row[schema.name][name] for name in child.links), []).append(row)
        for values in tables[child.name].to_pylist():
            for row in owners[tuple(values[name] for name in child.links)]:
                row[child.name].append(values)
    return rows


def sort_child_rows(table: pa.Table, schema: RowSchema) -> pa.Table:
    """A conformed table with each main row's child rows sorted by their values, so that equal data has equal bits."""
    for child in schema.children:
        lists = {f"{child.name}.{column.name}": f"k{number}" for number, column in enumerate(child.own)}
        parts = [decoded_array(table, name) for name in lists]
        sort_keys = [_bits_of_floats(pc.list_flatten(part)) for part in parts]
        keys = pa.table([pc.list_parent_indices(parts[0]), *sort_keys], ["row", *lists.values()])
        order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
        for name, part in zip(lists, parts, strict=True):
            field = table.schema.field(name)
            starts = int64_array(np.concatenate([[0], np.cumsum(to_numpy(pc.list_value_length(part), np.int64))]))
            moved = pa.LargeListArray.from_arrays(starts, pc.list_flatten(part).take(order), type=field.type)
            table = table.set_column(table.schema.get_field_index(name), field, moved)
    return table


def _distinct_rows(table: pa.Table) -> pa.Table:
    """The distinct rows of a table, in order of their first appearance."""
    return table.group_by(table.column_names, use_threads=False).aggregate([]).cast(table.schema)


def _list_array(table: pa.Table, name: str, child: RowSchema) -> pa.Array:
    lists = column_array(table, name)
    if not (pa.types.is_large_list(lists.type) or pa.types.is_list(lists.type)) or lists.null_count:
        raise InputError(
            f"{name}: found {lists.type}{' with missing lists' if lists.null_count else ''}, expected a list for each "
            f"row, empty where it has no {child.name}; pass a mapping of tables"
        )
    return lists


def _bits_of_floats(values: pa.Array) -> pa.Array:
    """Floats as their bits, so that 0.0 and -0.0 are sorted apart."""
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values
