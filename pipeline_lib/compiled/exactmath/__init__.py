"""Elementary functions with the same bits on every CPU, BLAS and Python.

`VECTOR["log"](array)` and `SCALAR["log"](x)` give the same bits for every double, since both are the same
sequence of exactly rounded IEEE operations (`+ - * /`, sqrt, scaling by powers of two, comparisons) and look-ups.
Special values are C99's; every NaN is the one positive quiet NaN; nothing raises or warns.

`ULPS` is how far a result may be from the true value, a little above the largest distance of a million arguments.
Subnormal results of exp, ndtr, pow and sigmoid are rounded twice, which takes these from 0.55 to 0.75.
"""

from collections.abc import Callable
from typing import Any

from pipeline_lib.compiled.exactmath import scalar, vector

VECTOR: dict[str, Callable[..., Any]] = {name: getattr(vector, name) for name in vector.__all__}
SCALAR: dict[str, Callable[..., float]] = {name: getattr(scalar, name) for name in scalar.__all__}

ULPS = dict.fromkeys(VECTOR, 0.55) | {"erf": 0.62, "ndtri": 0.62, "sqrt": 0.5}
ULPS |= dict.fromkeys(("exp", "ndtr", "pow", "sigmoid"), 0.76)

__all__ = ["SCALAR", "ULPS", "VECTOR", "scalar", "vector"]
