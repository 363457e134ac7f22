"""SciPy's functions of single values: `scipy.special.expit`, `logit`, `boxcox`."""

import math

import scipy.special  # type: ignore[import-untyped]

from pipeline_lib.compiler.adapters.feature_engine.transformation import box_cox_value
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.arrays.elementwise import Formula
from pipeline_lib.compiler.tracing.arrays.numpy_functions import register
from pipeline_lib.compiler.tracing.frames.assignment import constant_of
from pipeline_lib.compiler.tracing.refusals import refuse

_SLACK = 4.0  # ULPs by which SciPy's own functions may be from ours


def _logit(build: Builder, x: Value) -> Value:
    """log(x / (1 - x)); SciPy's own formula is another one near 0.5."""
    x = build.number(x)
    value = build.log(x / (1.0 - x))
    return build.allow_ulps(value, _SLACK, abs(value) + 1.0)


def _ndtr(build: Builder, x: Value) -> Value:
    """The normal distribution function; far below 0 SciPy's rounds x² before exp, which costs x² / 2 ULPs."""
    x = build.number(x)
    value = build.ndtr(x)
    return build.allow_ulps(value, 2 * _SLACK, value * (1.0 + build.smaller(x * x, 1600.0)))


def _box_cox(build: Builder, x: Value, power: Value) -> Value:
    number = constant_of(build, power)
    if number is None:
        refuse("boxcox with a column as exponent", "the recorder has no rule for it", "learn it in `fit`")
    x = build.number(x)
    positive = box_cox_value(build.where(x > 0.0, x, 1.0), float(number), build)
    at_zero = -math.inf if number <= 0 else -1.0 / float(number)
    return build.where(x > 0.0, positive, build.where(x == 0.0, at_zero, math.nan))


def _box_cox_plus_one(build: Builder, x: Value, power: Value) -> Value:
    """`expm1(power * log1p(x)) / power`. Source: scipy/special/_boxcox.pxd."""
    number = constant_of(build, power)
    if number is None or abs(number) > 1:
        refuse("boxcox1p with this exponent", "the recorder has no rule for it", "learn one from -1 to 1 in `fit`")
    logarithm = build.log1p(build.number(x))
    return logarithm if abs(number) < 1e-19 else build.expm1(float(number) * logarithm) / float(number)


def _inverse_box_cox(build: Builder, x: Value, power: Value) -> Value:
    number = constant_of(build, power)
    if number is None:
        refuse("inv_boxcox with a column as exponent", "the recorder has no rule for it", "learn it in `fit`")
    x = build.number(x)
    return build.exp(x) if number == 0 else build.exp(build.log1p(float(number) * x) / float(number))


SPECIAL: dict[str, Formula] = {
    "expit": lambda build, x: build.sigmoid(build.number(x)),
    "logit": _logit,
    "erf": lambda build, x: build.erf(build.number(x)),
    "ndtr": _ndtr,
    "ndtri": lambda build, x: build.ndtri(build.number(x)),
    "boxcox": _box_cox,
    "boxcox1p": _box_cox_plus_one,
    "inv_boxcox": _inverse_box_cox,
    "exp10": lambda build, x: build.pow(build.value(10.0), build.number(x)),
}

for _name, _formula in SPECIAL.items():
    register(getattr(scipy.special, _name), _formula, f"scipy.special.{_name}", f"numpy.{_name}")
