"""Look-ups by several values of a row: one row as a batch, and as a dict of tuples."""

import itertools
import math

import pytest
from evaluation import bits, evaluate

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core

WORDS = ["a", "b", "", None, "c"]
FLOATS = [1.0, -0.0, 2.5, math.nan, 1e300]
INTS = [0, 1, 2**53 + 1, -(2**63)]
FLAGS = [True, False]
ROWS = list(itertools.product(WORDS, FLOATS, INTS, FLAGS))
COLUMNS = {
    name: (dtype, list(values))
    for name, dtype, values in zip("tfib", ["str", "float64", "int64", "bool"], zip(*ROWS, strict=True), strict=True)
}
KEYS = [["a", 1.0, 0, True], ["a", 1.0, 1, True], [None, None, 2**53 + 1, False], ["", 0.0, 0, False], ["b", 2.5, 1, 1]]


def _expected(keys, values, rows, unseen):
    table = {tuple(key): value for key, value in zip(keys, values, strict=True)}
    clean = [tuple(None if value != value else value for value in row) for row in rows]
    return [table.get(row, unseen) for row in clean]


@pytest.mark.parametrize(
    ("gives", "values", "unseen"),
    [
        ("float64", [1.5, None, 2.5, -0.0, 3.0], None),
        ("int64", [1, 2, 3, 4, 5], -1),
        ("str", ["x", None, "y", "z", "x"], "other"),
        ("bool", [True, False, True, True, True], False),
        ("datetime", [5, 6, 7, 8, 9], 0),
    ],
)
def test_a_row_is_looked_up_by_all_its_values(gives, values, unseen):
    results = evaluate(
        lambda build, t, f, i, b: build.lookup_rows(t, f, i, b, keys=KEYS, values=values, gives=gives, unseen=unseen),
        COLUMNS,
    )
    expected = _expected(KEYS, values, ROWS, unseen)
    if gives == "float64":
        expected = [math.nan if value is None else value for value in expected]
    assert list(map(bits, results)) == list(map(bits, expected))
    assert len(set(map(bits, results))) > (1 if gives == "bool" else 3)


def test_keys_of_another_number_type_match_by_value():
    keys = [[1, 1.0], [2**53 + 1, 0.5], [True, 0.0], [7, 1e300]]
    pairs = list(itertools.product(FLOATS, INTS))
    columns = {"f": ("float64", [pair[0] for pair in pairs]), "i": ("int64", [pair[1] for pair in pairs])}
    results = evaluate(
        lambda build, f, i: build.lookup_rows(
            f, i, keys=keys[:2] + keys[3:], values=[1, 2, 3], gives="int64", unseen=0
        ),
        columns,
    )
    assert results == _expected(keys[:2] + keys[3:], [1, 2, 3], pairs, 0)


def test_a_constant_may_be_a_key():
    results = evaluate(
        lambda build, t: build.lookup_rows(
            t, 1, "x", keys=[["a", 1, "x"], ["b", 2, "x"]], values=[1, 2], gives="int64", unseen=0
        ),
        {"t": ("str", ["a", "b", None])},
    )
    assert results == [1, 0, 0]


def test_a_long_table_is_looked_up():
    keys = [[f"w{i % 97}", i // 97, i % 2 == 0] for i in range(5000)]
    rows = [[f"w{i % 101}", i // 101, i % 2 == 0] for i in range(9000)]
    columns = {
        name: (dtype, list(values))
        for name, dtype, values in zip("tib", ["str", "int64", "bool"], zip(*rows, strict=True), strict=True)
    }
    results = evaluate(
        lambda build, t, i, b: build.lookup_rows(t, i, b, keys=keys, values=[*range(5000)], gives="int64", unseen=-1),
        columns,
    )
    assert results == _expected(keys, range(5000), rows, -1)
    assert results.count(-1) < 9000


@pytest.mark.parametrize(
    ("keys", "values", "message"),
    [
        ([["a", 1], ["a", 1]], [1, 2], "found keys of several lengths, equal keys or none"),
        ([["a", 1], ["b"]], [1, 2], "found keys of several lengths"),
        ([], [], "equal keys or none"),
        ([["a", 1]], [1, 2], "found 1 keys and 2 values"),
        ([["a"]], [1], "found 2 inputs, expected as many"),
        ([["a", [1]]], [1], "expected a list of lists of numbers"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(keys, values, message):
    build = Builder()
    inputs = build.input("t", "str"), build.input("i", "int64")
    with pytest.raises(InputError, match=message):
        build.lookup_rows(*inputs, keys=keys, values=values, gives="int64", unseen=0)
