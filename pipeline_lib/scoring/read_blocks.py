"""The rows of files, of whatever format, in blocks: text typed by `Row`, each row with the place where it stands."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform_errors import Problem
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.arrow_rows import arrow_tables
from pipeline_lib.scoring.blocks import BLOCK_ROWS, Block, in_blocks
from pipeline_lib.scoring.csv_rows import TextOptions, csv_tables, line_of
from pipeline_lib.scoring.input_files import CSV, JSON_LINES, InputFile
from pipeline_lib.scoring.json_rows import json_rows
from pipeline_lib.scoring.json_values import is_text, parse_texts
from pipeline_lib.scoring.text_values import values_of_text

ALL = ("*",)
"""As columns to keep: every one."""


class AbsentColumnError(InputError):
    """A file without a column that is to be kept: the file, the column, and the columns that there are."""

    def __init__(self, message: str, file: str, column: str, listed: str) -> None:
        super().__init__(message)
        self.file, self.column, self.listed = file, column, listed


def read_blocks(
    files: Sequence[InputFile],
    schema: RowSchema,
    *,
    keep: Sequence[str] = (),
    options: TextOptions | None = None,
    rows: int = BLOCK_ROWS,
    skip: int = 0,
    on_file: Callable[[InputFile], None] = lambda file: None,
) -> Iterator[Block]:
    """The rows of files in blocks of so many rows, without the first `skip` blocks; no block has rows of two files.

    Of the columns those of `schema` are read, typed by it where the file holds text, and those to `keep`, as the file
    has them. `on_file` is called before each file. There is at least one block, which may be without rows. Raises
    InputError for a file that cannot be read, and for a column to keep that it does not have.
    """
    options = options or TextOptions()
    number = 0
    empty: Block | None = None
    for file in files:
        on_file(file)
        for block in _file_blocks(file, schema, keep, options, rows, skip - number):
            if block is None:
                number += 1
            elif _length(block):
                number += 1
                yield block
            else:
                empty = block
    if not number and empty is not None:
        yield empty


def _length(block: Block) -> int:
    return len(block.rows)


def _file_blocks(
    file: InputFile, schema: RowSchema, keep: Sequence[str], options: TextOptions, rows: int, skip: int
) -> Iterator[Block | None]:
    """A file's blocks; None for each that is skipped, and at the end one without rows where it has none."""
    if file.format == JSON_LINES:
        parts = json_rows(file, rows)
        any_rows = False
        for number, part in enumerate(parts):
            any_rows = True
            yield None if number < skip else _json_block(file, part, schema, keep)
        if not any_rows:
            yield Block([], file.shown, str, raw=pa.table({name: pa.nulls(0) for name in _kept(keep, [])}))
        return
    wanted = None if tuple(keep) == ALL else [*schema.names, *keep]
    if file.format == CSV:
        tables = csv_tables(file, options, wanted)
        place: Callable[[int], str] = lambda row: f"line {line_of(file, options, row)}"  # noqa: E731
    else:
        texts = [column.name for column in schema.columns if column.kind == "string" and column.name not in keep]
        tables = arrow_tables(file, rows, wanted, texts if wanted else ())
        place = lambda row: f"row {row}"  # noqa: E731
    number = start = 0
    empty = next(tables)
    for table in in_blocks(tables, rows):
        shown = partial(_shifted, place, start)
        yield None if number < skip else _table_block(table, file, schema, keep, shown)
        number += 1
        start += table.num_rows
    if not number:
        yield _table_block(empty, file, schema, keep, place)


def _shifted(place: Callable[[int], str], start: int, row: int) -> str:
    return place(start + row)


def _table_block(
    table: pa.Table, file: InputFile, schema: RowSchema, keep: Sequence[str], where: Callable[[int], str]
) -> Block:
    table = table.combine_chunks()
    texts = set(table.column_names) if file.format == CSV else set()
    for name, value in file.partition.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
            texts.add(name)
    raw = table.select(_check_kept(file.shown, _kept(keep, table.column_names), table.column_names))
    problems: list[Problem] = []
    columns = {}
    for name in schema.names:
        if name not in table.column_names:
            continue
        values = table[name]
        if name in texts:
            values, found = values_of_text(_one(values), schema.by_name[name])
            problems += found
        columns[name] = values
    typed = pa.table(columns) if columns else pa.table({"": pa.nulls(table.num_rows)})
    return Block(typed, file.shown, where, problems, raw)


def _one(values: pa.ChunkedArray) -> pa.Array:
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays(values.chunks or [pa.array([], values.type)])


def _kept(keep: Sequence[str], names: Sequence[str]) -> list[str]:
    return [name for name in names if name] if tuple(keep) == ALL else list(keep)


def _check_kept(shown: str, keep: list[str], names: Sequence[str]) -> list[str]:
    absent = [name for name in keep if name not in names]
    if absent:
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise AbsentColumnError(
            f"{shown}: found no column {', '.join(absent)} to keep, expected one of {listed}; correct --keep",
            shown,
            absent[0],
            listed,
        )
    return keep


def _json_block(
    file: InputFile, part: list[tuple[int, dict[str, Any]]], schema: RowSchema, keep: Sequence[str]
) -> Block:
    lines = [line for line, _ in part]
    rows = [{**file.partition, **row} for _, row in part]
    names = list(dict.fromkeys(name for row in rows for name in row))
    kept = _check_kept(f"{file.shown}: line {lines[0]}", _kept(keep, names), names)
    raw = pa.table({name: _kept_values(file, name, [row.get(name) for row in rows]) for name in kept})
    texts = [column for column in schema.columns if is_text(column) or column.name in file.partition]
    problems = parse_texts(rows, texts)
    return Block(rows, file.shown, lambda row: f"line {lines[row]}", problems, raw)


def _kept_values(file: InputFile, name: str, values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, UnicodeError, OverflowError) as error:
        raise InputError(
            f"{file.shown}: {name}: found values that one column cannot keep ({error}), expected one type; correct "
            "--keep"
        ) from error
