"""Each kind of columns under the protocol: slice, take, broadcast, concat."""

from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.columns import broadcast_rows, concat_rows, slice_rows, take_rows
from pipeline_lib.compiled.operations.list_columns import ListColumn, SharedListColumn
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn

pytestmark = pytest.mark.core

ROWS = 4
LISTS = ListColumn(np.arange(6.0), np.array([0, 2, 2, 5, 6]))
TEXT_LISTS = ListColumn(TextColumn.of(["a", "b", None, "c", "d", "a"]), LISTS.starts)
CODES = np.array([2, 1, 0, 2], dtype=np.int32)
COLUMNS: dict[str, tuple[str, Any]] = {
    "float64": ("float64", np.array([1.5, -0.0, np.nan, 2.0])),
    "int64": ("int64", np.arange(ROWS)),
    "bool": ("bool", np.array([True, False, True, True])),
    "vector": ("vector", np.arange(12.0).reshape(3, ROWS)),
    "text": ("str", TextColumn.of(["a", None, "b", "a"])),
    "sparse": ("bag", SparseColumn.of(np.array([[0.0, 1.0, 0.0, 2.0], [3.0, 0.0, 0.0, 4.0]]))),
    "list": ("float64[]", LISTS),
    "list of text": ("str[]", TEXT_LISTS),
    "shared list": ("float64[]", SharedListColumn(CODES, LISTS)),
    "shared list of text": ("str[]", SharedListColumn(CODES, TEXT_LISTS)),
}


def rows(column: Any) -> list[str]:
    """Each row's value as text that shows every bit of it."""
    if isinstance(column, SharedListColumn):
        return [rows(column.lists)[code] for code in column.codes]
    if isinstance(column, ListColumn):
        ends = zip(column.starts[:-1], column.starts[1:], strict=True)
        return [repr(column.values.tolist()[start:stop]) for start, stop in ends]
    if isinstance(column, SparseColumn):
        column = column.toarray()
    return [repr(value) for value in (column.T if np.ndim(column) == 2 else column).tolist()]


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_slice_has_its_rows(kind: str) -> None:
    _, column = COLUMNS[kind]
    for start, stop in ((0, ROWS), (1, 3), (3, 4), (2, 2)):
        assert rows(slice_rows(column, start, stop)) == rows(column)[start:stop]


@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_are_taken_by_their_indices_in_any_order(kind: str) -> None:
    _, column = COLUMNS[kind]
    for indices in ([3, 0, 0, 2, 1], [1], []):
        assert rows(take_rows(column, np.array(indices, dtype=np.intp))) == [rows(column)[row] for row in indices]


@pytest.mark.parametrize("kind", COLUMNS)
def test_one_row_is_repeated_and_a_whole_column_stays(kind: str) -> None:
    dtype, column = COLUMNS[kind]
    assert rows(broadcast_rows(slice_rows(column, 2, 3), dtype, 5)) == [rows(column)[2]] * 5
    assert rows(broadcast_rows(column, dtype, ROWS)) == rows(column)


@pytest.mark.parametrize(
    ("value", "dtype"), [(1.5, "float64"), (3, "int64"), (True, "bool"), ("a", "str"), (None, "str")]
)
def test_a_constant_is_repeated(value: Any, dtype: str) -> None:
    assert broadcast_rows(value, dtype, 3).tolist() == [value] * 3


@pytest.mark.parametrize("kind", COLUMNS)
def test_parts_are_one_column_again(kind: str) -> None:
    _, column = COLUMNS[kind]
    parts = [slice_rows(column, start, start + 1) for start in range(ROWS)]
    assert rows(concat_rows(parts)) == rows(column)
    assert rows(concat_rows([column, column])) == rows(column) * 2
    assert concat_rows([column]) is column


def test_text_of_other_words_becomes_one_column() -> None:
    parts = [TextColumn.of(["a", None]), TextColumn.of(["b", "a"])]
    assert concat_rows(parts).tolist() == ["a", None, "b", "a"]
