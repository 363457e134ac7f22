"""The local outlier factor: how much less dense a row's surroundings are than those of its nearest stored points.

Source: sklearn/neighbors/_lof.py.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import NUMBERS

_LEAST = 1e-10  # what scikit-learn adds to a mean distance, against division by 0


def _parts(settings: Settings, vector: Any) -> tuple[Any, Any]:
    """For each rank the distance, at least that of the point's own farthest neighbour, and the point's density."""
    reaches, densities = (np.asarray(settings[name], dtype=np.float64) for name in ("reaches", "densities"))
    count = len(vector) // 2
    chosen = vector[count:].astype(np.int64)
    return np.maximum(vector[:count], reaches[chosen]), densities[chosen]


def _sum(terms: Any) -> Any:
    total = np.zeros(terms.shape[1])
    for term in terms:
        total += term
    return total


def _bind(settings: Settings) -> Any:
    def factor(vector: Any) -> Any:
        reach, density = _parts(settings, vector)
        own = 1.0 / (_sum(reach) / len(reach) + _LEAST)
        return _sum(density / own) / len(density)

    return factor


def _error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """The mean distance moves by the mean of its bounds; infinite where an index is unsure."""
    reach, _ = _parts(settings, inputs[0])
    count = len(reach)
    bound = np.broadcast_to(bounds[0], inputs[0].shape)
    mean = _sum(reach) / count + _LEAST
    return np.abs(result) * (_sum(bound[:count]) / count / mean + (4 * count + 8) * HALF_ULP) + bound[count]


operation(
    "outlier_factor",
    ("vector",),
    "float64",
    doc="The local outlier factor, from what `nearest` returned; `reaches` and `densities` are those of the points.",
    parameters=("nearest",),
    settings={"reaches": NUMBERS, "densities": NUMBERS},
    column=_bind,
    error_bound=_error_bound,
)
