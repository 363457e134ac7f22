"""Elementary functions with the same bits on every CPU, BLAS and Python.

`VECTOR["log"](array)` and `SCALAR["log"](x)` give the same bits for every double, since both are the same
sequence of exactly rounded IEEE operations (`+ - * /`, sqrt, scaling by powers of two, comparisons) and look-ups.
They are within 1 ULP of the true value. Special values are C99's; every NaN is the one positive quiet NaN.
"""

from collections.abc import Callable
from typing import Any

from pipeline_lib.compiled.exactmath import scalar, vector

VECTOR: dict[str, Callable[..., Any]] = {name: getattr(vector, name) for name in vector.__all__}
SCALAR: dict[str, Callable[..., float]] = {name: getattr(scalar, name) for name in scalar.__all__}

__all__ = ["SCALAR", "VECTOR", "scalar", "vector"]
