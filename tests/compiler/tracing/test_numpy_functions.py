"""NumPy's and SciPy's functions of single values, on Series, frames, arrays and constants."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.special
from trace_frames import ARRAY, ARRAY_EDGES, EDGES, NUMBERS
from tracing import check, refusal

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

EXACT = (
    *(
        "sqrt",
        "floor",
        "ceil",
        "trunc",
        "rint",
        "fabs",
        "absolute",
        "sign",
        "square",
        "negative",
        "positive",
        "deg2rad",
        "radians",
    ),
    *("rad2deg", "degrees", "isnan", "isfinite", "isinf", "logical_not", "isposinf", "isneginf", "fix"),
)
ROUNDED = (
    "arccos",
    "arcsin",
    "arctan",
    "arcsinh",
    "cbrt",
    "cos",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "sin",
    "tan",
    "tanh",
)


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_function_has_numpys_bits(name: str) -> None:
    function = getattr(np, name)
    check(lambda self, X: function(X["a"]), NUMBERS, EDGES)
    check(lambda self, X: function(X["b"]), NUMBERS, EDGES)
    check(lambda self, X: function(X), ARRAY, ARRAY_EDGES)
    check(lambda self, X: function(X[:, 1]), ARRAY, ARRAY_EDGES)
    if name not in ("isposinf", "isneginf"):
        check(lambda self, X: function(X[["a", "b"]]), NUMBERS, EDGES)


@pytest.mark.parametrize("name", ROUNDED)
def test_an_elementary_function_is_within_its_bound(name: str) -> None:
    function = getattr(np, name)
    check(lambda self, X: function(X[["a", "b", "c"]]), NUMBERS, EDGES, bounded=True)
    check(lambda self, X: function(X), ARRAY, ARRAY_EDGES, bounded=True)


SPECIAL = {
    "expit": lambda X: scipy.special.expit(X["b"]),
    "logit": lambda X: scipy.special.logit(X["c"]),
    "erf": lambda X: scipy.special.erf(X["b"]),
    "ndtr": lambda X: scipy.special.ndtr(X["b"]),
    "ndtri": lambda X: scipy.special.ndtri(X["c"]),
    "boxcox": lambda X: scipy.special.boxcox(X["b"], 0.3),
    "boxcox, negative": lambda X: scipy.special.boxcox(X["b"], -0.7),
    "boxcox of the logarithm": lambda X: scipy.special.boxcox(X["b"], 0),
    "boxcox1p": lambda X: scipy.special.boxcox1p(X["c"], 0.15),
    "inv_boxcox": lambda X: scipy.special.inv_boxcox(X["c"], 0.25),
    "exp10": lambda X: scipy.special.exp10(X["c"]),
    "log1p": lambda X: scipy.special.log1p(X["c"]),
}


@pytest.mark.parametrize("name", list(SPECIAL))
def test_a_function_of_scipy_is_within_its_bound(name: str) -> None:
    function = SPECIAL[name]
    check(lambda self, X: function(X), NUMBERS, EDGES, bounded=True)


PAIRS = (
    *(
        "add",
        "subtract",
        "multiply",
        "divide",
        "floor_divide",
        "remainder",
        "fmod",
        "equal",
        "not_equal",
        "less",
        "less_equal",
    ),
    *("greater", "greater_equal", "maximum", "minimum", "logical_and", "logical_or", "logical_xor", "heaviside"),
)


@pytest.mark.parametrize("name", PAIRS)
def test_a_function_of_two_values_has_numpys_bits(name: str) -> None:
    function = getattr(np, name)
    check(lambda self, X: function(X["b"], X["c"]), NUMBERS, EDGES)
    check(lambda self, X: function(X["b"], 2), NUMBERS, EDGES)
    check(lambda self, X: function(2.5, X["b"]), NUMBERS, EDGES)
    check(lambda self, X: function(X, X[:, [1]]), ARRAY, ARRAY_EDGES)
    check(lambda self, X: function(X, [0.5, 0.0, -1.0]), ARRAY, ARRAY_EDGES)
    check(lambda self, X: function(X["b"].values, X["c"]), NUMBERS, EDGES)


@pytest.mark.parametrize("name", ["arctan2", "hypot", "float_power", "power"])
def test_a_rounded_function_of_two_values_is_within_its_bound(name: str) -> None:
    function = getattr(np, name)
    check(lambda self, X: function(X["b"], X["c"]), NUMBERS, EDGES, bounded=True)
    check(lambda self, X: function(X, 2.0), ARRAY, ARRAY_EDGES, bounded=True)


@pytest.mark.parametrize("name", ["fmax", "fmin"])
def test_missing_values_are_ignored(name: str) -> None:
    function = getattr(np, name)
    rows = EDGES[EDGES["b"] != 0]  # of 0.0 and -0.0 NumPy takes another one in a batch than alone
    check(lambda self, X: function(X["b"], X["c"]), NUMBERS, rows)
    check(lambda self, X: function(X["b"], 0.25), NUMBERS, rows)


OF_INTEGERS = {
    "maximum": lambda X: np.maximum(X["a"], 0),
    "maximum with a fraction": lambda X: np.maximum(X["a"], 0.5),
    "minimum of bools": lambda X: np.minimum(X["d"], X["a"] > 0),
    "bits": lambda X: np.bitwise_and(X["d"], X["a"] > 0),
    "invert": lambda X: np.invert(X["d"]),
    "square": lambda X: np.square(X["a"]),
    "power": lambda X: np.power(X["a"], 3),
    "logic of numbers": lambda X: np.logical_and(X["a"], X["b"]),
    "dates": lambda X: np.maximum(X["w"].values, np.datetime64("2020-03-01")),
    "missing dates": lambda X: np.isnat(X["w"].values),
    "all of several": lambda X: np.logical_or(np.logical_or(X["d"], X["a"] > 3), X["b"] > 0),
}


@pytest.mark.parametrize("name", list(OF_INTEGERS))
def test_integers_bools_and_dates_keep_their_dtype(name: str) -> None:
    function = OF_INTEGERS[name]
    check(lambda self, X: function(X), NUMBERS, EDGES)


def test_functions_kept_on_self_or_given_as_arguments_are_the_same() -> None:
    check(lambda self, X: self.function(X["c"]), NUMBERS, EDGES, state={"function": np.sqrt})
    check(lambda self, X: pd.concat(list(map(np.floor, [X["b"], X["c"]])), axis=1), NUMBERS, EDGES)


def test_the_values_of_one_row_are_taken() -> None:
    check(
        lambda self, X: X["c"].apply(lambda value: np.sqrt(value) if value > 0.5 else np.floor(value)), NUMBERS, EDGES
    )


def with_out(self: Any, X: Any) -> Any:
    return np.add(X, 1, out=X)


REFUSED = {
    "out": (with_out, "numpy.add with out", "assign the result"),
    "where": (lambda self, X: np.sqrt(X, where=X > 0), "with where", "np.where"),
    "dtype": (lambda self, X: np.exp(X, dtype=np.float32), "with dtype", "assign"),
    "reduce": (lambda self, X: np.maximum.reduce(X), "numpy", "&"),
    "float32": (lambda self, X: np.sqrt(X.astype(np.float32)), "float32", "astype(float)"),
    "narrow integers": (lambda self, X: np.sqrt(X.astype(bool)), "float16", "astype(float)"),
    "integers that wrap": (lambda self, X: np.square((X > 0).astype(np.int8) * np.int8(100)), "int8", "astype"),
    "one and several columns": (lambda self, X: np.maximum(X, X[:, 0]), "one column and several", "[:, None]"),
    "fitted rows": (lambda self, X: np.maximum(X[:, 0], np.arange(20)), "matched with the rows", "each column"),
    "whole divisions of integers": (lambda self, X: np.reciprocal((X > 0).astype(int) + 1), "reciprocal", "1 / x"),
    "two results": (lambda self, X: np.divmod(X, 2), "two columns", "x // y"),
    "no plan": (lambda self, X: np.spacing(X), "numpy.spacing", "plan"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_has_no_exact_plan_is_refused_with_a_remedy(name: str) -> None:
    transform, found, remedy = REFUSED[name]
    message = refusal(transform, ARRAY)
    assert found in message
    assert remedy in message
    assert "test_numpy_functions.py, line" in message


def test_text_and_other_rows_are_refused() -> None:
    assert "expected" in refusal(lambda self, X: np.log(X["t"]), NUMBERS)
    message = refusal(lambda self, X: np.maximum(X["b"], X["c"].reset_index(drop=True)), NUMBERS.iloc[::-1])
    assert "other rows" in message
