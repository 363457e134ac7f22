"""Elementary functions with the same bits on every CPU, BLAS and Python.

`VECTOR["log"](array)` and `SCALAR["log"](x)` give the same bits for every double, since both are the same
sequence of exactly rounded IEEE operations (`+ - * /`, sqrt, scaling by powers of two, comparisons) and look-ups.
Special values are C99's; every NaN is the one positive quiet NaN; nothing raises or warns.

`ULPS` is how far a result may be from the true value, a little above the largest distance of a million arguments.
Subnormal results of erf, exp, ndtr, pow and sigmoid are rounded twice, as is log1p near 2**-53: up to 0.75.
"""

from collections.abc import Callable
from typing import Any

from pipeline_lib.compiled.portable_math import scalar, vector

VECTOR: dict[str, Callable[..., Any]] = {name: getattr(vector, name) for name in vector.__all__}
SCALAR: dict[str, Callable[..., float]] = {name: getattr(scalar, name) for name in scalar.__all__}

ULPS = dict.fromkeys(VECTOR, 0.55) | {"ndtri": 0.62, "sqrt": 0.5}
ULPS |= dict.fromkeys(("erf", "exp", "log1p", "ndtr", "pow", "sigmoid"), 0.76)

__all__ = ["SCALAR", "ULPS", "VECTOR", "scalar", "vector"]
