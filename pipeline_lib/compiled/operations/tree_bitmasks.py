r"""Small and medium trees over columns: all tests of a tree at once, and bits that say which leaf is reached.

A walk from the root to a leaf reads another node for every row, which a processor cannot predict. The two methods
here compute the same for all rows, so NumPy runs over whole columns.

Up to 8 leaves: every test is evaluated, and the answers' bits are an index into a table of leaves:

          a <= 3            answers (is it left?)   pattern   leaf
         /      \           a <= 3 no,  b <= 5 no     0b00     2
       L0      b <= 5       a <= 3 yes, b <= 5 no     0b01     0
               /    \       a <= 3 no,  b <= 5 yes    0b10     1
             L1      L2     a <= 3 yes, b <= 5 yes    0b11     0

Up to 64 leaves: each leaf is one bit of a 64-bit integer, counted from the left. A test that fails excludes all
leaves of its node's left subtree; the lowest remaining bit is the row's leaf (C. Lucchese et al., "QuickScorer",
SIGIR 2015):

    a = 4, b = 2        L2 L1 L0
    a <= 3 fails         1  1  0      L0 is excluded
    b <= 5 holds         1  1  1
    together             1  1  0      the lowest bit: L1

The bits of all tests of one input are looked up at once: for each input, a table holds them for every interval
between the thresholds of a group of trees.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.tree_arrays import Evaluate, Leaves, TreeArrays

SMALL, MEDIUM = 8, 64
"""Leaves of the largest tree for each method: 2**7 patterns make a small table, 64 bits are one integer."""
_BITS = np.arange(SMALL - 1, dtype=np.uint8)[:, None]
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # its 64 shifts have 64 different upper 6 bits: they number a single bit


def small_trees(trees: TreeArrays, group: list[int]) -> Evaluate:
    """Evaluates trees of up to 8 leaves: all answers' bits are an index into a table of leaves."""
    tables = [_small_table(trees, tree) for tree in group]

    def evaluate(columns: Sequence[Any]) -> Iterator[Leaves]:
        answers = np.empty((SMALL - 1, len(columns[0])), dtype=np.bool_)
        bits = answers.view(np.uint8)
        for inner, values in tables:
            for answer, node in zip(answers, inner, strict=False):
                column = columns[trees.feature[node]]
                if trees.category[node] >= 0:
                    answer[:] = trees.goes_left(node, column)
                elif trees.missing_left[node]:
                    np.greater(column, trees.threshold[node], out=answer)
                else:
                    np.less_equal(column, trees.threshold[node], out=answer)
            used = bits[: len(inner)]
            np.left_shift(used, _BITS[: len(inner)], out=used)
            yield values, np.bitwise_or.reduce(used, axis=0).astype(np.intp)

    return evaluate


def _small_table(trees: TreeArrays, tree: int) -> tuple[list[int], Any]:
    """The inner nodes, and leaf values for every pattern of answers, whose bit i is the answer of inner node i.

    An answer says whether a row goes left; at nodes where NaN goes left, whether it goes right.
    """
    inner = [node for node in trees.nodes[tree].tolist() if trees.feature[node] >= 0]
    bit = np.zeros(len(trees.feature), dtype=np.intp)
    bit[inner] = np.arange(len(inner))
    says_left = (trees.category >= 0) | ~trees.missing_left
    pattern = np.arange(1 << len(inner))
    reached = np.full(len(pattern), trees.roots[tree])
    for _ in inner:
        goes_left = (pattern >> bit[reached] & 1) == says_left[reached]
        child = np.where(goes_left, trees.left[reached], trees.right[reached])
        reached = np.where(trees.feature[reached] < 0, reached, child)
    return inner, np.ascontiguousarray(trees.values[:, trees.left[reached]])


