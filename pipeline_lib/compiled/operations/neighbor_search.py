"""The search for the stored points that are nearest to a row, or within a distance of it.

Distances between all points and all rows are most of the work. Where a metric sums squares, a matrix product first
bounds each of them from below and above; only the few points that may be among the nearest get their distance in the
fixed order of `distances`:

    x*x - 2*x*y + y*y, by BLAS       within `slack` of the square, in whatever order BLAS adds
    the count-th smallest + slack    no nearer point lies above: the points below are candidates
    candidates                       distances in order, ranked by them, then by index

So the product only saves work: which points are found, and their distances, are the same without it. Where it is exact
(`stored_points`), the candidates' distances are taken from it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import HALF_ULP
from pipeline_lib.compiled.operations.distance_spread import spread
from pipeline_lib.compiled.operations.distances import COUNTS, SQUARED, Metric, at
from pipeline_lib.compiled.operations.neighbor_ties import TreeOrder, on_heap
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.stored_points import Products, Rough, are_exact, stored_points

_CACHED = 1 << 16  # numbers of a working array: half a megabyte, which a core's cache holds
_PRODUCTS = 1 << 19  # numbers of a matrix product: four megabytes
_FEWEST_COLUMNS = 6  # with fewer, distances in order are as fast as a product
_FEWEST_POINTS = 64
_FEW = 8  # neighbours that are found one after the other
_FEW_PAIRS = 100
_ON_GRID = ("euclidean", "sqeuclidean", "manhattan", "chebyshev")


@dataclass(frozen=True)
class Found:
    """Pairs of rows and points: `reduced` distances of the points `chosen`, ordered by row, then by distance or index.

    Row r has the pairs from `starts[r]` up to `starts[r + 1]`.
    """

    rows: Any
    chosen: Any
    reduced: Any
    starts: Any

    @classmethod
    def of(cls, rows: Any, chosen: Any, reduced: Any, count: int) -> "Found":
        """The pairs of `count` rows; `rows` are sorted."""
        return cls(rows, chosen, reduced, np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]))

    def nearest_first(self) -> "Found":
        """The same pairs, each row's ordered by distance, then by index."""
        order = np.lexsort((self.reduced, self.rows))  # stable: pairs are ordered by index before
        return Found(self.rows, self.chosen[order], self.reduced[order], self.starts)


