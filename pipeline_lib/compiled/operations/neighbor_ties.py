"""Which of several points at one distance are among the nearest: scikit-learn's own choice, where it has a rule.

scikit-learn puts the points one after the other on a heap that keeps the `count` nearest. A point replaces the farthest
one if it is nearer, never if it is as near. So the points on the heap depend on their order, and in this example of
count 2 the second of the equal ones has to go:

    distances in order      heap, its root first     points
    4.0, 4.0                4.0, 4.0                 1 and 0
    1.0                     the root is replaced     2 and 0

The order is that of the training rows for a search without a tree. A k-d tree or ball tree is walked down to the
nearer child first, and the points of a leaf come in the tree's own order. Both depend on the row alone: not on the
batch, the thread or the CPU. Sources: sklearn/utils/_heap.pyx, sklearn/neighbors/_binary_tree.pxi.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.distances import Metric, between
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.setting_types import INTEGERS, MATRIX, NUMBERS, one_of, optional
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS
from pipeline_lib.errors import InputError

TIE_SETTINGS = {
    "ties": optional(one_of(("index", "heap", "tree"))),
    "tree_order": optional(INTEGERS),
    "tree_starts": optional(INTEGERS),
    "tree_low": optional(MATRIX),
    "tree_high": optional(MATRIX),
    "tree_centers": optional(MATRIX),
    "tree_radii": optional(NUMBERS),
}
"""`ties`: the first of equal points by index, or those on the heap, in the order of training rows or of a tree. A tree
is the points' order, where each leaf starts in it, and for each node its bounds or its center and radius."""
_GAPS = 1 << 16  # numbers of a working array
_FIRST = 64  # values that are looked at one by one; then twice as many, each time only those that are near enough

_pow = FUNCTIONS["pow"].vector


def on_heap(values: Any, count: int) -> list[int]:
    """The places of the values that a heap keeps, for values in the order of their arrival."""
    kept, places = [np.inf] * count, [0] * count
    start, stop = 0, max(_FIRST, 4 * count)
    while start < len(values):
        near = np.flatnonzero(values[start:stop] < kept[0]) + start
        for place, value in zip(near.tolist(), values[near].tolist(), strict=True):
            if value < kept[0]:
                _push_one(kept, places, value, place)
        start, stop = stop, 2 * stop
    return places


def _push_one(kept: list[float], places: list[int], value: float, place: int) -> None:
    at, size = 0, len(kept)
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and kept[child] < kept[child + 1]:
            child += 1
        if value >= kept[child]:
            break
        kept[at], places[at] = kept[child], places[child]
        at = child
    kept[at], places[at] = value, place


class TreeOrder:
    """The order in which a fitted tree's points reach the heap, for each row."""

    def __init__(self, settings: Settings, metric: Metric) -> None:
        order = np.asarray(settings["tree_order"], dtype=np.int64)
        starts = np.asarray(settings["tree_starts"], dtype=np.int64).tolist()
        self._leaves = [order[start:stop] for start, stop in pairwise(starts)]
        self._place = np.argsort(order)  # of each point in the tree's order
        self._leaf = np.searchsorted(starts[1:], self._place, side="right")
        self._metric = metric
        self._boxes = "tree_low" in settings
        names = ("tree_low", "tree_high") if self._boxes else ("tree_centers", "tree_radii")
        self._nodes = [np.asarray(settings[name], dtype=np.float64) for name in names]

    def turns(self, vector: Any) -> Any:
        """For each leaf the turn in which it is visited (leaves x rows)."""
        near = self._distances(vector)
        turn = np.zeros((1, vector.shape[1]), dtype=np.int64)
        first = 0  # the number of the level's first node; its children come after the level, in pairs
        while first + len(turn) < len(near):
            first += len(turn)
            level = near[first : first + 2 * len(turn)]
            right_first = level[::2] > level[1::2]
            below = np.empty((2 * len(turn), turn.shape[1]), dtype=np.int64)
            below[::2], below[1::2] = 2 * turn + right_first, 2 * turn + ~right_first
            turn = below
        return turn

    def arrival(self, turns: Any, rows: Any, chosen: Any) -> Any:
        """Numbers that order some pairs of a row and a point as the points come."""
        return turns[self._leaf[chosen], rows] * len(self._place) + self._place[chosen]

    def sequence(self, turns: Any) -> Any:
        """The points' indices in the order in which they come, for the turns of one row."""
        return np.concatenate([self._leaves[leaf] for leaf in np.argsort(turns)])

    def _distances(self, vector: Any) -> Any:
        """The reduced distance of each row from each node (nodes x rows), as the trees bound it from below."""
        metric, (first, second) = self._metric, self._nodes
        if not self._boxes:
            away = metric.finished(metric.reduced(between(np.ascontiguousarray(first.T), vector)))
            return metric.from_distance(np.maximum(0.0, away - second[:, None]))
        size = max(1, _GAPS // first.size)
        parts = [self._gaps(vector[:, at : at + size]) for at in range(0, vector.shape[1], size)]
        return np.concatenate(parts, axis=1)

    def _gaps(self, vector: Any) -> Any:
        """The reduced distances of few rows from each node's box."""
        low, high = self._nodes
        gaps = np.maximum(low[:, :, None] - vector, 0.0) + np.maximum(vector - high[:, :, None], 0.0)
        if self._metric.name == "chebyshev":
            return gaps.max(axis=1)
        if self._metric.name == "minkowski":
            gaps = _pow(gaps, np.full(gaps.shape, self._metric.p))
        elif self._metric.name != "manhattan":
            gaps *= gaps
        total = np.zeros((len(low), vector.shape[1]))
        for column in range(gaps.shape[1]):
            total += gaps[:, column]
        return total


def check_ties(settings: Settings) -> None:
    """Raise InputError for a tree whose parts do not fit together."""
    if settings.get("ties") != "tree":
        return
    points = len(settings["points"])
    order, starts = (np.asarray(settings.get(name, ()), dtype=np.int64) for name in ("tree_order", "tree_starts"))
    boxes = {"tree_low", "tree_high"} <= settings.keys()
    balls = {"tree_centers", "tree_radii"} <= settings.keys()
    nodes = len(settings["tree_low" if boxes else "tree_centers"]) if boxes or balls else 0
    leaves = len(starts) - 1
    if sorted(order.tolist()) != list(range(points)) or nodes != 2 * leaves - 1 or leaves & (leaves - 1):
        raise InputError(
            f"found a tree of {len(order)} points, {nodes} nodes and {leaves} leaves for {points} points, expected "
            "each point once, and the nodes of a full binary tree"
        )
