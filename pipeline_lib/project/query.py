"""Rows of a query as an Arrow table: a column's type comes from the database or from its values, or is refused.

DuckDB answers in Arrow. Other databases are reached through SQLAlchemy, which is told to read and never to write.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import Connection, passwords
from pipeline_lib.project.query_columns import column_of_type, column_of_values
from pipeline_lib.project.redaction import Redactor, check_length

Parameters = Mapping[str, Any]
_DUCKDB = ("duckdb",)
_SQLITE = ("sqlite",)
_EXTRA = "pip install 'nb-pipeline-lib[sql]'"


def run_query(source: Connection, query: str, parameters: Parameters) -> pa.Table:
    """The rows of a query that only reads, with `:name` in it for each of the `parameters`.

    Raises InputError for what the database refuses, parameters that do not fit the query, and columns whose type has
    no rule; messages hold neither password nor user.
    """
    with _told(source):
        statement = _statement(query, parameters)
        if _scheme(source) in _DUCKDB:
            return _from_duckdb(source, statement, parameters)
        with _sqlalchemy_result(source, statement, parameters) as (result, columns_of):
            return columns_of(result.fetchall())


def query_in_tables(source: Connection, query: str, parameters: Parameters, rows: int) -> Iterator[pa.Table]:
    """The rows of a query, so many at a time, at least one table; memory holds one.

    Where the database tells no types (SQLite) each table has those of its own values. Raises InputError as
    `run_query` does.
    """
    with _told(source):
        statement = _statement(query, parameters)
        if _scheme(source) in _DUCKDB:
            table = _from_duckdb(source, statement, parameters)
            yield from (table.slice(start, rows) for start in range(0, max(1, table.num_rows), rows))
            return
        with _sqlalchemy_result(source, statement, parameters, rows) as (result, columns_of):
            part = result.fetchmany(rows)
            yield columns_of(part)
            while part := result.fetchmany(rows):
                yield columns_of(part)


def _scheme(source: Connection) -> str:
    return source.url.partition(":")[0].lower().partition("+")[0]


@contextmanager
def told(source: Connection, expected: str) -> Iterator[None]:
    """Inside this context a database's errors are InputErrors without password and user, which say what is expected."""
    for secret in passwords(source.url):
        check_length(secret, f"the password of the connection {source.name}")
    redact = Redactor(dict.fromkeys(passwords(source.url), source.name))
    try:
        yield
    except InputError as error:
        raise InputError(redact.redact_text(f"{source.name}: {error}")) from None
    except ModuleNotFoundError as error:
        raise InputError(
            f"{source.name}: found no package {error.name!r}, expected the driver that {_scheme(source)}:// names; "
            "install it"
        ) from None
    except Exception as error:  # each driver has errors of its own; their texts may quote the address
        raise InputError(
            redact.redact_text(f"{source.name}: found {_description(error)}, expected {expected}")
        ) from None


def _told(source: Connection) -> AbstractContextManager[None]:
    return told(source, f"rows of {source.shown}; correct the query, or the connection's address")


def _description(error: Exception) -> str:
    """A driver's error in one line; pg8000 keeps PostgreSQL's message as a part of a mapping."""
    own = getattr(error, "orig", None) or error
    parts = own.args[0] if own.args else ""
    message = str(parts.get("M", parts)) if isinstance(parts, dict) else str(own)
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return f"{type(own).__name__}: {first}"


def _statement(query: str, parameters: Parameters) -> Any:
    """The query as SQLAlchemy's text, whose `:names` are those of the parameters."""
    try:
        from sqlalchemy import text
    except ModuleNotFoundError as error:
        raise InputError(f"found no package {error.name!r}, expected the extra sql; {_EXTRA}") from None
    statement = text(query)
    wanted, given = set(statement._bindparams), set(parameters)
    if wanted != given:
        missing, unknown = sorted(wanted - given), sorted(given - wanted)
        problems = [f"no value for :{', :'.join(missing)}"] if missing else []
        problems += [f"the parameters {', '.join(unknown)}, which the query does not name"] if unknown else []
        raise InputError(
            f"found {' and '.join(problems)}, expected one value for each :name of the query; correct params= or "
            r"--param, and write \: for a colon in a text"
        )
    return statement


def _from_duckdb(source: Connection, statement: Any, parameters: Parameters) -> pa.Table:
    import duckdb
    from sqlalchemy.engine.default import DefaultDialect

    path = _database_file(source)
    compiled = statement.compile(dialect=DefaultDialect(paramstyle="qmark"))
    values = [parameters[name] for name in compiled.positiontup or ()]
    with duckdb.connect(str(path), read_only=True) as database:
        database.execute("set timezone = 'UTC'")
        relation = database.sql(str(compiled), params=values)
        if relation is None:
            raise InputError("found a statement that returns no rows, expected a query; write a select")
        table, types = relation.to_arrow_table(), list(map(str, relation.types))
    _check_names(table.column_names)
    columns = [
        column_of_type(name, column, type_)
        for name, column, type_ in zip(table.column_names, table.columns, types, strict=True)
    ]
    return pa.table(columns, names=table.column_names)


@contextmanager
def _sqlalchemy_result(
    source: Connection, statement: Any, parameters: Parameters, rows: int | None = None
) -> Iterator[tuple[Any, Callable[[Sequence[Any]], pa.Table]]]:
    """A query's result, and what makes a table of some of its rows; `rows` streams that many at a time."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    options: dict[str, Any] = {"poolclass": NullPool}
    is_sqlite = _scheme(source) in _SQLITE
    if is_sqlite:
        path = _database_file(source)
        options["creator"] = lambda: sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    engine = create_engine("sqlite://" if is_sqlite else source.url, **options)
    streamed = {} if rows is None else {"stream_results": True, "max_row_buffer": rows}
    with _read_only(engine) as database:
        result = database.execution_options(**streamed).execute(statement, dict(parameters))
        if not result.returns_rows:
            raise InputError("found a statement that returns no rows, expected a query; write a select")
        description = [(str(part[0]), part[1]) for part in result.cursor.description]
        names = [name for name, _ in description]
        _check_names(names)

        def columns_of(rows: Sequence[Any]) -> pa.Table:
            values = zip(*rows, strict=True) if rows else ([] for _ in names)
            columns = [
                column_of_values(name, list(column), code if engine.dialect.name == "postgresql" else None)
                for (name, code), column in zip(description, values, strict=True)
            ]
            return pa.table(columns, names=names)

        yield result, columns_of


@contextmanager
def _read_only(engine: Any) -> Iterator[Any]:
    """A connection in one transaction that may only read, where the database can be told so."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as plain:
        database = plain.execution_options(**options) if engine.dialect.name == "postgresql" else plain
        try:
            yield database
        finally:
            database.rollback()


def _database_file(source: Connection) -> Path:
    """The file of an SQLite or DuckDB address; a missing one would be made, empty, by its library."""
    text = unquote(source.url.partition("://")[2].partition("?")[0])
    path = Path(text.removeprefix("/")).expanduser()
    if text in ("", "/") or path.name.startswith(":memory:"):
        raise InputError("found an address without a file, expected a database that holds something; name its file")
    if not path.is_absolute():
        raise InputError(
            f"found the relative path {path}, which means another file in each folder, expected an absolute one "
            f"({source.url.partition(':')[0]}:////absolute/path); correct the address"
        )
    if not path.is_file():
        raise InputError(f"found no file {path}, expected a database; correct the address")
    return path


def _check_names(names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1 or not name})
    if repeated:
        raise InputError(
            f"found more than one column {', '.join(map(repr, repeated))}, expected each name once; name them by `as`"
        )
