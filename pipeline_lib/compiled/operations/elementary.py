"""Elementary functions as operations: those of `portable_math`."""

from pipeline_lib.compiled.operations.registry import OPERATIONS, formula
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

# NumPy's and SciPy's own are up to so many ULPs off, by CPU.
_ULPS = 4.0

for _function in FUNCTIONS.values():
    if _function.name not in OPERATIONS:
        formula(
            _function.name,
            ("float64",) * _function.arguments,
            "float64",
            _function.vector,
            _function.scalar,
            rounding=_ULPS,
        )
