"""Several raw tables as one: each main row with the rows of the other tables that have its key.

A child table's columns stand beside the main ones as `table.column`, a list for each main row: so slices, batches
and files keep together what belongs together. The order of a main row's child rows has no meaning. A row that is
looked up stands in the list, then of one row or none, of every main row that it belongs to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline_lib.errors import InputError
from pipeline_lib.rows import conform as rowcheck
from pipeline_lib.rows.schema import Column, RowSchema

_SPARSE = 8  # with more numbers than so many for each row they are given anew, as each has a place in an array
_SHORT = 2**16  # as many main rows are numbered by 16 bits, which sort by counting


def conform(data: Any, schema: RowSchema, *, coded: bool = False) -> pa.Table:
    """Return `data` as a table with exactly the columns, order and, without `coded`, Arrow types of `schema`.

    For one table see `rowcheck.conform`. For several, `data` maps each table's name to its rows in any form that
    one table may have; other tables are ignored. Or it is an Arrow table as this function makes it. Main rows stay
    in their order; a main row without child rows has empty lists. `coded` as in `rowcheck.conform`; lists of a
    table of few rows that is looked up are dictionary-encoded then, too.

    Raises `InputError` for what one table would be refused for, for two main rows of one key, for a child row
    whose key no main row has, and for two rows to look up of one place, each with the table's name.
    """
    if schema.key is None:
        return rowcheck.conform(data, schema, coded=coded)
    (whole,) = conform_in_parts(data, schema, None, coded=coded)
    return whole


def conform_in_parts(data: Any, schema: RowSchema, most: int | None, *, coded: bool = False) -> Iterator[pa.Table]:
    """What `conform` makes of several tables, in parts of about `most` child rows, each made when it is asked for.

    Every row is checked before the first part is made. `coded` as in `conform`.
    """
    main, links = _linked(data, schema, coded=coded)
    for start, stop in _ranges(links, main.num_rows, most):
        columns = list(main.slice(start, stop - start).columns)
        for link in links:
            columns += link.lists(start, stop, schema)
        yield rowcheck.table_of(columns, schema, coded=coded)


def _linked(data: Any, schema: RowSchema, *, coded: bool) -> "tuple[pa.Table, list[_Link | _SharedLink]]":
    """The main table, and which rows of each child table belong to its rows."""
    if isinstance(data, pa.Table | pa.RecordBatch):
        data = split_tables(data if isinstance(data, pa.Table) else pa.Table.from_batches([data]), schema)
    names = [table.name for table in schema.tables]
    absent = [name for name in names if not isinstance(data, Mapping) or name not in data]
    if absent:
        found = f"tables {', '.join(map(str, data)) or 'none'}" if isinstance(data, Mapping) else type(data).__name__
        raise InputError(
            f"found {found}, expected a mapping with the tables {', '.join(names)}: {', '.join(absent)} missing; "
            "a table that has no rows is an empty list"
        )
    main, *below = _conformed(data, schema, coded=coded)
    _check_unique(_array(main, str(schema.key)), schema)
    return main, [
        _looked_up(table, child, main, schema, coded=coded) if child.by else _link(table, child, main, schema)
        for table, child in zip(below, schema.children, strict=True)
    ]


def split_tables(table: pa.Table, schema: RowSchema) -> dict[str, pa.Table]:
    """The tables that a conformed table holds, by name; child rows stand in order of their main rows.

    A row that several main rows look up stands there once.
    """
    if schema.key is None:
        return {schema.name: table}
    absent = [name for name in schema.names if name not in table.column_names]
    if absent:
        raise InputError(
            f"found an Arrow table without {', '.join(absent)}, expected one with each child column as lists, or a "
            f"mapping of the tables {', '.join(part.name for part in schema.tables)}; pass these"
        )
    tables = {schema.name: table.select([column.name for column in schema.columns])}
    for child in schema.children:
        lists = [_lists(table, f"{child.name}.{column.name}", child) for column in child.own]
        lengths = pc.list_value_length(lists[0])
        if not all(pc.list_value_length(other).equals(lengths) for other in lists):
            raise InputError(
                f"{child.name}: found lists of unlike lengths in one row, expected a value for each child row in each; "
                "pass a mapping of tables"
            )
        columns = {column.name: pc.list_flatten(part) for column, part in zip(child.own, lists, strict=True)}
        parents = pc.list_parent_indices(lists[0])
        columns |= {name: _array(table, name).take(parents) for name in child.links}
        fields = [pa.field(column.name, columns[column.name].type, column.nullable) for column in child.columns]
        part = pa.Table.from_arrays([columns[field.name] for field in fields], schema=pa.schema(fields))
        tables[child.name] = _each_once(part) if child.by else part
    return tables


def as_rows(table: pa.Table, schema: RowSchema) -> list[dict[str, Any]]:
    """Each row of a conformed table as `predict_row` takes it: a mapping, or one of tables with dicts and lists."""
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
    """A conformed table with each main row's child rows in one order, whatever order they came in."""
    for child in schema.children:
        lists = {f"{child.name}.{column.name}": f"k{place}" for place, column in enumerate(child.own)}
        parts = [_array(table, name) for name in lists]
        bits = [_sortable(pc.list_flatten(part)) for part in parts]
        keys = pa.table([pc.list_parent_indices(parts[0]), *bits], ["row", *lists.values()])
        order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
        for name, part in zip(lists, parts, strict=True):
            field = table.schema.field(name)
            starts = _array_of(np.concatenate([[0], np.cumsum(_numbers(pc.list_value_length(part), np.int64))]))
            moved = pa.LargeListArray.from_arrays(starts, pc.list_flatten(part).take(order), type=field.type)
            table = table.set_column(table.schema.get_field_index(name), field, moved)
    return table


