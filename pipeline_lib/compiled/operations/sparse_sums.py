"""Weighted sums of sparse vectors: over a row's numbers at ascending places, beginning with 0.0."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.sparse import SparseColumn, sparse_error_bounds

_HALF_ULP = 2.0**-53


def _bind_dot(settings: Settings) -> Any:
    weights, start = np.asarray(settings["weights"], dtype=np.float64), settings.get("start")

    def dot(column: Any) -> Any:
        bag = SparseColumn.of(column)
        total = bag.sums(bag.values * weights[bag.indices])
        return total if start is None else total + float(start)

    return dot


def _dot_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    bag = SparseColumn.of(inputs[0])
    weights = np.abs(np.asarray(settings["weights"], dtype=np.float64))[bag.indices]
    terms = bag.sums(weights * np.abs(bag.values)) + abs(settings.get("start") or 0.0)
    return bag.sums(weights * sparse_error_bounds(bounds[0], inputs[0])) + (np.diff(bag.indptr) + 2) * _HALF_ULP * terms


# `weights` (one for each place) times a bag, then `start` where there is one.
operation("bag_dot", ("bag",), "float64", column=_bind_dot, error_bound=_dot_error_bound)


def _ranks(bag: SparseColumn) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """The rows that have a first value, and where it is; those that have a second; and so on."""
    lengths = np.diff(bag.indptr)
    for rank in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > rank)
        yield rows, bag.indptr[rows] + rank


def _bind_affine(settings: Settings) -> Any:
    columns = np.ascontiguousarray(np.asarray(settings["matrix"], dtype=np.float64).T)
    offset = settings["offset"]

    def affine(column: Any) -> Any:
        bag = SparseColumn.of(column)
        total = np.zeros((len(bag), columns.shape[1]))
        for rows, places in _ranks(bag):
            total[rows] += columns[bag.indices[places]] * bag.values[places][:, None]
        return total.T if offset is None else total.T + np.asarray(offset, dtype=np.float64)[:, None]

    return affine


def _affine_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    bag = SparseColumn.of(inputs[0])
    sizes = _bind_affine({"matrix": np.abs(settings["matrix"]), "offset": None})
    terms = sizes(bag.holding(np.abs(bag.values)))
    if settings["offset"] is not None:
        terms = terms + np.abs(settings["offset"])[:, None]
    return sizes(bag.holding(sparse_error_bounds(bounds[0], inputs[0]))) + (np.diff(bag.indptr) + 2) * _HALF_ULP * terms


# `matrix` (outputs x places) times a bag, then `offset` where there is one: a vector.
operation(
    "bag_affine",
    ("bag",),
    "vector",
    column=_bind_affine,
    error_bound=_affine_error_bound,
    width=lambda settings, widths: len(settings["matrix"]),
)
