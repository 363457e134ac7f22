"""Branches on a row's value: each path is recorded, errors refuse rows, and what has no end is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tracing import check, refusal

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.rows.paths import MOST_PATHS, Branch, Leaf, explore, leaves_of, refused_when
from pipeline_lib.compiler.tracing.rows.values import make_value
from pipeline_lib.errors import InputError

TRAINING = pd.DataFrame({"a": np.arange(1, 13), "b": np.arange(12) * 0.75 + 0.25, "w": list("abcabcabcabc")})
EDGES = pd.DataFrame(
    {
        "a": [0, -1, 5, 2**40, -(2**40), 7],
        "b": [0.0, -0.0, np.nan, np.inf, -np.inf, -2.5],
        "w": ["a", "", "zz", "b", "A", "c"],
    }
)


def _recording() -> Recording:
    build = Builder()
    columns = {"a": build.input("a", "int64"), "b": build.input("b", "float64"), "w": build.input("w", "str")}
    return Recording(TRAINING, columns)


def _explored(function: Any) -> Any:
    recording = _recording()
    return recording, explore(recording, lambda: function(make_value(recording, recording.inputs["b"])))


def test_each_branch_splits_the_path_and_an_equal_condition_does_not_split_it_again() -> None:
    def grade(x: Any) -> str:
        if x < 0:
            return "low"
        return "high" if x > 9 and not x < 0 else "mid"

    _, tree = _explored(grade)
    assert isinstance(tree, Branch)
    assert [leaf.result for leaf in leaves_of(tree)] == ["low", "high", "mid"]


def test_a_path_that_raises_refuses_its_rows() -> None:
    def positive(x: Any) -> Any:
        if x < 0:
            raise ValueError("negative")
        return x

    recording, tree = _explored(positive)
    refused = recording.evaluated(refused_when(recording.build, tree), 0)
    assert not refused.any()
    first = leaves_of(tree)[0]
    assert isinstance(first, Leaf)
    assert str(first.error) == "negative"


def test_a_function_without_a_branch_is_one_leaf() -> None:
    _, tree = _explored(lambda x: x + 1)
    assert isinstance(tree, Leaf)
    assert tree.error is None


def test_the_scope_is_put_back_after_a_refusal() -> None:
    recording = _recording()
    with pytest.raises(InputError, match="paths"):
        explore(recording, lambda: [bool(make_value(recording, recording.inputs["b"]) > i) for i in range(20)])
    assert recording.scope is None


def _grade(x: Any) -> str:
    if x < 2:
        return "low"
    if x < 5:
        return "mid"
    return "high"


def _divided(x: Any) -> Any:
    try:
        return 10 / x
    except ZeroDivisionError:
        return -1.0


def _finally(x: Any) -> Any:
    result = 0.0
    try:
        result = 1 / x
    except ZeroDivisionError as error:
        result = -len(error.args)
    finally:
        result = result * 2
    return result


def _broken(x: Any) -> int:
    count = 0
    for step in range(4):
        if x < step:
            break
        count += step
    else:
        count = -1
    return count


def _assigned(x: Any) -> Any:
    y = x
    if x < 0:
        y = -x
    if y > 3:
        y = y - 1
    return y


def _recursive(x: Any, depth: int = 3) -> Any:
    return x if depth == 0 or x > 100 else _recursive(x * 2, depth - 1)


FUNCTIONS = [
    _grade,
    _divided,
    _finally,
    _broken,
    _assigned,
    _recursive,
    lambda x: 0 < x < 5,
    lambda x: x > 1 and x < 3,
    lambda x: x and 5.0,
    lambda x: x or 7.0,
    lambda x: not x,
    lambda x: 1 if x else 0,
    lambda x: "p" if x > 0 else "n" if x < 0 else "z",
    lambda x: min(max(x, 1), 4),
    lambda x: None if x < 2 else x,
    lambda x: [x > 0, x > 1].count(True) if False else (x > 0) + (x > 1),
    lambda x: any(x > each for each in (1, 2, 3)),
    lambda x: all(x > each for each in (1, 2, 3)),
    lambda x: next((each for each in (1, 2, 3) if x < each), 4),
    lambda x: sorted([x, 3, 1])[1],
]


@pytest.mark.parametrize("column", ["a", "b"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_path_gives_what_pandas_gives(function: Any, column: str) -> None:
    check(lambda self, X: X[column].map(function), TRAINING[[column]], EDGES[[column]])


def test_a_message_with_the_value_may_be_raised() -> None:
    def limited(x: Any) -> Any:
        if x > 1000:
            raise ValueError(f"too large: {x}, {x:.2f}")
        return x

    check(lambda self, X: X["a"].map(limited), TRAINING, EDGES)


def test_too_many_paths_are_refused() -> None:
    message = refusal(lambda self, X: X["b"].map(lambda x: sum(1 for each in range(10) if x > each)), TRAINING)
    assert f"more than {MOST_PATHS} paths" in message
    assert "column.map(dict)" in message


def test_a_loop_that_a_value_ends_is_refused() -> None:
    def digits(x: Any) -> int:
        count = 0
        while x > 1:
            x = x / 10
            count += 1
        return count

    message = refusal(lambda self, X: X["b"].map(digits), TRAINING)
    assert "branches in a row" in message
    assert "while x > 1" in message


def test_a_recursion_that_a_value_ends_is_refused() -> None:
    def halved(x: Any) -> Any:
        return x if x == 0 else halved(x / 2)

    assert "branches in a row" in refusal(lambda self, X: X["b"].map(halved), TRAINING)


def test_own_code_cannot_swallow_a_refusal() -> None:
    def swallowing(w: Any) -> str:
        try:
            return "".join(sorted(w))
        except Exception:
            return "none"

    assert "a loop over a row's value" in refusal(lambda self, X: X["w"].map(swallowing), TRAINING)


def test_an_error_on_a_training_row_is_refused_with_its_message() -> None:
    message = refusal(lambda self, X: X["a"].map(lambda a: 1 / (a - 5)), TRAINING)
    assert "ZeroDivisionError: division by zero" in message
    assert "training rows" in message


def test_a_function_that_raises_on_every_path_is_refused() -> None:
    message = refusal(lambda self, X: X["a"].map(lambda a: a + "x"), TRAINING)
    assert "TypeError: unsupported operand" in message


def test_integers_beyond_64_bits_are_refused() -> None:
    large = EDGES[["a"]].assign(a=[2**62, -(2**62), 2**63 - 1, -(2**63), 3, 2**53 + 1])
    trace = check(lambda self, X: X["a"].map(lambda a: a * 4 + a), TRAINING[["a"]], large, may_refuse=True)
    assert any(node.operation == "demand" or "check" in node.operation for node in trace.nodes)
    check(lambda self, X: X["a"].map(lambda a: a / 3), TRAINING[["a"]], large, may_refuse=True)
    check(lambda self, X: X["a"].map(lambda a: a > 0.5), TRAINING[["a"]], large)
