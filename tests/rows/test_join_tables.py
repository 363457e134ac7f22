"""Several raw tables become one: each main row with its child rows; what does not fit is named."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel
from tables import ROW, Customer, Purchase, frames, one_customer, refusal, schema

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.rows.conform import conform, conform_in_parts
from pipeline_lib.rows.frames import dtype_differences, to_pipeline_input
from pipeline_lib.rows.join_tables import _take
from pipeline_lib.rows.model import Tables, schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, sort_child_rows, split_tables

TIME = pd.Timestamp("2026-01-02 03:04:05").to_pydatetime()
COLUMNS = {
    pa.int64(): [3, -1, 2],
    pa.float64(): [math.inf, -0.0, 1.5],
    pa.string(): ["food", "", "fuel"],
    pa.bool_(): [True, False, True],
    pa.timestamp("us"): [TIME, TIME.replace(year=1969), TIME.replace(second=0)],
    pa.date32(): [TIME.date(), TIME.date().replace(year=1969), TIME.date()],
}


def test_each_main_row_has_its_child_rows_and_main_rows_keep_their_order() -> None:
    data = frames()
    table = conform(data, schema())
    assert table.column("customer").to_pylist() == data["customers"]["customer"].to_list()
    dollars = data["purchases"].groupby("customer")["dollars"].apply(list)
    assert table.column("purchases.dollars").to_pylist() == [
        dollars.get(key, []) for key in data["customers"]["customer"]
    ]


def test_a_conformed_table_gives_its_tables_back_and_conforms_to_itself() -> None:
    table = conform(frames(), schema()).slice(2, 5)
    assert conform(split_tables(table, schema()), schema()).equals(table)
    assert conform(table, schema()).equals(table)
    rows = [conform(row, schema()) for row in as_rows(table, schema())]
    assert pa.concat_tables(rows).combine_chunks().equals(table)


def test_a_table_with_broken_lists_is_refused_in_words() -> None:
    table = conform(frames(), schema())
    place = table.schema.get_field_index("purchases.dollars")
    whole = table.column(place).combine_chunks()
    for starts, message in (
        (whole.offsets, None),
        ([0, 10**9, *whole.offsets.to_pylist()[2:]], "found an Arrow table with wrong offsets"),
    ):
        offsets = pa.py_buffer(np.array(starts, np.int64).tobytes())
        lists = pa.Array.from_buffers(whole.type, len(whole), [None, offsets], children=[whole.values])
        own = table.set_column(place, table.schema.field(place), lists)
        if message is None:
            assert conform(own, schema()).num_rows == table.num_rows
        else:
            with pytest.raises(InputError, match=message):
                conform(own, schema())


def test_frames_have_the_dtypes_that_production_delivers() -> None:
    data = frames()
    assert dtype_differences(data, schema()) == []
    assert dtype_differences(to_pipeline_input(conform(data, schema()), schema()), schema()) == []
    wrong = data | {"purchases": data["purchases"].astype({"dollars": "float32"})}
    assert dtype_differences(wrong, schema())[0].startswith("purchases: dollars: found dtype float32, expected float64")
    assert "purchases" in dtype_differences({"customers": data["customers"]}, schema())[0]


def test_sorted_child_rows_are_the_same_table_in_any_order() -> None:
    data = frames()
    shuffled = data | {"purchases": data["purchases"].sample(frac=1, random_state=2)}
    first, second = (conform(each, schema()) for each in (data, shuffled))
    assert not first.equals(second)
    assert first_difference(sort_child_rows(first, schema()), sort_child_rows(second, schema())) is None


def test_sorting_tells_negative_zero_from_zero() -> None:
    rows = [one_customer()["purchases"][0] | {"dollars": zero} for zero in (0.0, -0.0)]
    orders = [conform(one_customer() | {"purchases": each}, schema()) for each in (rows, rows[::-1])]
    assert first_difference(*(sort_child_rows(each, schema()) for each in orders)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: {"customers": data["customers"]}, "found tables customers, expected a mapping with the tables"),
        (lambda data: data["customers"], "found DataFrame, expected a mapping with the tables customers, purchases"),
        (
            lambda data: data | {"customers": pd.concat([data["customers"], data["customers"].iloc[[3]]])},
            r"customers: customer: found 10\d in rows 3 and 12, expected a key of its own in each row",
        ),
        (
            lambda data: data | {"purchases": data["purchases"].assign(customer=999)},
            r"purchases: customer: found 999 in row 0, expected a key of the table customers \(90 rows have none\)",
        ),
        (lambda data: data | {"purchases": data["purchases"].drop(columns="kind")}, "purchases: found no kind"),
        (lambda data: data | {"purchases": data["purchases"].drop(columns="customer")}, "purchases: found no customer"),
        (
            lambda data: data | {"purchases": data["purchases"].assign(dollars="1")},
            "purchases: dollars: found large_string, expected a number",
        ),
        (
            lambda data: data | {"customers": data["customers"].assign(age="x"), "purchases": [{}]},
            r"(?s)customers: age: found large_string.*purchases: found no customer, dollars, kind, at in row 0",
        ),
        (lambda data: conform(data, schema()).drop_columns(["purchases.at"]), "Arrow table without purchases.at"),
    ],
)
def test_what_does_not_fit_is_named_by_table_row_and_column(change: Any, message: str) -> None:
    assert re.search(message, refusal(lambda: conform(change(frames()), schema())))


class Named(BaseModel):
    customer: str


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tables("customer", customers=Customer), "found tables customers, expected two or more"),
        (lambda: schema_of(Tables("id", a=Customer, b=Purchase)), "without the column 'id'"),
        (lambda: schema_of(Tables("age", a=Customer, b=Customer)), "found a key of kind number or missing"),
        (lambda: schema_of(Tables("customer", a=Customer, b=Named)), "b.customer: found a key of kind string"),
        (lambda: schema_of(Tables("customer", a=Customer, age=Purchase)), "found a column with a table's name"),
    ],
)
def test_tables_without_a_link_are_refused(make: Callable[[], object], message: str) -> None:
    assert message in refusal(make)


def test_a_schema_of_several_tables_survives_its_json() -> None:
    assert RowSchema.from_json(schema().to_json()) == schema()
    assert schema_of(ROW).names == ("customer", "age", "purchases.dollars", "purchases.kind", "purchases.at")
    assert RowSchema.from_json(schema_of(Customer).to_json()).to_json()["format"] == 1


@pytest.mark.parametrize("missing", [False, True], ids=["complete", "with missing"])
@pytest.mark.parametrize("kind", COLUMNS, ids=str)
def test_child_rows_of_any_kind_are_put_in_the_order_of_their_main_rows(kind: pa.DataType, missing: bool) -> None:
    stored = pa.array([*COLUMNS[kind], None if missing else COLUMNS[kind][0]], kind)
    for values in (stored, stored.slice(1), stored.slice(1, 1), stored[:0]):
        for order in (np.arange(len(values))[::-1], np.arange(len(values)).repeat(2)):
            assert _take(values, order).equals(values.take(pa.array(order)))


@pytest.mark.parametrize("child_rows", [1, 100, 1_999, 10**6])
def test_parts_of_several_tables_are_the_whole(child_rows: int) -> None:
    data = frames(7, customers=50, purchases=2_000)
    parts = list(conform_in_parts(data, schema(), child_rows))
    assert pa.concat_tables(parts).combine_chunks().equals(conform(data, schema()))
    assert (len(parts) > 1) == (child_rows < 2_000)
