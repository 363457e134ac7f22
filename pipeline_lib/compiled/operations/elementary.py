"""Elementary functions as operations: those of `portable_math`, but sqrt, which is in `arithmetic`."""

from pipeline_lib.compiled.operations.registry import formula
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

_REFERENCE_ULPS = 4.0
"""How far NumPy's and SciPy's own functions, which differ by CPU, may be from ours."""

_DOCS = {
    "arccos": "The arc cosine in radians; NaN outside [-1, 1].",
    "arcsin": "The arc sine in radians; NaN outside [-1, 1].",
    "arctan": "The arc tangent in radians.",
    "arctan2": "The angle of the point (x, y) in radians, from -pi to pi.",
    "cbrt": "The cube root.",
    "cos": "The cosine of an angle in radians.",
    "erf": "The error function.",
    "exp": "e to the power of the number.",
    "expm1": "`exp(value) - 1`, accurate near 0.",
    "log": "The natural logarithm; -inf at 0, NaN below.",
    "log10": "The logarithm to base 10; -inf at 0, NaN below.",
    "log1p": "`log(1 + value)`, accurate near 0.",
    "log2": "The logarithm to base 2; -inf at 0, NaN below.",
    "ndtr": "The standard normal distribution function, as scipy.special.ndtr.",
    "ndtri": "The standard normal quantile function, as scipy.special.ndtri.",
    "pow": "`base` to the power of `exponent`; special values as in C99.",
    "sigmoid": "`1 / (1 + exp(-value))`.",
    "sin": "The sine of an angle in radians.",
    "tan": "The tangent of an angle in radians.",
    "tanh": "The hyperbolic tangent.",
}
_PARAMETERS = {"arctan2": ("y", "x"), "pow": ("base", "exponent")}

for _name, _doc in _DOCS.items():
    _function = FUNCTIONS[_name]
    formula(
        _name,
        ("float64",) * _function.arguments,
        "float64",
        _function.vector,
        _function.scalar,
        _doc,
        parameters=_PARAMETERS.get(_name, ()),
        rounding=_REFERENCE_ULPS,
    )
