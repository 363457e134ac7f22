"""Stored points, and bounds on their distances from rows by a matrix product.

Each square is x*x - 2*x*y + y*y by BLAS, which is within `slack` of the square in whatever order BLAS adds. Where
points and rows are small integers, or such multiples of a power of two, it is exact. `neighbor_search` uses the bounds
to leave out points that cannot be among the nearest.
"""

import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.kept_results import kept_of

_EXACT = 2.0**50  # squares up to this size, in units of the grid, add without rounding
_SAMPLE = 8  # points that are looked at first
_FINEST = 2.0**10  # the finest grid that is looked for
_MOST_KEPT = 1 << 23  # numbers of kept products: 64 MiB, and at most as much for their rows
_TINY = 2.0**-1000  # more than what is lost below the smallest normal number


@dataclass(frozen=True)
class Rough:
    """Numbers (rows x points) that order a row's points up to `slack`; plus `shift` they are reduced distances.

    Rows that are `exact` have no slack.
    """

    values: Any
    shift: Any
    slack: Any
    exact: Any

    def reduced(self, rows: Any = slice(None)) -> Any:
        """The reduced distances of exact rows, as a new array."""
        return self.values[rows] + self.shift[rows, None]

    def near(self, limit: Any) -> tuple[Any, Any]:
        """Rows and points, in order, whose value may be at most a limit for each row."""
        above = (limit + self.slack)[:, None]
        rows, chosen = np.nonzero(~(self.values > above))  # a value that is NaN may be near
        return rows, chosen


class StoredPoints:
    """Stored points (numbers x points), and what is computed of them once."""

    def __init__(self, points: Any) -> None:
        self.columns = np.array(np.asarray(points, dtype=np.float64).T, order="C")

    @cached_property
    def sizes(self) -> Any:
        """The squared length of each point."""
        return (self.columns * self.columns).sum(axis=0)

    @cached_property
    def farthest(self) -> Any:
        """The largest magnitude in each column; missing numbers are left out."""
        return np.nan_to_num(np.abs(self.columns)).max(axis=1, initial=0.0)

    @cached_property
    def grid(self) -> float:
        """How many units a number 1 has, so that all points are integers; 0.0 where there is no such grid."""
        return _grid(self.columns)

    @cached_property
    def products(self) -> "Products":
        """Squared distances by a matrix product."""
        return Products(self)


_PREPARED: dict[int, tuple["weakref.ref[Any]", StoredPoints]] = {}


def stored_points(points: Any) -> StoredPoints:
    """The points of a setting, prepared once for all functions that search the same array."""
    if not isinstance(points, np.ndarray):
        return StoredPoints(points)
    key = id(points)
    known = _PREPARED.get(key)
    if known is None or known[0]() is not points:
        gone = weakref.ref(points, lambda _: _PREPARED.pop(key, None))
        known = _PREPARED[key] = (gone, StoredPoints(points))
    return known[1]


class Products:
    """Squared distances by a matrix product, with a bound on their rounding."""

    def __init__(self, stored: StoredPoints, weights: Any = None) -> None:
        points = stored.columns
        self._scale = None if weights is None else 1.0 / np.sqrt(weights)[:, None]
        self._grid = stored.grid if weights is None else 0.0
        self._center = 0.0 if self._grid else points.mean(axis=1)[:, None]
        self._points = self._placed(points)
        self._sizes = (self._points * self._points).sum(axis=0)
        self._largest = float(self._sizes.max(initial=0.0))
        self._rounding = 16 * (len(points) + 16) * HALF_ULP

    def _placed(self, numbers: Any) -> Any:
        """Numbers around the points' mean, which keeps what is subtracted small; on a grid as they are."""
        placed = numbers - self._center
        return np.ascontiguousarray(placed if self._scale is None else placed * self._scale)

    def rough(self, vector: Any) -> Rough:
        """Each square less the row's own: y*y - 2*x*y."""
        kept = kept_of("products")  # by their object and rows
        if kept is None or len(vector) > len(self._sizes):  # rows that are larger than their product are not kept
            return self._rough(vector)
        key = (id(self), vector.shape, vector.tobytes())
        if key not in kept:
            if sum(rough.values.size for _, rough in kept.values()) > _MOST_KEPT:
                kept.clear()
            kept[key] = (self, self._rough(vector))
        rough: Rough = kept[key][1]
        return rough

    def _rough(self, vector: Any) -> Rough:
        placed = self._placed(vector)
        own = (placed * placed).sum(axis=0)
        values = (-2.0 * placed.T) @ self._points  # its rounding is bounded by `slack`, in whatever order it adds
        values += self._sizes
        exact = are_exact(vector, self._grid, own, self._sizes)
        slack = np.where(exact, 0.0, self._rounding * (own + self._largest) + _TINY)
        return Rough(values, own, slack, exact)


def are_exact(vector: Any, grid: float, own: Any, sizes: Any) -> Any:
    """The rows whose products with all points, and their sums, are numbers of the grid without rounding."""
    if not grid:
        return np.zeros(len(own), dtype=bool)
    units = vector * grid
    small = (own + sizes.max(initial=0.0)) * grid * grid < _EXACT
    return (units == np.rint(units)).all(axis=0) & small


def _grid(points: Any) -> float:
    """The smallest power of two, from 1 on, that makes integers of all points; 0.0 where there is none."""
    units = 1.0
    while units <= _FINEST:
        if _are_whole(points[:, :_SAMPLE] * units) and _are_whole(points if units == 1.0 else points * units):
            return units
        units *= 4.0
    return 0.0


def _are_whole(numbers: Any) -> bool:
    return bool((numbers == np.rint(numbers)).all())
