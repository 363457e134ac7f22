"""feature-engine: Log, LogCp, Reciprocal, Power, Arcsin, ArcSinh, BoxCox and YeoJohnson transformers.

Each refuses missing and infinite numbers, as feature-engine does, and arguments outside of its function's domain.
The formulas of Box-Cox and Yeo-Johnson serve scikit-learn's PowerTransformer, too.
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

from pipeline_lib.compiler.adapters.inputs import check_condition
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value

_LN2 = 0.6931471805599453
_GREATEST_EXP = 709.78  # scipy/special/_boxcox.pxd: from here on expm1 could overflow
_GREATEST_LOG = 744.45  # above the magnitude of the logarithm of any double: log(5e-324) = -744.44


def _numbers(step: Any, columns: Columns, build: Builder) -> dict[str, Value]:
    """The variables as float64, refused where they are missing or infinite."""
    where = type(step).__name__
    return {name: build.finite(columns[name], name, where) for name in map(str, step.variables_)}


@transformer("feature_engine.transformation.log.LogTransformer", options="base variables")
def logarithm(step: Any, columns: Columns, build: Builder) -> Columns:
    """The natural or decimal logarithm of a positive number."""
    columns = dict(use_fitted_names(step, columns))
    for name, number in _numbers(step, columns, build).items():
        number = check_condition(number, number > 0.0, name, step, "a number above 0")
        columns[name] = build.apply(_log(step.base), number)
    return columns


@transformer("feature_engine.transformation.log.LogCpTransformer", options="base variables C")
def logarithm_of_sum(step: Any, columns: Columns, build: Builder) -> Columns:
    """The logarithm of a number plus its variable's constant."""
    columns = dict(use_fitted_names(step, columns))
    constants = step.C_
    if isinstance(constants, Mapping):
        constants = {str(name): float(constant) for name, constant in constants.items()}
    else:
        constants = dict.fromkeys(map(str, step.variables_), float(constants))
    for name, number in _numbers(step, columns, build).items():
        total = number + constants[name]
        number = check_condition(number, total > 0.0, name, step, f"a number above {-constants[name]!r}")
        columns[name] = build.apply(_log(step.base), number + constants[name])
    return columns


def _log(base: str) -> str:
    return "log" if base == "e" else "log10"


@transformer("feature_engine.transformation.reciprocal.ReciprocalTransformer", options="variables")
def reciprocal(step: Any, columns: Columns, build: Builder) -> Columns:
    """One divided by a number that is not 0."""
    columns = dict(use_fitted_names(step, columns))
    for name, number in _numbers(step, columns, build).items():
        columns[name] = 1.0 / check_condition(number, ~number.equals(0.0), name, step, "a number other than 0")
    return columns


@transformer("feature_engine.transformation.power.PowerTransformer", options="exp variables")
def power(step: Any, columns: Columns, build: Builder) -> Columns:
    """A number raised to `exp`; the exponents 2, 1, 0.5 and -1 have the bits of the short cuts in NumPy's `power`."""
    columns = dict(use_fitted_names(step, columns))
    exponent = float(step.exp)
    for name, number in _numbers(step, columns, build).items():
        if exponent == 2.0:
            columns[name] = number * number
        elif exponent == 1.0:
            columns[name] = number
        elif exponent == 0.5:
            columns[name] = build.sqrt(number)
        elif exponent == -1.0:
            columns[name] = 1.0 / number
        else:
            columns[name] = build.pow(number, exponent)
    return columns


@transformer("feature_engine.transformation.arcsin.ArcsinTransformer", options="variables")
def arcsine(step: Any, columns: Columns, build: Builder) -> Columns:
    """The arc sine of the square root of a number from 0 to 1."""
    columns = dict(use_fitted_names(step, columns))
    integers = [name for name in map(str, step.variables_) if columns[name].dtype != "float64"]
    if integers:
        raise NoPlanError(
            f"ArcsinTransformer: found {columns[integers[0]].dtype} column {integers[0]!r}, expected float, as pandas "
            "refuses to put the results into a column of integers; cast it in `load`"
        )
    for name, number in _numbers(step, columns, build).items():
        number = check_condition(number, (number >= 0.0) & (number <= 1.0), name, step, "a number from 0 to 1")
        columns[name] = build.arcsin(build.sqrt(number))
    return columns


