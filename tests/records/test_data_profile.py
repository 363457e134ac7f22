"""What a profile of a table holds, and the changes between two."""

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline_lib.records.data_profile import MOST_CATEGORIES, profile_changes, profile_of
from pipeline_lib.system.files import canonical_json

TABLE = pa.table(
    {
        "whole": [3, None, -1],
        "number": [1.5, float("nan"), float("inf")],
        "price": [Decimal("1.50"), None, Decimal("-2.25")],
        "day": [date(2024, 1, 2), None, date(2023, 1, 2)],
        "at": pa.array([datetime(2024, 1, 2), None, None], pa.timestamp("us", "UTC")),
        "kind": ["b", "a", "b"],
        "flag": [True, None, True],
        "name": pa.array(["x", "y", None]).dictionary_encode(),
        "bytes": [b"1", None, b"2"],
        "many": [[1], [2], None],
        "nothing": pa.nulls(3),
    }
)


def changes(name: str, old: list[object], new: list[object]) -> list[str]:
    return profile_changes(*(profile_of(pa.table({name: values})) for values in (old, new)))


def test_a_profile_has_ranges_and_categories_and_is_json() -> None:
    profile = profile_of(TABLE)
    columns = profile["columns"]
    assert profile["rows"] == 3
    assert columns["whole"] == {"type": "int64", "missing": 1, "smallest": -1, "largest": 3}
    assert columns["number"] == {"type": "double", "missing": 1, "smallest": 1.5, "largest": "inf"}
    assert columns["price"] == {"type": "decimal128(3, 2)", "missing": 1, "smallest": "-2.25", "largest": "1.50"}
    assert (columns["day"]["smallest"], columns["day"]["largest"]) == ("2023-01-02", "2024-01-02")
    assert columns["at"]["largest"] == "2024-01-02T00:00:00+00:00"
    assert columns["kind"] == {"type": "string", "missing": 0, "distinct": 2, "categories": {"a": 1, "b": 2}}
    assert columns["flag"]["categories"] == {"True": 2}
    assert columns["name"]["categories"] == {"x": 1, "y": 1}
    assert columns["bytes"] == {"type": "binary", "missing": 1}
    canonical_json(profile)


def test_nothing_of_a_sensitive_column_is_kept_but_its_type() -> None:
    profile = profile_of(TABLE, hidden=["kind", "whole"])
    assert profile["columns"]["kind"] == {"type": "string"}
    assert profile["columns"]["whole"] == {"type": "int64"}
    assert "-1" not in canonical_json(profile).decode()


def test_texts_of_many_values_are_counted_and_not_listed() -> None:
    texts = [str(number) for number in range(MOST_CATEGORIES + 1)]
    assert profile_of(pa.table({"x": texts}))["columns"]["x"] == {"type": "string", "missing": 0, "distinct": 31}
    assert changes("x", [*texts], [*texts, "more"]) == ["rows: 31 → 32", "x: distinct values 31 → 32"]


def test_equal_profiles_have_no_change() -> None:
    assert profile_changes(profile_of(TABLE), profile_of(TABLE)) == []


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ([1, 2], [1, 2, 9], ["rows: 2 → 3", "x: largest 2 → 9"]),
        ([1, 2], [-5, 2], ["x: smallest 1 → -5"]),
        ([1, 2], [None, 2], ["x: missing 0 → 1", "x: smallest 1 → 2"]),
        ([1, 2], [1.0, 2.0], ["x: type int64 → double"]),
        (["a", "b"], ["a", "c"], ["x: new 'c'", "x: gone 'b'"]),
        (["a", "b"], ["a", "a"], ["x: gone 'b'", "x: other counts of 1 category"]),
        (["a"], list("abcdefgh"), ["rows: 1 → 8", "x: new 'b', 'c', 'd', 'e', 'f' and 2 more"]),
    ],
)
def test_each_change_is_a_line(old: list[object], new: list[object], lines: list[str]) -> None:
    assert changes("x", old, new) == lines


def test_columns_that_come_and_go_are_named() -> None:
    old, new = pa.table({"a": [1], "b": [1]}), pa.table({"a": [1], "c": [1]})
    assert profile_changes(profile_of(old), profile_of(new)) == ["c: new column", "b: column gone"]
    assert profile_changes(profile_of(old), profile_of(old.select(["b", "a"]))) == ["the order of the columns"]
