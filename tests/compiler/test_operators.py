"""Python's and NumPy's operators on a plan's values compute what they do on columns, or are refused with a remedy."""

import operator
from collections.abc import Callable
from typing import Any

import evaluation
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pipeline_lib import Builder, InputError, Value, compile_pipeline

REFUSED: dict[str, Callable[[Value], Any]] = {
    "bool": lambda v: bool(v > 1),
    "not": lambda v: not (v > 1),
    "and": lambda v: v > 1 and v < 3,
    "chain": lambda v: 1 < v < 3,
    "max": lambda v: max(v, 0),
    "min": lambda v: min(v, 5.0),
    "in": lambda v: v in [1, 2],
    "contains": lambda v: 1 in v,
    "in a set": lambda v: v in {98, 99},
    "dict": lambda v: {98: 5.0}.get(v, 1.0),
    "if": lambda v: 1 if v == 2010 else 0,
    "any": lambda v: any([v > 1]),
    "sorted": lambda v: sorted([v, v]),
    "for": list,
    "len": len,
    "index": lambda v: v[0],
    "float": float,
    "int": int,
    "round": round,
    "None": lambda v: v == None,  # noqa: E711 (the idiom)
    "array": lambda v: v + np.array([1.0, 2.0]),
    "isna": pd.isna,
    "isin": lambda v: np.isin(v, [1.0]),
    "np.sum": np.sum,
    "reduce": np.add.reduce,
    "out": lambda v: np.add(v, 1, out=np.zeros(3)),
    "signbit": np.signbit,
    "text": str,
    "f-string": lambda v: f"{v}",
    "format": lambda v: f"{v:.2f}",
    "sum of bools": lambda v: (v > 1) + (v < 3),
    "difference of bools": lambda v: (v > 1) - np.True_,
    "product of bools": lambda v: True * (v > 1),
    "negative bool": lambda v: -(v > 1),
}


@pytest.mark.parametrize("idiom", REFUSED.values(), ids=REFUSED)
def test_an_idiom_that_needs_a_number_now_is_refused(idiom: Callable[[Value], Any]) -> None:
    value = Builder().input("x", "float64")
    with pytest.raises(InputError, match=r"found .* expected"):
        idiom(value)


class Formula(TransformerMixin, BaseEstimator):
    """Columns by one formula, in `transform` and in `plan`."""

    def __init__(self, formula: Callable[[Any, Any], Any]) -> None:
        self.formula = formula

    def fit(self, X: pd.DataFrame, y: Any = None) -> "Formula":
        self.columns_ = list(X.columns)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"result": self.formula(X["x"], X["n"]).astype(float)})

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]:
        return {"result": build.number(self.formula(columns["x"], columns["n"]))}


EXACT: dict[str, Callable[[Any, Any], Any]] = {
    "equal": lambda x, n: x == 2.5,
    "unequal": lambda x, n: x != 2.5,
    "equal integers": lambda x, n: n == 3,
    "xor": lambda x, n: (x > 1) ^ (n > 2),
    "square": lambda x, n: x**2,
    "reciprocal": lambda x, n: x**-1.0,
    "root": lambda x, n: abs(x) ** 0.5,
    "cube of integers": lambda x, n: n**3,
    "floor division": lambda x, n: x // 0.7,
    "remainder": lambda x, n: x % 0.7,
    "integers by a constant": lambda x, n: n // -4 + n % 3,
    "np.maximum": lambda x, n: np.maximum(x, 1.0),
    "np.minimum": lambda x, n: np.minimum(1.0, x),
    "np.fmax": lambda x, n: np.fmax(x, 1.0),
    "np.maximum of integers": lambda x, n: np.maximum(n, 2),
    "np.negative": lambda x, n: np.negative(x),
    "np.square": lambda x, n: np.square(x),
    "np.add": lambda x, n: np.add(x, n),
    "np.floor": lambda x, n: np.floor(x),
    "scalar on the left": lambda x, n: np.float64(3.0) * x - np.int64(2) * n,
    "scalar compared on the left": lambda x, n: (np.float64(1.0) < x) & (np.int64(2) != n),
    "negative integers": lambda x, n: -n * 2**60 * 8,  # int64, which wraps around
    "absolute integers": lambda x, n: abs(n - 2) + np.absolute(n),
    "absolute bool": lambda x, n: abs(x > 1),
    "bool and integer": lambda x, n: (x > 1) + 2 * n,
    "integers to the power of integers": lambda x, n: n ** (n * n) + 3 ** abs(n) + np.power(n, 2),
    "np.clip": lambda x, n: np.clip(x, 0.5, 2.5),
    "np.clip of integers": lambda x, n: np.clip(n, -2, 3),
    "np.clip below": lambda x, n: np.clip(x, None, 1.0),
    "np.logical_and": lambda x, n: np.logical_and(x > 1, n > 2),
}


@pytest.mark.parametrize("name", ["negative integers", "absolute integers", "np.clip of integers", "cube of integers"])
def test_integers_stay_integers(name: str) -> None:
    build = Builder()
    result = EXACT[name](build.input("x", "float64"), build.input("n", "int64"))
    assert result.dtype == "int64"
    assert EXACT[name](frame()["x"], frame()["n"]).dtype == np.int64


