"""Columns of small frames, taken at sight: what `conform` gives, or nothing."""

from datetime import date, datetime
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shadowed import same_bits

from pipeline_lib.compiled import quick_columns as module
from pipeline_lib.compiled.arrow import from_arrow
from pipeline_lib.compiled.quick_columns import quick_columns
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

NUMBER, WHOLE, TEXT = Column("x", "number", nullable=True), Column("x", "integer"), Column("x", "string", nullable=True)
TRUTH, MOMENT, DAY = Column("x", "boolean"), Column("x", "datetime", nullable=True), Column("x", "date")
CASES: list[tuple[Column, Any, bool]] = [
    (NUMBER, [1.0, np.nan, -0.0], True),
    (NUMBER, [np.inf, 5e-324, 1.0], True),
    (NUMBER, np.array([1, 2, 2**53]), True),
    (NUMBER, np.array([1, 2, 2**53 + 1]), False),
    (NUMBER, np.array([1, 2, 3], dtype=np.float32), False),
    (NUMBER, pd.array([1.5, None, 2.0], dtype="Float64"), False),
    (NUMBER, pd.array([1.5, None, 2.0], dtype="double[pyarrow]"), False),
    (NUMBER, [True, False, True], False),
    (NUMBER, ["1", "2", "3"], False),
    (Column("x", "number"), [1.0, np.nan, 2.0], False),
    (Column("x", "number", nullable=True, finite=True), [1.0, np.inf, np.nan], False),
    (Column("x", "number", nullable=True, ge=1.0), [1.0, np.nan, 2.0], True),
    (Column("x", "number", nullable=True, gt=1.0), [1.0, np.nan, 2.0], False),
    (Column("x", "number", le=2.0, lt=3), [1.0, 2.0, -np.inf], True),
    (WHOLE, np.array([1, -(2**63), 2**63 - 1]), True),
    (WHOLE, np.array([1, 2, 3], dtype=np.int32), False),
    (WHOLE, [1.0, 2.0, 3.0], False),
    (WHOLE, pd.period_range("2020-01", periods=3, freq="M"), False),
    (WHOLE, pd.to_timedelta([1, 2, 3], unit="us"), False),
    (Column("x", "integer", nullable=True), np.array([1, 2, 2**53]), True),
    (Column("x", "integer", nullable=True), np.array([1, 2, 2**53 + 1]), False),
    (Column("x", "integer", ge=1, le=3), np.array([1, 2, 3]), True),
    (Column("x", "integer", ge=2), np.array([1, 2, 3]), False),
    (Column("x", "integer", allowed=(1, 2, 3)), np.array([1, 2, 3]), False),
    (TEXT, ["a", None, ""], True),
    (TEXT, pd.Series(["a", np.nan, "é"], dtype=object), True),
    (TEXT, pd.Series(["a", pd.NA, "b"], dtype=object), False),
    (TEXT, pd.Series(["a", 1, "b"], dtype=object), False),
    (TEXT, pd.Series(["a", "\ud800", "b"], dtype=object), False),
    (TEXT, pd.Categorical(["a", None, "b"]), True),
    (TEXT, pd.array(["a", None, "b"], dtype="string"), True),
    (Column("x", "string"), ["a", None, "b"], False),
    (Column("x", "string", max_length=1), ["a", "b", "c"], False),
    (Column("x", "string", pattern="^[a-z]$"), ["a", "b", "c"], False),
    (Column("x", "string", allowed=("a",)), ["a", "a", "a"], False),
    (TRUTH, [True, False, True], True),
    (TRUTH, [0, 1, 1], False),
    (Column("x", "boolean", nullable=True), [True, False, True], True),
    (Column("x", "boolean", nullable=True), pd.array([True, None, True], dtype="boolean"), False),
    (MOMENT, pd.to_datetime(["2020-01-01", None, "1999-12-31"]).as_unit("us"), True),
    (MOMENT, pd.to_datetime(["2020-01-01", None, "1999-12-31"]).as_unit("ns"), False),
    (MOMENT, pd.to_datetime(["2020-01-01"] * 3).as_unit("us").tz_localize("UTC"), False),
    (Column("x", "datetime"), pd.to_datetime(["2020-01-01", None, "1999-12-31"]).as_unit("us"), False),
    (Column("x", "datetime", ge=datetime(2020, 1, 1)), pd.to_datetime(["2020-01-01"] * 3).as_unit("us"), False),
    (DAY, [date(2020, 1, 1)] * 3, False),
]


@pytest.mark.parametrize(("column", "values", "taken"), CASES)
@pytest.mark.parametrize("form", ["blocks", "columns"])
def test_a_column_of_a_frame_is_what_conform_gives_or_is_left_to_it(
    column: Column, values: Any, taken: bool, form: str
) -> None:
    frame = pd.DataFrame({"x": values, "other": [1.0, 2.0, 3.0]})
    schema = RowSchema((column,))
    if form == "blocks":
        quick = quick_columns(frame, schema)
    else:  # pandas without the blocks that are known today
        with patch.object(module, "_of_blocks", side_effect=AttributeError):
            quick = quick_columns(frame, schema)
    assert (quick is not None) == taken
    if quick is not None:
        compare(quick, frame, schema)


