"""Elementary functions with the same bits on every CPU, BLAS and Python: one table of all of them.

    >>> FUNCTIONS["log"].scalar(0.0), FUNCTIONS["log"].vector([1.0, 0.0])
    (-inf, array([  0., -inf]))

The vector and the scalar form give the same bits for every double, since both are the same sequence of exactly
rounded IEEE operations (`+ - * /`, sqrt, scaling by powers of two, comparisons) and look-ups. Special values are
those of C99; every NaN is the one positive quiet NaN; nothing raises or warns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline_lib.compiled.portable_math import (
    exponentials,
    gaussian,
    inverse_trigonometry,
    logarithms,
    powers,
    trigonometry,
)


@dataclass(frozen=True)
class ElementaryFunction:
    """One function: `vector` takes float64 arrays of any shape and returns a new one, `scalar` takes floats.

    `ulps` is how far a result may be from the true value, in units in the last place.
    """

    name: str
    vector: Callable[..., Any]
    scalar: Callable[..., float]
    ulps: float
    arguments: int = 1


# Each a little above the largest error of a million arguments, as measured by tests/compiled/test_portable_math.py.
_USUAL, _NDTRI, _CORRECTLY_ROUNDED = 0.55, 0.62, 0.5
_TWICE_ROUNDED = 0.76  # subnormal results, and log1p near 2**-53

_TABLE = (
    ElementaryFunction("arccos", inverse_trigonometry.arccos_vector, inverse_trigonometry.arccos_scalar, _USUAL),
    ElementaryFunction("arcsin", inverse_trigonometry.arcsin_vector, inverse_trigonometry.arcsin_scalar, _USUAL),
    ElementaryFunction("arctan", inverse_trigonometry.arctan_vector, inverse_trigonometry.arctan_scalar, _USUAL),
    ElementaryFunction("arctan2", inverse_trigonometry.arctan2_vector, inverse_trigonometry.arctan2_scalar, _USUAL, 2),
    ElementaryFunction("cbrt", powers.cbrt_vector, powers.cbrt_scalar, _USUAL),
    ElementaryFunction("cos", trigonometry.cos_vector, trigonometry.cos_scalar, _USUAL),
    ElementaryFunction("erf", gaussian.erf_vector, gaussian.erf_scalar, _TWICE_ROUNDED),
    ElementaryFunction("exp", exponentials.exp_vector, exponentials.exp_scalar, _TWICE_ROUNDED),
    ElementaryFunction("expm1", exponentials.expm1_vector, exponentials.expm1_scalar, _USUAL),
    ElementaryFunction("log", logarithms.log_vector, logarithms.log_scalar, _USUAL),
    ElementaryFunction("log10", logarithms.log10_vector, logarithms.log10_scalar, _USUAL),
    ElementaryFunction("log1p", logarithms.log1p_vector, logarithms.log1p_scalar, _TWICE_ROUNDED),
    ElementaryFunction("log2", logarithms.log2_vector, logarithms.log2_scalar, _USUAL),
    ElementaryFunction("ndtr", gaussian.ndtr_vector, gaussian.ndtr_scalar, _TWICE_ROUNDED),
    ElementaryFunction("ndtri", gaussian.ndtri_vector, gaussian.ndtri_scalar, _NDTRI),
    ElementaryFunction("pow", powers.pow_vector, powers.pow_scalar, _TWICE_ROUNDED, 2),
    ElementaryFunction("sigmoid", exponentials.sigmoid_vector, exponentials.sigmoid_scalar, _TWICE_ROUNDED),
    ElementaryFunction("sin", trigonometry.sin_vector, trigonometry.sin_scalar, _USUAL),
    ElementaryFunction("sqrt", powers.sqrt_vector, powers.sqrt_scalar, _CORRECTLY_ROUNDED),
    ElementaryFunction("tan", trigonometry.tan_vector, trigonometry.tan_scalar, _USUAL),
    ElementaryFunction("tanh", exponentials.tanh_vector, exponentials.tanh_scalar, _USUAL),
)
FUNCTIONS = {function.name: function for function in _TABLE}
