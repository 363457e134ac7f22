"""Builder writes nodes once, checks inputs and settings when it writes them, and has a method for each operation."""

import doctest
import math
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler import builder
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.python_names import METHODS, SETTINGS, method_name
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

SEARCH = {"edges": [0.0, 1.0], "side": "left"}
AFFINE = {"matrix": [[1.0, 2.0]], "offset": None}
LOOKUP = {"keys": ["a"], "values": [1.5], "gives": "float64", "missing": None, "unseen": 2.0}
LOOKUP |= {"mode": "default", "name": "c", "where": "Scores"}
INPUTS = {"search": "float64", "affine": "vector", "lookup": "str", "bag_finite": "bag", "item": "vector"}
WRONG = [
    ("search", {**SEARCH, "sides": "left"}, "search: found setting 'sides', expected edges, side; remove it"),
    ("search", {"edges": [0.0]}, "search: found no setting 'side', expected one of 'left', 'right'; add it"),
    ("search", {**SEARCH, "side": "middle"}, "search: found side='middle' (str), expected one of 'left', 'right'"),
    ("search", {**SEARCH, "side": ["left"]}, "search: found side=['left'] (list), expected one of 'left', 'right'"),
    ("search", {**SEARCH, "edges": 1.0}, "search: found edges=1.0 (float), expected a list or array of numbers"),
    ("search", {**SEARCH, "edges": ["a"]}, "search: found edges=['a'] (list), expected a list or array of numbers"),
    ("search", {**SEARCH, "edges": [True]}, "search: found edges=[True] (list), expected a list or array of numbers"),
    ("search", {**SEARCH, "edges": np.array(["a"])}, "(ndarray), expected a list or array of numbers"),
    ("search", {**SEARCH, "edges": np.zeros((2, 2))}, "(ndarray), expected a list or array of numbers"),
    ("affine", {**AFFINE, "matrix": [1.0]}, "affine: found matrix=[1.0] (list), expected a matrix of numbers"),
    ("affine", {**AFFINE, "offset": "no"}, "found offset='no' (str), expected a list or array of numbers, or None"),
    ("lookup", {**LOOKUP, "gives": "vector"}, "lookup: found gives='vector' (str), expected one of 'float64', 'int64'"),
    ("lookup", {**LOOKUP, "keys": [("a",)]}, "found keys=[('a',)] (list), expected a list of numbers, bools, texts or"),
    ("lookup", {**LOOKUP, "unseen": [0]}, "lookup: found unseen=[0] (list), expected a number, bool or text, or None"),
    ("lookup", {**LOOKUP, "name": 3}, "lookup: found name=3 (int), expected text"),
    ("bag_finite", {"where": "Ridge", "missing": 1}, "sparse_finite: found missing=1 (int), expected True or False"),
    ("item", {"place": 0.0}, "item: found index=0.0 (float), expected an integer"),
    ("item", {"place": True}, "item: found index=True (bool), expected an integer"),
    ("item", {"place": 0, "index": 0}, "item: found setting 'index', expected place; remove it"),
]
RIGHT = [
    ("search", {"edges": np.array([0, 1]), "side": "right"}),
    ("search", {"edges": (0, 1.5), "side": "right"}),
    ("affine", {"matrix": np.eye(2), "offset": np.zeros(2)}),
    ("lookup", LOOKUP),
    ("bag_finite", {"where": "Ridge"}),
    ("item", {"place": 0}),
]


def written(operation: str, settings: dict[str, Any]) -> Node:
    """The last node of a plan with one operation on one input."""
    build = Builder()
    build.apply(operation, build.input("c", INPUTS[operation], width=2), **settings)
    return build.nodes[-1]


