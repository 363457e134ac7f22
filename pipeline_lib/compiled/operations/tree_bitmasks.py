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
_ALL = np.uint64(2**64 - 1)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # its 64 shifts have 64 different upper 6 bits: they number a single bit
_HASHES = np.array([((1 << leaf) * int(_DE_BRUIJN) & (2**64 - 1)) >> 58 for leaf in range(MEDIUM)])


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
    tables = list(zip(_mask_tables(trees, group, edges), [_leaf_values(trees, tree) for tree in group], strict=True))

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


def _leaf_values(trees: TreeArrays, tree: int) -> Any:
    """A tree's leaf values by the hash of the lowest bit."""
    nodes = trees.nodes[tree]
    leaves = nodes[trees.feature[nodes] < 0]
    values = np.zeros((len(trees.values), 64), dtype=trees.values.dtype)
    values[:, _HASHES[trees.first[leaves]]] = trees.values[:, trees.left[leaves]]
    return values


def _mask_tables(trees: TreeArrays, group: list[int], edges: dict[int, Any]) -> list[list[Any]]:
    """For each tree the tables of reachable leaves, each with its (input, whether of categories)."""
    tables: list[list[Any]] = [[] for _ in group]
    nodes = np.concatenate([trees.nodes[tree] for tree in group])
    tree = np.repeat(np.arange(len(group)), [len(trees.nodes[tree]) for tree in group])
    inner = trees.feature[nodes] >= 0
    nodes, tree = nodes[inner], tree[inner]
    left = trees.left[nodes]
    one = np.uint64(1)
    kept = ~(((one << trees.below[left].astype(np.uint64)) - one) << trees.first[left].astype(np.uint64))
    by_set = trees.category[nodes] >= 0
    _add_numeric(tables, trees, nodes[~by_set], tree[~by_set], kept[~by_set], edges)
    _add_sets(tables, trees, nodes[by_set], tree[by_set], kept[by_set])
    return tables


def _add_numeric(tables: list[list[Any]], trees: TreeArrays, nodes: Any, tree: Any, kept: Any, edges: Any) -> None:
    """The tables of numbers: a row whose number is in interval i leaves the leaves right of all thresholds below i.

    The nodes of a tree that compare one input are a run of `order`, by ascending threshold:

        thresholds (as intervals)    2        5        leaves kept    k2       k5
        interval                     0  1  2  3  4  5  6  7  ...  NaN
        reachable leaves             all      k2       k2 & k5    where NaN goes
    """
    if not len(nodes):
        return
    feature, code = trees.feature[nodes], np.empty(len(nodes), dtype=np.intp)
    for index, known in edges.items():
        code[feature == index] = np.searchsorted(known, trees.threshold[nodes[feature == index]])
    order = np.lexsort((code, feature, tree))
    nodes, tree, kept, feature, code = (part[order] for part in (nodes, tree, kept, feature, code))
    begins = np.concatenate([[True], (tree[1:] != tree[:-1]) | (feature[1:] != feature[:-1])])
    starts = np.flatnonzero(begins)
    place = np.arange(len(nodes)) - np.repeat(starts, np.diff([*starts, len(nodes)]))
    missing = np.bitwise_and.reduceat(np.where(trees.missing_left[nodes], _ALL, kept), starts)
    for later in range(1, int(place.max()) + 1):
        at = np.flatnonzero(place == later)
        kept[at] &= kept[at - 1]
    ends, runs = np.append(starts[1:], len(nodes)), np.arange(len(starts))
    sizes = np.array([len(edges[index]) for index in feature[starts].tolist()])
    entries = np.arange(len(nodes)) + 2 * np.cumsum(begins) - 1  # a run has two entries more: all leaves, those of NaN
    masks, lengths = np.full(len(nodes) + 2 * len(runs), _ALL), np.ones(len(nodes) + 2 * len(runs), dtype=np.intp)
    masks[entries], masks[ends + 2 * runs + 1] = kept, missing
    lengths[starts + 2 * runs] = code[starts] + 1
    lengths[entries] = np.append(code[1:], 0) - code
    lengths[ends + 2 * runs] = sizes - code[ends - 1]
    flat = np.split(np.repeat(masks, lengths), np.cumsum(sizes + 2)[:-1])
    for number, index, table in zip(tree[starts].tolist(), feature[starts].tolist(), flat, strict=True):
        tables[number].append(((index, False), table))


def _add_sets(tables: list[list[Any]], trees: TreeArrays, nodes: Any, tree: Any, kept: Any) -> None:
    """The tables of categories: the category, then the entry of all others, then NaN."""
    found: dict[tuple[int, int], Any] = {}
    for node, number, mask in zip(nodes.tolist(), tree.tolist(), kept, strict=True):
        members, feature = trees.sets[trees.category[node]], int(trees.feature[node])
        if (number, feature) not in found:
            found[number, feature] = np.full(len(members) + 1, _ALL)
            tables[number].append(((feature, True), found[number, feature]))
        found[number, feature][np.append(~members, not trees.missing_left[node])] &= mask
