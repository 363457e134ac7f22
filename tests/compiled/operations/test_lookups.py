"""Look-ups refuse what their table does not hold, with the row's number; constants are looked up like columns."""

import struct

import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.core


def bits(value):
    return struct.pack("<d", value) if isinstance(value, float) else (type(value), value)


def test_an_unseen_word_is_refused_with_its_row():
    build = Builder()
    value = build.lookup(build.input("c", "str"), {"a": 1.0}, "float64", mode="refuse", name="c", where="Scores")
    executor = make_executor(Plan(build.nodes, {}), [value.node])
    message = r"row 2: Scores: found 'b' in column 'c', expected one of 'a'"
    with pytest.raises(InputError, match=message):
        executor.run({"c": TextColumn.of(["a", "a", "b"])}, 3)
    with pytest.raises(InputError, match="found a missing value in column 'c'"):
        executor.run({"c": TextColumn.of([None])}, 1)


@pytest.mark.parametrize(
    ("gives", "values"),
    [("str", ["no", "yes"]), ("int64", [4, 7]), ("bool", [False, True]), ("float64", [0.5, -0.0])],
)
def test_a_constant_index_chooses_for_every_row(gives, values):
    build = Builder()
    chosen = build.choose(build.value(1), values, gives)
    plan = Plan(build.nodes, {})
    (column,) = make_executor(plan, [chosen.node]).run({}, 3)
    assert list(map(bits, column.tolist())) == [bits(values[1])] * 3
    function = row_function(plan, [chosen.node], RowSchema((Column("c", "number"),)))
    assert bits(function({"c": 0.0})[0]) == bits(values[1])


def test_a_constant_is_refused_as_a_column_is():
    build = Builder()
    value = build.lookup(build.value(5), {1: 2.0}, "float64", mode="refuse", name="c", where="Scores")
    with pytest.raises(InputError, match="row 0: Scores: found 5 in column 'c', expected one of 1"):
        make_executor(Plan(build.nodes, {}), [value.node]).run({}, 3)
