"""TransformedTargetRegressor, with the inverses of the transformers that it may use."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.outputs import expit
from pipeline_lib.compiler.adapters.registry import (
    NoPlanError,
    Outputs,
    estimator,
    option_error,
    predict,
    qualified_name,
)
from pipeline_lib.compiler.builder import Builder, Value

_UNARY = {name: name for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "tanh", "negative")}
_BOUNDS = 1e-7  # sklearn.preprocessing._data.BOUNDS_THRESHOLD
_SPACING = 2.0**-52  # np.spacing(1.0)
Inverse = Callable[[Any, list[Value], Builder], list[Value]]


@estimator(
    "sklearn.compose._target.TransformedTargetRegressor",
    options="regressor transformer func inverse_func check_inverse",
)
def transformed_target(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The inner regressor's predictions through the inverse transformation, in the target's unit."""
    inner = list(predict(step.regressor_, values, build).prediction)
    return Outputs(inverse(step.transformer_, inner, build))


def inverse(step: Any, values: list[Value], build: Builder) -> list[Value]:
    """The input columns of a transformer, from its output columns (`inverse_transform`)."""
    kind = qualified_name(type(step))
    if kind not in _INVERSES:
        raise NoPlanError(
            f"{type(step).__name__}: found a target transformer without an inverse plan, expected one of "
            f"{', '.join(sorted(name.rsplit('.', 1)[1] for name in _INVERSES))}"
        )
    return _INVERSES[kind](step, values, build)


def _function(step: Any, values: list[Value], build: Builder) -> list[Value]:
    """A NumPy function of each number, which must be finite where the transformer validates; or own code."""
    if build.traces is not None and build.traces.takes(step, "inverse_transform"):
        return build.traces.inverse(step, values, build)  # type: ignore[no-any-return]
    if step.inv_kw_args:
        raise option_error(step, "inv_kw_args", "none")
    if step.validate:
        values = [build.finite(value, "prediction", "TransformedTargetRegressor") for value in values]
    function = step.inverse_func
    if function is None:
        return values
    name = getattr(function, "__name__", "")
    known = getattr(np, name, None) is function or (name == "expit" and isinstance(function, np.ufunc))
    if known and name == "square":
        return [value * value for value in values]
    if known and name == "reciprocal":
        return [1.0 / build.number(value) for value in values]
    if known and name == "exp2":
        return [build.pow(2.0, value) for value in values]
    if known and name == "expit":
        return [expit(build, build.number(value)) for value in values]
    if not known or name not in _UNARY:
        raise option_error(
            step, "inverse_func", f"np.{', np.'.join(_UNARY)}, square, reciprocal, exp2, or a function of your own"
        )
    return [build.apply(_UNARY[name], build.number(value)) for value in values]


def _standard(step: Any, values: list[Value], build: Builder) -> list[Value]:
    return _unscaled(values, step.scale_ if step.with_std else None, step.mean_ if step.with_mean else None)


def _robust(step: Any, values: list[Value], build: Builder) -> list[Value]:
    scale, centre = step.scale_ if step.with_scaling else None, step.center_ if step.with_centering else None
    return _unscaled(values, scale, centre)


def _unscaled(values: list[Value], scale: Any, centre: Any) -> list[Value]:
    """The values times the scale, plus the centre, either of them optional."""
    if scale is not None:
        values = [value * float(factor) for value, factor in zip(values, scale, strict=True)]
    return values if centre is None else [value + float(c) for value, c in zip(values, centre, strict=True)]


def _min_max(step: Any, values: list[Value], build: Builder) -> list[Value]:
    parts = zip(values, step.scale_, step.min_, strict=True)
    return [(value - float(least)) / float(scale) for value, scale, least in parts]


def _max_abs(step: Any, values: list[Value], build: Builder) -> list[Value]:
    return [value * float(scale) for value, scale in zip(values, step.scale_, strict=True)]


def _pipeline(step: Any, values: list[Value], build: Builder) -> list[Value]:
    for _, inner in reversed(step.steps):
        if inner is not None and not (isinstance(inner, str) and inner == "passthrough"):
            values = inverse(inner, values, build)
    return values


def _power(step: Any, values: list[Value], build: Builder) -> list[Value]:
    if step.standardize:
        values = _standard(step._scaler, values, build)
    undo = _box_cox if step.method == "box-cox" else _yeo_johnson
    return [undo(build.number(value), float(power), build) for value, power in zip(values, step.lambdas_, strict=True)]


def _box_cox(value: Value, power: float, build: Builder) -> Value:
    """`scipy.special.inv_boxcox`: exp(log1p(lambda * x) / lambda)."""
    if power == 0:
        return build.exp(value)
    return build.exp(build.log1p(value * power) / power)


def _yeo_johnson(value: Value, power: float, build: Builder) -> Value:
    """`PowerTransformer._yeo_johnson_inverse_transform`."""
    above = build.exp(value) - 1.0 if abs(power) < _SPACING else build.pow(value * power + 1.0, 1 / power) - 1.0
    if abs(power - 2) > _SPACING:
        below = 1.0 - build.pow(value * -(2 - power) + 1.0, 1 / (2 - power))
    else:
        below = 1.0 - build.exp(-value)
    return build.where(value >= 0.0, above, below)


def _quantile(step: Any, values: list[Value], build: Builder) -> list[Value]:
    """`QuantileTransformer._transform_col` with inverse=True."""
    heights, results = np.asarray(step.references_, dtype=np.float64), []
    for index, value in enumerate(values):
        points = np.asarray(step.quantiles_[:, index], dtype=np.float64)
        normal = step.output_distribution == "normal"
        share = build.ndtr(build.number(value)) if normal else build.number(value)
        height = build.interpolate(share, x=heights, y=points)
        low = share - _BOUNDS < 0.0 if normal else share.equals(0.0)
        high = share + _BOUNDS > 1.0 if normal else share.equals(1.0)
        results.append(build.where(low, float(points[0]), build.where(high, float(points[-1]), height)))
    return results


_DATA = "sklearn.preprocessing._data."
_INVERSES: dict[str, Inverse] = {
    "sklearn.preprocessing._function_transformer.FunctionTransformer": _function,
    "sklearn.pipeline.Pipeline": _pipeline,
    f"{_DATA}StandardScaler": _standard,
    f"{_DATA}RobustScaler": _robust,
    f"{_DATA}MinMaxScaler": _min_max,
    f"{_DATA}MaxAbsScaler": _max_abs,
    f"{_DATA}PowerTransformer": _power,
    f"{_DATA}QuantileTransformer": _quantile,
}
