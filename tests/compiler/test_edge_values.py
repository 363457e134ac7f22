"""Which values are tried in a column: what `Row` allows, what training rows hold, what plan and code compare with."""

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.edge_values import InputColumn, compared_values, input_columns, values_to_try
from pipeline_lib.rows.column import Column


def tried(raw: Column | None, training: Any, constants: tuple[Any, ...] = (), kind: str = "number") -> list[Any]:
    return values_to_try(InputColumn(0, "x", raw.kind if raw else kind, "x", raw=raw), training, constants)


def test_a_raw_number_is_tried_beyond_the_training_range_and_missing() -> None:
    found = tried(Column("x", "number", nullable=True), np.array([2.0, 5.0]), (3.5,))
    below, above = math.nextafter(2.0, -math.inf), math.nextafter(5.0, math.inf)
    assert {None, below, 2.0, 5.0, above, 0.0, 1.0, -1.0, -2.0, 3.5, math.nextafter(3.5, 4.0)} <= set(found)
    assert any(value == 0 and math.copysign(1, value) < 0 for value in found if value is not None)


def test_a_raw_integer_has_integers_beside_it() -> None:
    found = tried(Column("x", "integer"), np.array([2, 5]), (9, 7.5))
    assert {1, 2, 3, 4, 5, 6, 0, -1, 8, 9, 10, 7} <= set(found)
    assert None not in found
    assert all(type(value) is int for value in found)


def test_row_decides_what_is_tried() -> None:
    found = tried(Column("x", "number", ge=2.0, lt=5.0, finite=True), np.array([3.0, 4.0]), (100.0,))
    assert min(found) == 2.0
    assert max(found) == math.nextafter(5.0, 0.0)
    allowed = tried(Column("x", "string", allowed=("a", "b")), TextColumn.of(["a"]), ("c",))
    assert allowed == ["a", "b"]


def test_what_an_earlier_step_makes_is_tried_within_its_training_range() -> None:
    found = tried(None, np.array([2.0, 5.0]), (3.5,))
    assert {2.0, 5.0, 3.5} <= set(found)
    assert all(2.0 <= value <= 5.0 for value in found)
    assert tried(None, np.array([0.0, 1.0, np.nan]))[0] is None
    assert set(tried(None, np.array([True, False]), kind="boolean")) == {True, False}


def test_words_are_tried_unseen_empty_and_rewritten() -> None:
    found = tried(Column("x", "string", nullable=True), TextColumn.of(["Ames", None]), ("Boone", 2010))
    assert {None, "", " ", "Ames ", "AMES", "ames", "Boone"} <= set(found)
    assert "a label that no row has" in found
    assert tried(None, TextColumn.of(["Ames"]), ("Boone",), kind="string") == ["Boone"]


def moments(*times: str) -> Any:
    return np.array([np.datetime64(each, "us").astype(np.int64) for each in times])


def test_dates_are_tried_at_the_ends_of_years_and_on_leap_days() -> None:
    found = tried(Column("x", "datetime", nullable=True), moments("2019-03-01", "2021-06-01"), (2010, "2015-05-05"))
    for day in ("2018-12-31", "2019-01-01", "2019-12-31", "2021-12-31", "2022-01-01", "2020-02-29", "2021-11-01"):
        assert datetime.fromisoformat(day) in found
    for day in ("2009-12-31", "2010-01-01", "2010-12-31", "2015-05-04", "2015-05-05", "2015-05-06"):
        assert datetime.fromisoformat(day) in found
    assert found[0] is None
    days = tried(Column("x", "date"), moments("2019-03-01"))
    assert date(2019, 12, 31) in days
    assert all(type(day) is date for day in days)


@pytest.mark.parametrize("kind", ["datetime", "duration", "number"])
def test_a_column_without_values_has_edges(kind: str) -> None:
    empty = np.array([NAT, NAT]) if kind != "number" else np.array([np.nan, np.nan])
    assert tried(None, empty, kind=kind)[0] is None


def test_what_a_plan_compares_with_is_found_by_column() -> None:
    build = Builder()
    year, size = build.input("year", "int64"), build.input("size", "float64")
    build.where(year == 2010, size, size * 2.0)
    build.search(size, edges=[10.0, 20.0], side="left")
    build.lookup(year, {1999: 1.0}, "float64")
    plan = Plan(build.nodes, {})
    assert compared_values(plan) == {"year": [2010, 1999], "size": [2.0, 10.0, 20.0]}
    other = Builder()
    columns = {"year": other.input("year", "int64"), "same": other.input("same", "str")}
    assert [(c.name, c.own, c.is_used) for c in input_columns(columns, plan, {})] == [
        ("year", (2010, 1999), True),
        ("same", (), False),
    ]
