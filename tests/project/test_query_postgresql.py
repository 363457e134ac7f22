"""Queries of a real PostgreSQL server, which these tests start."""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any

import pandas as pd
import postgresql
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import Connection
from pipeline_lib.project.query import run_query
from pipeline_lib.project.query_columns import frame_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        postgresql.programs() is None, reason="found no PostgreSQL; install Debian's package postgresql to run these"
    ),
]
TYPES = """select 1::int2 as a, 2.50::numeric(10, 2) as b, date '2024-01-02' as c,
    timestamptz '2024-01-02 03:04:05.000006+02' as d, timestamp '2024-01-02 03:04:05' as e, 'é'::varchar as f,
    true as g, time '01:02:03' as h, interval '3 days' as i, '0a0e0000-0000-0000-0000-000000000001'::uuid as j,
    1.5::real as k, 'ab'::bytea as l"""
EXPECTED = {
    "a": ("int64", "Int64", 1),
    "b": ("object", "object", Decimal("2.50")),
    "c": ("object", "object", date(2024, 1, 2)),
    "d": ("datetime64[us, UTC]", "datetime64[us, UTC]", pd.Timestamp("2024-01-02 01:04:05.000006", tz="UTC")),
    "e": ("datetime64[us]", "datetime64[us]", pd.Timestamp("2024-01-02 03:04:05")),
    "f": ("str", "str", "é"),
    "g": ("bool", "boolean", True),
    "h": ("object", "object", time(1, 2, 3)),
    "i": ("timedelta64[us]", "timedelta64[us]", pd.Timedelta(days=3)),
    "j": ("str", "str", "0a0e0000-0000-0000-0000-000000000001"),
    "k": ("float64", "float64", 1.5),
    "l": ("object", "object", b"ab"),
}


@pytest.fixture(scope="module")
def source() -> Iterator[Connection]:
    """A connection to a server of this module's own."""
    with postgresql.server() as url:
        yield Connection("warehouse", url)


def frame(source: Connection, query: str, **parameters: Any) -> pd.DataFrame:
    return frame_of(run_query(source, query, parameters))


def test_each_type_is_that_of_the_table(source: Connection) -> None:
    found = frame(source, TYPES)
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {n: e[0] for n, e in EXPECTED.items()}
    assert found.iloc[0].to_dict() == {name: expected[2] for name, expected in EXPECTED.items()}


def test_missing_values_keep_the_type(source: Connection) -> None:
    nulls = ", ".join("null" for _ in EXPECTED)
    found = frame(source, f"{TYPES} union all select {nulls}")
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {n: e[1] for n, e in EXPECTED.items()}
    assert found.iloc[1].isna().all()


def test_no_row_has_the_type_of_many(source: Connection) -> None:
    nothing, whole = run_query(source, f"{TYPES} limit 0", {}), run_query(source, TYPES, {})
    assert nothing.schema.names == whole.schema.names
    assert [field.type for field in nothing.schema if field.name != "b"] == [
        field.type for field in whole.schema if field.name != "b"
    ]  # the places of a decimal are those of its values


def test_parameters_are_bound(source: Connection) -> None:
    evil = "x' or '1' = '1"
    found = frame(source, "select :a || '' as a, :n + 1 as n, '12:30'::time as t", a=evil, n=2)
    assert found.iloc[0].tolist() == [evil, 3, time(12, 30)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select nonsense", 'column "nonsense" does not exist'),
        ("create table x (a int)", "cannot execute CREATE TABLE in a read-only transaction"),
        ("delete from pg_class", "cannot execute DELETE in a read-only transaction"),
        ("select array[1, 2] as a", "column 'a': found PostgreSQL's type 1007, expected one with a rule"),
        ("select '{}'::json as a", "column 'a': found PostgreSQL's type 114, expected one with a rule"),
        ("select 'infinity'::timestamp as a", "column 'a': found 'infinity', expected a timestamp"),
        ("select 'nan'::numeric as a", "column 'a': found NaN, expected finite decimals"),
        ("select 1 as a, 2 as a", "found more than one column 'a'"),
    ],
)
def test_what_is_refused(source: Connection, query: str, message: str) -> None:
    with pytest.raises(InputError, match=f"warehouse: .*{message}"):
        run_query(source, query, {})


def test_no_error_holds_the_password(source: Connection) -> None:
    wrong = Connection("warehouse", source.url.replace(postgresql.ENCODED, "another-password"))
    for broken, query in ((wrong, "select 1"), (source, f'select 1 / 0 as "{postgresql.PASSWORD}"')):
        with pytest.raises(InputError) as caught:
            run_query(broken, query, {})
        assert caught.value.__cause__ is None
        for text in (postgresql.PASSWORD, postgresql.ENCODED, "another-password"):
            assert text not in str(caught.value)
