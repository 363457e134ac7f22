"""The check of raw rows against `Row`: the same table from a DataFrame, an Arrow table or mappings, or a refusal.

`conform` is the one entry, for one raw table and for several:

    data ──► each table by its own schema ──► main rows with their child rows as lists ──► pa.Table
             conform_column, conform_values   join_tables (only where there are several)
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.rows.arrow_arrays import to_table
from pipeline_lib.rows.conform_column import LONG_COLUMN, conform_column, problem_of
from pipeline_lib.rows.conform_errors import ColumnError, Problem, RefusedColumnsError
from pipeline_lib.rows.containers import NamedColumns, is_instance, is_rows_of_mappings, with_names
from pipeline_lib.rows.join_tables import join_tables
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import split_tables

if TYPE_CHECKING:
    import pandas as pd

_ABSENT = object()
_THREADS = 2  # each holds one column that is half made


def conform(
    data: "pd.DataFrame | pa.Table | Mapping[str, Any] | Sequence[Mapping[str, object]]",
    schema: RowSchema,
    *,
    for_executor: bool = False,
) -> pa.Table:
    """Return `data` as a table with exactly the columns, their order and the Arrow types of `schema`.

    `data` is a DataFrame (of pandas or polars), an Arrow table, one row as a mapping, a list of such rows, or rows
    without names in the order of the schema's columns (`with_names`). Rows are never dropped or reordered. None, NaN,
    NA and NaT are missing; other columns are ignored; an absent column or key takes its declared default. Values are
    converted only where that is exact: whole floats to integers, integers up to 2**53 to numbers, categories and
    dictionaries to their values.

    Of several tables, `data` maps each table's name to its rows in any of these forms; other tables are ignored. Or
    it is an Arrow table as this function returns it: main rows in their order, and each child column as a list per
    main row, empty where it has no child rows.

    With `for_executor` the types are those that the column executor reads: long text columns are dictionary-encoded
    (int32 to string), a missing number is NaN, and lists of a small looked-up table are dictionary-encoded.

    Raises `InputError` with one line per problem: table, column, found, row numbers (from 0), expected. Two main rows
    with one key, a child row whose key no main row has, and two rows to look up by the same values are problems, too.
    Values of sensitive columns are not shown.
    """
    if schema.key is None:
        return _conform_table(data, schema, for_executor=for_executor)
    (table,) = conform_in_parts(data, schema, None, for_executor=for_executor)
    return table


def conform_in_parts(
    data: Any, schema: RowSchema, child_rows: int | None, *, for_executor: bool = False
) -> Iterator[pa.Table]:
    """The table that `conform` makes of several tables, in parts of about `child_rows` child rows.

    Every row is checked before the first part is made; each part is made when it is asked for.
    """
    main, *children = _conform_tables(data, schema, for_executor=for_executor)
    yield from join_tables(main, children, schema, child_rows, for_executor=for_executor)


def is_dataframe(data: object) -> bool:
    """Whether `data` is a pandas DataFrame, without importing pandas."""
    return is_instance(data, "pandas", "DataFrame")


def _conform_tables(data: Any, schema: RowSchema, *, for_executor: bool) -> list[pa.Table]:
    """Each table by its own schema; all problems at once, with the table's name."""
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
    tables: list[pa.Table] = []
    problems: list[Problem] = []
    for part in schema.tables:
        try:
            tables.append(_conform_table(data[part.name], replace(part, key=None), for_executor=for_executor))
        except RefusedColumnsError as error:
            problems += [replace(each, table=part.name) for each in error.problems]
        except InputError as error:
            raise InputError(f"{part.name}: {error}") from error
    if problems:
        raise RefusedColumnsError(problems)
    return tables