def compare(quick: tuple[dict[str, Any], int], data: Any, schema: RowSchema) -> None:
    """Columns taken at sight against those of conform."""
    columns, rows = quick
    expected = from_arrow(conform(data, schema, for_executor=True))
    assert (rows, list(columns)) == (len(data), list(expected))
    for name, own in columns.items():
        assert type(own) is type(expected[name])
        assert same_bits(own, expected[name], rows)


@pytest.mark.parametrize(("column", "values", "taken"), CASES)
def test_a_column_of_an_arrow_table_is_what_conform_gives_or_is_left_to_it(
    column: Column, values: Any, taken: bool
) -> None:
    schema = RowSchema((column,))
    try:
        table = pa.Table.from_pandas(pd.DataFrame({"x": values}), preserve_index=False)
    except (pa.ArrowException, UnicodeError):  # Arrow has no such column
        return
    quick = quick_columns(table, schema)
    if quick is None:
        assert not taken or isinstance(values, pd.Categorical)
        return
    compare(quick, table, schema)
    assert quick_columns(pa.concat_tables([table, table]), schema) is None  # in two pieces
    compare(quick_columns(table.slice(1), schema) or ({}, 0), table.slice(1), schema)


def test_bytes_of_an_arrow_table_that_are_no_text_are_left_to_conform() -> None:
    parts = [None, pa.py_buffer(np.array([0, 2], dtype=np.int32)), pa.py_buffer(b"\xff\xfe")]
    table = pa.table({"x": pa.Array.from_buffers(pa.string(), 1, parts)})
    assert quick_columns(table, RowSchema((TEXT,))) is None


NO_TEXT: list[Any] = [
    *(pa.nulls(2, kind) for kind in (pa.int64(), pa.float64(), pa.binary(), pa.timestamp("us"), pa.list_(pa.string()))),
    pa.array([np.nan, None]),
    pa.DictionaryArray.from_arrays(pa.nulls(2, pa.int8()), pa.array([1])),
    pa.RunEndEncodedArray.from_arrays([2], ["a"]),
    pa.ExtensionArray.from_storage(pa.json_(), pa.array(["1", "2"])),
]


@pytest.mark.parametrize("values", NO_TEXT, ids=lambda values: str(values.type))
def test_missing_values_of_another_type_are_no_missing_text(values: pa.Array) -> None:
    tables = [pa.table({"x": values}), pd.DataFrame({"x": pd.Series(pd.arrays.ArrowExtensionArray(values))})]
    for table in tables:
        with pytest.raises(InputError, match="expected text"):
            conform(table, RowSchema((TEXT,)), for_executor=True)
        assert quick_columns(table, RowSchema((TEXT,))) is None


@pytest.mark.parametrize("values", [[np.nan, np.nan], pd.Categorical([None, None], categories=[1.5])])
def test_a_frames_missing_numbers_are_no_missing_text(values: Any) -> None:
    frame = pd.DataFrame({"x": values})
    with pytest.raises(InputError, match="expected text"):
        conform(frame, RowSchema((TEXT,)), for_executor=True)
    assert quick_columns(frame, RowSchema((TEXT,))) is None


def test_the_date_of_arrow_that_is_nat_in_numpy_is_not_missing() -> None:
    missing, beyond = pa.array([None, 2], pa.timestamp("us")), pa.array([-(2**63), 2]).view(pa.timestamp("us"))
    assert quick_columns(pa.table({"x": missing}), RowSchema((MOMENT,))) is not None
    with pytest.raises(InputError, match="years 1 to 9999"):
        conform(pa.table({"x": beyond}), RowSchema((MOMENT,)), for_executor=True)
    assert quick_columns(pa.table({"x": beyond}), RowSchema((MOMENT,))) is None


def test_every_refusal_of_conform_is_left_to_it() -> None:
    refused = 0
    for column, values, _ in CASES:
        frame = pd.DataFrame({"x": values})
        try:
            conform(frame, RowSchema((column,)), for_executor=True)
        except InputError:
            refused += 1
            assert quick_columns(frame, RowSchema((column,))) is None
    assert refused >= 10


def test_other_data_is_left_to_conform() -> None:
    schema = RowSchema((NUMBER,))
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    assert quick_columns(frame, schema) is not None
    for other in (
        frame.to_dict("records"),
        frame[:0],
        frame.rename(columns={"x": "y"}),
        frame.rename(columns={"x": 0}),
        pd.concat([frame, frame], axis=1),
        pd.concat([frame] * module.MOST_ROWS),
    ):
        assert quick_columns(other, schema) is None


def test_results_share_no_memory_with_the_frame() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    quick = quick_columns(frame, RowSchema((NUMBER,)))
    assert quick is not None
    assert not np.shares_memory(quick[0]["x"], frame["x"].to_numpy())
