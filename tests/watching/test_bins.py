"""Values of any kind are counted, in any form and division, and none is refused."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import watched

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.bins import BOOLEAN, DATE, LENGTH, NUMBER, TEXT, bins_of, labels
from pipeline_lib.watching.statistics import Statistics, training_statistics


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return watched.statistics()


def counted(statistics: Statistics, *blocks: Any) -> dict[str, Any]:
    accumulator = Accumulator(statistics)
    for block in blocks:
        accumulator.add_rows(block)
    return accumulator.to_json()


def test_numbers_fall_into_quantiles_of_training() -> None:
    bins = bins_of(list(range(1000)), NUMBER)
    counts = bins.count(list(range(1000)))
    assert counts.bins.tolist() == [0, *[50] * 20, 0]
    assert (bins.smallest, bins.largest) == (0.0, 999.0)
    odd = bins.count([-1, 1000, 1e9, None, math.nan, -math.inf, 999.0])
    assert (odd.bins[0], odd.bins[-1], odd.missing, bins.outside(odd)) == (2, 2, 2, 4)


def test_few_different_numbers_have_a_bin_each() -> None:
    bins = bins_of([3, 1, 1, 2], NUMBER)
    assert bins.count([1, 1.5, 2, 3, 4]).bins.tolist() == [0, 2, 1, 1, 1]
    assert labels(bins, str) == ["below 1.0", "1.0", "2.0", "3.0", "above 3.0"]


def test_many_and_few_numbers_are_counted_alike() -> None:
    random = np.random.default_rng(0)
    values = np.where(random.random(5000) < 0.1, np.nan, random.normal(size=5000))
    bins = bins_of(values.tolist(), NUMBER)
    whole = bins.count(pa.array(values))
    parts = [bins.count(values[start : start + 100].tolist()) for start in range(0, 5000, 100)]
    assert whole.bins.tolist() == sum(part.bins for part in parts).tolist()
    assert whole.missing == sum(part.missing for part in parts) == int(np.isnan(values).sum())
    assert whole.bins[-1] == whole.bins[0] == 0


def test_a_column_without_a_value_in_training_has_only_values_out_of_range() -> None:
    bins = bins_of([None, None], NUMBER)
    counts = bins.count([1.0, None])
    assert (bins.outside(counts), counts.missing, bins.smallest) == (1, 1, None)


def test_texts_are_named_up_to_30_and_counted_up_to_200() -> None:
    values = [f"t{number:03d}" for number in range(150) for _ in range(150 - number)]
    bins = bins_of(values, TEXT)
    assert (bins.kind, bins.names[0], len(bins.names), len(bins.others)) == (TEXT, "t000", 30, 120)
    for given in (["t000", "t149", "new", None, "new"], pa.array(["t000", "t149", "new", None, "new"])):
        counts = bins.count(given)
        assert (counts.bins[0], counts.bins[-2], counts.bins[-1], counts.missing) == (1, 1, 2, 1)
        assert counts.unseen == {"new": 2}
    assert bins_of([str(number) for number in range(201)], TEXT).kind == LENGTH
    assert bins_of(["x" * 201], TEXT).kind == LENGTH


def test_the_first_unseen_names_by_alphabet_are_kept_in_any_order() -> None:
    bins = bins_of(["a"], TEXT)
    names = [f"n{number:02d}" for number in range(20) for _ in range(number + 1)]
    forth, back = bins.count(names[:50]), bins.count(names[50:])
    forth.add(back)
    other = bins.count(names[100:])
    other.add(bins.count(names[:100]))
    assert forth.unseen == other.unseen == {"n00": 1, "n01": 2, "n02": 3, "n03": 4, "n04": 5}
    assert next(iter(bins.count(["y" * 1000]).unseen)) == "y" * 59 + "…"


@pytest.mark.parametrize(
    ("kind", "training", "values", "missing", "invalid"),
    [
        (NUMBER, [1.0], ["3", True, b"x", [1], {}, object(), 10**400, Decimal(2), np.float32(1), None], 1, 7),
        (NUMBER, [1.0], [pd.NA, pd.NaT, math.nan, Decimal("NaN"), 1], 4, 0),
        (TEXT, ["a"], [1, b"a", ["a"], {"a": 1}, None, math.nan, "a", "\ud800"], 2, 4),
        (BOOLEAN, [True], [True, np.True_, 1, 0, "true", None, False], 1, 3),
        (LENGTH, ["a"], ["aa", 7, None, ""], 1, 1),
        (
            DATE,
            [datetime(2020, 1, 1)],
            [date(2020, 1, 1), "2020-01-01", pd.NaT, datetime(2020, 1, 1, tzinfo=UTC)],
            1,
            1,
        ),
    ],
)
def test_odd_values_are_counted_and_not_refused(
    kind: str, training: list[Any], values: list[Any], missing: int, invalid: int
) -> None:
    counts = (bins_of(training, kind)).count(values)
    assert (counts.missing, counts.invalid, counts.rows) == (missing, invalid, len(values))
    json.dumps(counts.to_json(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("size", pa.array([1, 2, None], pa.int8())),
        ("size", pa.array([1, 2, None], pa.decimal128(10, 2))),
        ("size", pa.array([1.0, 2.0, None], pa.float32())),
        ("size", pa.array([1.0, 2.0, None]).dictionary_encode()),
        ("sold", pa.array([datetime(2001, 1, 1), datetime(2002, 2, 2), None], pa.timestamp("ms"))),
        ("zone", pa.array(["a", "b", None], pa.large_string())),
        ("zone", pa.array(["a", "b", None]).dictionary_encode()),
        ("notes", pa.array(["abc", "b", None])),
    ],
)
def test_arrow_types_count_as_the_same_values_in_python(statistics: Statistics, name: str, values: pa.Array) -> None:
    table = pa.table({name: values})
    found = counted(statistics, table)["columns"][name]
    plain = [float(value) if isinstance(value, Decimal) else value for value in values.to_pylist()]
    assert found == counted(statistics, [{name: value} for value in plain])["columns"][name]
    assert (found["missing"], found["invalid"], sum(found["counts"])) == (1, 0, 2)


@pytest.mark.parametrize("name", ["size", "zone", "notes", "heated", "sold"])
def test_a_column_of_another_type_is_invalid_altogether(statistics: Statistics, name: str) -> None:
    odd = pa.array([b"x", None]) if name != "heated" else pa.array(["x", None])
    found = counted(statistics, pa.table({name: odd}))["columns"][name]
    assert (found["missing"], found["invalid"], sum(found["counts"])) == (1, 1, 0)


def test_any_division_into_blocks_forms_and_workers_counts_the_same(statistics: Statistics) -> None:
    table = watched.rows(3000, 5, size=1.0, zones=("b", "c", "new", "newer"))
    whole = counted(statistics, table)
    listed = table.to_pylist()
    for size in (1, 7, 1000):
        total = Accumulator(statistics)
        for start in reversed(range(0, 3000 if size > 1 else 60, size)):
            worker = Accumulator(statistics)
            worker.add_rows(listed[start : start + size] if start % 2 else table.slice(start, size))
            total.merge(Accumulator.from_json(statistics, json.loads(json.dumps(worker.to_json()))))
        expected = whole if size > 1 else counted(statistics, table.slice(0, 60))
        assert total.to_json() == expected
    assert whole != counted(statistics, table.slice(1))


def test_absent_columns_are_missing_or_have_their_default() -> None:
    row = RowSchema((Column("a", "number"), Column("b", "string", required=False, default="x")))
    known = training_statistics(pa.table({"a": [1.0], "b": ["x"]}), row, ("a", "b"))
    found = counted(known, [{}], pa.table({"": pa.nulls(1)}))["columns"]
    assert (found["a"]["missing"], found["b"]["missing"], found["b"]["counts"]) == (2, 0, [2, 0, 0])


def test_child_rows_are_counted_each() -> None:
    key = Column("id", "integer")
    child = RowSchema((key, Column("price", "number")), name="items", key="id")
    row = RowSchema((key, Column("age", "number")), name="people", key="id", children=(child,))
    table = pa.table({"id": [1, 2], "age": [30.0, 40.0], "items.price": [[1.0, 2.0, 3.0], []]})
    known = training_statistics(table, row, row.names)
    assert list(known.columns) == ["age", "items.price"]
    assert known.columns["items.price"].counts.rows == 3


def test_outputs_of_refused_rows_are_left_out(statistics: Statistics) -> None:
    accumulator = Accumulator(statistics)
    probabilities = {"probability[no]": [0.1, None, 0.8], "probability[yes]": [0.9, None, 0.2]}
    accumulator.add_outputs(pa.table({"prediction": ["yes", None, "maybe"], **probabilities}))
    assert [accumulator.outputs[name].rows for name in ("prediction", "probability[yes]")] == [2, 2]
    assert accumulator.outputs["prediction"].unseen == {"maybe": 1}