@pytest.mark.parametrize(("operation", "settings", "message"), WRONG)
def test_a_wrong_setting_is_refused_when_the_plan_is_written(
    operation: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        written(operation, settings)
    assert message in str(refused.value)


@pytest.mark.parametrize(("operation", "settings"), RIGHT)
def test_right_settings_are_written_as_they_are(operation: str, settings: dict[str, Any]) -> None:
    assert written(operation, settings) == Node(operation, (0,), settings, written(operation, settings).dtype)


def test_a_long_setting_is_shortened_in_the_message() -> None:
    with pytest.raises(InputError, match=r"found edges='x{58}… \(str\), expected a list or array of numbers"):
        written("search", {"edges": "x" * 1000, "side": "left"})


def test_messages_have_the_names_of_methods_and_parameters() -> None:
    build = Builder()
    number, sparse = build.input("n", "float64"), build.input("s", "bag", width=9)
    with pytest.raises(InputError, match=r"^sparse_item: found index='x' \(str\), expected an integer; convert it$"):
        build.sparse_item(sparse, index="x")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^sparse_item: found values of float64, expected sparse vector$"):
        build.sparse_item(number, index=0)
    with pytest.raises(InputError, match=r"^sparse_join: found values of str, expected float64 or .*sparse vector"):
        build.sparse_join(build.input("t", "str"))
    with pytest.raises(InputError, match=r"^check: found values of float64, float64, expected "):
        build.check(number, number, name="n", where="Step", expected="x", advice="y")


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(TypeError, match="found operation 'log3', expected one of absolute, absolute_duration"):
        Builder().apply("log3", 1.0)


def test_a_wrong_dtype_is_refused() -> None:
    build = Builder()
    with pytest.raises(InputError, match="add: found values of str, float64, expected float64, float64"):
        build.add(build.input("c", "str"), 1.0)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_has_a_method(operation: str) -> None:
    assert callable(getattr(Builder, method_name(operation)))


def test_python_names_are_of_operations_and_their_settings() -> None:
    assert set(METHODS) <= set(OPERATIONS)
    assert all(setting in OPERATIONS[operation].settings for operation, setting in SETTINGS)
    names = [method_name(operation) for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_a_method_writes_the_operation_on_disk() -> None:
    build = Builder()
    vector, sparse = build.stack([build.input("a", "float64"), build.value(1.0)]), build.input("s", "bag", width=9)
    build.sparse_item(sparse, index=4)
    build.sparse_select(sparse, indices=[2, 4])
    build.argmax(vector)
    build.check(build.input("a", "float64"), build.value(True), name="a", where="Step", expected="x", advice="y")
    assert [(node.operation, node.settings) for node in build.nodes if "column" not in node.settings][2:] == [
        ("bag_item", {"place": 4}),
        ("bag_select", {"places": [2, 4]}),
        ("largest", {}),
        ("constant", {"value": True}),
        ("demand", {"name": "a", "where": "Step", "expected": "x", "advice": "y"}),
    ]


def test_a_setting_that_may_be_left_out_is_written_only_where_it_is_given() -> None:
    build = Builder()
    sparse = build.input("s", "bag", width=9)
    build.sparse_finite(sparse, where="Ridge")
    build.sparse_finite(sparse, where="Ridge", missing=False)
    assert [node.settings for node in build.nodes[1:]] == [{"where": "Ridge"}, {"where": "Ridge", "missing": False}]


def test_equal_operations_are_written_once() -> None:
    build = Builder()
    x = build.input("c", "float64")
    assert (x + 1.0).node == (x + 1.0).node
    assert (x + 0.0).node != (x + -0.0).node


def test_a_bounded_number_is_not_checked_again() -> None:
    build = Builder()
    known = build.input("c", "int64", 2.0**63)
    assert build.finite(known * 0.5 + 1.0, "c", "x").node == (known * 0.5 + 1.0).node


@pytest.mark.parametrize(
    ("left", "right", "operation"),
    [
        ("int64", "int64", "add_int"),
        ("bool", "int64", "add_int"),
        ("int64", "float64", "add"),
        ("float64", "float64", "add"),
    ],
)
def test_numbers_are_added_with_numpys_result_type(left: str, right: str, operation: str) -> None:
    build = Builder()
    total = build.input("a", left) + build.input("b", right)
    assert build.nodes[total.node].operation == operation
    assert np.result_type(left, right) == total.dtype


def test_what_is_never_missing_is_not_tested_for_missing() -> None:
    build = Builder()
    assert build.nodes[build.input("a", "float64", 3.0).missing().node].settings == {"value": False}
    assert build.nodes[build.input("b", "float64", math.inf).missing().node].operation == "is_missing"


def test_values_of_two_child_tables_are_refused() -> None:
    build = Builder()
    orders, visits = build.input("o", "float64[]", table="orders"), build.input("v", "float64[]", table="visits")
    with pytest.raises(InputError, match="add: found values of the tables orders, visits, expected those of one"):
        build.add(orders, visits)


def test_a_row_beyond_the_declared_context_is_refused() -> None:
    build = Builder(context=2)
    before = build.earlier(build.input("c", "float64"), 2, "Lags")
    assert before.lookback == 2
    with pytest.raises(InputError, match=r"Lags: found a value that depends on 3 earlier rows, .* with context=3"):
        build.earlier(before, 1, "Lags")


def test_settings_are_not_checked_when_a_plan_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    for kind in OPERATIONS["search"].settings.values():
        accepts = kind.accepts
        monkeypatch.setitem(
            vars(kind), "accepts", lambda value, accepts=accepts: checked.append(value) or accepts(value)
        )
    build = Builder()
    above = build.search(build.input("c", "float64"), edges=[0.0, 1.0], side="left")
    assert checked == [[0.0, 1.0], "left"]
    checked.clear()
    plan = Plan(build.nodes, {})
    assert row_function(plan, [above.node], RowSchema((Column("c", "number"),)))({"c": 0.5}) == (1,)
    assert make_executor(plan, [above.node]).run({"c": np.array([0.5, 3.0])}, 2)[0].tolist() == [1, 2]
    assert checked == []


def test_the_example_of_the_module_runs() -> None:
    results = doctest.testmod(builder)
    assert (results.failed, results.attempted > 0) == (0, True)
