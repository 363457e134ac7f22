"""Weighted sums of sparse vectors, with the same bits for one row and for many.

A row's terms are added at ascending indices, from 0.0 on, so the sum depends on nothing but the row. `bincount` adds
a column's terms in the order in which they are stored, which is that order:

    indptr    0         2     3           row 0 has two numbers, row 1 has one
    indices   1    4    0
    values    2.0  3.0  5.0
    dot       row 0: (0.0 + w[1] * 2.0) + w[4] * 3.0    row 1: 0.0 + w[0] * 5.0

`bag_affine` does the same for each output. A matrix product by BLAS would add in an order that depends on the shape
and the CPU.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import MATRIX, NUMBER, NUMBERS, or_none
from pipeline_lib.compiled.operations.sparse import SparseColumn, sparse_error_bounds


def _bind_dot(settings: Settings) -> Any:
    weights, start = np.asarray(settings["weights"], dtype=np.float64), settings.get("start")

    def dot(column: Any) -> Any:
        sparse = SparseColumn.of(column)
        total = sparse.sums(sparse.values * weights[sparse.indices])
        return total if start is None else total + float(start)

    return dot


def _dot_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    sparse = SparseColumn.of(inputs[0])
    weights = np.abs(np.asarray(settings["weights"], dtype=np.float64))[sparse.indices]
    terms = sparse.sums(weights * np.abs(sparse.values)) + abs(settings.get("start") or 0.0)
    moved = sparse.sums(weights * sparse_error_bounds(bounds[0], inputs[0]))
    return moved + (np.diff(sparse.indptr) + 2) * HALF_ULP * terms


operation(
    "bag_dot",
    ("bag",),
    "float64",
    doc="The sum of a sparse vector's numbers times `weights`, one per index, plus `start`.",
    parameters=("vector",),
    settings={"weights": NUMBERS, "start": or_none(NUMBER)},
    column=_bind_dot,
    error_bound=_dot_error_bound,
)


def _bind_affine(settings: Settings) -> Any:
    matrix, offset = np.ascontiguousarray(settings["matrix"], dtype=np.float64), settings["offset"]

    def affine(column: Any) -> Any:
        sparse = SparseColumn.of(column)
        total = np.array([sparse.sums(weights[sparse.indices] * sparse.values) for weights in matrix])
        total = total.reshape(len(matrix), len(sparse))
        return total if offset is None else total + np.asarray(offset, dtype=np.float64)[:, None]

    return affine


def _affine_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    sparse = SparseColumn.of(inputs[0])
    sizes = _bind_affine({"matrix": np.abs(settings["matrix"]), "offset": None})
    terms = sizes(sparse.holding(np.abs(sparse.values)))
    if settings["offset"] is not None:
        terms = terms + np.abs(settings["offset"])[:, None]
    moved = sizes(sparse.holding(sparse_error_bounds(bounds[0], inputs[0])))
    return moved + (np.diff(sparse.indptr) + 2) * HALF_ULP * terms


operation(
    "bag_affine",
    ("bag",),
    "vector",
    doc="`matrix` (outputs x indices) times a sparse vector, plus `offset`, as a dense vector.",
    parameters=("vector",),
    settings={"matrix": MATRIX, "offset": or_none(NUMBERS)},
    column=_bind_affine,
    error_bound=_affine_error_bound,
    width=lambda settings, widths: len(settings["matrix"]),
)
