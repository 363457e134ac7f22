"""Layers of neural networks in own code: hundreds of columns times a matrix, and the larger of each and 0."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tracing import check, refusal

from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.registry import RULES, Entry

RANDOM = np.random.RandomState(5)
FIRST, SECOND = RANDOM.normal(size=(6, 24)), RANDOM.normal(size=(24, 9)) * (RANDOM.uniform(size=(24, 9)) < 0.3)
COLUMNS = list("abcdef")
WHOLE = pd.DataFrame(RANDOM.randint(-9, 10, size=(30, 6)), columns=COLUMNS)
FLOATS = pd.DataFrame(RANDOM.normal(size=(30, 6)), columns=COLUMNS)
GAPS = FLOATS.mask(FLOATS > 1.2).assign(a=[np.inf, -np.inf, np.nan, 0.0, -0.0] * 6)
STATE = {"first": FIRST, "second": SECOND}


def network(self: Any, X: Any) -> Any:
    hidden = np.maximum(X.to_numpy(dtype="float64") @ self.first, 0.0)
    return pd.DataFrame(hidden @ self.second, index=X.index)


@pytest.mark.parametrize("data", [WHOLE, FLOATS, GAPS], ids=["integers", "floats", "gaps"])
def test_a_network_is_what_numpy_gives(data: Any) -> None:
    check(network, data, data.iloc[::-1], data.iloc[:1], state=STATE, bounded=True)


def operations(trace: Any) -> list[str]:
    return [node.operation for node in trace.nodes]


def test_a_layer_of_finite_numbers_is_one_operation() -> None:
    trace = check(network, WHOLE, state=STATE, bounded=True)
    assert operations(trace).count("activation") == 1
    assert operations(trace).count("affine") == 2
    assert operations(trace).count("stack") == 1  # the hidden columns are taken as the vector that they are


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_a_layer_of_numbers_that_may_be_missing_stays_missing() -> None:
    trace = check(network, GAPS, state=STATE, bounded=True)
    assert "activation" not in operations(trace)  # the larger of nan and 0 is nan, and not 0


@pytest.mark.parametrize("other", ["1.0", "-0.0", "X[:, [0]]"])
def test_other_bounds_than_zero_are_compared_column_by_column(other: str) -> None:
    names: dict[str, Any] = {"np": np, "__name__": "own_layer"}
    exec(f"def bound(self, X):\n    X = X.to_numpy()\n    return np.maximum(X @ self.first, {other})", names)  # noqa: S102
    trace = check(names["bound"], FLOATS, GAPS, state=STATE, bounded=True)
    assert "activation" not in operations(trace)


def test_some_hidden_columns_are_no_whole_vector() -> None:
    def some(self: Any, X: Any) -> Any:
        hidden = X.to_numpy(dtype="float64") @ self.first
        return np.maximum(hidden[:, ::-1], 0.0) @ self.second

    trace = check(some, WHOLE, state=STATE, bounded=True)
    assert "activation" not in operations(trace)


def test_a_wrong_rule_for_many_columns_is_refused_at_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    right = RULES["function", "numpy.maximum"]

    def wrong(call: Call, *args: Any, **options: Any) -> Any:
        made = right.write(call, *args, **options)
        values = made._values if hasattr(made, "_values") else made
        return type(made)(made._recording, made._reals, [values[-1], *values[1:]], made._rows)

    monkeypatch.setitem(RULES, ("function", "numpy.maximum"), Entry(wrong, raw=right.raw))

    def first_layer(self: Any, X: Any) -> Any:
        hidden = np.maximum(X.to_numpy(dtype="float64") @ self.first, 0.0)
        return pd.DataFrame(hidden * 2.0, index=X.index)

    message = refusal(first_layer, WHOLE, state=STATE)
    assert "test_layers.py" in message
    assert "hidden * 2.0" in message
    assert "the recorder's rule gives" in message
