"""Large trees over columns: all rows walk down level by level.

Nodes are renumbered so that a left child is the number after its right sibling. One comparison then gives the next
node by addition, without a branch:

    node       0 (a <= 3)    1 right of 0    2 left of 0
    child      1             1               2
    next node = child[node] + (number[node] <= threshold[node])

A leaf is its own child and compares with NaN, which never holds, so a row that has arrived stays. Every fourth level
the rows that have arrived are taken out.

Each row has three kinds of numbers: its inputs; its inputs with -inf for NaN, for nodes where NaN goes left; and for
each node that splits by category -1 (left) or 1, compared with 0.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.tree_arrays import Evaluate, Leaves, TreeArrays

_ELEMENTS = 8192  # rows x trees that walk at once: their arrays stay in a core's cache


def walked_trees(trees: TreeArrays, group: list[int], *, indices: bool = False) -> Evaluate:
    """Evaluates large trees; with `indices` a leaf's value is its row of `values`."""
    walk = _Walk(trees, group)
    answers = walk.leaf[None, :] if indices else np.ascontiguousarray(trees.values[:, walk.leaf])

    def evaluate(columns: Sequence[Any]) -> Iterator[Leaves]:
        numbers = walk.numbers(columns)
        at_once = max(1, _ELEMENTS // max(len(columns[0]), 1))
        for start in range(0, len(group), at_once):
            for nodes in walk.leaves(numbers, slice(start, start + at_once)):
                yield answers, nodes

    return evaluate


class _Walk:
    """The trees of a group, renumbered so that a left child is the number after its right sibling.

    `child` is the right child, `number` the row of `numbers` that a node compares.
    """

    def __init__(self, trees: TreeArrays, group: list[int]) -> None:
        self.trees = trees
        nodes = np.concatenate([trees.nodes[tree] for tree in group])
        self.depths = trees.depths[group]
        self.roots = np.cumsum([0, *(len(trees.nodes[tree]) for tree in group)])[:-1]
        inner, by_set = trees.feature[nodes] >= 0, trees.category[nodes] >= 0
        renumbered = np.zeros(len(trees.feature), dtype=np.intp)
        renumbered[nodes] = np.arange(len(nodes))
        self.child = np.where(inner, renumbered[trees.right[nodes]], np.arange(len(nodes)))
        self.leaf = np.where(inner, -1, trees.left[nodes])
        self.threshold = np.where(inner, np.where(by_set, 0.0, trees.threshold[nodes]), np.nan)
        self.inputs = int(trees.feature[nodes].max(initial=0)) + 1
        self.set_nodes = nodes[by_set].tolist()
        self.number = np.where(inner, trees.feature[nodes] + self.inputs * trees.missing_left[nodes], 0)
        self.number[by_set] = 2 * self.inputs + np.arange(len(self.set_nodes))

    def numbers(self, columns: Sequence[Any]) -> NDArray[np.float64]:
        """All numbers that nodes compare (numbers x rows)."""
        inputs = self.inputs
        numbers = np.empty((2 * inputs + len(self.set_nodes), len(columns[0])))
        for index in range(inputs):
            numbers[index] = columns[index]
            numbers[inputs + index] = np.where(np.isnan(columns[index]), -np.inf, columns[index])
        for index, node in enumerate(self.set_nodes, start=2 * inputs):
            numbers[index] = np.where(self.trees.goes_left(node, columns[self.trees.feature[node]]), -1.0, 1.0)
        return numbers

    def leaves(self, numbers: NDArray[np.float64], some: slice) -> NDArray[np.intp]:
        """For some trees, each row's leaf as a node (trees x rows)."""
        roots, rows = self.roots[some], numbers.shape[1]
        flat, offset = numbers.ravel(), self.number * rows
        node, row = np.repeat(roots, rows), np.tile(np.arange(rows), len(roots))
        done, moving = node.copy(), np.arange(len(node))
        for level in range(int(self.depths[some].max()) + 1):
            if level % 4 == 0:
                going = self.leaf.take(node) < 0
                done[moving] = node
                node, row, moving = node[going], row[going], moving[going]
            below = flat.take(offset.take(node) + row) <= self.threshold.take(node)
            node = self.child.take(node) + below
        done[moving] = node
        return done.reshape(len(roots), rows)


def walked_row(settings: Settings) -> Callable[..., NDArray[np.intp]]:
    """The function that finds, for one row's numbers, each tree's leaf as its row of `values`."""
    trees = TreeArrays(settings)
    walk = _Walk(trees, list(range(len(trees.roots))))
    depth = int(walk.depths.max(initial=0))

    def find(*row: float) -> NDArray[np.intp]:
        numbers, node = walk.numbers([np.array([number]) for number in row]).ravel(), walk.roots
        for _ in range(depth):
            node = walk.child.take(node) + (numbers.take(walk.number.take(node)) <= walk.threshold.take(node))
        return walk.leaf.take(node)

    return find