def test_a_missing_bound_makes_the_clipped_number_missing_as_in_numpy() -> None:
    numbers, bounds = [1.0, -1.0, np.nan, 3.0], [0.0, np.nan, 1.0, 5.0]
    columns = {"x": ("float64", numbers), "low": ("float64", bounds)}
    results = evaluation.evaluate(lambda build, x, low: np.clip(x, low, 4.0), columns)
    np.testing.assert_array_equal(results, np.clip(np.array(numbers), np.array(bounds), 4.0))
    high = evaluation.evaluate(lambda build, x, low: np.clip(x, -4.0, low), columns)
    np.testing.assert_array_equal(high, np.clip(np.array(numbers), -4.0, np.array(bounds)))


def test_the_smallest_integer_has_no_positive_one() -> None:
    smallest = np.array([-(2**63), 5])
    columns = {"n": ("int64", smallest.tolist())}
    assert evaluation.evaluate(lambda build, n: abs(n), columns) == np.abs(smallest).tolist()
    assert evaluation.evaluate(lambda build, n: -n, columns) == np.negative(smallest).tolist()


def test_a_negative_exponent_of_integers_is_refused_in_the_row_that_has_it() -> None:
    columns = {"n": ("int64", [2, 0, -1])}
    with pytest.raises(
        InputError, match="row 2: \\*\\*: found -1 in column 'exponent', expected an exponent of at least 0"
    ):
        evaluation.evaluate(lambda build, n: 3**n, columns)
    with pytest.raises(ValueError, match="Integers to negative integer powers are not allowed"):
        3 ** np.array([2, 0, -1])


def frame() -> pd.DataFrame:
    x = [0.0, -0.0, 1.0, 2.5, -2.5, 0.7, 1.4, np.nan, 1e150, -1e-150, 3.0, 100.25]
    return pd.DataFrame({"x": x, "n": np.arange(-5, 7)})


@pytest.mark.parametrize("formula", EXACT.values(), ids=EXACT)
def test_an_idiom_gives_what_it_gives_on_columns(formula: Callable[[Any, Any], Any]) -> None:
    step = Formula(formula).fit(frame())
    build = Builder()
    columns = {"x": build.input("x", "float64"), "n": build.input("n", "int64")}
    result = step.plan(columns, build)["result"]
    expected = step.transform(frame())["result"].to_numpy()
    assert evaluate(build, result).tobytes() == expected.tobytes()


def evaluate(build: Builder, value: Value) -> Any:
    from pipeline_lib.compiled.pipeline import CompiledPipeline
    from pipeline_lib.compiled.plan import Plan
    from pipeline_lib.rows.frames import schema_of_frame

    plan = Plan(build.nodes, {"prediction": value.node})
    return CompiledPipeline(plan, schema_of_frame(frame())).predict(frame())


def test_numpy_choices_are_written_as_columns() -> None:
    build = Builder()
    x = build.input("x", "float64")
    chosen = np.select([x > 1, x < -1], [1.0, -1.0], 0.0) + np.where(x > 0, 10.0, 20.0) + np.clip(x, 0.0, 0.5)  # type: ignore[call-overload]
    values = frame()["x"].to_numpy()
    expected = np.select([values > 1, values < -1], [1.0, -1.0], 0.0) + np.where(values > 0, 10.0, 20.0)
    assert evaluate(build, chosen).tobytes() == (expected + np.clip(values, 0.0, 0.5)).tobytes()


def test_text_is_compared_with_a_word() -> None:
    build = Builder()
    word = build.input("word", "str")
    assert (word == "a").dtype == (word != "a").dtype == "bool"
    assert word.equals("a").node == (word == "a").node
    with pytest.raises(InputError, match="compare it with a constant text"):
        _ = word == 3
    with pytest.raises(InputError, match="values of one dtype"):
        _ = build.input("x", "float64") == "a"


@pytest.mark.parametrize("operation", [operator.floordiv, operator.mod])
def test_integers_divided_by_a_column_are_refused_with_the_way(operation: Callable[[Any, Any], Any]) -> None:
    build = Builder()
    with pytest.raises(InputError, match=r"divide by 0 .*write build\.(floor_divide|remainder)\(build\.number"):
        operation(build.input("n", "int64"), build.input("m", "int64"))


class Rare(Formula):
    """A step whose plan branches on a value."""

    def __init__(self) -> None:
        pass

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"x": np.where(X["n"] == 2010, 100.0, X["x"])})

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]:
        if columns["n"] == 2010:
            return {"x": build.value(100.0)}
        return {"x": columns["x"]}


class Absent(Rare):
    """A step whose plan asks for a column that is not there."""

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]:
        return {"x": columns["Job"]}


def compiled(step: Any) -> Any:
    data = pd.DataFrame({"x": np.arange(30.0), "n": np.arange(30)})
    return compile_pipeline(make_pipeline(step, LinearRegression()).fit(data, data["x"]), like=data)


def test_a_branch_in_a_plan_is_refused_at_its_line() -> None:
    with pytest.raises(InputError, match=r'Rare\.plan, line \d+ \(if columns\["n"\] == 2010:\): found a branch'):
        compiled(Rare())


def test_a_missing_column_in_a_plan_is_named_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"Absent\.plan, line \d+ .*found KeyError: 'Job' among the columns x, n"):
        compiled(Absent())