def _conform_table(data: Any, schema: RowSchema, *, for_executor: bool) -> pa.Table:
    sources, problems = _sources(data, schema)
    columns = [column for column in schema.columns if column.name in sources]
    values = [sources[column.name] for column in columns]
    with ThreadPoolExecutor(_THREADS) as pool:  # starts no thread until it is used; Arrow releases the GIL
        apply = pool.map if max(map(len, values), default=0) >= LONG_COLUMN else map
        arrays = list(apply(partial(conform_column, for_executor=for_executor), values, columns))
    results = zip(arrays, values, columns, strict=True)
    problems += [problem_of(array, own, column) for array, own, column in results if isinstance(array, ColumnError)]
    if problems:
        raise RefusedColumnsError(problems)
    return to_table(arrays, schema.arrow, keep_types=for_executor)


def _sources(data: Any, schema: RowSchema) -> tuple[dict[str, Any], list[Problem]]:
    """The values of each column of the schema, as `data` holds them; and what is wrong with the columns' names."""
    data = [data] if isinstance(data, Mapping) else with_names(data, schema)
    if is_rows_of_mappings(data):
        return _sources_of_mappings(_with_text_keys(data), schema)
    column: Callable[[int], Any]
    if is_dataframe(data):
        names, length, column = list(map(str, data.columns)), len(data), _columns_of_frame(data, len(schema.columns))
    elif isinstance(data, pa.Table | pa.RecordBatch):
        names, length, column = data.schema.names, data.num_rows, data.column
    elif isinstance(data, NamedColumns):
        names, length, column = list(data.columns), data.rows, list(data.columns.values()).__getitem__
    else:
        raise InputError(
            f"found {type(data).__name__}, expected rows as a DataFrame, an Arrow table, an array, a mapping of column "
            "names to values, or a list of such mappings; pass one of these"
        )
    present = {name: index for index, name in enumerate(names)}
    count = Counter(names)
    twice = [name for name in schema.names if count[name] > 1]
    problems = [
        Problem(name, None, "", f"{count[name]} columns of this name", "one", "rename the others") for name in twice
    ]
    absent = [c.name for c in schema.columns if c.required and c.name not in present]
    if absent:
        problems.append(_absent(absent, schema, None))
    sources = {
        c.name: column(present[c.name]) if c.name in present else [c.default] * length
        for c in schema.columns
        if c.name not in twice and c.name not in absent
    }
    return sources, problems


def _columns_of_frame(frame: "pd.DataFrame", wanted: int) -> Callable[[int], Any]:
    """Each column by its index; pandas gives all of them in half the time of as many by index."""
    if 2 * wanted < frame.shape[1]:
        return lambda index: frame.iloc[:, index]
    return [column for _, column in frame.items()].__getitem__


def _with_text_keys(rows: Sequence[Mapping[Any, object]]) -> Sequence[Mapping[str, object]]:
    """Rows whose keys are text: a frame with columns 0, 1, … gives rows with keys of int."""
    if not rows or all(type(name) is str for name in rows[0]):
        return rows
    return [{str(name): value for name, value in row.items()} for row in rows]


def _sources_of_mappings(
    rows: Sequence[Mapping[str, object]], schema: RowSchema
) -> tuple[dict[str, Any], list[Problem]]:
    sources: dict[str, Any] = {}
    absent: dict[tuple[int, ...], list[str]] = {}
    for column in schema.columns:
        try:
            sources[column.name] = [row[column.name] for row in rows]
            continue
        except KeyError:
            default = _ABSENT if column.required else column.default
        values = [row.get(column.name, default) for row in rows]
        without = tuple(i for i, value in enumerate(values) if value is _ABSENT)
        if without:
            absent.setdefault(without, []).append(column.name)
        else:
            sources[column.name] = values
    return sources, [_absent(names, schema, numbers) for numbers, names in absent.items()]


def _absent(names: Sequence[str], schema: RowSchema, rows: tuple[int, ...] | None) -> Problem:
    expected = f"all {len(schema.columns)} columns of Row"
    remedy = "add them, with a missing value where Row allows one"
    return Problem("", rows, "", f"no {', '.join(names)}", expected, remedy)