def _each_once(table: pa.Table) -> pa.Table:
    """The different rows of a table, each where it first stands."""
    return table.group_by(table.column_names, use_threads=False).aggregate([]).cast(table.schema)


def _conformed(data: Mapping[str, Any], schema: RowSchema, *, coded: bool) -> list[pa.Table]:
    """Each table by its own schema; all problems at once, with the table's name."""
    tables, problems = [], []
    for part in schema.tables:
        try:
            tables.append(rowcheck.conform(data[part.name], replace(part, key=None), coded=coded))
        except InputError as error:
            problems += [f"{part.name}: {line}" for line in str(error).splitlines()]
    if problems:
        raise InputError("\n".join(problems))
    return tables


def _check_unique(keys: pa.Array, schema: RowSchema) -> None:
    if _increasing(keys):
        return
    first = _numbers(pc.index_in(keys, value_set=keys), np.int32)
    again = np.flatnonzero(first != np.arange(len(keys)))
    if len(again):
        row = int(again[0])
        shown = _shown(keys[row], hidden=schema.key in schema.sensitive)
        raise InputError(
            f"{schema.name}: {schema.key}: found {shown} in rows {int(first[row])} and {row}, expected a key of its "
            f"own in each row ({len(again):,} repeat one); drop the repeated rows in `load`"
        )


def _increasing(keys: pa.Array) -> bool:
    """Whether integers rise from row to row, as keys mostly do: that is seen sooner than that no two are equal."""
    if keys.type != pa.int64() or keys.null_count:
        return False
    numbers = _numbers(keys, np.int64)
    return bool((numbers[1:] > numbers[:-1]).all())


@dataclass(frozen=True)
class _Link:
    """A child table, and which of its rows each main row has: those at `order[starts[row]:starts[row + 1]]`.

    Without `order` they stand in the order of the main rows.
    """

    child: RowSchema
    table: pa.Table
    starts: NDArray[np.int64]
    order: NDArray[np.int64] | None

    def lists(self, start: int, stop: int, schema: RowSchema) -> Iterator[pa.Array]:
        """Each column but the key as lists, one for each of some main rows."""
        first, last = int(self.starts[start]), int(self.starts[stop])
        starts = _array_of(self.starts[start : stop + 1] - first)
        for column in self.child.own:
            values = _chunk(self.table, column.name)
            order = self.order
            values = values.slice(first, last - first) if order is None else _taken(values, order[first:last])
            yield _lists_of(self.child, column, starts, values, schema)


