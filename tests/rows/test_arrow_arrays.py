"""Arrays built from buffers are the arrays that Arrow builds."""

from datetime import date, datetime

import pyarrow as pa
import pytest
from row_examples import one

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

core = pytest.mark.core


@core
def test_text_beyond_one_arrow_chunk_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_lib.rows.arrow_arrays._MAX_STRING_BYTES", 4)
    values = ["abc", None, "", "é", "ab", "abcd", None]
    assert one("string", values) == values


@core
def test_built_columns_are_what_arrow_builds() -> None:
    for count in range(20):  # across the bytes of the bitmaps
        for kind, value in [
            ("integer", lambda i: i - 5), ("number", lambda i: i / 7), ("string", lambda i: "é" * (i % 3)),
            ("boolean", lambda i: i % 3 == 0), ("datetime", lambda i: datetime(1960 + i, 1, 1, 0, 0, 0, i)),
            ("date", lambda i: date(1960 + i, 1, 1)),
        ]:  # fmt: skip
            values = [None if i % 4 == 2 else value(i) for i in range(count)]
            table = conform([{"x": item} for item in values], RowSchema((Column("x", kind, nullable=True),)))
            table.validate(full=True)
            assert table.column("x").combine_chunks().equals(pa.array(values, table.schema.field("x").type))
