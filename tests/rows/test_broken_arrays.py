"""Arrow arrays whose offsets, codes or counts are wrong: refused in words, where Arrow itself would read elsewhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline_lib.compiled.quick_columns import quick_columns
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.conform_column import LONG_COLUMN
from pipeline_lib.rows.schema import RowSchema


def texts(ends: Sequence[int], kind: Any = None) -> pa.Array:
    kind = kind or pa.string()
    offsets = np.array(ends, np.int64 if pa.types.is_large_string(kind) else np.int32)
    return pa.Array.from_buffers(kind, len(ends) - 1, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"ab")])


def coded(codes: Sequence[int], words: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), words, safe=False)


def view(buffer: int) -> pa.Array:
    own = np.array([13, 0x78787878, buffer, 0], np.int32).tobytes()
    return pa.Array.from_buffers(pa.string_view(), 1, [None, pa.py_buffer(own), pa.py_buffer(b"x" * 13)])


def counting(missing: int) -> pa.Array:
    """Numbers whose bits mark none as missing."""
    buffers = [pa.py_buffer(b"\xff"), pa.py_buffer(np.arange(5.0).tobytes())]
    return pa.Array.from_buffers(pa.float64(), 5, buffers, missing)


def long(array: pa.Array) -> pa.ChunkedArray:
    return pa.chunked_array([array] * (LONG_COLUMN // len(array) + 1))


GOOD = pa.array(["a", "b"])
BROKEN = {
    **{f"offsets {ends} {kind}": texts(ends, kind)
       for ends in ((0, 3, 2), (0, 2, 1), (0, -1, 2)) for kind in (pa.string(), pa.large_string())},
    "a code that is none": coded((0, 2), GOOD),
    "a negative code": coded((-1, 0), GOOD),
    "a code far away": coded((0, 10**9), GOOD),
    "words with wrong offsets": coded((0, 1), texts((0, 3, 2))),
    "a view of no buffer": view(5),
}  # fmt: skip


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_is_refused_in_words(name: str, nullable: bool) -> None:
    schema = RowSchema((Column("x", "string", nullable=nullable),))
    for column in (BROKEN[name], long(BROKEN[name])):
        for for_executor in (False, True):
            with pytest.raises(
                InputError, match=r"x: found wrong offsets, codes or lengths .* expected a valid Arrow array"
            ):
                conform(pa.table({"x": column}), schema, for_executor=for_executor)
    assert quick_columns(pa.table({"x": BROKEN[name]}), schema) is None


def test_whole_arrays_pass() -> None:
    """The negative control: it is not for their making that the others are refused."""
    schema = RowSchema((Column("x", "string"),))
    for array in (texts((0, 1, 2)), texts((0, 1, 2), pa.large_string()), coded((0, 1), GOOD)):
        assert conform(pa.table({"x": array}), schema)["x"].to_pylist() == ["a", "b"]
        assert conform(pa.table({"x": long(array)}), schema, for_executor=True)["x"][:2].to_pylist() == ["a", "b"]
        assert quick_columns(pa.table({"x": array}), schema) is not None
    assert conform(pa.table({"x": view(0)}), schema)["x"].to_pylist() == ["x" * 13]


@pytest.mark.parametrize("missing", [1, 5])
def test_a_count_of_missing_values_that_none_is_says_so(missing: int) -> None:
    schema = RowSchema((Column("x", "number"),))
    expected = f"x: found an array that counts {missing} missing values and marks none, expected a valid Arrow array"
    with pytest.raises(InputError, match=expected):
        conform(pa.table({"x": counting(missing)}), schema)
    assert conform(pa.table({"x": counting(0)}), schema)["x"].to_pylist() == [0.0, 1.0, 2.0, 3.0, 4.0]
