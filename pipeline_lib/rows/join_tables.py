"""The join of child tables to their main rows: each child column becomes a list for each main row.

A prediction needs a main row together with its child rows, and slices, batches and files must not part them. So a
child's columns are joined to the main table as `table.column`, one list per main row; the order inside a list has no
meaning. No row is copied to be matched: both tables are numbered, and a stable sort brings a list's rows together.

    main    child            each child row's main row   [1, 0, 0]
    key     key  amount      order, sorted by that       [1, 2, 0]
    7       9    3.0         starts of the lists         [0, 2, 3, 3]
    9       7    1.0
    4       7    2.0         child.amount                [[1.0, 2.0], [3.0], []]

A child that is looked up has at most one row for each main row, and the same row may belong to many: its lists have one
element or none. Where such a table is small, its rows are listed once and each main row points to one of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline_lib.errors import InputError
from pipeline_lib.rows.arrow_arrays import column_array, decoded_array, int64_array, to_numpy, to_table
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

_MAX_NUMBERS_PER_ROW = 8  # numbers index an array; above this ratio most of it is unused
_UINT16_ROWS = 2**16  # NumPy's stable sort of 16-bit integers is a radix sort


def join_tables(
    main: pa.Table, children: Sequence[pa.Table], schema: RowSchema, child_rows: int | None, *, for_executor: bool
) -> Iterator[pa.Table]:
    """Main rows with their child rows as lists, in parts of about `child_rows` child rows (None: in one part).

    Each table has been checked by its own schema. Raises `InputError`, before the first part, for two main rows with
    one key, a child row whose key no main row has, and two rows to look up by the same values.
    """
    _check_unique(decoded_array(main, str(schema.key)), schema)
    links = [
        _link_lookup(table, child, main, schema, for_executor=for_executor)
        if child.by
        else _link_by_key(table, child, main, schema)
        for table, child in zip(children, schema.children, strict=True)
    ]
    for start, stop in _ranges(links, main.num_rows, child_rows):
        columns = list(main.slice(start, stop - start).columns)
        for link in links:
            columns += link.lists(start, stop, schema)
        yield to_table(columns, schema.arrow, keep_types=for_executor)


@dataclass(frozen=True)
class _Link:
    """A child table, and which of its rows belong to each main row: those at `order[starts[row]:starts[row + 1]]`.

    `order` is None where the child rows are already in the order of their main rows.
    """

    child: RowSchema
    table: pa.Table
    starts: NDArray[np.int64]
    order: NDArray[np.int64] | None

    def lists(self, start: int, stop: int, schema: RowSchema) -> Iterator[pa.Array]:
        """Each of the child's own columns as lists, for main rows from `start` to `stop`."""
        first, last = int(self.starts[start]), int(self.starts[stop])
        starts = int64_array(self.starts[start : stop + 1] - first)
        for column in self.child.own:
            values = column_array(self.table, column.name)
            order = self.order
            values = values.slice(first, last - first) if order is None else _take(values, order[first:last])
            yield _as_lists(self.child, column, starts, values, schema)


@dataclass(frozen=True)
class _SharedLink:
    """A small table that is looked up, and each main row's row in it; `table.num_rows` means no row."""

    child: RowSchema
    table: pa.Table
    rows: NDArray[np.int32]

    def lists(self, start: int, stop: int, schema: RowSchema) -> Iterator[pa.DictionaryArray]:
        """Each of the child's own columns as dictionary-encoded lists, for main rows from `start` to `stop`."""
        count = self.table.num_rows
        starts = int64_array(np.minimum(np.arange(count + 2), count))  # each row alone, then the empty list
        rows = pa.Array.from_buffers(pa.int32(), stop - start, [None, pa.py_buffer(self.rows[start:stop])])
        for column in self.child.own:
            lists = _as_lists(self.child, column, starts, column_array(self.table, column.name), schema)
            yield pa.DictionaryArray.from_arrays(rows, lists)


def _as_lists(child: RowSchema, column: Column, starts: pa.Array, values: pa.Array, schema: RowSchema) -> pa.Array:
    """Values as lists; the element has the schema's field, with the type that the values have."""
    field = schema.arrow.field(f"{child.name}.{column.name}").type.value_field
    return pa.LargeListArray.from_arrays(starts, values, type=pa.large_list(field.with_type(values.type)))


def _check_unique(keys: pa.Array, schema: RowSchema) -> None:
    if _is_increasing(keys):
        return
    first = to_numpy(pc.index_in(keys, value_set=keys), np.int32)
    repeated = np.flatnonzero(first != np.arange(len(keys)))
    if len(repeated):
        row = int(repeated[0])
        key = _describe(keys[row], hidden=schema.key in schema.sensitive)
        raise InputError(
            f"{schema.name}: {schema.key}: found {key} in rows {int(first[row])} and {row}, expected a key of its "
            f"own in each row ({len(repeated):,} repeat one); drop the repeated rows in `load`"
        )


def _is_increasing(keys: pa.Array) -> bool:
    """Whether integers rise from row to row: most keys do, and this takes less time than to index them."""
    if keys.type != pa.int64() or keys.null_count:
        return False
    numbers = to_numpy(keys, np.int64)
    return bool((numbers[1:] > numbers[:-1]).all())


