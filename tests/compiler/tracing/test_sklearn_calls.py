"""Checks that steps call: scikit-learn's check_array, validate_data and check_is_fitted, and those of pipeline_lib."""

from typing import Any

import numpy as np
import pytest
from sklearn.utils import check_random_state
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import (
    _num_samples,
    assert_all_finite,
    check_array,
    check_is_fitted,
    column_or_1d,
    validate_data,
)
from trace_frames import ARRAY, ARRAY_EDGES, EDGES, NUMBERS
from tracing import check, refusal

from pipeline_lib.authoring import check_columns, check_dtypes

pytestmark = pytest.mark.filterwarnings(
    "ignore::RuntimeWarning", "ignore:X has feature names", "ignore:X does not have"
)
WHOLE = NUMBERS[["a", "b", "c"]].fillna(1.0)
GAPS = NUMBERS[["a", "b", "c"]]
ROWS = EDGES[["a", "b", "c"]]


def fit(self: Any, X: Any) -> None:
    self.n_features_in_ = X.shape[1]
    self.mean_ = np.nanmean(np.asarray(X, dtype=float), axis=0)


def checked(self: Any, X: Any) -> Any:
    check_is_fitted(self)
    X = check_array(X)
    return X - self.mean_


def own_copy(self: Any, X: Any) -> Any:
    X = check_array(X, copy=True, dtype=np.float64, ensure_all_finite="allow-nan")
    X[:, 0] = X[:, 0] + 1
    X[np.isnan(X)] = 0
    return X


def validated(self: Any, X: Any) -> Any:
    check_is_fitted(self, "mean_")
    X = validate_data(self, X, reset=False, dtype="numeric")
    return np.c_[X, X[:, 0] / (1 + X[:, 2] ** 2)]


def asserted(self: Any, X: Any) -> Any:
    assert_all_finite(X)
    return X.copy()


CHECKS = {
    "check_array": checked,
    "missing numbers allowed": lambda self, X: check_array(X, ensure_all_finite="allow-nan"),
    "anything allowed": lambda self, X: check_array(X, ensure_all_finite=False) * 2,
    "a copy": own_copy,
    "floats": lambda self, X: check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=False),
    "integers": lambda self, X: check_array(X[["a"]]),
    "validate_data": validated,
    "only names": lambda self, X: validate_data(self, X, reset=False, skip_check_array=True)[["b"]],
    "assert_all_finite": asserted,
    "column_or_1d": lambda self, X: column_or_1d(X[["b"]]),
    "_num_samples": lambda self, X: np.zeros(_num_samples(X)),
    "safe_sparse_dot": lambda self, X: safe_sparse_dot(X.to_numpy(), np.array([1.0, 2.0, 0.5])),
}


@pytest.mark.parametrize("name", list(CHECKS))
def test_a_check_of_a_frame_refuses_the_rows_that_the_library_refuses(name: str) -> None:
    data = GAPS if name in ("missing numbers allowed", "anything allowed", "a copy", "floats") else WHOLE
    check(CHECKS[name], data, ROWS, fit=fit, bounded=name == "safe_sparse_dot")


@pytest.mark.parametrize("name", ["check_array", "missing numbers allowed", "a copy", "validate_data"])
def test_a_check_of_an_array_refuses_the_rows_that_the_library_refuses(name: str) -> None:
    check(CHECKS[name], np.nan_to_num(ARRAY), ARRAY_EDGES, fit=fit)


def test_an_array_that_is_checked_without_a_copy_is_the_same_memory() -> None:
    def transform(self: Any, X: Any) -> Any:
        X = X.copy()
        same = check_array(X, ensure_all_finite=False)
        same[:, 0] = 5
        return X

    check(transform, ARRAY, ARRAY_EDGES)


def test_checks_of_pipeline_lib_run_while_own_code_is_recorded() -> None:
    def transform(self: Any, X: Any) -> Any:
        check_columns(self, X, ["a", "b"])
        check_dtypes(self, X, ["t"], text=True)
        return X[["a"]] * 2

    check(transform, NUMBERS, EDGES)
    message = refusal(lambda self, X: check_columns(self, X, ["z"]), NUMBERS)
    assert "expected also 'z'" in message


REFUSED = {
    "random draws": (lambda self, X: X * check_random_state(0).normal(), "random draw", "in `fit`"),
    "a fit inside": (lambda self, X: validate_data(self, X), "without reset=False", "reset=False)"),
    "text as numbers": (lambda self, X: check_array(X[["t"]]), "check_array", "correct"),
    "float32": (
        lambda self, X: check_array(X[["b"]], dtype=np.float32, ensure_all_finite=False) * 2,
        "float32",
        "float",
    ),
    "samples": (lambda self, X: check_array(X[["c"]], ensure_min_samples=2), "ensure_min_samples", "leave it out"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_has_no_exact_plan_is_refused_with_a_remedy(name: str) -> None:
    transform, found, remedy = REFUSED[name]
    message = refusal(transform, NUMBERS)
    assert found in message
    assert remedy in message
    assert "test_sklearn_calls.py, line" in message
