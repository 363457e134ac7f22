"""Queries of SQLite and DuckDB: rows with the types of the table in `query_columns`, and what is refused."""

import sqlite3
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import Connection
from pipeline_lib.project.query import run_query
from pipeline_lib.project.query_columns import column_of_values, frame_of


@pytest.fixture
def sqlite(tmp_path: Path) -> Connection:
    """An SQLite file with boats, its path with a space and a letter beyond ASCII."""
    path = tmp_path / "mein Boot é.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("create table boats (name text, length real, crew integer, price numeric, plan blob, mixed)")
        rows: list[tuple[Any, ...]] = [("Ada", 1.5, 3, 2, b"x", 1), ("Bo", None, None, 2.5, None, "two")]
        database.executemany("insert into boats values (?, ?, ?, ?, ?, ?)", rows)
    database.close()
    return Connection("boats", f"sqlite:///{path}")


@pytest.fixture
def duck(tmp_path: Path) -> Connection:
    """A DuckDB file with one table of many types."""
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(
            """create table t as select * from (values
            (1::tinyint, 2.50::decimal(9, 2), date '2024-01-02', timestamptz '2024-01-02 03:04:05.000006+02',
             timestamp '2024-01-02 03:04:05.000006', 'é', true, time '01:02:03', 1.5::float, 'ab'::blob,
             '0a0e0000-0000-0000-0000-000000000001'::uuid, 'u'::enum('u', 'v'), 7::hugeint),
            (null, null, null, null, null, null, null, null, null, null, null, null, null))
            x(a, b, c, d, e, f, g, h, i, j, k, l, m)"""
        )
    return Connection("duck", f"duckdb:///{path}")


def frame(source: Connection, query: str, **parameters: Any) -> pd.DataFrame:
    return frame_of(run_query(source, query, parameters))


def dtypes(found: pd.DataFrame) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in found.dtypes.items()}


def test_sqlite_gives_the_types_of_its_values(sqlite: Connection) -> None:
    found = frame(sqlite, "select name, length, crew, price, plan from boats order by name")
    assert dtypes(found) == {"name": "str", "length": "float64", "crew": "Int64", "price": "float64", "plan": "object"}
    assert found["crew"].tolist() == [3, pd.NA]
    assert found["price"].tolist() == [2.0, 2.5]
    assert found["plan"].tolist() == [b"x", None]
    assert isinstance(found.index, pd.RangeIndex)


def test_integers_without_missing_ones_are_plain(sqlite: Connection) -> None:
    assert dtypes(frame(sqlite, "select crew from boats where crew is not null")) == {"crew": "int64"}


def test_duckdb_gives_the_types_of_its_columns(duck: Connection) -> None:
    found = frame(duck, "select * from t")
    assert dtypes(found) == {
        "a": "Int64",
        "b": "object",
        "c": "object",
        "d": "datetime64[us, UTC]",
        "e": "datetime64[us]",
        "f": "str",
        "g": "boolean",
        "h": "object",
        "i": "float64",
        "j": "object",
        "k": "str",
        "l": "str",
        "m": "Int64",
    }
    first = found.iloc[0].to_dict()
    assert first["b"] == Decimal("2.50")
    assert (first["c"], first["h"]) == (date(2024, 1, 2), time(1, 2, 3))
    assert first["d"] == pd.Timestamp("2024-01-02 01:04:05.000006", tz="UTC")
    assert first["e"] == pd.Timestamp("2024-01-02 03:04:05.000006")
    assert (first["k"], first["l"], first["m"]) == ("0a0e0000-0000-0000-0000-000000000001", "u", 7)


def test_a_type_does_not_depend_on_the_rows(duck: Connection) -> None:
    whole, none = run_query(duck, "select * from t", {}), run_query(duck, "select * from t where a > 100", {})
    assert none.num_rows == 0
    assert none.schema == whole.schema


@pytest.mark.parametrize("source", ["sqlite", "duck"])
def test_parameters_are_bound_and_never_part_of_the_text(source: str, request: pytest.FixtureRequest) -> None:
    opened = request.getfixturevalue(source)
    evil = "x' or '1' = '1"
    found = frame(
        opened, "select :a as a, :b as b, :a as c, '12:30' as d, cast(:n as integer) as n", a=evil, b=2, n=None
    )
    assert found.iloc[0, :4].tolist() == [evil, 2, evil, "12:30"]
    assert found["n"].isna().all()


@pytest.mark.parametrize("source", ["sqlite", "duck"])
@pytest.mark.parametrize(
    ("query", "parameters", "message"),
    [
        ("select :a", {}, r"found no value for :a, expected one value for each :name"),
        ("select 1 as x", {"b": 1}, r"found the parameters b, which the query does not name"),
        ("select nonsense", {}, r"found \w+: .*nonsense"),
        ("select 1 as x, 2 as x", {}, r"found more than one column 'x'"),
        ("create table y (a int)", {}, r"found \w+"),
        ("selec", {}, r"found \w+: "),
    ],
)
def test_what_is_refused_says_which_connection(
    source: str, query: str, parameters: dict[str, Any], message: str, request: pytest.FixtureRequest
) -> None:
    opened = request.getfixturevalue(source)
    with pytest.raises(InputError, match=rf"^{opened.name}: {message}"):
        run_query(opened, query, parameters)


