"""Ties: integers, ratings, one-hot columns and duplicates have many points at one distance."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from pipeline_lib.compiled.operations import neighbor_search
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

_RNG = np.random.default_rng(4)
_NAMES = list("abcdef")
DATA = {
    "integers": _RNG.integers(0, 4, (300, 5)).astype(float),
    "ratings": _RNG.integers(1, 11, (300, 4)) / 2,
    "one_hot": np.eye(6)[_RNG.integers(0, 6, 300)],
    "duplicates": np.repeat(_RNG.normal(size=(60, 3)), 5, axis=0),
}
TARGET = _RNG.normal(size=300)


def _rows(kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows and others like them."""
    known = DATA[kind]
    new = np.concatenate([known[::3], known[1::3][:, ::-1], known[2::3] + known[0]])
    return pd.DataFrame(known, columns=_NAMES[: known.shape[1]]), pd.DataFrame(new, columns=_NAMES[: known.shape[1]])


def _others(model: Any, compiled: Any, rows: pd.DataFrame) -> int:
    """How many predictions differ by more than rounding."""
    return int((np.abs(model.predict(rows) - compiled.predict(rows)) > 1e-9).sum())


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("count", [1, 5, 12])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_trees_choose_by_the_row_alone(kind: str, count: int, algorithm: str) -> None:
    known, new = _rows(kind)
    model = make_pipeline(KNeighborsRegressor(count, algorithm=algorithm, leaf_size=8)).fit(known, TARGET)
    compiled = compile_pipeline(model, like=known)
    assert _others(model, compiled, new) == _others(model, compiled, new[::-1]) == 0
    assert compiled.report.steps[-1].flips == compiled.report.steps[-1].unsure == 0


@pytest.mark.parametrize("kind", ["integers", "ratings", "one_hot"])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_one_thread_without_a_tree(kind: str, count: int) -> None:
    known, new = _rows(kind)
    model = make_pipeline(KNeighborsRegressor(count, algorithm="brute")).fit(known, TARGET)
    compiled = compile_pipeline(model, like=known)
    with threadpool_limits(1):
        assert _others(model, compiled, new) == 0
    step = compiled.report.steps[-1]
    assert (step.unsure > 50) == (count > 1)  # the first of equal ones is that for any number of threads
    assert ("ties at the k-th neighbour" in str(compiled.report)) == (count > 1)


def test_labels_of_the_first_neighbour() -> None:
    known, new = _rows("integers")
    labels = (TARGET > 0).astype(int)
    model = make_pipeline(KNeighborsClassifier(1)).fit(known, labels)
    compiled = compile_pipeline(model, like=known)
    assert np.array_equal(compiled.predict(new), model.predict(new))
    assert compiled.report.outputs[0].changed == 0


def test_another_choice_among_equal_points_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    known, _ = _rows("integers")
    model = KNeighborsRegressor(5).fit(known, TARGET)
    check_estimator(model, known)
    monkeypatch.setattr(neighbor_search.Search, "_decided", lambda self, vector, values, farthest: _first(self, values))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, known)


def _first(search: Any, values: Any) -> Any:
    order = np.argsort(values, axis=1, kind="stable")[:, : search.count]
    return np.concatenate([np.take_along_axis(values, order, axis=1).T, order.T])
