"""Every value of a column is accepted exactly, or refused with its rows and what to do."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from row_examples import BIG, Level, Mixin, Text, one, refusal

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

core = pytest.mark.core

ACCEPTED: list[tuple[str, Any, list[Any]]] = [
    ("integer", [1, None, -(2**63), 2**63 - 1], [1, None, -(2**63), 2**63 - 1]),
    ("integer", [1.0, math.nan, np.float32(3), np.int8(4), None], [1, None, 3, 4, None]),
    ("integer", [Level.HIGH, np.uint64(2**63 - 1)], [3, 2**63 - 1]),
    ("integer", [float(BIG)], [BIG]),
    ("integer", pa.array([1.0, None, float(-BIG), math.nan]), [1, None, -BIG, None]),
    ("integer", pa.array([1, 2], pa.uint64()), [1, 2]),
    ("integer", pa.array([5, None, 5]).dictionary_encode(), [5, None, 5]),
    ("integer", pa.nulls(2), [None, None]),
    ("number", [1, 0.1, None, math.nan, np.float32(0.5), math.inf], [1.0, 0.1, None, None, 0.5, math.inf]),
    ("number", [BIG, -BIG, np.float16(2)], [float(BIG), float(-BIG), 2.0]),
    ("number", pa.array([BIG, -BIG, None]), [float(BIG), float(-BIG), None]),
    ("number", pa.array([1, 2], pa.uint8()), [1.0, 2.0]),
    ("number", pa.array([0.5, math.nan], pa.float32()), [0.5, None]),
    ("number", pa.array(np.array([0.5, 2], np.float16)), [0.5, 2.0]),
    ("string", ["a", None, "", math.nan, np.str_("b"), "é\0😀"], ["a", None, "", None, "b", "é\0😀"]),
    ("string", [Text.A, Mixin.A], ["a", "a"]),
    ("string", pa.array(["a", None], pa.large_string()), ["a", None]),
    ("string", pa.array(["a", None], pa.string_view()), ["a", None]),
    ("string", pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
    ("boolean", [True, np.False_, None, math.nan], [True, False, None, None]),
    ("boolean", pa.array([True, None]), [True, None]),
    ("datetime", [datetime(1, 1, 1), None], [datetime(1, 1, 1), None]),
    ("datetime", [np.datetime64("2020-01-02")], [datetime(2020, 1, 2)]),
    ("datetime", [np.datetime64("NaT", "us"), math.nan], [None, None]),
    ("datetime", pa.array([1_000, None], pa.timestamp("ns")), [datetime(1970, 1, 1, 0, 0, 0, 1), None]),
    ("datetime", pa.array([1], pa.timestamp("s")), [datetime(1970, 1, 1, 0, 0, 1)]),
    ("date", [date(2020, 2, 29), None], [date(2020, 2, 29), None]),
    ("date", pa.array([86_400_000], pa.date64()), [date(1970, 1, 2)]),
]  # fmt: skip


@core
@pytest.mark.parametrize(("kind", "values", "expected"), ACCEPTED, ids=str)
def test_exact_values_are_accepted(kind: str, values: Any, expected: list[Any]) -> None:
    found = one(kind, values)
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


@core
def test_signed_zero_and_the_smallest_numbers_keep_their_bits() -> None:
    for data in ([-0.0, 5e-324], pa.array([-0.0, 5e-324])):
        assert list(map(repr, one("number", data))) == ["-0.0", "5e-324"]


REFUSED: list[tuple[str, Any, list[int]]] = [
    ("integer", [1, "2", "x"], [1, 2]),
    ("integer", [1, True], [1]),
    ("integer", [1, 1.5, math.inf, BIG + 2.0], [1, 2, 3]),
    ("integer", [0, 2**63, -(2**63) - 1], [1, 2]),
    ("integer", [1, Decimal(1), [1], np.timedelta64(1, "s")], [1, 2, 3]),
    ("integer", pa.array([1.0, 1.5, math.inf, None]), [1, 2]),
    ("integer", pa.array([1.0, BIG + 2.0]), [1]),
    ("integer", pa.array([0, 2**63], pa.uint64()), [1]),
    ("number", [1.5, "2"], [1]),
    ("number", [True, 1.5], [0]),
    ("number", [0, BIG + 1, -BIG - 1, np.int64(BIG + 1), 10**400], [1, 2, 3, 4]),
    ("number", [np.longdouble(1)], [0]),
    ("number", pa.array([0, BIG + 1, -BIG - 1]), [1, 2]),
    ("number", pa.array([0, BIG + 1], pa.uint64()), [1]),
    ("string", ["a", 5, 5.0, None, b"x"], [1, 2, 4]),
    ("string", ["a", "\ud800"], [1]),
    ("boolean", [True, 1, 0.0, "true"], [1, 2, 3]),
    ("datetime", [datetime(2020, 1, 1), "2020-01-01", date(2020, 1, 1)], [1, 2]),
    ("datetime", [datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)], [1]),
    ("datetime", [np.datetime64("2020-01-01T00:00:00.000000001")], [0]),
    ("datetime", pa.array([1_000, 1], pa.timestamp("ns")), [1]),
    ("date", [date(2020, 1, 1), datetime(2020, 1, 1), "2020-01-01"], [1, 2]),
]


@core
@pytest.mark.parametrize(("kind", "values", "rows"), REFUSED, ids=str)
def test_a_wrong_value_is_refused_with_its_rows(kind: str, values: Any, rows: list[int]) -> None:
    message = refusal(lambda: one(kind, values))
    where = f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}"
    assert f" in {where}, expected " in message
    shown = values[rows[0]]
    assert message.startswith(f"x: found {repr(shown)[:50]}" if isinstance(values, list) else "x: found ")


@core
@pytest.mark.parametrize(
    ("kind", "array"),
    [
        ("integer", pa.array(["1"])),
        ("integer", pa.array([True])),
        ("integer", pa.array([Decimal(1)])),
        ("number", pa.array([True])),
        ("number", pa.array(["1"]).dictionary_encode()),
        ("string", pa.array([1])),
        ("string", pa.array([b"a"])),
        ("boolean", pa.array([1])),
        ("datetime", pa.array([1], pa.timestamp("us", tz="UTC"))),
        ("datetime", pa.array([date(2020, 1, 1)])),
        ("datetime", pa.array([2**60], pa.timestamp("s"))),
        ("date", pa.array([datetime(2020, 1, 1)])),
        ("string", pa.array([["a"]])),
    ],
    ids=str,
)
def test_a_wrong_type_of_column_is_refused_once(kind: str, array: pa.Array) -> None:
    message = refusal(lambda: one(kind, array))
    value_type = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    assert f"x: found {value_type}" in message


@core
@pytest.mark.parametrize("kind", ["integer", "number", "string", "boolean", "datetime", "date"])
def test_a_missing_value_is_refused_where_row_allows_none(kind: str) -> None:
    good = {
        "integer": 1, "number": 1.0, "string": "a", "boolean": True,
        "datetime": datetime(2020, 1, 1), "date": date(2020, 1, 1),
    }[kind]  # fmt: skip
    for values in ([good, None, math.nan], pa.array([good, None, None])):
        assert "in rows 1, 2, expected " in refusal(lambda values=values: one(kind, values, nullable=False))
        assert one(kind, values) == [good, None, None]
    assert "in rows 0, 1" in refusal(lambda: one(kind, pa.nulls(2), nullable=False))
    assert one(kind, [], nullable=False) == []


def test_a_missing_date_is_one_sentence() -> None:
    schema = RowSchema((Column("x", "datetime"),))
    assert refusal(lambda: conform([{"x": None}], schema)) == (
        "x: found None in row 0, expected a naive datetime in whole microseconds in every row, as Row allows no "
        "missing value here; fill it where the data is loaded, or declare `| None` in Row"
    )


DEMANDS: list[tuple[str, dict[str, Any], list[Any], list[int]]] = [
    ("integer", {"ge": 0, "lt": 3}, [0, 2, None, 3], [3]),
    ("integer", {"gt": BIG}, [BIG + 1, BIG], [1]),
    ("number", {"gt": 0, "le": 0.3}, [0.3, 0.1 + 0.2, 5e-324], [1]),
    ("number", {"gt": 0}, [0.0, -0.0, 1.0], [0, 1]),
    ("number", {"finite": True}, [1.0, math.inf, None], [1]),
    ("datetime", {"lt": datetime(2020, 1, 1)}, [datetime(2019, 12, 31, 23), datetime(2020, 1, 1)], [1]),
    ("date", {"ge": date(2020, 1, 1)}, [date(2020, 1, 1), date(2019, 12, 31)], [1]),
    ("string", {"min_length": 2}, ["😀😀", "😀", None], [1]),
    ("string", {"max_length": 2}, ["éé", "ééé", ""], [1]),
    ("string", {"pattern": "^a.$"}, ["ab", "abc", "ab\n", "a", None], [1, 2, 3]),
    ("string", {"pattern": "b"}, ["abc", "ac"], [1]),
    ("string", {"allowed": ("a", "b")}, ["a", None, "A", "b "], [2, 3]),
    ("integer", {"allowed": (1, 3)}, [1, 2, None, 3], [1]),
]


@core
@pytest.mark.parametrize(("kind", "options", "values", "rows"), DEMANDS, ids=str)
def test_values_outside_what_is_declared_are_refused(
    kind: str, options: dict[str, Any], values: list[Any], rows: list[int]
) -> None:
    message = refusal(lambda: one(kind, values, **options))
    assert f" in row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}, expected " in message
    good = [value for i, value in enumerate(values) if i not in rows]
    assert one(kind, good, **options) == good


@pytest.mark.parametrize(
    ("kind", "values", "remedy"),
    [
        ("datetime", ["2020-01-01"], "convert it first: datetime.fromisoformat(text), or pandas.to_datetime(column)"),
        ("date", ["2020-01-01"], "convert it first: date.fromisoformat(text), or pandas.to_datetime(column)"),
        ("datetime", [datetime(2020, 1, 1, tzinfo=UTC)], "bring it to one time zone and drop the zone"),
        ("datetime", pa.array([0], pa.timestamp("us", "UTC")), "bring it to one time zone and drop the zone"),
        ("integer", ["30"], "convert the column first"),
    ],
)
def test_values_of_another_type_come_with_what_to_do(kind: str, values: Any, remedy: str) -> None:
    schema = RowSchema((Column("x", kind),))
    data = pa.table({"x": values}) if isinstance(values, pa.Array) else [{"x": value} for value in values]
    message = refusal(lambda: conform(data, schema))
    assert remedy in message
    assert ("zone" in message) == ("zone" in remedy)


def test_arrow_text_that_is_no_utf8_is_refused() -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff")]
    )
    message = refusal(lambda: conform(pa.table({"x": broken}), RowSchema((Column("x", "string"),))))
    assert message.startswith("x: found bytes that are not UTF-8")
    assert "expected text in UTF-8; decode it first" in message


def series(kind: str, values: Any, **options: Any) -> list[Any]:
    pd = pytest.importorskip("pandas")
    table = conform(pd.DataFrame({"x": values}), RowSchema((Column("x", kind, nullable=True, **options),)))
    found: list[Any] = table.column("x").to_pylist()
    return found


def test_columns_of_a_frame_conform_by_their_values() -> None:
    pd = pytest.importorskip("pandas")
    nat = [pd.Timestamp("2020-01-01"), None]
    for kind, values, expected in [
        ("integer", pd.Series([1, None, 3]), [1, None, 3]),
        ("integer", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("integer", pd.Series([1, 2, None]).astype("category"), [1, 2, None]),
        ("integer", pd.Series([1, pd.NA, 2.0], dtype=object), [1, None, 2]),
        ("number", pd.Series([1, 2], dtype="int8"), [1.0, 2.0]),
        ("number", pd.Series([1, None], dtype="Float64"), [1.0, None]),
        ("number", pd.Series([1, None], dtype="double[pyarrow]"), [1.0, None]),
        ("string", pd.Series(["a", None]), ["a", None]),
        ("string", pd.Series(["a", None, np.nan, pd.NA], dtype=object), ["a", None, None, None]),
        ("string", pd.Series(["a", None], dtype="string"), ["a", None]),
        ("string", pd.Series(["a", None]).astype("category"), ["a", None]),
        ("string", pd.Series([None, None]), [None, None]),
        ("boolean", pd.Series([True, False]), [True, False]),
        ("boolean", pd.Series([True, None], dtype="boolean"), [True, None]),
        ("boolean", pd.Series([True, None], dtype=object), [True, None]),
        ("datetime", pd.Series(nat), [datetime(2020, 1, 1), None]),
        ("datetime", pd.Series(nat).astype("datetime64[ns]"), [datetime(2020, 1, 1), None]),
        ("datetime", pd.Series([*nat, pd.NaT], dtype=object), [datetime(2020, 1, 1), None, None]),
        ("date", pd.Series([date(2020, 1, 1), None], dtype=object), [date(2020, 1, 1), None]),
        ("number", pd.Series(pd.arrays.SparseArray([0.0, 1.0])), [0.0, 1.0]),
        ("integer", pd.Series([], dtype=object), []),
    ]:
        assert series(kind, values) == expected, (kind, values)


def test_wrong_columns_of_a_frame_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    for kind, values, found in [
        ("integer", pd.Series(["1", "2"]), "large_string"),
        ("integer", pd.Series([1, "2"], dtype=object), "'2' (str) in row 1"),
        ("integer", pd.Series([1.5, 2]), "found 1.5 in row 0, expected"),
        ("integer", pd.Series([1, "b"], dtype=object).astype("category"), "'b' (str) in row 1"),
        ("number", pd.Series([True]), "bool"),
        ("number", pd.Series([1 + 2j]), "complex"),
        ("string", pd.Series([1]), "int64"),
        ("string", pd.Series(pd.period_range("2020", periods=1, freq="M")), "period"),
        ("string", pd.Series(pd.interval_range(0, 1)), "interval"),
        ("datetime", pd.Series(pd.to_datetime(["2020"], utc=True)), "timestamp[us, tz=UTC]"),
        ("datetime", pd.Series([pd.Timestamp(1, unit="ns")], dtype=object), "in row 0"),
        ("datetime", pd.Series([pd.Timestamp("2020", tz="UTC")], dtype=object), "in row 0"),
        ("datetime", pd.Series(pd.to_timedelta(["1s"])), "duration"),
    ]:
        message = refusal(lambda kind=kind, values=values: series(kind, values))
        assert found.lower() in message.lower(), message


@core
def test_a_date_that_python_does_not_have_is_refused_by_its_days() -> None:
    days = pa.array([0, 2_121_398_854], pa.int32()).cast(pa.date32())
    with pytest.raises(InputError) as error:
        conform(pa.table({"day": days}), RowSchema((Column("day", "date"),)))
    assert str(error.value) == (
        "day: found 2121398854 in row 1, expected a date in the years 1 to 9999; correct it, or Row"
    )
