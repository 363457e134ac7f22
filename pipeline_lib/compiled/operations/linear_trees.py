"""Trees whose leaves hold a linear function: a constant plus some numbers of the row times coefficients.

LightGBM fits them with `linear_tree=True`. Where one of a leaf's numbers is missing, its value in `values` holds
instead. Leaf l has the numbers `leaf_columns[l]` (-1: no more) with `coefficients[l]`, added from left to right:

    x0 <= 0.5 ?  yes: 1.5 + 2.0 * x1 - 0.5 * x3      leaf_columns [[1, 3], [2, -1]]    constants [1.5, 0.1]
                 no:  0.1 + 4.0 * x2                 coefficients [[2.0, -0.5], [4.0, 0.0]]
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import OPERATIONS, Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER_MATRIX, MATRIX, NUMBERS
from pipeline_lib.compiled.operations.trees import error_bound_of_paths
from pipeline_lib.compiled.operations.trees_vectorized import leaf_indices


def _bind(settings: Settings) -> Callable[..., Any]:
    leaves_of = leaf_indices(settings)
    values = np.asarray(settings["values"], dtype=np.float64)[:, 0]
    constants = np.asarray(settings["constants"], dtype=np.float64)
    columns, coefficients = np.asarray(settings["leaf_columns"]), np.asarray(settings["coefficients"], dtype=np.float64)
    outputs, start, width = settings["outputs"], settings["start"], settings["width"]

    def evaluate(*inputs: Any) -> Any:
        numbers = np.array(np.broadcast_arrays(*map(np.atleast_1d, inputs)), dtype=np.float64)
        rows = np.arange(numbers.shape[1])
        totals = np.zeros((width, len(rows)))
        totals += np.asarray(start, dtype=np.float64)[:, None]
        for output, leaf in zip(outputs, leaves_of(list(numbers)), strict=True):
            total, missing = constants[leaf], np.zeros(len(rows), dtype=np.bool_)
            for column, coefficient in zip(columns.T, coefficients.T, strict=True):
                used = column[leaf] >= 0
                number = numbers[column[leaf], rows]
                missing |= used & np.isnan(number)
                total = np.where(used, total + number * coefficient[leaf], total)
            totals[output] += np.where(missing, values[leaf], total)
        return totals[0] if width == 1 else totals

    return evaluate


operation(
    "linear_trees",
    ("float64", "..."),
    lambda settings, dtypes: "float64" if settings["width"] == 1 else "vector",
    doc="The sum of decision trees whose leaves hold linear functions, in tree order.",
    parameters=("columns", "..."),
    settings={
        **OPERATIONS["trees"].settings,
        "constants": NUMBERS,
        "leaf_columns": INTEGER_MATRIX,
        "coefficients": MATRIX,
    },
    column=_bind,
    error_bound=error_bound_of_paths,
    width=lambda settings, widths: int(settings["width"]),
)
