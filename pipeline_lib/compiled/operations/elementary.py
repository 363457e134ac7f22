"""Elementary functions, from `exactmath`."""

from pipeline_lib.compiled.operations.registry import OPERATIONS, formula
from pipeline_lib.compiled.portable_math.functions import SCALAR, VECTOR

# NumPy's and SciPy's own are a few ULPs off, by CPU.
_ULPS = 4.0
_TWO = frozenset({"pow", "arctan2"})

for _name in sorted(VECTOR):
    if _name not in OPERATIONS:
        formula(
            _name,
            ("float64",) * (2 if _name in _TWO else 1),
            "float64",
            VECTOR[_name],
            SCALAR[_name],
            rounding=_ULPS,
        )