class Search:
    """Stored points with their metric and their rule for ties, prepared for rows."""

    def __init__(self, settings: Settings, *, products: bool = True) -> None:
        self.stored = stored_points(settings["points"])
        self.points = self.stored.columns
        self.metric = Metric.of(settings)
        self.count = int(settings.get("count", 1))
        self._ties = settings.get("ties", "index")
        self._order = TreeOrder(settings, self.metric) if self._ties == "tree" else None
        columns, points = self.points.shape
        wide = columns >= _FEWEST_COLUMNS and points >= max(_FEWEST_POINTS, 8 * self.count)
        self._products: Products | None = None
        if products and wide and self.metric.name in SQUARED:
            weights = self.metric.column_weights
            self._products = self.stored.products if weights is None else Products(self.stored, weights)
        on_grid = self.metric.name in _ON_GRID and self.metric.column_weights is None
        self._grid = self.stored.grid if on_grid else 0.0
        self.piece = max(1, (_PRODUCTS if self._products else _CACHED) // max(points, 1))

    def pieces(self, rows: int) -> list[slice]:
        """Slices of so many rows that their distances stay in cache."""
        return [slice(start, start + self.piece) for start in range(0, rows, self.piece)] or [slice(0, 0)]

    def exact_rows(self, vector: Any) -> Any:
        """The rows whose distances from all points no order of operations rounds before the last root."""
        if self.metric.name in COUNTS or self.metric.name == "hamming":
            return np.ones(vector.shape[1], dtype=bool)
        return are_exact(vector, self._grid, (vector * vector).sum(axis=0), self.stored.sizes)

    @property
    def settles_ties(self) -> bool:
        """Whether ties are decided as scikit-learn decides them for any batch, count of threads and CPU."""
        return self._order is not None or (self._ties == "heap" and self.count == 1)

    def nearest(self, vector: Any) -> Any:
        """Reduced distances of the `count` nearest points, nearest first, then the points' indices (2 x count, rows).

        `vector` is one piece of rows (numbers x rows).
        """
        rough = self._rough(vector)
        if self.count <= _FEW and rough.exact.all():
            result, tied = _ranked(rough.reduced(), self.count)
        else:
            result, tied = self._of_candidates(vector, rough)
        if len(tied) and self._ties != "index" and (self.count > 1 or self._order is not None):
            exact = rough.exact[tied].all()
            values = rough.reduced(tied) if exact else self.all(vector[:, tied])
            result[:, tied] = self._decided(vector[:, tied], values, result[self.count - 1, tied])
        return result

    def _of_candidates(self, vector: Any, rough: Rough) -> tuple[Any, Any]:
        """The nearest points, and the rows in which a point outside is as near as one inside."""
        count = self.count
        smallest = np.partition(rough.values, count - 1, axis=1)[:, count - 1]
        found = self._measured(vector, rough, *rough.near(smallest + rough.slack)).nearest_first()
        first = found.starts[:-1]
        places = first + np.arange(count)[:, None]
        result = np.concatenate([found.reduced[places], found.chosen[places]])
        following = np.minimum(first + count, len(found.reduced) - 1)
        farthest = result[count - 1]
        more = (np.diff(found.starts) > count) & (found.reduced[following] == farthest) & np.isfinite(farthest)
        return result, np.flatnonzero(more)

    def within(self, vector: Any, limit: Any) -> Found:
        """The points whose reduced distance is at most a limit for each row, by index; `vector` is one piece."""
        rough = self._rough(vector)
        room = limit - rough.shift + 4 * HALF_ULP * (np.abs(limit) + rough.shift)
        found = self._measured(vector, rough, *rough.near(room))
        inside = found.reduced <= limit[found.rows]
        return Found.of(found.rows[inside], found.chosen[inside], found.reduced[inside], vector.shape[1])

    def all(self, vector: Any) -> Any:
        """The reduced distances of all points from each row (rows x points)."""
        if self.points.shape[1] < vector.shape[1]:  # NumPy is fast along the last axis
            pairs = [(stored[:, None], numbers) for stored, numbers in zip(self.points, vector, strict=True)]
            return np.ascontiguousarray(self.metric.reduced(pairs).T)
        pairs = [(stored, numbers[:, None]) for stored, numbers in zip(self.points, vector, strict=True)]
        return self.metric.reduced(pairs)

    def _rough(self, vector: Any) -> Rough:
        if self._products is not None:
            return self._products.rough(vector)
        none = np.zeros(vector.shape[1])
        return Rough(self.all(vector), none, none, np.ones(vector.shape[1], dtype=bool))

    def _measured(self, vector: Any, rough: Rough, rows: Any, chosen: Any) -> Found:
        """The pairs with their distances: of exact rows as they are, of others computed in order."""
        if rough.exact[rows].all():
            reduced = rough.values[rows, chosen] + rough.shift[rows]
        else:
            reduced = self.measured(vector, rows, chosen)
        return Found.of(rows, chosen, reduced, vector.shape[1])

    def measured(self, vector: Any, rows: Any, chosen: Any) -> Any:
        """The reduced distances of some pairs, in order."""
        if self.metric.name not in SQUARED:
            return self.metric.reduced(at(self.points, vector, chosen, rows))
        size = max(1, _PRODUCTS // max(len(vector), 1))
        starts = range(0, len(rows), size)
        parts = [self._squares(vector, rows[at : at + size], chosen[at : at + size]) for at in starts]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _squares(self, vector: Any, rows: Any, chosen: Any) -> Any:
        """As `Metric.reduced`, with one look-up for all columns."""
        apart = self.points[:, chosen] - vector[:, rows]
        apart *= apart
        if self.metric.column_weights is not None:
            apart /= self.metric.column_weights[:, None]
        if len(rows) < _FEW_PAIRS:
            total = np.add.accumulate(apart, axis=0)[-1]  # one after the other
        else:
            total = np.zeros(len(rows))
            for term in apart:
                total += term
        return np.where(total != total, np.inf, total)

    def spread(self, vector: Any, found: Found, *, expanded: bool) -> Any:
        """How far a library's reduced distances of the pairs may be from ours; 0 where neither rounds."""
        if self.metric.name in COUNTS or self.metric.name == "hamming":
            return np.zeros(len(found.rows))
        if expanded and self.metric.name in SQUARED:
            sizes = self.stored.sizes[found.chosen] + (vector * vector).sum(axis=0)[found.rows]
            apart = 4 * (len(vector) + 4) * HALF_ULP * sizes
        else:
            pairs = at(self.points, vector, found.chosen, found.rows)
            apart = spread(self.metric, pairs, found.reduced, expanded=expanded)
        return np.where(self.exact_rows(vector)[found.rows], 0.0, apart)

    def _decided(self, vector: Any, values: Any, farthest: Any) -> Any:
        """As `nearest`, for rows in which points at the same distance, the `farthest`, are inside and outside.

        The first `count` points that are as near stay on the heap, unless a nearer one comes after them.
        """
        count = self.count
        rows, chosen = np.nonzero(values <= farthest[:, None])
        turns = self._order.turns(vector) if self._order is not None else None
        arrival = chosen if turns is None else self._order.arrival(turns, rows, chosen)  # type: ignore[union-attr]
        order = np.lexsort((arrival, rows))
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(farthest)))])[:-1]
        kept = chosen[order][starts[:, None] + np.arange(count)]
        nearer = values < farthest[:, None]
        late = nearer.sum(axis=1) > np.take_along_axis(nearer, kept, axis=1).sum(axis=1)
        for row in np.flatnonzero(late):
            sequence = None if turns is None else self._order.sequence(turns[:, row])  # type: ignore[union-attr]
            arriving = values[row] if sequence is None else values[row][sequence]
            places = on_heap(arriving, count)
            kept[row] = places if sequence is None else sequence[places]
        kept.sort(axis=1)
        distances = np.take_along_axis(values, kept, axis=1)
        rank = np.argsort(distances, axis=1, kind="stable")
        return np.concatenate([np.take_along_axis(distances, rank, axis=1).T, np.take_along_axis(kept, rank, axis=1).T])


def _ranked(values: Any, count: int) -> tuple[Any, Any]:
    """The `count` smallest of each row's values and their places, the first of equal ones, and the rows with a tie."""
    rows = np.arange(len(values))
    result = np.empty((2 * count, len(values)))
    for rank in range(count):
        places = values.argmin(axis=1)
        result[rank], result[count + rank] = values[rows, places], places
        values[rows, places] = np.inf
    for row in np.flatnonzero(~np.isfinite(result[count - 1])):  # the first of those that are left, not one again
        near = int(np.isfinite(result[:count, row]).sum())
        taken = result[count : count + near, row]
        result[count + near :, row] = np.setdiff1d(np.arange(values.shape[1]), taken)[: count - near]
    if count == values.shape[1]:
        return result, rows[:0]
    return result, np.flatnonzero((values.min(axis=1) == result[count - 1]) & np.isfinite(result[count - 1]))
