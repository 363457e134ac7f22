"""The arrays of an ensemble of trees, and the types of the functions that evaluate its trees over columns."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings

Leaves = tuple[Any, NDArray[np.intp]]
"""One tree's result: leaf values (outputs x leaves, in any order), and each row's index among these."""
Evaluate = Callable[[Sequence[Any]], Iterator[Leaves]]
"""From the input columns to the leaves of each tree of a group, in tree order."""


class TreeArrays:
    """The settings as arrays, and each tree's nodes, level by level: parents before children.

    Of two siblings the right one comes first. `depths` are the trees' levels below the root, `below` is how many leaves
    there are below a node (1 at a leaf), `first` the number of the leftmost of them, counted from the left in its tree.
    """

    def __init__(self, settings: Settings) -> None:
        self.feature, self.left, self.right, self.category, self.roots = (
            np.asarray(settings[name], dtype=np.intp) for name in ("feature", "left", "right", "category", "roots")
        )
        self.threshold = np.asarray(settings["threshold"], dtype=np.float64)
        self.missing_left = np.asarray(settings["missing_left"], dtype=np.bool_)
        self.sets = np.asarray(settings["sets"], dtype=np.bool_)
        values = np.asarray(settings["values"], dtype=np.float32 if settings["single"] else np.float64)
        self.values = np.ascontiguousarray(values.T)
        self._levels = self._find_levels()
        self.nodes, self.depths = self._by_tree()
        self.below = self._leaves_below()
        self.leaves = self.below[self.roots].tolist()

    def _find_levels(self) -> list[NDArray[np.intp]]:
        """All trees' nodes, one array for each level."""
        levels = [self.roots]
        while True:
            inner = levels[-1][self.feature[levels[-1]] >= 0]
            if not len(inner):
                return levels
            levels.append(np.stack([self.right[inner], self.left[inner]], axis=1).ravel())

    def _by_tree(self) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
        tree = np.arange(len(self.roots))
        trees, depths = [tree], np.zeros(len(self.roots), dtype=np.intp)
        for depth, level in enumerate(self._levels[:-1], start=1):
            tree = np.repeat(tree[self.feature[level] >= 0], 2)
            trees.append(tree)
            depths[tree] = depth
        nodes, tree = np.concatenate(self._levels), np.concatenate(trees)
        ends = np.cumsum(np.bincount(tree, minlength=len(self.roots)))
        return np.split(nodes[np.argsort(tree, kind="stable")], ends[:-1]), depths

    def _leaves_below(self) -> NDArray[np.intp]:
        below = np.ones(len(self.feature), dtype=np.intp)
        for level in reversed(self._levels):
            inner = level[self.feature[level] >= 0]
            below[inner] = below[self.left[inner]] + below[self.right[inner]]
        return below

    @cached_property
    def first(self) -> NDArray[np.intp]:
        """The number of the leftmost leaf below each node."""
        first = np.zeros(len(self.feature), dtype=np.intp)
        for level in self._levels:
            inner = level[self.feature[level] >= 0]
            first[self.left[inner]] = first[inner]
            first[self.right[inner]] = first[inner] + self.below[self.left[inner]]
        return first

    def goes_left(self, node: int, column: Any) -> Any:
        """For a node that splits by category: whether each row goes left."""
        members = self.sets[self.category[node]]
        size = len(members) - 1
        member = np.where((column > -1.0) & (column < size), column, size).astype(np.intp)
        return np.where(np.isnan(column), self.missing_left[node], members[member])
