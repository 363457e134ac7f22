"""The dtypes of the DataFrame that a pipeline sees depend on the schema alone."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from row_examples import BIG, GOOD, SCHEMA, frame, refusal

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.frames import dtype_differences, to_frame
from pipeline_lib.rows.schema import RowSchema


def test_dtypes_depend_on_the_schema_alone() -> None:
    pd = pytest.importorskip("pandas")
    kinds = ["integer", "number", "string", "boolean", "datetime", "date"]
    schema = RowSchema((*(Column(k, k) for k in kinds), *(Column(f"{k}?", k, nullable=True) for k in kinds)))
    good = {
        "integer": 1, "number": 1.5, "string": "a", "boolean": True,
        "datetime": datetime(2020, 1, 1), "date": date(2020, 1, 1),
    }  # fmt: skip
    full = {**good, **{f"{key}?": value for key, value in good.items()}}
    none = {**good, **{f"{key}?": None for key in good}}
    expected = {
        "integer": "int64", "number": "float64", "string": "str", "boolean": "bool",
        "datetime": "datetime64[us]", "date": "object", "integer?": "float64", "number?": "float64",
        "string?": "str", "boolean?": "object", "datetime?": "datetime64[us]", "date?": "object",
    }  # fmt: skip
    for rows in ([], [full], [none], [full, none], [none] * 3):
        result = to_frame(conform(rows, schema))
        assert {name: str(dtype) for name, dtype in result.dtypes.items()} == expected
        assert isinstance(result.index, pd.RangeIndex)
        assert len(result) == len(rows)
        assert result["string"].dtype == pd.Series(["a"]).dtype
        assert result.columns.dtype == pd.DataFrame({"a": [1]}).columns.dtype
    missing = to_frame(conform([none], schema)).iloc[0]
    for name in ("integer?", "number?", "string?", "boolean?", "date?"):
        assert isinstance(missing[name], float), name
    assert missing["datetime?"] is pd.NaT
    assert to_frame(conform([full], schema))["boolean?"].tolist() == [True]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_columns_of_numbers_alone_are_as_those_beside_text(rows: int) -> None:
    pd = pytest.importorskip("pandas")
    numbers = [[1.5, -0.0, None], [float("inf"), None, 2.0**53], [None, None, None]]
    columns = [Column(name, "number", nullable=True) for name in ("a", "b", "c")]
    alone = [dict(zip("abc", values, strict=True)) for values in numbers[:rows]]
    mixed = to_frame(conform([{**row, "t": "x"} for row in alone], RowSchema((*columns, Column("t", "string")))))
    table = conform(alone, RowSchema(tuple(columns)))
    described = table.replace_schema_metadata({"pandas": '{"index_columns": ["a"]}'})  # as a file of pandas' has it
    for made in (to_frame(table), to_frame(described)):
        pd.testing.assert_frame_equal(made, mixed[["a", "b", "c"]])
        assert np.signbit(made["b"]).tolist() == np.signbit(mixed["b"]).tolist()
        assert isinstance(made.index, pd.RangeIndex)
        assert made.columns.dtype == mixed.columns.dtype


def test_a_frame_conforms_again_to_the_same_table() -> None:
    table = conform([GOOD, {**GOOD, "garage": 1900, "note": None, "sold": None, "day": None}], SCHEMA)
    assert conform(to_frame(table), SCHEMA).equals(table)
    assert dtype_differences(to_frame(table), SCHEMA) == []


def test_a_frame_survives_parquet(tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    table = conform([GOOD], SCHEMA)
    pq.write_table(table, tmp_path / "x.parquet")
    back = pq.read_table(tmp_path / "x.parquet")
    assert back.schema == table.schema
    assert to_frame(back).equals(to_frame(table))


def test_integers_that_float64_cannot_hold_are_refused() -> None:
    pytest.importorskip("pandas")
    schema = RowSchema((Column("x", "integer", nullable=True),))
    assert to_frame(conform([{"x": BIG}, {"x": -BIG}], schema))["x"].tolist() == [float(BIG), float(-BIG)]
    table = conform([{"x": BIG + 1}, {"x": None}], schema)
    assert "x: found 1 integers beyond 2**53" in refusal(lambda: to_frame(table))
    exact = RowSchema((Column("x", "integer"),))
    assert to_frame(conform({"x": BIG + 1}, exact))["x"].tolist() == [BIG + 1]


def test_dtypes_that_production_will_not_deliver_are_named() -> None:
    pd = pytest.importorskip("pandas")
    schema = RowSchema(
        (
            Column("text", "string", nullable=True),
            Column("whole", "integer", nullable=True),
            Column("flag", "boolean", nullable=True),
            Column("gone", "number"),
        )
    )
    wrong = frame(
        text=pd.Series(["a", None], dtype=object),
        whole=pd.Series([1, 2]),
        flag=pd.Series([True, None], dtype=object),
    )
    assert dtype_differences(wrong, schema) == [
        "text: found dtype object, expected str: convert the column where the data is loaded",
        "whole: found dtype int64, expected float64: convert the column where the data is loaded",
        "flag: found missing values as NoneType, expected NaN",
        "gone: found no such column, expected dtype float64",
    ]
    right = frame(text=["a", None], whole=[1, None], flag=pd.Series([True, np.nan], dtype=object), gone=[0.5, 1])
    assert dtype_differences(right, schema) == []
