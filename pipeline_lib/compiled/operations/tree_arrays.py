"""The arrays of an ensemble of trees, and the types of the functions that evaluate its trees over columns."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings

Leaves = tuple[Any, NDArray[np.intp]]
"""One tree's result: leaf values (outputs x leaves, in any order), and each row's index among these."""
Evaluate = Callable[[Sequence[Any]], Iterator[Leaves]]
"""From the input columns to the leaves of each tree of a group, in tree order."""


class TreeArrays:
    """The settings as arrays, and each tree's nodes, parents before children."""

    def __init__(self, settings: Settings) -> None:
        self.feature, self.left, self.right, self.category, self.roots = (
            np.asarray(settings[name], dtype=np.intp) for name in ("feature", "left", "right", "category", "roots")
        )
        self.threshold = np.asarray(settings["threshold"], dtype=np.float64)
        self.missing_left = np.asarray(settings["missing_left"], dtype=np.bool_)
        self.sets = np.asarray(settings["sets"], dtype=np.bool_)
        values = np.asarray(settings["values"], dtype=np.float32 if settings["single"] else np.float64)
        self.values = np.ascontiguousarray(values.T)
        self.nodes = [self._nodes_of(root) for root in self.roots.tolist()]
        self.leaves = [int((self.feature[nodes] < 0).sum()) for nodes in self.nodes]

    def _nodes_of(self, root: int) -> NDArray[np.intp]:
        levels, level = [], np.array([root], dtype=np.intp)
        while len(level):
            levels.append(level)
            inner = level[self.feature[level] >= 0]
            level = np.concatenate([self.left[inner], self.right[inner]])
        return np.concatenate(levels)

    def goes_left(self, node: int, column: Any) -> Any:
        """For a node that splits by category: whether each row goes left."""
        members = self.sets[self.category[node]]
        size = len(members) - 1
        member = np.where((column > -1.0) & (column < size), column, size).astype(np.intp)
        return np.where(np.isnan(column), self.missing_left[node], members[member])
