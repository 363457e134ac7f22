"""Variance-stabilising transformers of feature-engine."""

import sys
from typing import Any

from pipeline_lib.compiled.adapters.registry import Columns, by_fitted_names, transformer
from pipeline_lib.compiled.plan import Builder, Value


@transformer("feature_engine.transformation.log.LogTransformer", options="base variables")
def logarithm(step: Any, columns: Columns, build: Builder) -> Columns:
    """The natural or decimal logarithm."""
    columns = dict(by_fitted_names(step, columns))
    for name in map(str, step.variables_):
        columns[name] = build.apply("log" if step.base == "e" else "log10", build.number(columns[name]))
    return columns


@transformer("feature_engine.transformation.yeojohnson.YeoJohnsonTransformer", options="variables")
def yeo_johnson(step: Any, columns: Columns, build: Builder) -> Columns:
    """SciPy's Yeo-Johnson with the learned lambdas."""
    columns = dict(by_fitted_names(step, columns))
    for name, power in step.lambda_dict_.items():
        columns[str(name)] = yeo_johnson_value(build.number(columns[str(name)]), float(power), build)
    return columns


def yeo_johnson_value(x: Value, power: float, build: Builder) -> Value:
    """`expm1(l * log1p(x)) / l` for x >= 0, `-expm1((2 - l) * log1p(-x)) / (2 - l)` below.

    Source: scipy.stats._morestats._yeojohnson_transform, with its limits at l = 0 and 2. One chain serves both
    signs: which of them a row takes only changes l and the sign.
    """
    above = x >= 0.0
    grown = build.apply("log1p", build.where(above, x, -x))
    eps = sys.float_info.epsilon
    lower = 2 - power
    if abs(power) < eps or not abs(power - 2) > eps:
        first = grown if abs(power) < eps else build.apply("expm1", grown * power) / power
        second = build.apply("expm1", grown * lower) / lower if abs(power - 2) > eps else grown
        return build.where(above, first, -second)
    exponent = build.where(above, power, lower)
    size = build.apply("expm1", grown * exponent) / exponent
    return build.where(above, size, -size)
