"""How long the core takes for a row, roughly: it decides from how many rows on a second thread pays.

Only operations that read many stored numbers for each row count; a factor of two does not matter.
"""

from collections.abc import Iterable

from pipeline_lib.compiled.native.encoded import Encoded

_CELL = 0.1  # nanoseconds for a stored number that is multiplied, or compared, and added: measured with AVX2
_LEVEL = 4.0  # for a step down a tree whose nodes are not in the first two levels of the cache
_SCORED = 0.05  # for a test of a tree where many rows are scored at once
_DEPTHS, _STEPS = 4, 10  # arrays of trees, see native/trees.h


def nanoseconds_of_a_row(operations: Iterable[Encoded]) -> float:
    """The time of some operations of the core for one row of many."""
    return sum(_of_operation(encoded) for encoded in operations)


def _of_operation(encoded: Encoded) -> float:
    name = encoded.operation
    if name in ("trees", "trees_vector"):
        scored = _SCORED * encoded.arrays[_STEPS].size
        return scored or _LEVEL * float(encoded.arrays[_DEPTHS].sum())
    if name == "affine" or name.startswith(("kernel_", "distances_", "nearest_")):
        return _CELL * encoded.arrays[0].size
    return 0.0
