"""The nodes of trees, numbered as the core walks them (`native/trees_walk.h`).

A tree of n leaves has 2 n slots. Its root is in slot 1; the children of the inner node with the number k are in slots
2 k + 2 (right) and 2 k + 3 (left). A leaf is its own child. Parents are numbered before children, and of two subtrees
the one with more leaves first: most rows fall into it, and its first nodes lie in the cache line of its parent's pair.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.tree_arrays import TreeArrays

NUMBER_RIGHT, NUMBER_LEFT, CATEGORY, ENDS = range(4)
"""Kinds of columns: numbers whose NaN goes right or left; categories; least or greatest keys, for leaves."""
_LINK_PAIR = 12


class TreeNodes:
    """All nodes tree by tree, level by level: arrays have an entry for each of `nodes`."""

    def __init__(self, trees: TreeArrays) -> None:
        self.trees = trees
        self.nodes = np.concatenate(trees.nodes)
        self.shared = bool(np.bincount(self.nodes).max() > 1)
        self.tree = np.repeat(np.arange(len(trees.nodes)), [len(nodes) for nodes in trees.nodes])
        self.inner = trees.feature[self.nodes] >= 0
        self.by_set = self.inner & (trees.category[self.nodes] >= 0)
        self.feature = np.where(self.inner, trees.feature[self.nodes], 0)
        self.missing_left = self.inner & trees.missing_left[self.nodes]
        self.thresholds = np.where(self.inner & ~self.by_set, trees.threshold[self.nodes], 0.0) + 0.0
        self.at = 2 * np.cumsum([0, *trees.leaves], dtype=np.int64)
        self.set_size = max(trees.sets.shape[1] - 1, 0) if trees.sets.ndim == 2 else 0
        self._name_columns()
        self._name_sets()

    def _name_columns(self) -> None:
        """Each different (input, kind) is a column: first of numbers, then two for leaves, then of categories."""
        low = np.where(self.missing_left, NUMBER_LEFT, NUMBER_RIGHT)
        code = 4 * self.feature + np.where(self.by_set, CATEGORY, low)
        used = np.flatnonzero(np.bincount(code[self.inner], minlength=1))
        numbers, categories = used[used % 4 != CATEGORY], used[used % 4 == CATEGORY]
        self.set_column = len(numbers) + 2
        self.columns = np.concatenate([numbers, [ENDS, ENDS], categories]).astype(np.int32)
        column_of = np.zeros(int(code.max()) + 1, dtype=np.intp)
        column_of[numbers] = np.arange(len(numbers))
        column_of[categories] = self.set_column + np.arange(len(categories))
        self.column = column_of[code]

    def _name_sets(self) -> None:
        """Each different (set, where NaN goes) has its bits; `members` has a row for each, with missing as last."""
        nodes = self.nodes[self.by_set]
        code = 2 * self.trees.category[nodes] + self.missing_left[self.by_set]
        known, self.set_of = np.unique(code, return_inverse=True)
        sets = self.trees.sets[known // 2] if len(known) else np.zeros((0, self.set_size + 1), dtype=np.bool_)
        self.members = np.concatenate([sets, (known % 2 == 1)[:, None]], axis=1)
        self.words = (self.set_size + 2 + 63) // 64
        padded = np.zeros((max(len(known), 1), 64 * self.words), dtype=np.bool_)
        padded[: len(known), : self.members.shape[1]] = self.members
        self.bits = np.packbits(padded, axis=1, bitorder="little").view(np.uint64).ravel()

    @cached_property
    def preorder(self) -> NDArray[np.intp]:
        """For each node of the trees' arrays, how many inner nodes of its tree come before it, left subtrees first."""
        return self._order(np.ones(len(self.trees.feature), dtype=np.bool_))

    @cached_property
    def number(self) -> NDArray[np.intp]:
        """The same with larger subtrees first."""
        below, inner = self.trees.below, self.nodes[self.inner]
        left_first = np.zeros(len(below), dtype=np.bool_)
        left_first[inner] = below[self.trees.left[inner]] >= below[self.trees.right[inner]]
        return self._order(left_first)

    def _order(self, left_first: NDArray[np.bool_]) -> NDArray[np.intp]:
        trees = self.trees
        order, level = np.zeros(len(trees.feature), dtype=np.intp), trees.roots
        while len(level):
            inner = level[trees.feature[level] >= 0]
            left, right = trees.left[inner], trees.right[inner]
            first, second = np.where(left_first[inner], (left, right), (right, left))
            order[first] = order[inner] + 1
            order[second] = order[inner] + trees.below[first]
            level = np.concatenate([left, right])
        return order

    @cached_property
    def slot(self) -> NDArray[np.intp]:
        """Each node's slot in its tree, by node of the trees' arrays."""
        trees, slot = self.trees, np.ones(len(self.trees.feature), dtype=np.intp)
        inner = self.nodes[self.inner]
        slot[trees.right[inner]] = 2 * self.number[inner] + 2
        slot[trees.left[inner]] = 2 * self.number[inner] + 3
        return slot

    @cached_property
    def leaves(self) -> NDArray[np.intp]:
        """The leaves, tree by tree and from the left."""
        leaf = ~self.inner
        leaves = np.empty(int(leaf.sum()), dtype=np.intp)
        leaves[self._leaf_number] = self.nodes[leaf]
        return leaves

    @cached_property
    def _leaf_number(self) -> NDArray[np.intp]:
        leaf = ~self.inner
        number: NDArray[np.intp] = self.at[self.tree[leaf]] // 2 + self.trees.first[self.nodes[leaf]]
        return number

    def slots(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], bool]:
        """Nodes with keys of float32, nodes with keys of float64, and whether all thresholds are float32.

        In the latter case nodes with keys of float64 are left out.
        """
        slot = self.slot[self.nodes]
        is_left = slot % 2 == 1
        pair = np.where(self.inner, self.number[self.nodes] + 1, slot // 2)
        column = np.where(self.inner, self.column, self.set_column - 1 - is_left)  # a leaf's always or never holds
        link = (pair << _LINK_PAIR | column).astype(np.uint64)
        place = self.at[self.tree] + slot
        low, exact = _float32_keys(self.thresholds)
        near = np.zeros(int(self.at[-1]), dtype=np.uint64)
        near[place] = link << np.uint64(32) | self._keys(low).view(np.uint64) & np.uint64(2**32 - 1)
        if exact:
            return near, np.zeros(0, dtype=np.uint64), True
        far = np.zeros((int(self.at[-1]), 2), dtype=np.uint64)
        far[place, 0] = self._keys(_float64_keys(self.thresholds)).view(np.uint64)
        far[place, 1] = link
        return near, far.ravel(), False

    def _keys(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The nodes' keys: of sets where their bits begin, of leaves their number."""
        keys = keys.astype(np.int64)
        keys[self.by_set] = self.set_of * self.words
        keys[~self.inner] = self._leaf_number
        return keys


def _float32_keys(thresholds: NDArray[np.float64]) -> tuple[NDArray[np.int64], bool]:
    """The keys of the next float32 at or below, and whether that is the threshold itself everywhere."""
    with np.errstate(over="ignore"):
        single = thresholds.astype(np.float32)
    above = single > thresholds
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    bits = (single + np.float32(0.0)).view(np.int32)
    return (bits ^ (bits >> 31 & np.int32(2**31 - 1))).astype(np.int64), bool((single == thresholds).all())


def _float64_keys(thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    bits = thresholds.view(np.int64)
    keys: NDArray[np.int64] = bits ^ (bits >> 63 & np.int64(2**63 - 1))
    return keys
