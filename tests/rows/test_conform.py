"""Raw rows are checked the same way in every form; all problems are named at once."""

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from row_examples import GOOD, SCHEMA, frame, one, refusal

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

core = pytest.mark.core


@core
def test_a_row_a_list_and_a_table_conform_to_the_same_table() -> None:
    table = conform(GOOD, SCHEMA)
    assert table.schema == SCHEMA.arrow
    assert table.to_pylist() == [GOOD]
    others = pa.table({"extra": ["x"], **{name: [GOOD[name]] for name in reversed(SCHEMA.names)}})
    for same in ([GOOD], {**GOOD, "extra": object()}, table, others, table.to_batches()[0], (GOOD,)):
        assert conform(same, SCHEMA).equals(table)
    assert conform([GOOD, GOOD], SCHEMA).num_rows == 2
    assert conform([], SCHEMA).equals(SCHEMA.arrow.empty_table())
    assert conform(SCHEMA.arrow.empty_table(), SCHEMA).num_rows == 0


@core
def test_an_absent_column_takes_its_declared_default_only() -> None:
    schema = RowSchema((Column("a", "integer"), Column("b", "string", required=False, default="x")))
    assert conform([{"a": 1}, {"a": 2, "b": "y"}], schema).column("b").to_pylist() == ["x", "y"]
    assert conform(pa.table({"a": [1, 2]}), schema).column("b").to_pylist() == ["x", "x"]
    assert refusal(lambda: conform({"a": 1, "b": None}, schema)).startswith("b: found None in row 0")


@core
def test_all_absent_columns_are_named_at_once() -> None:
    short = {key: value for key, value in GOOD.items() if key not in ("rooms", "zone", "note")}
    for data in (short, pa.Table.from_pylist([short])):
        assert refusal(lambda data=data: conform(data, SCHEMA)).startswith("found no rooms, zone")
    message = refusal(lambda: conform([GOOD, short, short], SCHEMA))
    assert message.startswith("found no rooms, zone in rows 1, 2, expected all 9 columns of Row")


@core
def test_what_is_no_rows_is_refused() -> None:
    for wrong in (None, 5, "text", [1], [GOOD, None], {"a", "b"}, np.zeros((2, 2)), iter([GOOD])):
        assert refusal(lambda wrong=wrong: conform(wrong, SCHEMA)).startswith("found ")
    twice = pa.table([pa.array([1]), pa.array([2])], names=["x", "x"])
    assert "found 2 columns of this name" in refusal(lambda: conform(twice, RowSchema((Column("x", "integer"),))))


@pytest.mark.parametrize("data", ["", b"", bytearray()])
def test_empty_text_is_no_rows(data: Any) -> None:
    assert "expected rows as a DataFrame" in refusal(lambda: conform(data, RowSchema((Column("x", "number"),))))


@core
def test_the_first_rows_and_their_number_are_named() -> None:
    message = refusal(lambda: one("integer", ["x"] * 1200))
    assert message.startswith("x: found 'x' (str) in rows 0, 1, 2, 3, 4 and 1,195 more, expected a whole number")


@core
def test_all_problems_come_at_once_and_sensitive_values_stay_hidden() -> None:
    bad = {**GOOD, "rooms": 99, "note": "secret", "zone": 5, "Lot.Area": None}
    lines = refusal(lambda: conform([GOOD, bad], SCHEMA)).split("\n")
    assert [line.split(":")[0] for line in lines] == ["Lot.Area", "rooms", "zone", "note"]
    assert lines[1] == "rooms: found 99 in row 1, expected a value < 20; correct it, or Row"
    assert (
        lines[3]
        == "note: found a value (hidden: sensitive) in row 1, expected at most 3 characters; correct it, or Row"
    )


@core
def test_conforming_imports_neither_pandas_nor_pydantic() -> None:
    code = """
import datetime, sys
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.conform import conform
schema = RowSchema((
    Column("i", "integer", ge=0, allowed=(1, 2)), Column("n", "number", lt=2.5, finite=True),
    Column("s", "string", pattern="a", min_length=1, allowed=("a",)), Column("b", "boolean", nullable=True),
    Column("t", "datetime", gt=datetime.datetime(2000, 1, 1)), Column("d", "date", ge=datetime.date(2000, 1, 1)),
))
row = {"i": 1, "n": 1, "s": "a", "b": None, "t": datetime.datetime(2020, 1, 1), "d": datetime.date(2020, 1, 1)}
table = conform(row, RowSchema.from_json(schema.to_json()))
assert conform(table, schema).to_pylist() == [row]
print(sorted({"pandas", "pydantic"} & set(sys.modules)))
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"  # noqa: S603  our code


def test_a_frame_keeps_its_rows_and_order_with_any_index() -> None:
    data = frame(a=[3, 1, 2], b=["x", None, "z"])
    data.index = [7, 7, 1]
    schema = RowSchema((Column("b", "string", nullable=True), Column("a", "integer")))
    assert conform(data, schema).to_pydict() == {"b": ["x", None, "z"], "a": [3, 1, 2]}
    data["a"] = [3, 1, -1]
    narrow = RowSchema((Column("a", "integer", ge=0),))
    assert "found -1 in row 2" in refusal(lambda: conform(data, narrow))
    data.columns = ["a", "a"]
    assert "found 2 columns of this name" in refusal(lambda: conform(data, narrow))


def test_a_shuffled_frames_own_label_is_named_too() -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": [1.0, None]}, index=[7, 1742])
    message = refusal(lambda: conform(frame, RowSchema((Column("x", "number"),))))
    assert "in row 1 (the first is 1742 in the frame's index)" in message
    assert "index" not in refusal(lambda: conform(frame.reset_index(drop=True), RowSchema((Column("x", "number"),))))