@dataclass(frozen=True)
class _SharedLink:
    """A table of few rows that is looked up, and each main row's place in it; `table.num_rows` is no row."""

    child: RowSchema
    table: pa.Table
    places: NDArray[np.int32]

    def lists(self, start: int, stop: int, schema: RowSchema) -> Iterator[pa.DictionaryArray]:
        """Each column but those it is looked up by as dictionary-encoded lists, one for each of some main rows."""
        rows = self.table.num_rows
        each_alone = _array_of(np.minimum(np.arange(rows + 2), rows))
        places = pa.Array.from_buffers(pa.int32(), stop - start, [None, pa.py_buffer(self.places[start:stop])])
        for column in self.child.own:
            lists = _lists_of(self.child, column, each_alone, _chunk(self.table, column.name), schema)
            yield pa.DictionaryArray.from_arrays(places, lists)


def _lists_of(child: RowSchema, column: Column, starts: pa.Array, values: pa.Array, schema: RowSchema) -> pa.Array:
    """Values as lists, with the element's field as the schema has it and the type that the values have."""
    field = schema.arrow.field(f"{child.name}.{column.name}").type.value_field
    return pa.LargeListArray.from_arrays(starts, values, type=pa.large_list(field.with_type(values.type)))


def _looked_up(
    table: pa.Table, child: RowSchema, main: pa.Table, schema: RowSchema, *, coded: bool
) -> _Link | _SharedLink:
    own, asked, numbers = _numbered(table, main, child.by)
    first = np.full(numbers + 1, -1, dtype=np.int32)
    first[own[::-1]] = np.arange(len(own) - 1, -1, -1)  # of equal rows the first stays
    again = np.flatnonzero(first[own] != np.arange(len(own)))
    if len(again):
        row = int(again[0])
        hidden = {*schema.sensitive, *child.sensitive}
        shown = ", ".join(_shown(_array(table, name)[row], hidden=name in hidden) for name in child.by)
        raise InputError(
            f"{child.name}: {', '.join(child.by)}: found {shown} in rows {int(first[own[row]])} and {row}, expected "
            f"each once, as rows are looked up by it ({len(again):,} repeat one); say in `load` which row counts"
        )
    places = first[asked]  # of -1 the last, which nothing has
    known = places >= 0
    if coded and 2 * table.num_rows <= main.num_rows:
        return _SharedLink(child, table, np.where(known, places, np.int32(table.num_rows)))
    starts = np.zeros(main.num_rows + 1, dtype=np.int64)
    np.cumsum(known, out=starts[1:])
    return _Link(child, table, starts, places[known].astype(np.int64))


def _numbered(
    table: pa.Table, main: pa.Table, names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """A number for each different row of some columns of `table`, in it and in `main`, where others get -1.

    And how many numbers there may be.
    """
    own, asked, numbers = np.zeros(table.num_rows, dtype=np.int64), np.zeros(main.num_rows, dtype=np.int64), 1
    for name in names:
        known = pc.unique(_array(table, name))
        more, wanted = (_places(_chunk(each, name), known) for each in (table, main))
        absent = (asked < 0) | (wanted < 0)
        own *= len(known)
        own += more
        asked *= len(known)
        asked += wanted
        asked[absent] = -1
        numbers *= len(known)
        if numbers > _SPARSE * table.num_rows:  # numbered anew, so that they stay few
            pairs = pc.unique(_array_of(own))
            own, asked = (_places(_array_of(each), pairs).astype(np.int64) for each in (own, asked))
            numbers = len(pairs)
    return own, asked, numbers


def _places(values: pa.Array, known: pa.Array) -> NDArray[np.int32]:
    """Where each value, of which none is missing, stands among the known ones; -1 where it does not."""
    if pa.types.is_dictionary(values.type):
        each: NDArray[np.int32] = _places(values.dictionary, known)[_numbers(values.indices, np.int32)]
        return each
    return _numbers(pc.fill_null(pc.index_in(values, value_set=known), -1), np.int32)


def _link(table: pa.Table, child: RowSchema, main: pa.Table, schema: RowSchema) -> _Link:
    keys, own = _array(main, str(schema.key)), _array(table, str(child.key))
    places = pc.index_in(own, value_set=keys)
    if places.null_count:
        rows = pc.indices_nonzero(pc.is_null(places))
        row = rows[0].as_py()
        shown = _shown(own[row], hidden=schema.key in schema.sensitive)
        raise InputError(
            f"{child.name}: {child.key}: found {shown} in row {row}, expected a key of the table "
            f"{schema.name} ({len(rows):,} rows have none); add the row there, or leave these out"
        )
    rows_of = _numbers(places, np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows_of, minlength=len(keys)))])
    if not (rows_of[1:] < rows_of[:-1]).any():
        return _Link(child, table, starts, None)
    short = rows_of.astype(np.uint16) if len(keys) < _SHORT else rows_of
    return _Link(child, table, starts, np.argsort(short, kind="stable"))


