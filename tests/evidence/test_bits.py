"""The comparison of tables: equal bits, and the digest."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import differing_rows, digest, first_difference

pytestmark = pytest.mark.core


def table(*values: Any, kind: pa.DataType | None = None, name: str = "x") -> pa.Table:
    return pa.table({name: pa.array(list(values), kind or pa.float64())})


def nan_with_payload(payload: int) -> pa.Table:
    bits = np.array([0x7FF8000000000000 | payload], dtype=np.uint64)
    return pa.table({"x": pa.array(bits.view(np.float64))})


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.string(), pa.bool_(), pa.large_string()])
def test_a_table_equals_itself_with_its_nulls(kind: pa.DataType) -> None:
    values = {"string": ["a", None], "large_string": ["a", None], "bool": [True, None]}.get(str(kind), [1, None])
    assert first_difference(table(*values, kind=kind), table(*values, kind=kind)) is None


def test_one_ulp_is_a_difference_and_is_counted() -> None:
    found = first_difference(table(1.0, 2.0, 3.0), table(1.0, math.nextafter(2.0, 3.0), 3.0))
    assert found is not None
    assert (found.what, found.column, found.row, found.rows, found.columns, found.ulps) == ("value", "x", 1, 1, 1, 1)
    assert "1 ULP apart" in str(found)
    assert (2.0).hex() in str(found)


def test_the_two_zeros_are_neighbours_and_not_equal() -> None:
    found = first_difference(table(0.0), table(-0.0))
    assert found is not None
    assert found.ulps == 1


def test_ulps_count_across_zero() -> None:
    found = first_difference(table(5e-324), table(-5e-324))
    assert found is not None
    assert found.ulps == 3


def test_a_nan_is_a_nan_whatever_its_payload() -> None:
    assert first_difference(nan_with_payload(1), nan_with_payload(2)) is None


@pytest.mark.parametrize(("left", "right"), [(None, math.nan), (math.nan, None), (math.nan, 1.0), (math.inf, 1.0)])
def test_null_nan_and_infinity_differ_without_a_distance(left: float | None, right: float | None) -> None:
    found = first_difference(table(left), table(right))
    assert found is not None
    assert (found.what, found.ulps) == ("value", None)
    assert "ULP" not in str(found)


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_narrow_floats_are_compared_by_their_own_bits(kind: str) -> None:
    left, right = np.array([0.0], kind), np.array([-0.0], kind)
    found = first_difference(pa.table({"x": left}), pa.table({"x": right}))
    assert found is not None
    assert found.ulps is None


def test_rows_come_before_columns_and_columns_before_dtypes() -> None:
    rows = first_difference(table(1.0), table(1.0, 2.0, name="y"))
    names = first_difference(table(1.0), table(1, kind=pa.int64(), name="y"))
    kinds = first_difference(table(1.0), table(1, kind=pa.int64()))
    assert str(rows) == "rows: expected 1, found 2"
    assert str(names) == "columns: expected 'x', found 'y'"
    assert str(kinds) == "dtype of column 'x': expected double, found int64"


def test_the_order_of_columns_counts() -> None:
    ordered = pa.table({"a": [1], "b": [2]})
    found = first_difference(ordered, ordered.select(["b", "a"]))
    assert str(found) == "columns: expected 'a', 'b', found 'b', 'a'"


def test_many_missing_columns_are_cut_short() -> None:
    wide = pa.table({f"c{number}": [1] for number in range(9)})
    found = first_difference(wide, table(1.0))
    assert found is not None
    assert found.expected.endswith("'c7', …")


def test_strings_are_compared_and_every_differing_row_counted() -> None:
    left = pa.table({"a": ["x", "y", None], "b": [1, 2, 3]})
    right = pa.table({"a": ["x", "z", "w"], "b": [1, 2, 4]})
    found = first_difference(left, right)
    assert found is not None
    assert (found.expected, found.found, found.row, found.rows, found.columns) == ("'y'", "'z'", 1, 2, 2)
    assert differing_rows(left, right).tolist() == [False, True, True]


def test_a_table_without_columns_has_no_differing_rows() -> None:
    empty = pa.table({})
    assert first_difference(empty, empty) is None
    assert differing_rows(empty, empty).tolist() == []


def test_the_digest_is_the_same_for_every_chunking() -> None:
    whole = pa.table({"f": [1.0, None, 3.0], "s": ["a", None, "bc"], "i": [1, None, 3], "b": [True, None, False]})
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 0), whole.slice(1)])
    assert parts.column("f").num_chunks > 1
    assert digest(parts) == digest(whole)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (table(0.0), table(-0.0)),
        (table(None), table(math.nan)),
        (table(None), table(0.0)),
        (table(1.0), table(math.nextafter(1.0, 2.0))),
        (table(1.0), table(1.0, name="y")),
        (table(1, kind=pa.int64()), table(1, kind=pa.int32())),
        (table("ab", "c", kind=pa.string()), table("a", "bc", kind=pa.string())),
        (table("", kind=pa.string()), table(None, kind=pa.string())),
        (table(kind=pa.int64()), table(0, kind=pa.int64())),
        (table(None, kind=pa.null()), table(None, None, kind=pa.null())),
        (table(1, kind=pa.date32()), table(2, kind=pa.date32())),
        (table(1, kind=pa.timestamp("us")), table(2, kind=pa.timestamp("us"))),
    ],
)
def test_the_digests_of_other_tables_differ(left: pa.Table, right: pa.Table) -> None:
    assert digest(left) != digest(right)
    assert digest(left) == digest(left.slice(0))
    assert first_difference(left, right) is not None


def test_the_digest_knows_one_nan() -> None:
    payload = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)
    assert digest(pa.table({"a": payload})) == digest(pa.table({"a": [float("nan")]}))
    assert digest(pa.table({"a": [0.0]})) != digest(pa.table({"a": [-0.0]}))


COLUMNS = [
    pa.nulls(2),
    pa.array([b"a", b"b"]),
    pa.array([b"ab", b"cd"], pa.binary(2)),
    pa.array([1, 2], pa.time32("s")),
    pa.array([1, 2], pa.time64("us")),
    pa.array([1, 2], pa.duration("ns")),
    pa.array([1, 2], pa.date64()),
    pa.array([Decimal("1.10"), Decimal("2.00")]),
    pa.array(["a", "b"], pa.string_view()),
    pa.array([True, None]),
    pa.array([1.5, None]).dictionary_encode(),
]


@pytest.mark.parametrize("column", COLUMNS, ids=[str(column.type) for column in COLUMNS])
def test_every_plain_type_is_compared_and_digested(column: pa.Array) -> None:
    table, swapped = pa.table({"a": column}), pa.table({"a": pa.concat_arrays([column[1:], column[:1]])})
    assert first_difference(table, table) is None
    assert digest(table) == digest(pa.table({"a": pa.chunked_array([column[:1], column[1:]])}))
    alike = column.null_count == 2
    assert (first_difference(table, swapped) is None) == alike
    assert (digest(table) == digest(swapped)) == alike


@pytest.mark.parametrize("values", [[[{"a": 1}], []], [{"a": 1}, {"a": 2}]])
def test_nested_columns_are_refused_with_their_name_and_type(values: list[object]) -> None:
    table = pa.table({"deep": values})
    for check in (lambda: first_difference(table, table), lambda: digest(table)):
        with pytest.raises(
            InputError, match=r"column 'deep': found type (list|struct).*cannot be compared bit for bit"
        ):
            check()


def test_codes_of_floats_are_compared_by_the_bits_of_their_values() -> None:
    def codes(*values: float) -> pa.Table:
        return pa.table({"a": pa.DictionaryArray.from_arrays(pa.array([0]), pa.array(values))})

    assert first_difference(codes(0.0), codes(-0.0)) is not None
    assert first_difference(codes(float("nan")), codes(float("nan"))) is None
    assert digest(codes(0.0)) != digest(codes(-0.0))


def test_columns_of_one_name_are_compared_by_position() -> None:
    left, right = (pa.Table.from_arrays([pa.array([1]), pa.array([n])], names=["a", "a"]) for n in (2, 3))
    difference = first_difference(left, right)
    assert difference is not None
    assert (difference.expected, difference.found) == ("2", "3")


@pytest.mark.parametrize(
    ("left", "right", "expected", "found"),
    [
        (pa.array([2**62], pa.timestamp("s")), pa.array([0], pa.timestamp("s")), str(2**62), "1970, 1, 1"),
        (pa.array([b"\xff"]).cast(pa.string(), safe=False), pa.array(["a"]), "b'\\xff'", "'a'"),
        (pa.array([0], pa.date64()), pa.array([1], pa.date64()), "(0)", "(1)"),
        (pa.array(["a" * 500 + "b"]), pa.array(["a" * 500 + "c"]), "b' (length 501)", "c' (length 501)"),
    ],
)
def test_values_that_are_hard_to_show_look_different(
    left: pa.Array, right: pa.Array, expected: str, found: str
) -> None:
    difference = first_difference(pa.table({"a": left}), pa.table({"a": right}))
    assert difference is not None
    assert expected in difference.expected
    assert found in difference.found
    assert len(str(difference)) < 300


def test_an_added_column_is_seen_in_the_names() -> None:
    difference = first_difference(pa.table({"a": [1]}), pa.table({"a": [1], "b": [1]}))
    assert difference is not None
    assert (difference.expected, difference.found) == ("'a'", "'a', 'b'")


def lists(*rows: list[float] | None, kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"bag": pa.array(rows, kind or pa.large_list(pa.float64()))})


@pytest.mark.parametrize(
    ("left", "right", "row"),
    [
        (lists([1.0, 2.0], [3.0]), lists([1.0], [2.0, 3.0]), 0),
        (lists([1.0], [0.0]), lists([1.0], [-0.0]), 1),
        (lists([], None), lists([], []), 1),
        (lists([1.0], [math.nan, 2.0]), lists([1.0], [math.nan, 2.0000000000000004]), 1),
    ],
)
def test_lists_are_compared_row_by_row_and_bit_by_bit(left: pa.Table, right: pa.Table, row: int) -> None:
    found = first_difference(left, right)
    assert found is not None
    assert (found.what, found.row) == ("value", row)
    assert digest(left) != digest(right)
    assert first_difference(left, left) is None


def test_of_a_list_the_first_differing_value_is_shown() -> None:
    found = first_difference(lists([5.0, 1.0]), lists([5.0, 1.5]))
    assert found is not None
    assert found.expected.startswith("1.0 (0x1.0")
    assert found.expected.endswith("at 1 of 2")
    assert digest(lists([1.0], [2.0])) == digest(pa.concat_tables([lists([1.0]), lists([2.0])]))


def test_parts_of_longer_columns_are_compared_where_they_begin() -> None:
    whole = pa.table({"x": np.arange(10.0)})
    assert first_difference(whole.slice(3, 4), pa.table({"x": np.arange(3.0, 7.0)})) is None
    found = first_difference(whole.slice(3, 4), whole.slice(2, 4))
    assert found is not None
    assert (found.row, found.rows) == (0, 4)
