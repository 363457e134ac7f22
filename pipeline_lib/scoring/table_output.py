"""The parts of an output as rows of a database table: those of one date are replaced, in one transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import Connection, connection
from pipeline_lib.project.query import told
from pipeline_lib.scoring.score_block import RECORD

RUN_DATE = "run_date"
_AT_ONCE = 5_000
"""Rows of one statement."""


@dataclass(frozen=True)
class TableOutput:
    """A table of a database, and the date whose rows are replaced. A table that is not there is made.

    `record` names the record that answered."""

    connection: Connection
    table: str
    run_date: date
    record: str

    @classmethod
    def at(cls, name: str, table: str, run_date: str, record: str) -> "TableOutput":
        """The table at a connection. Raises InputError for an unknown connection, and for no date."""
        try:
            parsed = date.fromisoformat(run_date)
        except ValueError as error:
            raise InputError(f"--run-date: found {run_date!r}, expected a date such as 2026-11-30") from error
        return cls(connection(name), table, parsed, record)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Where the rows go."""
        return {"connection": self.connection.shown, "table": self.table, "run_date": self.run_date.isoformat()}

    def check(self, part: pa.Table) -> None:
        """Raise InputError for values that a database does not take."""
        if RUN_DATE in part.column_names:
            raise InputError(f"--keep: found the column {RUN_DATE}, expected other names than those of the output")
        for name, values in zip(part.column_names, part.columns, strict=True):
            _sql_type(name, values.type)
            if (
                pa.types.is_uint64(values.type)
                and pc.any(pc.greater(values, pa.scalar(2**63 - 1, pa.uint64()))).as_py()
            ):
                raise InputError(f"{name}: found an integer beyond 64 bits with a sign, expected a smaller one")

    def write(self, schema: pa.Schema, parts: Iterator[pa.Table], folder: Path) -> None:
        """Delete the rows of the date and insert all parts: other connections see the rows before, or those after."""
        expected = f"a database at {self.connection.shown} that takes the rows; nothing was changed: run it again"
        with told(self.connection, expected):
            from sqlalchemy import delete, insert

            with _transaction(self.connection) as database:
                table = self._table(database, schema)
                self._check_owner(database, table)
                database.execute(delete(table).where(table.c[RUN_DATE] == self.run_date))
                for rows in chain.from_iterable(map(_in_slices, parts)):
                    for row in rows:
                        row[RUN_DATE] = self.run_date
                    database.execute(insert(table), rows)

    def _table(self, database: Any, schema: pa.Schema) -> Any:
        """The table, made where it is not there. Raises InputError where it lacks a column."""
        from sqlalchemy import Column, Date, Index, MetaData, Table, inspect

        space, _, name = self.table.rpartition(".")
        columns = [Column(field.name, _sql_type(field.name, field.type)) for field in schema]
        table = Table(name, MetaData(), Column(RUN_DATE, Date, nullable=False), *columns, schema=space or None)
        inspector = inspect(database)
        if not inspector.has_table(name, schema=space or None):
            table.create(database)
            Index(f"{name}_{RUN_DATE}", table.c[RUN_DATE]).create(database)
        else:
            present = {column["name"] for column in inspector.get_columns(name, schema=space or None)}
            absent = [column for column in table.columns if column.name not in present]
            if absent:
                quote = database.dialect.identifier_preparer
                statements = "; ".join(
                    f"alter table {quote.format_table(table)} add column {quote.format_column(column)} "
                    f"{column.type.compile(database.dialect)}"
                    for column in absent
                )
                raise InputError(
                    f"table {self.table}: found no column {', '.join(column.name for column in absent)}, expected one "
                    f"for each of the output; `{statements}`, or name another table"
                )
        if database.dialect.name == "postgresql":  # two writers of one date would both find nothing to delete
            from sqlalchemy import text

            quoted = database.dialect.identifier_preparer.format_table(table)
            database.execute(text(f"lock table {quoted} in share row exclusive mode"))
        return table

    def _check_owner(self, database: Any, table: Any) -> None:
        """Refuse to delete rows that another pipeline has written for the date."""
        from sqlalchemy import select

        chosen = select(table.c[RECORD]).where(table.c[RUN_DATE] == self.run_date).distinct()
        found = {str(record).partition("/")[0] for (record,) in database.execute(chosen)}
        own = self.record.partition("/")[0]
        others = sorted(found - {own})
        if others:
            raise InputError(
                f"table {self.table}: found rows of {self.run_date} by {', '.join(others)}, expected those of {own} "
                "alone, as they are replaced; give each pipeline a table of its own"
            )


@contextmanager
def _transaction(source: Connection) -> Iterator[Any]:
    """A connection in one transaction that is committed at the end, and rolled back after an error."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine(source.url, poolclass=NullPool)
    if engine.dialect.name == "postgresql":  # many rows a statement: one by one takes fifty times as long
        engine.dialect.use_insertmanyvalues_wo_returning = True
    if engine.dialect.name == "sqlite":  # its driver begins no transaction before `create table`

        @event.listens_for(engine, "connect")
        def _plain(driver: Any, _: Any) -> None:
            driver.isolation_level = None

        @event.listens_for(engine, "begin")
        def _begin(database: Any) -> None:
            database.exec_driver_sql("begin immediate")

    with engine.begin() as database:
        yield database


def _in_slices(part: pa.Table) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, part.num_rows, _AT_ONCE):
        yield part.slice(start, _AT_ONCE).to_pylist()


def _sql_type(name: str, kind: pa.DataType) -> Any:
    import sqlalchemy as sa

    types = pa.types
    if types.is_integer(kind):
        return sa.BigInteger()
    if types.is_floating(kind):
        return sa.Double()
    if types.is_boolean(kind):
        return sa.Boolean()
    if types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind):
        return sa.Text()
    if types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if types.is_date(kind):
        return sa.Date()
    if types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    raise InputError(f"{name}: found {kind}, expected what a database can hold; leave it out of --keep")
