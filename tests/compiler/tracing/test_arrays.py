"""Arrays of own code: columns taken and set, views, operators, methods, rows by a condition."""

from typing import Any

import numpy as np
import pytest
from trace_frames import ARRAY, ARRAY_EDGES, EDGES, NUMBERS
from tracing import check, own_step, record_step, refusal

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def set_a_column(self: Any, X: Any) -> Any:
    X = X.copy()
    X[:, 0] = X[:, 0] * 2 + 1
    return X


def set_by_condition(self: Any, X: Any) -> Any:
    X = X.copy()
    X[X[:, 2] > 0.5] = 7
    X[np.isnan(X[:, 1]), 1] = self.fill_
    X[X[:, 0] > 0, 0] = X[X[:, 0] > 0, 0] + 0.5
    return X


def set_values(self: Any, X: Any) -> Any:
    X = X.copy()
    X[np.isnan(X)] = 0
    X[X > 3] = 3
    return X


def set_through_views(self: Any, X: Any) -> Any:
    X = X.copy()
    first, last = X[:, 0], X[:, 1:]
    first += 2
    last[:, 1] = -1
    X[:, 1][X[:, 0] > 3] = 9
    column = X.reshape(-1, 3)[:, 2]
    column[np.isnan(X[:, 1])] = 5
    return np.column_stack([X, first, last])


def set_in_copies(self: Any, X: Any) -> Any:
    taken = X[:, [0, 1]]
    taken[:, 0] = 1
    chosen = X[X[:, 2] > 0]
    chosen[:, 0] = 4
    whole = X.copy()
    whole[:] = 0
    flat = X[:, 0].flatten()
    flat += 1
    return np.column_stack([X, taken, flat])


def aliases(self: Any, X: Any) -> Any:
    X = X.copy()
    same = X
    same *= 2
    other = X.ravel() if X.ndim == 1 else X
    other[:, 1] = 1
    return X


def swap(self: Any, X: Any) -> Any:
    X = X.copy()
    X[:, 0], X[:, 1] = X[:, 1].copy(), X[:, 0].copy()
    X[:, [0, 2]] = X[:, [2, 0]]
    return X


def integers_in_place(self: Any, X: Any) -> Any:
    out = np.zeros(len(X), dtype=int)
    out[X[:, 0] > 0] = 2
    out += 1
    out[np.isnan(X[:, 1])] -= 3
    return out


WHOLE = {
    "columns": lambda self, X: X[:, [2, 0]],
    "slice": lambda self, X: X[:, 1:],
    "reversed": lambda self, X: X[:, ::-1],
    "mask of columns": lambda self, X: X[:, np.array([True, False, True])],
    "fitted columns": lambda self, X: X[:, self.kept_],
    "ellipsis": lambda self, X: X[..., 1],
    "one column": lambda self, X: X[:, -1],
    "new axis": lambda self, X: X[:, 1][:, None] * X,
    "arithmetic": lambda self, X: (X - self.mean_) / self.mean_,
    "with a list": lambda self, X: X * [1.0, 2.0, 3.0],
    "row vector": lambda self, X: X + np.array([[1.0, 2.0, 3.0]]),
    "swapped": lambda self, X: 1 - X[:, 0],
    "plain array on the left": lambda self, X: self.mean_ * X,
    "scalar on the left": lambda self, X: np.float64(2.0) * X[:, 1],
    "power": lambda self, X: X**2,
    "floor division": lambda self, X: X // 0.7,
    "remainder": lambda self, X: X % 3,
    "comparison": lambda self, X: (X[:, 0] > X[:, 1]) | ~(X[:, 2] <= 0.5),
    "set a column": set_a_column,
    "set by condition": set_by_condition,
    "set values": set_values,
    "set through views": set_through_views,
    "set in copies": set_in_copies,
    "aliases": aliases,
    "swap": swap,
    "integers in place": integers_in_place,
    "transpose": lambda self, X: X.T[1],
    "unpacked": lambda self, X: np.column_stack(list(X.T)[::-1]),
    "transposed twice": lambda self, X: X.T[1:].T,
    "reshape": lambda self, X: X[:, 0].reshape(-1, 1),
    "reshape by rows": lambda self, X: X[:, 0].reshape(len(X), 1),
    "reshape as it is": lambda self, X: X.reshape(X.shape[0], -1),
    "ravel": lambda self, X: X[:, [0]].ravel(),
    "squeeze": lambda self, X: X[:, [0]].squeeze(axis=1),
    "clip": lambda self, X: X.clip(-1, 2),
    "clip by column": lambda self, X: X.clip(min=[-1.0, 0.0, 0.25]),
    "round": lambda self, X: X.round(1),
    "round to integers": lambda self, X: X.round(),
    "astype float": lambda self, X: (X > 0).astype(float),
    "astype int": lambda self, X: (X > 0).astype(int) * 3,
    "astype bool": lambda self, X: X.astype(bool),
    "astype float32": lambda self, X: X.astype(np.float32),
    "astype object": lambda self, X: X.astype(object).astype(float),
    "numbers to integers": lambda self, X: np.nan_to_num(X, posinf=9, neginf=-9).clip(-9, 9).astype(int),
    "fill": lambda self, X: fill(X),
    "take": lambda self, X: X.take([0, 2], axis=1),
    "shape": lambda self, X: X[:, 0] * X.shape[1] * X.ndim,
    "dtype": lambda self, X: X.astype(X.dtype),
}


