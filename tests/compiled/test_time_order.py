"""Rows that are not in order of time, duplicate or left out are refused, in batches, parts and one row."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shop

from pipeline_lib.compiled.time_order import check_order, declared_table
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema

DAY = timedelta(days=1)
FRAME = shop.days()
EARLIER, ROWS = FRAME.iloc[:3], FRAME.iloc[3:]


def without(frame: pd.DataFrame, *indices: int) -> pd.DataFrame:
    return frame.drop(index=frame.index[list(indices)])


def duplicated(frame: pd.DataFrame, index: int) -> pd.DataFrame:
    return frame.iloc[sorted([*range(len(frame)), index])]


def reversed_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[::-1]


@pytest.mark.parametrize(
    ("rows", "earlier", "message"),
    [
        (
            without(ROWS, 4),
            EARLIER,
            "day: found 2024-01-09 00:00:00 in row 4 after 2024-01-07 00:00:00, "
            "expected 2024-01-08 00:00:00, 1 day later; give every row once, as none is made up or left out",
        ),
        (
            without(ROWS, 0),
            EARLIER,
            "found 2024-01-05 00:00:00 in row 0 after 2024-01-03 00:00:00, expected 2024-01-04",
        ),
        (duplicated(ROWS, 4), EARLIER, "found 2024-01-08 00:00:00 in row 5 and in row 4, expected each time once"),
        (
            ROWS,
            duplicated(EARLIER, 2),
            "found 2024-01-03 00:00:00 in earlier row -1 and in earlier row -2, expected each",
        ),
        (
            reversed_rows(ROWS),
            EARLIER,
            "found 2024-02-28 00:00:00 in row 1 after 2024-02-29 00:00:00, expected rows in order of time",
        ),
        (
            ROWS,
            reversed_rows(EARLIER),
            "found 2024-01-02 00:00:00 in earlier row -2 after 2024-01-03 .*, expected rows in order",
        ),
        (ROWS, FRAME.iloc[:4], "found 2024-01-04 00:00:00 in row 0 and in earlier row -1, expected each time once"),
        (ROWS, EARLIER.iloc[1:], "found 2 earlier rows, expected at least 3"),
        (ROWS, None, "found 0 earlier rows, expected at least 3"),
    ],
    ids=[
        "gap",
        "gap after context",
        "duplicate",
        "duplicate in the context",
        "reversed",
        "reversed context",
        "overlap",
        "few",
        "none",
    ],
)
def test_rows_that_do_not_follow_each_other_are_refused(rows: pd.DataFrame, earlier: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shop.compiled().predict(rows, context=earlier)


def test_one_row_is_checked_for_the_same_order() -> None:
    row = FRAME.iloc[10].to_dict()
    model = shop.compiled()
    assert model.predict_row(row, context=FRAME.iloc[:10]) == model.predict(ROWS, context=EARLIER)[7]
    for evaluate in (model.predict_row, model.trace_row):
        with pytest.raises(InputError, match=r"found 2024-01-11 00:00:00 in row 0 after 2024-01-09 00:00:00"):
            evaluate(row, context=FRAME.iloc[:9])


def test_gaps_before_the_context_pass() -> None:
    gapped = without(FRAME.iloc[:20], 5)
    model = shop.compiled()
    assert (
        model.predict(FRAME.iloc[20:], context=gapped).tobytes() == model.predict(ROWS, context=EARLIER)[17:].tobytes()
    )


def test_without_a_step_of_time_gaps_pass_and_order_counts() -> None:
    model = shop.compiled(Context(rows=3, time="day"))
    assert len(model.predict(without(ROWS, 4), context=EARLIER)) == len(ROWS) - 1
    with pytest.raises(InputError, match="expected rows in order of time; sort them by 'day'"):
        model.predict(reversed_rows(ROWS), context=EARLIER)


def test_a_context_of_a_number_takes_rows_in_any_order() -> None:
    model = shop.compiled(3)
    assert len(model.predict(reversed_rows(ROWS), context=EARLIER)) == len(ROWS)
    assert model.reads == ("sold",)


def test_training_rows_are_checked_for_order_too() -> None:
    gapped = without(FRAME, 10)
    fitted = shop.fit(gapped)
    with pytest.raises(InputError, match="found 2024-01-12 00:00:00 in row 7 after 2024-01-10 00:00:00"):
        compile_pipeline(fitted, like=gapped, row=shop.SCHEMA, context=shop.CONTEXT)


def test_parts_get_the_parts_before_them_as_context() -> None:
    model = shop.compiled()
    parts = (ROWS.iloc[at : at + 2] for at in range(0, len(ROWS), 2))
    found = np.concatenate(list(model.predict_batches(parts, context=EARLIER)))
    assert found.tobytes() == model.predict(ROWS, context=EARLIER).tobytes()


def test_a_part_that_does_not_follow_is_named() -> None:
    parts = [ROWS.iloc[:5], ROWS.iloc[6:9]]
    with pytest.raises(InputError, match="part 1: day: found 2024-01-10 00:00:00 in row 0 after 2024-01-08 00:00:00"):
        list(shop.compiled().predict_batches(parts, context=EARLIER))


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (Context(2, "time"), "found time='time', expected a column of Row: day, hour, sold, shop"),
        (Context(2, "day", DAY, "price"), "found feeds='price', expected a column of Row"),
        (Context(2, "sold"), "sold: found a column of times that is number, expected a date, a datetime or an integer"),
        (Context(2, "hour"), "hour: found a column of times that is integer or missing"),
        (Context(2, "day", 1), "found every=1, expected a timedelta"),
        (Context(2, "day", timedelta(hours=36)), "expected whole days between dates"),
        (Context(2, "shop", DAY), "expected an int, as its column holds integers"),
        (
            Context(2, "day", DAY, "shop"),
            r"shop: found feeds= of a column that is integer, expected a number \(float\)",
        ),
    ],
)
def test_a_declaration_must_fit_the_row(context: Context, message: str) -> None:
    kinds = {"day": "date", "hour": "integer", "sold": "number", "shop": "integer"}
    row = RowSchema(tuple(Column(name, kind, nullable=name == "hour") for name, kind in kinds.items()))
    with pytest.raises(InputError, match=message):
        declared_table(context, row)


@pytest.mark.parametrize(
    ("times", "every", "shown"),
    [
        (
            [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 2)],
            DAY,
            "found 2024-03-02 in row 2 .*2024-03-01, 1 day",
        ),
        ([1, 2, 4], 1, "found 4 in row 2 after 2, expected 3, 1 later"),
        (
            [datetime(2024, 3, 31, hour) for hour in (0, 1, 3)],
            timedelta(hours=1),
            "expected 2024-03-31 02:00:00, 1:00:00",
        ),
    ],
)
def test_dates_datetimes_and_integers_order_rows(times: list[Any], every: Any, shown: str) -> None:
    kind = {date: "date", int: "integer", datetime: "datetime"}[type(times[0])]
    table = declared_table(Context(1, "t", every), RowSchema((Column("t", kind),)))
    check_order(pa.table({"t": times[:2]}), 1, table)
    with pytest.raises(InputError, match=shown):
        check_order(pa.table({"t": times}), 0, table)


def test_a_sensitive_time_is_not_shown() -> None:
    table = declared_table(Context(1, "t", 1), RowSchema((Column("t", "integer", sensitive=True),)))
    with pytest.raises(InputError) as caught:
        check_order(pa.table({"t": [17, 19]}), 0, table, hidden=True)
    assert "hidden: sensitive" in str(caught.value)
    assert not {"17", "18", "19"} & set(str(caught.value).replace(",", "").split())
