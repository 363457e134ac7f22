"""Edge rows in a step's own input: real rows with one value replaced, of the same dtypes."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pipeline_lib.compiler.edge_batches import (
    EVERY_COLUMN,
    Edge,
    integer_columns,
    join,
    replace_in_tables,
    replace_values,
    same_layout,
    take,
    within,
)
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.frames import Frames
from pipeline_lib.rows.schema import RowSchema

FRAME = pd.DataFrame(
    {
        "int": np.arange(4),
        "small": np.arange(4, dtype="uint8"),
        "number": np.arange(4.0),
        "single": np.arange(4, dtype="float32"),
        "flag": [True, False, True, False],
        "text": pd.Series(list("abcd"), dtype="str"),
        "category": pd.Categorical(list("abab")),
        "day": [date(2020, 1, each) for each in range(1, 5)],
        "time": pd.date_range("2020-01-01", periods=4, unit="us"),
        "nullable": pd.array([1, 2, None, 4], dtype="Int64"),
    }
)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("int", 7, 7),
        ("int", 0.5, 2),  # what the dtype cannot hold is left out
        ("int", None, 2),
        ("small", -1, 2),
        ("small", 255, 255),
        ("number", None, np.nan),
        ("number", -0.0, 0.0),
        ("single", 0.5, 0.5),
        ("flag", False, False),
        ("flag", 2.0, True),
        ("text", "", ""),
        ("text", None, np.nan),
        ("category", "b", "b"),
        ("category", "z", "a"),
        ("category", None, np.nan),
        ("day", date(1999, 12, 31), date(1999, 12, 31)),
        ("day", None, np.nan),
        ("time", datetime(1, 1, 1), pd.Timestamp(datetime(1, 1, 1))),
        ("time", None, pd.NaT),
        ("nullable", 9, 9),
    ],
)
def test_one_value_of_a_frame_is_replaced(column: str, value: Any, expected: Any) -> None:
    before = FRAME.copy(deep=True)
    index = FRAME.columns.get_loc(column)
    found = replace_values(FRAME, np.array([2, 0]), [Edge(index, column, value), None])
    result = found[column].iloc[0]
    assert result == expected or (pd.isna(result) and pd.isna(expected))
    assert list(found.dtypes) == list(FRAME.dtypes)
    others = FRAME.iloc[[2, 0]].reset_index(drop=True).drop(columns=column)
    pd.testing.assert_frame_equal(found.drop(columns=column), others)
    assert found[column].iloc[1] == FRAME[column].iloc[0]
    pd.testing.assert_frame_equal(FRAME, before)


def test_values_of_a_frame_of_numbers_are_replaced_as_those_beside_text() -> None:
    numbers = pd.DataFrame({"a": np.arange(5.0), "b": -np.arange(5.0)}, index=list("vwxyz"))
    edges = [None, Edge(1, "b", None), Edge(0, "a", -0.0), Edge(1, "b", 1e308), Edge(0, "a", 7)]
    base = np.array([4, 0, 0, 3, 1])
    alone, beside = (replace_values(frame, base, edges) for frame in (numbers, numbers.assign(t="x")))
    pd.testing.assert_frame_equal(alone, beside[["a", "b"]])
    assert alone["a"].tolist() == [4.0, 0.0, -0.0, 3.0, 7.0]
    assert np.signbit(alone["a"]).tolist() == [False, False, True, False, False]
    assert numbers["a"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]  # the rows themselves stay


def test_columns_of_integers_are_known_in_each_container() -> None:
    assert integer_columns(FRAME).count(True) == 3
    assert integer_columns(FRAME["small"]) == [True]
    assert integer_columns(np.zeros((2, 3))) == [False] * 3
    assert integer_columns(sparse.csr_array(np.ones((2, 2), dtype=int))) == [True, True]


def test_arrays_and_sparse_matrices_keep_their_kind() -> None:
    array = np.arange(6.0).reshape(3, 2)
    edges = [Edge(1, "b", -9.0), Edge(0, "a", None)]
    assert np.array_equal(replace_values(array, np.array([2, 1]), edges), [[4.0, -9.0], [np.nan, 3.0]], equal_nan=True)
    assert array[2, 1] == 5.0
    matrix = sparse.csr_matrix(array)
    found = replace_values(matrix, np.array([2, 1]), [Edge(1, "b", 0.0), Edge(EVERY_COLUMN, "every column", 0.0)])
    assert type(found) is type(matrix)
    assert found.toarray().tolist() == [[4.0, 0.0], [0.0, 0.0]]
    assert found.nnz == 1
    joined = join([matrix, found])
    assert same_layout(joined, matrix)
    assert joined.shape == (5, 2)
    assert not same_layout(joined, array)


def test_rows_are_numbered_anew() -> None:
    part = take(FRAME, np.array([3, 1]))
    assert part.index.tolist() == [0, 1]
    assert join([part, part]).index.tolist() == [0, 1, 2, 3]


def test_child_rows_go_with_their_main_row() -> None:
    visits = RowSchema((Column("id", "integer"), Column("price", "number")), name="visits", key="id")
    prices = RowSchema((Column("town", "string"), Column("price", "number")), name="towns", by=("town",))
    columns = (Column("id", "integer"), Column("town", "string"), Column("price", "number"))
    schema = RowSchema(columns, name="houses", key="id", children=(visits, prices))
    tables = Frames(
        houses=pd.DataFrame({"id": [1, 2, 3], "town": ["a", "b", "a"], "price": [1.0, 2.0, 3.0]}).astype(
            {"town": "str"}
        ),
        visits=pd.DataFrame({"id": [2, 1, 2, 3], "price": [20.0, 10.0, 21.0, 30.0]}),
        towns=pd.DataFrame({"town": ["a", "b"], "price": [7.0, 8.0]}).astype({"town": "str"}),
    )
    edges = [Edge(3, "visits.price", -1.0), Edge(2, "price", -2.0)]
    found = replace_in_tables(tables, schema, np.array([1, 2]), edges)
    assert found["houses"].to_dict("list") == {"id": [2, 3], "town": ["b", "a"], "price": [2.0, -2.0]}
    assert found["visits"].to_dict("list") == {"id": [2, 2, 3], "price": [-1.0, 21.0, 30.0]}
    assert found["towns"]["price"].tolist() == [7.0, 8.0]
    found = replace_in_tables(tables, schema, np.array([1]), [Edge(4, "towns.price", -3.0)])
    assert found["towns"].to_dict("list") == {"town": ["b"], "price": [-3.0]}
    assert tables["towns"]["price"].tolist() == [7.0, 8.0]


def test_each_column_gets_its_share_of_the_room() -> None:
    many = [Edge(0, "a", float(each)) for each in range(50)]
    few = [Edge(1, "b", None), Edge(1, "b", 1.0)]
    chosen = within([many, few], 10)
    assert len(chosen) == 10
    assert few[0] is chosen[0]  # missing values first
    assert few[1] in chosen
    assert len(within([few], 10)) == 6  # each in three rows
    assert within([], 10) == []


def test_an_edge_says_its_column_and_value() -> None:
    assert str(Edge(0, "year", 2010)) == "year=2010"
    assert str(Edge(0, "town", None)) == "town=missing"
    assert str(Edge(0, "name", "Ann", hidden=True)) == "name=a value (hidden: sensitive)"


def test_where_columns_outnumber_the_rows_not_all_values_are_missing() -> None:
    columns = [[Edge(number, f"x{number}", value) for value in (None, 1.0, 2.0)] for number in range(30)]
    chosen = within(columns, 12)
    assert len(chosen) == 12
    assert sum(edge.value is None for edge in chosen) == 4
