"""Least squares with weights that are not negative, by coordinate descent as scikit-learn's NMF solves them.

Each sweep sets one weight after the other to the best one, given the others, and at least 0. All rows make the same
number of sweeps, so a row has the bits of many; once no weight of any row changes, no further sweep changes one.
Source: sklearn/decomposition/_cdnmf_fast.pyx.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, MATRIX


def _bind_descent(settings: Settings) -> Any:
    gram, sweeps = np.asarray(settings["gram"], dtype=np.float64), int(settings["sweeps"])

    def descend(products: Any) -> Any:
        weights = np.zeros(products.shape)
        for _ in range(sweeps):
            before = weights.copy()
            for index, row in enumerate(gram):
                if row[index] == 0:
                    continue
                gradient = -products[index]
                for other, value in zip(row, weights, strict=True):
                    gradient = gradient + other * value
                weights[index] = np.maximum(weights[index] - gradient / row[index], 0.0)
            if np.array_equal(before, weights):
                break
        return weights

    return descend


def _descent_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """Each sweep rounds; a movement of the products or weights moves the solution by the condition of the matrix."""
    gram = np.asarray(settings["gram"], dtype=np.float64)
    values = np.linalg.eigvalsh(gram)
    condition = np.sqrt(values[-1] / max(values[0], values[-1] * 1e-12))
    sizes = np.abs(inputs[0]) + np.abs(gram) @ np.abs(result)
    diagonal = np.where(np.diag(gram) == 0, np.inf, np.diag(gram))[:, None]
    moved = (np.broadcast_to(bounds[0], result.shape) + (len(gram) + 4) * HALF_ULP * sizes) / diagonal
    return np.broadcast_to(8.0 * int(settings["sweeps"]) * condition * moved.sum(axis=0), result.shape)


operation(
    "coordinate_descent",
    ("vector",),
    "vector",
    doc="Weights of at least 0 that minimise `w gram w / 2 - products w`, after `sweeps` of coordinate descent.",
    parameters=("products",),
    settings={"gram": MATRIX, "sweeps": INTEGER},
    column=_bind_descent,
    error_bound=_descent_error_bound,
    width=lambda settings, widths: int(widths[0]),
)
