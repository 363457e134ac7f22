"""The nearest of stored centres, as KMeans finds it: the first of the smallest `centre**2 - 2 * row . centre`.

Rows as far from one centre as from another are common: whole numbers, one-hot columns. The library then decides by the
rounding of its sums, in which each product is fused with the addition. Fused sums cost many operations, so most rows
are decided by plain sums, and only those are summed again in which another centre is within the rounding error:

    plain sums     5.0   2.0   7.5    more than the error apart: the second centre
                   5.0   2.0   2.0    within the error: fused sums decide
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.fused import fused_multiply_add
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import MATRIX, NUMBERS
from pipeline_lib.compiled.operations.svm_kernels import by_pieces, long_axis_last, products


def _fused_products(centres: Any, vector: Any) -> Any:
    total = np.zeros((centres.shape[1], vector.shape[1]))
    for stored, numbers in zip(centres, vector, strict=True):
        total = fused_multiply_add(stored[:, None], numbers, total)
    return total


def _rounding(centres: Any, squares: Any, vector: Any) -> Any:
    """A bound of the rounding of each sum, whatever its order, for each centre and row."""
    sizes = 2.0 * products(np.abs(centres), np.abs(vector)) + np.abs(squares)[:, None]
    return (len(centres) + 3) * 2 * HALF_ULP * sizes


def _bind_nearest_centre(settings: Settings) -> Any:
    centres = np.ascontiguousarray(np.asarray(settings["centres"], dtype=np.float64).T)
    squares = np.asarray(settings["squares"], dtype=np.float64)
    plain = long_axis_last(products)
    rounding = 8 * (len(centres) + 3) * HALF_ULP  # of two sums each of two centres, and to be safe
    longest, largest = np.abs(centres).sum(axis=0).max(), np.abs(squares).max()

    def nearest(stored: Any, vector: Any) -> Any:
        far = squares[:, None] - 2.0 * plain(stored, vector)
        best = np.argmin(far, axis=0)
        near = far <= far.min(axis=0) + rounding * (2 * longest * np.abs(vector).max(axis=0) + largest)
        unsure = np.flatnonzero(near.sum(axis=0) > 1)
        if len(unsure):
            fused = squares[:, None] - 2.0 * _fused_products(stored, np.ascontiguousarray(vector[:, unsure]))
            best[unsure] = np.argmin(fused, axis=0)
        return best[None]

    return lambda vector: by_pieces(nearest, centres, vector)[0]


def _nearest_centre_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Infinite where another centre may be the nearest."""
    centres = np.asarray(settings["centres"], dtype=np.float64).T
    squares = np.asarray(settings["squares"], dtype=np.float64)
    far = squares[:, None] - 2.0 * products(centres, inputs[0])
    bound = _rounding(centres, squares, inputs[0])
    bound = bound + 2.0 * products(np.abs(centres), np.broadcast_to(bounds[0], inputs[0].shape))
    own = np.take_along_axis(far + bound, result[None], axis=0)
    others = np.arange(len(far))[:, None] != result
    return np.where((others & (far - bound <= own)).any(axis=0), np.inf, 0.0)


operation(
    "nearest_centre",
    ("vector",),
    "int64",
    doc="The index of the nearest of `centres`, whose squared lengths are `squares`; the first of equal ones.",
    parameters=("vector",),
    settings={"centres": MATRIX, "squares": NUMBERS},
    column=_bind_nearest_centre,
    error_bound=_nearest_centre_error_bound,
)