@transformer("feature_engine.transformation.arcsinh.ArcSinhTransformer", options="variables loc scale")
def arc_hyperbolic_sine(step: Any, columns: Columns, build: Builder) -> Columns:
    """The inverse hyperbolic sine of `(x - loc) / scale`."""
    columns = dict(use_fitted_names(step, columns))
    for name, number in _numbers(step, columns, build).items():
        columns[name] = arcsinh_value((number - step.loc) / step.scale, build)
    return columns


def arcsinh_value(x: Value, build: Builder) -> Value:
    """The sign of x times `log1p(a + a² / (1 + sqrt(1 + a²)))` of a = |x|; `log(2 a)` where a² would overflow."""
    size = abs(x)
    small = build.log1p(size + size * (size / (1.0 + build.sqrt(1.0 + size * size))))
    result = build.where(size > 1e150, build.log(size) + _LN2, small)
    return build.where(x > 0.0, result, build.where(x < 0.0, -result, x))


@transformer("feature_engine.transformation.boxcox.BoxCoxTransformer", options="variables")
def box_cox(step: Any, columns: Columns, build: Builder) -> Columns:
    """SciPy's Box-Cox with the fitted lambdas."""
    columns = dict(use_fitted_names(step, columns))
    lambdas = {str(name): float(power) for name, power in step.lambda_dict_.items()}
    for name, number in _numbers(step, columns, build).items():
        number = check_condition(number, number > 0.0, name, step, "a number above 0")
        columns[name] = box_cox_value(number, lambdas[name], build)
    return columns


def box_cox_value(x: Value, power: float, build: Builder) -> Value:
    """`expm1(l * log(x)) / l` for x > 0; `log(x)` for l near 0; another formula where expm1 would overflow.

    Source: scipy/special/_boxcox.pxd, `boxcox`.
    """
    logarithm = build.log(x)
    if abs(power) < 1e-19:
        return logarithm
    exponent = power * logarithm
    if abs(power) * _GREATEST_LOG < _GREATEST_EXP:
        return build.expm1(exponent) / power
    fits = exponent < _GREATEST_EXP
    usual = build.expm1(build.where(fits, exponent, 0.0)) / power
    lowered = build.where(fits, 0.0, exponent - build.log(abs(power)))
    return build.where(fits, usual, math.copysign(1.0, power) * build.exp(lowered) - 1.0 / power)


@transformer("feature_engine.transformation.yeojohnson.YeoJohnsonTransformer", options="variables")
def yeo_johnson(step: Any, columns: Columns, build: Builder) -> Columns:
    """SciPy's Yeo-Johnson with the fitted lambdas."""
    columns = dict(use_fitted_names(step, columns))
    lambdas = {str(name): float(power) for name, power in step.lambda_dict_.items()}
    for name, number in _numbers(step, columns, build).items():
        columns[name] = yeo_johnson_value(number, lambdas[name], build)
    return columns


def yeo_johnson_value(x: Value, power: float, build: Builder) -> Value:
    """`expm1(l * log1p(x)) / l` for x >= 0, `-expm1((2 - l) * log1p(-x)) / (2 - l)` below.

    Source: scipy.stats._morestats._yeojohnson_transform, with its limits at l = 0 and 2. One chain of operations
    serves both signs of x, which differ in l and in the sign of the result.
    """
    above = x >= 0.0
    grown = build.log1p(build.where(above, x, -x))
    eps = sys.float_info.epsilon
    lower = 2 - power
    if abs(power) < eps or not abs(power - 2) > eps:
        first = grown if abs(power) < eps else build.expm1(grown * power) / power
        second = build.expm1(grown * lower) / lower if abs(power - 2) > eps else grown
        return build.where(above, first, -second)
    exponent = build.where(above, power, lower)
    size = build.expm1(grown * exponent) / exponent
    return build.where(above, size, -size)