def test_a_query_changes_nothing(sqlite: Connection, duck: Connection) -> None:
    for source, query in ((sqlite, "delete from boats"), (duck, "delete from t")):
        with pytest.raises(InputError, match=r"(?i)read.?only"):
            run_query(source, query, {})
    assert frame(sqlite, "select count(*) as n from boats")["n"].tolist() == [2]


def test_a_column_of_several_types_is_named_with_the_row(sqlite: Connection) -> None:
    with pytest.raises(InputError, match="column 'mixed': found int and in row 1 str, expected values of one type"):
        run_query(sqlite, "select mixed from boats order by name", {})


@pytest.mark.parametrize("expression", ["[1, 2]", "{'a': 1}", "interval 3 days", "map {'a': 1}"])
def test_a_type_without_a_rule_is_refused(duck: Connection, expression: str) -> None:
    with pytest.raises(
        InputError, match=r"column 'x': found the type .*, expected one with a rule; cast it in the query"
    ):
        run_query(duck, f"select {expression} as x", {})


def test_integers_that_do_not_fit_are_refused(duck: Connection) -> None:
    for value in ("170141183460469231731687303715884105727::hugeint", "18446744073709551615::ubigint"):
        with pytest.raises(InputError, match=r"column 'x': found a U?(HUGE|BIG)INT that is no int64"):
            run_query(duck, f"select {value} as x", {})


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/x.sqlite", "found no file /nowhere/x.sqlite, expected a database"),
        ("sqlite:///x.sqlite", "found the relative path x.sqlite, which means another file in each folder"),
        ("sqlite://", "found an address without a file"),
        ("duckdb:///:memory:", "found an address without a file"),
        ("oddbase://h/x", "found NoSuchModuleError"),
        ("mysql+pymysql://ada:tulipbulb@h/x", "found no package 'pymysql', expected the driver that mysql:// names"),
        ("postgresql+pg8000://ada:abc@h/x", "the password of the connection db: found a secret of 3 characters"),
        ("postgresql+pg8000://ada:tulipbulb@127.0.0.1:1/x", "found .*expected rows of postgresql"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run_query(Connection("db", url), "select 1", {})
    assert "tulip" not in str(caught.value)


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    for scheme in ("sqlite", "duckdb"):
        with pytest.raises(InputError):
            run_query(Connection("db", f"{scheme}:///{tmp_path}/x"), "select 1", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([None, None], pa.null()),
        ([], pa.null()),
        ([True, None], pa.bool_()),
        ([2**63 - 1, None], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([date(2024, 1, 2)], pa.date32()),
        ([pd.Timestamp("2024-01-02").to_pydatetime()], pa.timestamp("us")),
        ([pd.Timestamp("2024-01-02", tz="Asia/Kolkata").to_pydatetime()], pa.timestamp("us", "UTC")),
        ([Decimal("1.5"), Decimal("-22.255"), None], pa.decimal128(38, 3)),
        ([Decimal("1E+3")], pa.decimal128(38, 0)),
        ([Decimal(10) ** 50], pa.decimal256(76, 0)),
        ([memoryview(b"x")], pa.binary()),
    ],
)
def test_python_values_have_one_type(values: list[Any], expected: pa.DataType) -> None:
    column = column_of_values("x", values)
    assert column.type == expected
    assert column.null_count == values.count(None)
    if expected not in (pa.timestamp("us", "UTC"), pa.binary()):
        assert column.to_pylist() == values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([2**63], "found .*too large|found .*expected values of int64"),
        ([2**53 + 1, 0.5], "found 9007199254740993 among floating-point numbers"),
        ([Decimal("NaN")], "found NaN, expected finite decimals"),
        ([Decimal(10) ** 80], "found decimals of 81 digits, expected 76"),
        ([{"a": 1}], "found dict, expected values of one type that has a rule"),
        ([1, "a"], "found int and in row 1 str"),
        ([None, b"x", True], "found bytes and in row 2 bool"),
    ],
)
def test_values_that_would_change_are_refused(values: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=f"column 'x': {message}"):
        column_of_values("x", values)


def test_a_frame_keeps_what_missing_means() -> None:
    found = frame_of(
        pa.table({"a": pa.array([None], pa.string()), "b": pa.nulls(1), "c": pa.array([None], pa.float64())})
    )
    assert dtypes(found) == {"a": "str", "b": "object", "c": "float64"}
    assert found["a"][0] is np.nan
    assert found["b"][0] is None
