"""Small trees as lists of tests on ranks, for many rows at once (`native/trees_scorer.h`)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.tree_nodes import TreeNodes
from pipeline_lib.compiled.operations.tree_arrays import TreeArrays

_MOST_LEAVES = 256  # a leaf's number is a byte
_MOST_THRESHOLDS = 255  # of one input, in one part: a rank is a byte
_MOST_TESTS = 512  # different sets of one part: each has a column of ranks
_ROWS, _ROWS_OF_WALKS = 20, 5  # rows from which all rows are scored at once, where one row is scored or walks
_ROW_TREES, _ROW_COLUMNS = 128, 256  # trees side by side for one row, and columns that its tests can name
_ROW_WASTE = 3  # how many times as long as its tests a block for one row may be
_RIGHT, _LEFT = 127, 128  # what a test of a set says, as bytes: 127 and -128; compared with rank 0
_ZERO = 128  # a rank is stored as rank - 128


@dataclass(frozen=True)
class Scorer:
    """The arrays of `native/trees_scorer.h`; trees are scored from `rows` rows on, with at most `width` columns."""

    rows: int
    width: int
    parts: NDArray[np.int64]
    steps: NDArray[np.uint64]
    ranks: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    tests: NDArray[np.int64]
    answers: NDArray[np.uint8]
    row_blocks: NDArray[np.int64]
    row_tests: NDArray[np.uint8]


def _none(dtype: Any) -> NDArray[Any]:
    return np.zeros(0, dtype=dtype)


_TYPES = (np.int64, np.uint64, np.int64, np.float64, np.int64, np.uint8, np.int64, np.uint8)
NO_SCORER = Scorer(0, 0, *map(_none, _TYPES))


def score(trees: TreeArrays, nodes: TreeNodes) -> Scorer | None:
    """The tests of all trees, in parts of trees that share ranks; None where walks are faster."""
    if max(trees.leaves) > _MOST_LEAVES or max(trees.leaves) == 1:
        return None
    writer = _Writer(trees, nodes)
    writer.write(0, len(trees.roots))
    row_blocks, row_tests = writer.by_row()
    return Scorer(
        _ROWS if len(row_blocks) else _ROWS_OF_WALKS,
        writer.width,
        np.array(writer.parts, dtype=np.int64).ravel(),
        writer.steps,
        np.array(writer.ranks, dtype=np.int64).ravel(),
        np.concatenate([np.zeros(0), *writer.thresholds]),
        np.array(writer.tests, dtype=np.int64).ravel(),
        np.where(nodes.members, _LEFT, _RIGHT).astype(np.uint8).ravel(),
        row_blocks,
        row_tests,
    )


class _Writer:
    """Writes parts one after the other."""

    def __init__(self, trees: TreeArrays, nodes: TreeNodes) -> None:
        self.trees, self.nodes = trees, nodes
        self.parts: list[tuple[int, int, int]] = []
        self.ranks: list[tuple[int, int, int, int, int, int]] = []
        self.tests: list[tuple[int, int, int]] = []
        self.thresholds: list[NDArray[np.float64]] = []
        self.threshold_count, self.width = 0, 0
        self.steps = np.zeros(int(nodes.inner.sum()), dtype=np.uint64)
        self.step_at = nodes.at // 2 - np.arange(len(nodes.at))  # a tree has one test less than leaves
        self.sets = np.zeros(len(nodes.nodes), dtype=np.intp)
        self.sets[nodes.by_set] = nodes.set_of

    def write(self, first: int, end: int) -> None:
        """Write the trees `first` to `end` as one part, or as two halves."""
        nodes = self.nodes
        some = np.flatnonzero((nodes.tree >= first) & (nodes.tree < end) & nodes.inner)
        numeric, by_set = some[~nodes.by_set[some]], some[nodes.by_set[some]]
        feature, threshold = nodes.feature[numeric], nodes.thresholds[numeric]
        order = np.lexsort((threshold, feature))
        new_feature = np.diff(feature[order], prepend=-1) != 0
        new = new_feature.copy()
        new[1:] |= threshold[order][1:] != threshold[order][:-1]
        starts = np.flatnonzero(new_feature)
        number = np.cumsum(new) - 1
        number_at = number[starts]
        counts = np.diff([*number_at, int(new.sum())])
        tests = np.unique(nodes.feature[by_set] * len(nodes.members) + self.sets[by_set])
        too_many = counts.max(initial=0) > _MOST_THRESHOLDS or len(tests) > _MOST_TESTS
        if too_many and end - first > 1:
            middle = (first + end) // 2
            self.write(first, middle)
            self.write(middle, end)
            return
        which = np.cumsum(new_feature) - 1
        rank = np.empty(len(numeric), dtype=np.intp)
        rank[order] = number - number_at[which]
        column_of = self._write_ranks(feature[order][starts], threshold[order][new], counts, numeric)
        column = column_of[feature, nodes.missing_left[numeric].astype(np.intp)]
        self._write_steps(numeric, column, rank)
        self._write_tests(by_set, int(column_of.max(initial=-1)) + 1)
        self.parts.append((end, len(self.ranks), len(self.tests)))

    def _write_ranks(
        self, features: NDArray[np.intp], thresholds: NDArray[np.float64], counts: NDArray[np.intp], numeric: Any
    ) -> NDArray[np.intp]:
        """The ranks of each input; returns the columns by input, for NaN to the right and to the left."""
        nodes, inputs = self.nodes, int(self.nodes.feature.max()) + 1
        used = np.zeros((inputs, 2), dtype=np.bool_)
        used[nodes.feature[numeric], nodes.missing_left[numeric].astype(np.intp)] = True
        column_of = np.where(used, np.cumsum(used).reshape(used.shape) - 1, -1)
        ends = np.cumsum(counts)
        for feature, start, end in zip(features.tolist(), (ends - counts).tolist(), ends.tolist(), strict=True):
            levels = (end - start).bit_length()
            padded = np.full((1 << levels) - 1, np.inf)
            padded[: end - start] = thresholds[start:end]
            right, left = column_of[feature].tolist()
            self.ranks.append((feature, self.threshold_count, levels, end - start, left, right))
            self.thresholds.append(padded)
            self.threshold_count += len(padded)
        return column_of

    def _write_steps(self, some: NDArray[np.intp], column: Any, rank: Any) -> None:
        nodes, trees = self.nodes, self.trees
        node = nodes.nodes[some]
        first = trees.first[node]
        right = first + trees.below[trees.left[node]]
        step = column | (rank - _ZERO & 255) << 16 | first << 24 | right << 32
        self.steps[self.step_at[nodes.tree[some]] + nodes.preorder[node]] = step.astype(np.uint64)

    def _write_tests(self, by_set: NDArray[np.intp], column: int) -> None:
        """The tests of sets: each different (input, set) is a column whose rank says left or right."""
        nodes, sets = self.nodes, len(self.nodes.members)
        known, test = np.unique(nodes.feature[by_set] * sets + self.sets[by_set], return_inverse=True)
        size = nodes.members.shape[1]
        for number, code in enumerate(known.tolist()):
            self.tests.append((code // sets, code % sets * size, column + number))
        self._write_steps(by_set, column + test, np.zeros(len(by_set), dtype=np.intp))
        self.width = max(self.width, column + len(known))

    def by_row(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The same tests for one row: blocks of 128 trees side by side; none where these would be long or many."""
        if self.width > _ROW_COLUMNS:
            return _none(np.int64), _none(np.uint8)
        blocks, lines, size = [], [np.zeros(0, dtype=np.uint8)], 0
        first = 0
        for end, _, _ in self.parts:
            for start in range(first, end, _ROW_TREES):
                block = self._block(start, min(start + _ROW_TREES, end))
                blocks.append((size, len(block)))
                lines.append(block.ravel())
                size += block.size
            first = end
        if size > _ROW_WASTE * 4 * max(len(self.steps), 1024):
            return _none(np.int64), _none(np.uint8)
        return np.array(blocks, dtype=np.int64).ravel(), np.concatenate(lines)

    def _block(self, first: int, end: int) -> NDArray[np.uint8]:
        """Tests x (column, rank, first leaf, right child's first leaf) x trees."""
        counts = np.diff(self.step_at[first : end + 1])
        steps = self.steps[self.step_at[first] : self.step_at[end]]
        tree = np.repeat(np.arange(end - first), counts)
        test = np.arange(len(steps)) - np.repeat(self.step_at[first:end] - self.step_at[first], counts)
        block = np.zeros((int(counts.max()), 4, _ROW_TREES), dtype=np.uint8)
        block[:, 1] = _RIGHT  # no rank is above
        for line, shift in enumerate((0, 16, 24, 32)):
            block[test, line, tree] = steps >> np.uint64(shift) & np.uint64(255)
        return block
