"""Embeddings of a row by its nearest stored points, which `nearest` finds.

`path_lengths`: the shortest way to each stored point, first to a neighbour, then along stored ways:

    row --- distance ---> neighbour === stored way ===> point        the smallest sum over the neighbours

`barycenter`: weights of the neighbours that sum to 1 and put the row in their middle as nearly as they can; the
result is the neighbours' stored places, weighted. Source: sklearn/manifold/_isomap.py, _locally_linear.py.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import MATRIX, NUMBER

_EPSILON = 2.0**-52


def _neighbors(nearest: Any) -> tuple[Any, Any]:
    count = len(nearest) // 2
    return nearest[:count], nearest[count:].astype(np.int64)


def _bind_paths(settings: Settings) -> Any:
    ways = np.asarray(settings["ways"], dtype=np.float64)

    def paths(nearest: Any) -> Any:
        shortest = np.full((ways.shape[1], nearest.shape[1]), np.inf)
        for distance, index in zip(*_neighbors(nearest), strict=True):
            np.minimum(shortest, ways[index].T + distance, out=shortest)
        return shortest

    return paths


def _unsure(nearest: Any, bounds: Any) -> Any:
    """Where another point may be among the neighbours."""
    return np.isinf(np.broadcast_to(bounds, nearest.shape)).any(axis=0)


def _paths_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    count = len(inputs[0]) // 2
    moved = np.broadcast_to(bounds[0], inputs[0].shape)[:count].max(axis=0)
    return np.where(_unsure(inputs[0], bounds[0]), np.inf, moved + _EPSILON * np.abs(result))


operation(
    "path_lengths",
    ("vector",),
    "vector",
    doc="The shortest way to each stored point over a neighbour, by stored `ways` (points x points).",
    parameters=("nearest",),
    settings={"ways": MATRIX},
    column=_bind_paths,
    error_bound=_paths_error_bound,
    width=lambda settings, widths: int(np.shape(settings["ways"])[1]),
)


def _products(points: Any, vector: Any, indices: Any, reg: float) -> list[list[Any]]:
    """The products of the neighbours' differences from the row, with a part of their trace on the diagonal."""
    apart = [points[index].T - vector for index in indices]
    products = [[_sum(one * other) for other in apart[: line + 1]] for line, one in enumerate(apart)]
    trace = _sum([line[-1] for line in products])
    added = np.where(trace > 0, reg * trace, reg)
    for line in products:
        line[-1] = line[-1] + added
    return products


def _sum(parts: Any) -> Any:
    total: Any = 0.0
    for part in parts:
        total = total + part
    return total


def _solve_for_ones(products: list[list[Any]]) -> list[Any]:
    """The solution for a right side of ones, by a Cholesky root."""
    root: list[list[Any]] = []
    forward: list[Any] = []
    for line, values in enumerate(products):
        own: list[Any] = []
        for column in range(line):
            below = values[column] - _sum([own[k] * root[column][k] for k in range(column)])
            own.append(below / root[column][column])
        own.append(np.sqrt(values[line] - _sum([part * part for part in own])))
        root.append(own)
        forward.append((1.0 - _sum([own[k] * forward[k] for k in range(line)])) / own[line])
    weights: list[Any] = list(forward)
    for line in reversed(range(len(root))):
        later = _sum([root[k][line] * weights[k] for k in range(line + 1, len(root))])
        weights[line] = (forward[line] - later) / root[line][line]
    return weights


def _weights(settings: Settings, nearest: Any, vector: Any) -> tuple[Any, Any]:
    _, indices = _neighbors(nearest)
    points, reg = np.asarray(settings["points"], dtype=np.float64), float(settings["reg"])
    weights = _solve_for_ones(_products(points, vector, indices, reg))
    total = _sum(weights)
    return indices, [weight / total for weight in weights]


def _bind_barycenter(settings: Settings) -> Any:
    places = np.asarray(settings["places"], dtype=np.float64)

    def barycenter(nearest: Any, vector: Any) -> Any:
        indices, weights = _weights(settings, nearest, vector)
        return _sum([places[index].T * weight for index, weight in zip(indices, weights, strict=True)])

    return barycenter


def _barycenter_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """The part of the trace on the diagonal bounds the condition of the system by its inverse."""
    indices, weights = _weights(settings, *inputs)
    places = np.abs(np.asarray(settings["places"], dtype=np.float64))
    sizes = _sum([np.abs(weight) for weight in weights])
    largest = np.max([places[index].T for index in indices], axis=0)
    condition = 64 * len(weights) * (len(weights) + 1.0 / float(settings["reg"]))
    moved = np.broadcast_to(bounds[1], inputs[1].shape).sum(axis=0) > 0
    unsure = _unsure(inputs[0], bounds[0]) | moved
    return np.where(unsure, np.inf, condition * _EPSILON * sizes * sizes * largest)


operation(
    "barycenter",
    ("vector", "vector"),
    "vector",
    doc="The stored `places` of the nearest `points`, weighted so that the points have the vector in their middle.",
    parameters=("nearest", "vector"),
    settings={"points": MATRIX, "places": MATRIX, "reg": NUMBER},
    column=_bind_barycenter,
    error_bound=_barycenter_error_bound,
    width=lambda settings, widths: int(np.shape(settings["places"])[1]),
)