def fill(X: Any) -> Any:
    X = X.copy()
    X[:, 1].fill(2.5)
    return X


def fit(self: Any, X: Any) -> None:
    self.mean_ = np.nanmean(X, axis=0)
    self.fill_ = 1.25
    self.kept_ = np.array([0, 2])


@pytest.mark.parametrize("name", list(WHOLE))
def test_an_array_gives_what_numpy_gives(name: str) -> None:
    check(WHOLE[name], ARRAY, ARRAY_EDGES, fit=fit)


STATISTICS = {
    "sum": lambda self, X: X.sum(axis=1),
    "sum and dimensions": lambda self, X: X / X.sum(axis=1, keepdims=True),
    "mean": lambda self, X: X.mean(axis=1),
    "mean of the last axis": lambda self, X: X.mean(axis=-1),
    "std": lambda self, X: X.std(axis=1, ddof=1),
    "var": lambda self, X: X.var(axis=1),
    "min": lambda self, X: X.min(axis=1),
    "max": lambda self, X: X.max(axis=1),
    "prod": lambda self, X: X.prod(axis=1),
    "any": lambda self, X: (X > 2).any(axis=1),
    "all": lambda self, X: X.all(axis=1),
    "counts": lambda self, X: (X > 0).sum(axis=1),
    "argmax": lambda self, X: X.argmax(axis=1),
    "argmin": lambda self, X: X.argmin(axis=1),
    "dot": lambda self, X: X.dot(np.array([0.5, 0.0, -2.0])),
    "matrix": lambda self, X: X @ np.arange(15.0).reshape(3, 5),
    "transposed mean": lambda self, X: X.T.mean(axis=0),
}


@pytest.mark.parametrize("name", list(STATISTICS))
def test_a_statistic_of_each_row_is_within_its_bound(name: str) -> None:
    check(STATISTICS[name], ARRAY, ARRAY_EDGES, fit=fit, bounded=True)


GUARDS = {
    "any": lambda X: bool((X < -100).any()),
    "all": lambda X: not (X > -100).all(),
    "any of a function": lambda X: np.any(X < -100),
    "count": lambda X: (X < -100).sum() > 0,
    "count of rows": lambda X: len(X[X[:, 0] < -100]) > 0,
}


@pytest.mark.parametrize("name", list(GUARDS))
def test_a_question_about_the_batch_may_guard_it(name: str) -> None:
    question = GUARDS[name]

    def transform(self: Any, X: Any) -> Any:
        if question(X):
            raise ValueError("too small")
        return X[:, 0]

    rows = np.nan_to_num(ARRAY)
    check(transform, rows, np.array([[-101.0, 0.0, 0.0], [1.0, 2.0, 3.0]]))