def _link_by_key(table: pa.Table, child: RowSchema, main: pa.Table, schema: RowSchema) -> _Link:
    keys, child_keys = decoded_array(main, str(schema.key)), decoded_array(table, str(child.key))
    indices = pc.index_in(child_keys, value_set=keys)
    if indices.null_count:
        rows = pc.indices_nonzero(pc.is_null(indices))
        row = rows[0].as_py()
        key = _describe(child_keys[row], hidden=schema.key in schema.sensitive)
        raise InputError(
            f"{child.name}: {child.key}: found {key} in row {row}, expected a key of the table "
            f"{schema.name} ({len(rows):,} rows have none); add the row there, or leave these out"
        )
    main_rows = to_numpy(indices, np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(main_rows, minlength=len(keys)))])
    if not (main_rows[1:] < main_rows[:-1]).any():
        return _Link(child, table, starts, None)
    narrow = main_rows.astype(np.uint16) if len(keys) < _UINT16_ROWS else main_rows
    return _Link(child, table, starts, np.argsort(narrow, kind="stable"))


def _link_lookup(
    table: pa.Table, child: RowSchema, main: pa.Table, schema: RowSchema, *, for_executor: bool
) -> _Link | _SharedLink:
    child_numbers, main_numbers, count = _number_rows(table, main, child.by)
    row_of_number = np.full(count + 1, -1, dtype=np.int32)
    row_of_number[child_numbers[::-1]] = np.arange(len(child_numbers) - 1, -1, -1)  # the first of equal rows stays
    repeated = np.flatnonzero(row_of_number[child_numbers] != np.arange(len(child_numbers)))
    if len(repeated):
        row = int(repeated[0])
        hidden = {*schema.sensitive, *child.sensitive}
        values = ", ".join(_describe(decoded_array(table, name)[row], hidden=name in hidden) for name in child.by)
        raise InputError(
            f"{child.name}: {', '.join(child.by)}: found {values} in rows {int(row_of_number[child_numbers[row]])} and "
            f"{row}, expected each once, as rows are looked up by it ({len(repeated):,} repeat one); say in `load` "
            "which row counts"
        )
    rows = row_of_number[main_numbers]  # -1 indexes the sentinel at the end, which is -1: no row
    is_present = rows >= 0
    if for_executor and 2 * table.num_rows <= main.num_rows:
        return _SharedLink(child, table, np.where(is_present, rows, np.int32(table.num_rows)))
    starts = np.zeros(main.num_rows + 1, dtype=np.int64)
    np.cumsum(is_present, out=starts[1:])
    return _Link(child, table, starts, rows[is_present].astype(np.int64))


def _number_rows(
    table: pa.Table, main: pa.Table, names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Numbers that are equal where some columns are, for the rows of `table` and of `main`; and a bound of them.

    A row of `main` whose values `table` does not have gets -1. The numbers of several columns are those of a
    mixed-radix number, one digit for each column; where they spread too wide for an array they are numbered again.
    """
    in_table, in_main, count = np.zeros(table.num_rows, dtype=np.int64), np.zeros(main.num_rows, dtype=np.int64), 1
    for name in names:
        values = pc.unique(decoded_array(table, name))
        table_digits, main_digits = (_indices_in(column_array(each, name), values) for each in (table, main))
        is_absent = (in_main < 0) | (main_digits < 0)
        in_table *= len(values)
        in_table += table_digits
        in_main *= len(values)
        in_main += main_digits
        in_main[is_absent] = -1
        count *= len(values)
        if count > _MAX_NUMBERS_PER_ROW * table.num_rows:
            used = pc.unique(int64_array(in_table))
            in_table, in_main = (_indices_in(int64_array(each), used).astype(np.int64) for each in (in_table, in_main))
            count = len(used)
    return in_table, in_main, count


def _indices_in(values: pa.Array, value_set: pa.Array) -> NDArray[np.int32]:
    """The index of each value, none of which is missing, in `value_set`; -1 where it is not there."""
    if pa.types.is_dictionary(values.type):
        indices: NDArray[np.int32] = _indices_in(values.dictionary, value_set)[to_numpy(values.indices, np.int32)]
        return indices
    return to_numpy(pc.fill_null(pc.index_in(values, value_set=value_set), -1), np.int32)


def _ranges(links: "Sequence[_Link | _SharedLink]", rows: int, child_rows: int | None) -> list[tuple[int, int]]:
    """Ranges of main rows, each but the last with at least `child_rows` child rows."""
    each = [np.diff(link.starts) for link in links if isinstance(link, _Link)]
    counts = np.cumsum(sum(each, np.zeros(rows, dtype=np.int64)))
    if child_rows is None or not rows or counts[-1] <= child_rows:
        return [(0, rows)]
    ends = np.searchsorted(counts, np.arange(child_rows, int(counts[-1]), child_rows)) + 1
    bounds = np.unique([0, *ends, rows]).tolist()
    return list(pairwise(bounds))


def _take(values: pa.Array, order: NDArray[np.int64]) -> pa.Array:
    """Values in another order; NumPy moves numbers of fixed width several times faster than Arrow."""
    if pa.types.is_dictionary(values.type):
        return pa.DictionaryArray.from_arrays(_take(values.indices, order), values.dictionary)
    is_fixed_width = pa.types.is_primitive(values.type) and values.type.bit_width in (32, 64)
    if not is_fixed_width or values.null_count or not len(values):
        return values.take(int64_array(order))
    stored = np.frombuffer(values.buffers()[1], f"i{values.type.bit_width // 8}", values.offset + len(values))
    stored = stored[values.offset :]
    moved = pa.allocate_buffer(len(order) * stored.itemsize)  # from Arrow's pool, which reuses memory between parts
    stored.take(order, out=np.frombuffer(moved, stored.dtype), mode="clip")
    return pa.Array.from_buffers(values.type, len(order), [None, moved])


def _describe(key: pa.Scalar, *, hidden: bool) -> str:
    return "a value (hidden: sensitive)" if hidden else repr(key.as_py())
