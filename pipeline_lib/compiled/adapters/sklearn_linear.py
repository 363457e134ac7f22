"""Linear models of scikit-learn, and a regressor on a transformed target."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.adapters.registry import NoPlanError, Outputs, estimator, finite_inputs, predict
from pipeline_lib.compiled.plan import Builder, Value


@estimator(
    "sklearn.linear_model._coordinate_descent.Lasso",
    options="alpha fit_intercept precompute copy_X max_iter tol warm_start positive random_state selection",
)
def regressor(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Weights times inputs, left to right, plus the intercept."""
    values = finite_inputs(step, values, build)
    weights = np.atleast_2d(step.coef_)
    starts = np.broadcast_to(np.ravel(step.intercept_), (len(weights),))
    return Outputs([build.dot(values, row, float(start)) for row, start in zip(weights, starts, strict=True)])


_INVERSES = {"exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sqrt": "sqrt"}


@estimator(
    "sklearn.compose._target.TransformedTargetRegressor",
    options="regressor transformer func inverse_func check_inverse",
)
def transformed_target(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The inner regressor's predictions through a NumPy function back to the target's unit."""
    inner = predict(step.regressor_, values, build)
    name = getattr(step.inverse_func, "__name__", None)
    if step.transformer is not None or name not in _INVERSES or getattr(np, str(name), None) is not step.inverse_func:
        raise NoPlanError(
            f"TransformedTargetRegressor: found inverse_func={step.inverse_func!r}, expected one of "
            f"np.{', np.'.join(_INVERSES)}; compile with allow_opaque=True"
        )
    return Outputs([build.apply(_INVERSES[name], value) for value in inner.prediction])
