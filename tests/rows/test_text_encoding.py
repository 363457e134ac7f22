"""Long text columns are dictionary-encoded for the executor: the same rows and the same refusals."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

LONG = 20_000
WORD = Column("t", "string", pattern="^[a-z]+$")
NUMBER = Column("x", "number", nullable=True, gt=1.0)


def long(*some: str | None) -> list[str | None]:
    """A text column of few words, after some others."""
    return [*some, *("a", "b") * (LONG // 2)]


def conformed(data: Any, *columns: Column) -> pa.Table:
    return conform(data, RowSchema(columns), for_executor=True)


@pytest.mark.parametrize(
    "array",
    [
        pa.array(long("z", None)),
        pa.array(long("z", None), pa.large_string()),
        pa.chunked_array([long("z", None), long("c")]),
        pa.array(long("z", None)).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, None] * LONG, pa.int8()), ["a", "b", "unused"]).slice(1),
    ],
    ids=["string", "large", "chunks", "dictionary", "slice"],
)
def test_long_text_is_encoded_and_the_same(array: Any) -> None:
    found = conformed(pa.table({"t": array}), replace(WORD, nullable=True)).column("t")
    assert found.type == pa.dictionary(pa.int32(), pa.string())
    assert found.to_pylist() == array.to_pylist()


@pytest.mark.parametrize("times", [1, LONG])
def test_views_of_text_in_a_dictionary_are_text(times: int) -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1] * times, pa.int8()), pa.array(["a", "b"], pa.string_view()))
    assert conformed(pa.table({"t": array}), WORD).column("t").to_pylist() == ["a", "b"] * times


def test_a_word_of_no_row_is_not_refused() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0] * LONG), ["a", "UNUSED"])
    assert conformed(pa.table({"t": array}), WORD).column("t").to_pylist() == ["a"] * LONG


@pytest.mark.parametrize("dtype", ["str", "category", "string", object])
def test_text_of_a_frame_is_the_same_for_every_dtype(dtype: Any) -> None:
    series = pd.Series(long("z"), dtype=dtype)
    found = conformed(pd.DataFrame({"t": series}), WORD).column("t")
    assert pa.types.is_dictionary(found.type) == (dtype is not object)
    assert found.to_pylist() == series.tolist()


def test_short_text_stays_text() -> None:
    found = conformed(pa.table({"t": ["a", "b"]}), WORD).column("t")
    assert found.type == pa.string()
    assert found.to_pylist() == ["a", "b"]


NO_UTF8 = pa.Array.from_buffers(
    pa.string(), LONG, [None, pa.py_buffer(np.arange(LONG + 1, dtype=np.int32)), pa.py_buffer(b"a\xff" * (LONG // 2))]
)
REFUSED: dict[str, tuple[dict[str, Any], list[Column]]] = {
    "pattern": ({"t": pa.array(long("a", "B"))}, [WORD]),
    "missing": ({"t": pa.array(long("a", None))}, [WORD]),
    "numbers": ({"t": pa.array([1] * LONG)}, [WORD]),
    "dictionary of numbers": ({"t": pa.array([1] * LONG).dictionary_encode()}, [WORD]),
    "sensitive": ({"t": pa.array(long("a", "B"))}, [replace(WORD, sensitive=True)]),
    "no utf-8": ({"t": NO_UTF8}, [WORD]),
    "missing number": ({"x": pa.array([2.0, None] * LONG)}, [replace(NUMBER, nullable=False)]),
    "bound": ({"x": pa.array([2.0, float("nan"), 0.5] * LONG)}, [NUMBER]),
    "two columns": ({"t": pa.array(long("B")), "x": pa.array([0.0, *[2.0] * LONG])}, [WORD, NUMBER]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_encoded_text_is_refused_with_the_same_message(case: str) -> None:
    columns, schema = REFUSED[case]
    messages = []
    for for_executor in (False, True):
        with pytest.raises(InputError, match="found") as refused:
            conform(pa.table(columns), RowSchema(tuple(schema)), for_executor=for_executor)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("times", [1, LONG])
def test_a_missing_number_is_nan(times: int) -> None:
    found = conformed(pa.table({"x": pa.array([1.5, None, math.nan, 2.5] * times)}), NUMBER).column("x")
    assert found.null_count == 0
    np.testing.assert_array_equal(found.to_numpy(), [1.5, math.nan, math.nan, 2.5] * times)
