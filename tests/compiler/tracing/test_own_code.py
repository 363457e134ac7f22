"""Thirty pipelines of own code: each compiles as it stands, predicts what its libraries predict, one row as many."""

import functools
import inspect
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matrices import sample
from own_code import course_notebooks, first_ten, habits
from own_code.examples import EXAMPLES, LIBRARY, Example
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import as_rows

# notebooks still write dt.dayofweek and inplace=True, which the next pandas will not know
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

SUMS = ("Ridge", "LinearRegression", "HandmadeRidge")  # their last step is a sum, which may be taken in another order
FEW = 8  # ULPs of such a sum in rows that the report has not seen

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])


@functools.cache
def _fitted(name: str) -> Pipeline:
    example = next(example for example in EXAMPLES if example.name == name)
    return example.pipeline().fit(example.X, example.y)


def _ulps_apart(ours: Any, theirs: Any) -> float:
    return float((np.abs(ours - theirs) / np.spacing(np.abs(theirs))).max())


def _check_predictions(model: Any, fitted: Any, rows: pd.DataFrame, ulps: float) -> None:
    """Assert that labels are equal, numbers at most `ulps` apart, and each of 50 rows alone equal to the batch."""
    ours, theirs = model.predict(rows), np.asarray(fitted.predict(rows))
    assert ours.shape == theirs.shape
    if theirs.dtype.kind == "f":
        assert _ulps_apart(ours, theirs) <= ulps
    else:
        assert ours.tolist() == theirs.tolist()
    alone = [model.predict_row(row) for row in as_rows(conform(rows[:50], model.row), model.row)]
    if theirs.dtype.kind == "f":
        assert np.array(alone, dtype=float).tobytes() == np.asarray(ours[:50], dtype=float).tobytes()
    else:
        assert alone == ours[:50].tolist()


def _check_model(model: CompiledPipeline, fitted: Pipeline, example: Example) -> None:
    assert model.report.exact
    _check_predictions(model, fitted, example.X, model.report.ulps)
    sums = type(fitted[-1]).__name__ in SUMS
    _check_predictions(model, fitted, example.new, max(model.report.ulps, FEW) if sums else 0)


@pytest.mark.parametrize("example", sample(EXAMPLES, every=3, among=10), ids=[example.name for example in EXAMPLES])
def test_own_code_compiles_as_it_is_written(example: Example) -> None:
    fitted = _fitted(example.name)
    _check_model(compile_pipeline(fitted, like=example.X, library=LIBRARY), fitted, example)


@pytest.mark.slow  # says something of the examples alone
@every_example
def test_own_code_runs_in_scikit_learn(example: Example) -> None:
    fitted = _fitted(example.name)
    for rows in (example.X[:50], example.new):
        many = np.asarray(fitted.predict(rows))
        with threadpool_limits(1):  # threads cost more than one row
            alone = np.concatenate([fitted.predict(rows[at : at + 1]) for at in range(len(rows))])
        if many.dtype.kind == "f" and type(fitted[-1]).__name__ in SUMS:
            assert _ulps_apart(alone, many) <= 4 * FEW  # BLAS adds one row in another order than many
        else:
            assert alone.tolist() == many.tolist()
        assert len(set(many.tolist())) > 1


def test_there_are_thirty_examples_and_ten_were_written_first() -> None:
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES) == 30
    assert [example.written_first for example in EXAMPLES] == [True] * 10 + [False] * 20
    for example in EXAMPLES:
        assert isinstance(example.X.index, pd.RangeIndex)
        assert isinstance(example.new.index, pd.RangeIndex)
        assert (len(example.X), len(example.y), len(example.new)) == (250, 250, 50)
        assert {str(dtype) for dtype in example.X.dtypes} <= {"int64", "float64", "str", "bool", "datetime64[us]"}
        assert list(example.X.dtypes) == list(example.new.dtypes)
        assert set(example.new.columns[example.new.isna().any()]) <= set(example.X.columns[example.X.isna().any()])


@pytest.mark.parametrize("module", [first_ten, course_notebooks, habits], ids=lambda module: module.__name__)
def test_own_code_says_nothing_of_plans(module: Any) -> None:
    assert not re.search(r"plan\b|pipeline_lib", inspect.getsource(module))


class _Off:
    """A model whose predictions are `ulps` away, in `alone` or in the batch."""

    def __init__(self, model: CompiledPipeline, ulps: int, alone: int) -> None:
        self.row, self.model, self.ulps, self.alone = model.row, model, ulps, alone

    def predict(self, rows: Any) -> Any:
        values = self.model.predict(rows)
        return values + self.ulps * np.spacing(values)

    def predict_row(self, row: Any) -> Any:
        value = self.model.predict_row(row)
        return float(value + self.alone * np.spacing(value))


def test_the_check_tells_a_model_that_is_off() -> None:
    example = next(example for example in EXAMPLES if example.name == "quantiles")
    numbers = example.X[["median_income", "population"]]
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(numbers, example.y)
    model = compile_pipeline(fitted, like=numbers)
    _check_predictions(model, fitted, numbers, model.report.ulps)
    _check_predictions(_Off(model, 20, 20), fitted, numbers, 40)
    for off in (_Off(model, 20, 20), _Off(model, 0, 1)):
        with pytest.raises(AssertionError):
            _check_predictions(off, fitted, numbers, model.report.ulps)
