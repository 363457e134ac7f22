"""FunctionTransformer with a library's function: what has no plan is written as a function of one's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from estimators import X, Y
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.compile import compile_pipeline


def clipped(X: Any) -> Any:
    return np.clip(X, 0, 1)


def from_zero(X: Any, low: float = 0.0) -> Any:
    return X.clip(lower=low)


def back(y: Any) -> Any:
    return (np.exp(y) - np.exp(-y)) / 2


@pytest.mark.parametrize(
    ("function", "options", "message", "own"),
    [
        (np.nan_to_num, {}, "or a function of your own that calls it", lambda X: np.nan_to_num(X)),
        (np.clip, {"kw_args": {"a_min": 0, "a_max": 1}}, "or a function of your own that calls it", clipped),
        (np.log1p, {"kw_args": {"where": True}}, "kw_args=.*or a function of your own", lambda X: np.log1p(np.abs(X))),
    ],
    ids=["nan_to_num", "clip", "with options"],
)
def test_the_advice_of_the_message_works(function: Any, options: Any, message: str, own: Callable[[Any], Any]) -> None:
    rows = X.abs()
    fitted = make_pipeline(FunctionTransformer(function, **options), LinearRegression()).fit(rows, Y)
    with pytest.raises(NoPlanError, match=message):
        compile_pipeline(fitted, like=rows)
    fitted = make_pipeline(FunctionTransformer(own), LinearRegression()).fit(rows, Y)
    assert compile_pipeline(fitted, like=rows).predict(rows) == pytest.approx(fitted.predict(rows), rel=1e-9)


def test_own_functions_are_recorded_wherever_they_are() -> None:
    parts = make_column_transformer(
        (FunctionTransformer(clipped), ["a"]),
        (FunctionTransformer(from_zero, kw_args={"low": 0.5}), ["b"]),
        remainder="passthrough",
    )
    fitted = make_pipeline(parts, LinearRegression()).fit(X, Y)
    model = compile_pipeline(fitted, like=X)
    assert model.exact
    assert model.predict(X) == pytest.approx(fitted.predict(X), rel=1e-9)


def test_an_inverse_without_a_plan_is_written_as_a_function_of_ones_own() -> None:
    inner = LinearRegression()
    fitted = TransformedTargetRegressor(inner, func=np.arcsinh, inverse_func=np.sinh).fit(X, Y)
    with pytest.raises(NoPlanError, match=r"found inverse_func=<ufunc 'sinh'>.*or a function of your own"):
        compile_pipeline(fitted, like=X)
    own = TransformedTargetRegressor(inner, func=np.arcsinh, inverse_func=back).fit(X, Y)
    assert compile_pipeline(own, like=X).predict(X) == pytest.approx(fitted.predict(X), rel=1e-9)