OF_FRAMES = {
    "values": lambda self, X: X[["a", "b"]].values[:, 1] * 2,
    "text": lambda self, X: X[["t"]].to_numpy()[:, 0] == "a",
    "dates": lambda self, X: (X["w"].values - np.datetime64("2020-01-01")) / np.timedelta64(1, "D"),
    "days": lambda self, X: (X["w"].values - np.datetime64("2020-01-01")).astype("timedelta64[D]").astype(int),
    "day": lambda self, X: X["w"].values.astype("datetime64[D]"),
    "back": lambda self, X: X.assign(e=np.log1p(X["c"].values.clip(0)))[["e"]],
}


@pytest.mark.parametrize("name", list(OF_FRAMES))
def test_an_array_of_a_frame_gives_what_numpy_gives(name: str) -> None:
    check(OF_FRAMES[name], NUMBERS, EDGES, bounded=name == "back")


def narrow_power(self: Any, X: Any) -> Any:
    return X[:, 0].astype(np.float32) * 2


def cut_text(self: Any, X: Any) -> Any:
    words = np.where(X[:, 0] > 0, "yes", "no")
    words[X[:, 1] > 0] = "perhaps"
    return words


def cut_numbers(self: Any, X: Any) -> Any:
    whole = np.zeros(len(X), dtype=int)
    whole[X[:, 0] > 0] = 0.5
    return whole


def row_loop(self: Any, X: Any) -> Any:
    return [row[0] for row in X]


REFUSED = {
    "a row": (lambda self, X: X[0], "rows of an array taken by 0", "X[:, 0]"),
    "some rows": (lambda self, X: X[1:], "rows of an array taken by slice(1", "condition"),
    "a loop": (row_loop, "a loop over an array's rows", "X[:, 0]"),
    "mean of all": (lambda self, X: X - X.mean(), "over rows", "axis=1"),
    "mean of columns": (lambda self, X: X - X.mean(axis=0), "over rows", "fit"),
    "float32": (narrow_power, "float32", "astype(float)"),
    "text that is cut": (cut_text, "3 characters", "astype(object)"),
    "numbers that are cut": (cut_numbers, "array of integers", "astype(float)"),
    "a column and several": (lambda self, X: X * X[:, 0], "one and of two dimensions", "[:, None]"),
    "fitted rows": (lambda self, X: X[:, 0] * np.arange(20.0), "matched with its rows", "each column"),
    "sort": (lambda self, X: X.sort(axis=0), "`sort` of a array", "fit"),
    "tolist": (lambda self, X: X.tolist(), "`tolist`", "columns"),
    "squeeze": (lambda self, X: X[:, [0]].squeeze(), "without axis=1", "ravel()"),
    "ravel of several": (lambda self, X: X.ravel(), "each row would give several", "X[:, 0]"),
    "reshape to one row": (lambda self, X: X[:, 0].reshape(1, -1), "to 1 rows", "reshape(-1, 1)"),
    "an unknown method": (lambda self, X: X.byteswap(), "`byteswap`", "plan"),
    "the number of rows": (lambda self, X: X / len(X), "number of rows", "leave it out"),
    "a branch": (lambda self, X: X if X[:, 0] > 0 else -X, "a branch", "np.where"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_depends_on_the_batch_is_refused_with_a_remedy(name: str) -> None:
    transform, found, remedy = REFUSED[name]
    message = refusal(transform, ARRAY, fit=fit)
    assert found in message
    assert remedy in message
    assert "test_arrays.py, line" in message


def test_writing_into_a_frames_memory_is_refused() -> None:
    def transform(self: Any, X: Any) -> Any:
        values = X[["a", "b"]].values
        values[:, 0] = 0
        return values

    assert ".copy()" in refusal(transform, NUMBERS)


def test_a_view_for_some_numbers_of_rows_is_not_written() -> None:
    def transform(self: Any, X: Any) -> Any:
        column = X[:, 0].ravel()  # a view of one row, a copy of several
        column += 1
        return X

    assert ".copy()" in refusal(transform, ARRAY)


def test_a_wrong_plan_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of these tests fails where the plan is another formula than the step's."""
    step = own_step(lambda self, X: X[:, 0] + 1)
    trace = record_step(step, ARRAY)
    monkeypatch.setattr("tracing.record_step", lambda *args: trace)
    with pytest.raises(AssertionError, match="the plan gives"):
        check(lambda self, X: X[:, 0] + 2, ARRAY)