def medium_trees(trees: TreeArrays, group: list[int]) -> Evaluate:
    """Evaluates trees of up to 64 leaves: bits of the leaves that each input leaves reachable, and their lowest one."""
    nodes = np.concatenate([trees.nodes[tree] for tree in group])
    inner = nodes[trees.feature[nodes] >= 0]
    numeric = inner[trees.category[inner] < 0]
    edges = {
        int(f): np.unique(trees.threshold[numeric[trees.feature[numeric] == f]])
        for f in np.unique(trees.feature[numeric])
    }
    chosen = [int(f) for f in np.unique(trees.feature[inner[trees.category[inner] >= 0]])]
    tables = [_mask_tables(trees, tree, edges) for tree in group]

    def evaluate(columns: Sequence[Any]) -> Iterator[Leaves]:
        codes = {(f, False): np.searchsorted(known, columns[f]) + np.isnan(columns[f]) for f, known in edges.items()}
        codes |= {(f, True): _category_codes(columns[f], trees.sets.shape[1] - 1) for f in chosen}
        reach = np.empty(len(columns[0]), dtype=np.uint64)
        other = np.empty_like(reach)
        for lookups, values in tables:
            key, table = lookups[0]
            table.take(codes[key], out=reach, mode="clip")
            for key, table in lookups[1:]:
                table.take(codes[key], out=other, mode="clip")
                np.bitwise_and(reach, other, out=reach)
            np.negative(reach, out=other)
            np.bitwise_and(reach, other, out=reach)  # the lowest bit
            np.multiply(reach, _DE_BRUIJN, out=reach)
            np.right_shift(reach, np.uint64(58), out=reach)
            yield values, reach.view(np.intp)

    return evaluate


def _category_codes(column: Any, size: int) -> Any:
    inside = (column > -1.0) & (column < size)
    return np.where(inside, column, np.where(np.isnan(column), size + 1.0, float(size))).astype(np.intp)


def _mask_tables(trees: TreeArrays, tree: int, edges: dict[int, Any]) -> tuple[list[Any], Any]:
    """Tables of reachable leaves by (input, whether of categories), and leaf values by the hash of the lowest bit."""
    below, leaves = _leaf_ranges(trees, tree)
    tables: dict[tuple[int, bool], Any] = {}
    for node in trees.nodes[tree].tolist():
        feature = int(trees.feature[node])
        if feature < 0:
            continue
        first, last = below[int(trees.left[node])]
        kept = np.uint64(~(((1 << (last - first)) - 1) << first) & (2**64 - 1))
        by_set = trees.category[node] >= 0
        size = trees.sets.shape[1] - 1 if by_set else len(edges[feature])
        table = tables.setdefault((feature, by_set), np.full(size + 2, 2**64 - 1, dtype=np.uint64))
        right = np.empty(size + 2, dtype=np.bool_)
        if by_set:
            right[:-1] = ~trees.sets[trees.category[node]]
        else:
            right[:-1] = np.arange(size + 1) > np.searchsorted(edges[feature], trees.threshold[node])
        right[-1] = not trees.missing_left[node]
        table[right] &= kept
    hashes = [((1 << leaf) * int(_DE_BRUIJN) & (2**64 - 1)) >> 58 for leaf in range(len(leaves))]
    values = np.zeros((len(trees.values), 64), dtype=trees.values.dtype)
    values[:, hashes] = trees.values[:, leaves]
    return list(tables.items()), values


def _leaf_ranges(trees: TreeArrays, tree: int) -> tuple[dict[int, tuple[int, int]], list[int]]:
    """For each node the range of leaves below it, numbered from left to right, and the leaves' rows of `values`."""
    ranges: dict[int, tuple[int, int]] = {}
    leaves: list[int] = []
    waiting = [(int(trees.roots[tree]), False)]
    starts: dict[int, int] = {}
    while waiting:
        node, done = waiting.pop()
        if done:
            ranges[node] = (starts[node], len(leaves))
        elif trees.feature[node] < 0:
            ranges[node] = (len(leaves), len(leaves) + 1)
            leaves.append(int(trees.left[node]))
        else:
            starts[node] = len(leaves)
            waiting += [(node, True), (int(trees.right[node]), False), (int(trees.left[node]), False)]
    return ranges, leaves