def _ranges(links: "Sequence[_Link | _SharedLink]", rows: int, most: int | None) -> list[tuple[int, int]]:
    """Main rows from where to where, so that each range but the last has at least `most` child rows."""
    each = [np.diff(link.starts) for link in links if isinstance(link, _Link)]
    counts = np.cumsum(sum(each, np.zeros(rows, dtype=np.int64)))
    if most is None or not rows or counts[-1] <= most:
        return [(0, rows)]
    ends = np.searchsorted(counts, np.arange(most, int(counts[-1]), most)) + 1
    bounds = np.unique([0, *ends, rows]).tolist()
    return list(pairwise(bounds))


def _taken(values: pa.Array, order: NDArray[np.int64]) -> pa.Array:
    """Values in another order; NumPy moves plain numbers several times faster than Arrow."""
    if pa.types.is_dictionary(values.type):
        return pa.DictionaryArray.from_arrays(_taken(values.indices, order), values.dictionary)
    plain = pa.types.is_primitive(values.type) and values.type.bit_width in (32, 64)
    if not plain or values.null_count or not len(values):
        return values.take(_array_of(order))
    stored = np.frombuffer(values.buffers()[1], f"i{values.type.bit_width // 8}", values.offset + len(values))
    stored = stored[values.offset :]
    moved = pa.allocate_buffer(len(order) * stored.itemsize)  # Arrow's memory is used again, part after part
    stored.take(order, out=np.frombuffer(moved, stored.dtype), mode="clip")
    return pa.Array.from_buffers(values.type, len(order), [None, moved])


def _shown(key: pa.Scalar, *, hidden: bool) -> str:
    return "a value (hidden: sensitive)" if hidden else repr(key.as_py())


def _lists(table: pa.Table, name: str, child: RowSchema) -> pa.Array:
    lists = _chunk(table, name)
    if not (pa.types.is_large_list(lists.type) or pa.types.is_list(lists.type)) or lists.null_count:
        raise InputError(
            f"{name}: found {lists.type}{' with missing lists' if lists.null_count else ''}, expected a list for each "
            f"row, empty where it has no {child.name}; pass a mapping of tables"
        )
    return lists


def _sortable(values: pa.Array) -> pa.Array:
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values


def _chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _array(table: pa.Table, name: str) -> pa.Array:
    values = _chunk(table, name)
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _numbers(array: pa.Array, dtype: Any) -> NDArray[Any]:
    """An array without missing values as NumPy has it, from its buffer: a conversion would import pandas."""
    buffer = array.buffers()[1]
    stored = np.dtype(f"i{array.type.bit_width // 8}")
    if buffer is None:
        return np.zeros(0, dtype=dtype)
    return np.frombuffer(buffer, stored, array.offset + len(array))[array.offset :].astype(dtype, copy=False)


def _array_of(numbers: "NDArray[Any] | Sequence[int]") -> pa.Array:
    whole = np.ascontiguousarray(numbers, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])
