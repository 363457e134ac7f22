"""The rows that lazy learners and kernels are checked on: duplicates, extremes, common values, others evenly."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from pipeline_lib.compiler.checked_rows import LEAST, telling_rows
from pipeline_lib.compiler.compile import compile_pipeline

_RNG = np.random.default_rng(9)


def test_rows_on_which_a_plan_may_differ_come_first() -> None:
    numbers = _RNG.normal(size=(4000, 3))
    numbers[[7, 3001]] = numbers[[2500]]  # repeated
    numbers[1234, 1], numbers[17, 2], numbers[3999, 0] = 1e9, -1e9, np.nan
    numbers[2001] = [1.0, 2.0, 3.0]
    numbers[2003] = [1.0, 2.0, 4.0]  # most of its numbers are another row's, too
    rows = telling_rows(numbers, 100)
    assert len(rows) == len(set(rows.tolist())) == 100
    assert {7, 2500, 3001, 1234, 17, 3999, 2001, 2003} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("kind", [pd.DataFrame, csr_array])
def test_frames_and_sparse_matrices(kind: type) -> None:
    rows = telling_rows(kind(np.abs(_RNG.normal(size=(300, 2)))), 50)
    assert len(rows) == 50


def test_rows_without_numbers_are_spread() -> None:
    words = pd.DataFrame({"w": ["a", "b"] * 100})
    assert telling_rows(words, 10).tolist() == np.linspace(0, 199, 10).astype(int).tolist()


@pytest.mark.parametrize("final", [KNeighborsRegressor(3), SVR(max_iter=50)], ids=["near", "kernel"])
def test_the_report_says_how_many(final: object) -> None:
    x = pd.DataFrame(_RNG.normal(size=(1500, 20)), columns=[f"x{index}" for index in range(20)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline_lib.compiler.checked_rows._WORK", 1)
        patch.setattr("sklearn.svm._base.warnings.warn", lambda *args, **kwargs: None)
        fitted = make_pipeline(StandardScaler(), final).fit(x, x["x0"])
        model = compile_pipeline(fitted, like=x)
    assert model.report.rows == model.report.steps[-1].checked == LEAST
    assert model.report.steps[0].checked == 0
    assert f"checked on {LEAST:,} rows" in str(model.report)
    assert np.allclose(model.predict(x), fitted.predict(x))
