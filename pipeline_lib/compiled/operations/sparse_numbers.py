"""Some numbers of sparse vectors as a dense vector, where a number that is not stored has a value of its own.

To most libraries a number that a sparse matrix does not store is 0. To XGBoost it is missing, while a stored 0 is 0.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGERS, NUMBER
from pipeline_lib.compiled.operations.sparse import SparseColumn, sparse_error_bounds


def _dense(places: NDArray[np.int64], column: SparseColumn, numbers: Any, absent: float) -> NDArray[np.float64]:
    """The `numbers` at ascending indices, one per stored value (places x rows), else `absent`."""
    dense = np.full((len(places), len(column)), absent)
    if len(places):
        at = np.minimum(np.searchsorted(places, column.indices), len(places) - 1)
        taken = places[at] == column.indices
        dense[at[taken], column.rows()[taken]] = numbers[taken]
    return dense


def _bind(settings: Settings) -> Callable[[Any], NDArray[np.float64]]:
    places, absent = np.asarray(settings["places"], dtype=np.int64), float(settings["absent"])
    return lambda column: _dense(places, sparse := SparseColumn.of(column), sparse.values, absent)


def _error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    places, sparse = np.asarray(settings["places"], dtype=np.int64), SparseColumn.of(inputs[0])
    return _dense(places, sparse, sparse_error_bounds(bounds[0], inputs[0]), 0.0)


operation(
    "bag_numbers",
    ("bag",),
    "vector",
    doc="The numbers at some indices of a sparse vector, ascending; `absent` where none is stored.",
    parameters=("vector",),
    settings={"places": INTEGERS, "absent": NUMBER},
    column=_bind,
    error_bound=_error_bound,
    width=lambda settings, widths: len(settings["places"]),
)
