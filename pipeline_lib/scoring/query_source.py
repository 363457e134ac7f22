"""Raw rows from a query: kept as they were returned, so that interrupted work goes on with the same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import connection
from pipeline_lib.project.query import query_in_tables
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform_errors import Problem
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.blocks import Block
from pipeline_lib.scoring.input_files import InputFile
from pipeline_lib.scoring.json_values import is_text
from pipeline_lib.scoring.parts import Parts, clear
from pipeline_lib.scoring.read_blocks import ALL
from pipeline_lib.scoring.text_values import values_of_text
from pipeline_lib.system.files import canonical_json, read_json, write_atomic

_ANSWER = "answer.json"


class QuerySource:
    """The rows of a query to the connection `name`; `given` are NAME=VALUE for each `:NAME` in it.

    A query `@PATH` is the text of that file. Values are text; the query casts what is none.
    """

    def __init__(self, name: str, query: str, given: Sequence[str], *, keep: Sequence[str], block_rows: int) -> None:
        self.connection = connection(name)
        self.query = _text_of(query)
        self.parameters = dict(map(_pair, given))
        self.keep, self.block_rows = tuple(keep), block_rows
        self.files: Sequence[InputFile] = ()
        self._rows: Parts | None = None
        self._answer: dict[str, Any] = {}
        self._done = 0

    def prepare(self, folder: Path) -> None:
        """Ask, and keep the answer in `folder`; one that is there as a whole is not asked for again."""
        request = {"query": self.query, "parameters": self.parameters, "block_rows": self.block_rows}
        request["connection"] = self.connection.shown
        self._rows = Parts(folder, request)
        if self._rows.begin() and (folder / _ANSWER).is_file():
            self._answer = read_json(folder / _ANSWER)
            return
        clear(folder)
        self._rows.begin()
        count = rows = 0
        asked = datetime.now(UTC).isoformat(timespec="milliseconds")
        for table in query_in_tables(self.connection, self.query, self.parameters, self.block_rows):
            self._rows.add(count, table)
            count += 1
            rows += table.num_rows
        self._answer = {"as_of": asked, "parts": count, "rows": rows}
        write_atomic(folder / _ANSWER, canonical_json(self._answer))

    @property
    def identity(self) -> Mapping[str, Any]:
        """The query, and when it was asked."""
        return {"query": self.query, "parameters": self.parameters, "keep": list(self.keep), **self._answer}

    def blocks(self, schema: RowSchema, skip: int) -> Iterator[Block]:
        """The blocks after the first `skip`."""
        if self._rows is None:
            raise AssertionError("a query is asked before its rows are read")
        start = 0
        for number, table in enumerate(self._rows.read(self._answer["parts"])):
            if number >= skip:
                yield self._block(table, schema, partial(self._where, start))
            start += table.num_rows
            self._done = start

    def _block(self, table: pa.Table, schema: RowSchema, where: Any) -> Block:
        keep = table.column_names if self.keep == ALL else list(self.keep)
        absent = [name for name in keep if name not in table.column_names]
        if absent:
            raise InputError(
                f"{self.connection.name}: found no column {', '.join(absent)} to keep, expected one of "
                f"{', '.join(table.column_names)}; correct --keep, or the query"
            )
        problems: list[Problem] = []
        columns: dict[str, Any] = {"": pa.nulls(table.num_rows)}
        for name in table.column_names:
            if name in schema.names:
                columns[name], found = _typed(table[name].combine_chunks(), schema.by_name[name])
                problems += found
        return Block(pa.table(columns), self.connection.name, where, problems, table.select(keep))

    def _where(self, start: int, row: int) -> str:
        return f"row {start + row} of the query"

    def share(self) -> float | None:
        """The share of the rows that were handed out."""
        return self._done / self._answer["rows"] if self._answer.get("rows") else None

    def check_unchanged(self) -> None:
        """Nothing to check: the answer was kept."""

    def refused(self) -> None:
        """Ask again next time: the rows may have been corrected."""
        if self._rows is not None:
            clear(self._rows.folder)


def _typed(values: pa.Array, column: Column) -> tuple[pa.Array, list[Problem]]:
    """A column's values: where the database has neither dates nor booleans, of its texts and of its 0 and 1."""
    if is_text(column) and pa.types.is_string(values.type):
        values, problems = values_of_text(values, column)
        return values, [replace(problem, remedy="correct it there") for problem in problems]
    is_integer = column.kind == "boolean" and pa.types.is_integer(values.type)
    if is_integer and pc.all(pc.is_in(values, pa.array([0, 1, None], values.type))).as_py() is not False:
        return values.cast(pa.bool_()), []
    return values, []


def _text_of(query: str) -> str:
    if not query.startswith("@"):
        return query
    path = Path(query[1:])
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise InputError(f"--query: found {error}, expected @ and the path of a file with a query") from error


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InputError(f"--param: found {text!r}, expected NAME=VALUE; write --param day=2026-11-30")
    return name, value
