"""Trees over columns of rows: three ways to the same leaf, whichever suits a tree's size.

Up to 8 leaves: every test is evaluated, their bits number the leaf. Up to 64: a number per input says between which
thresholds of the whole group it lies, and for it a table knows the leaves of a tree that can still be reached, one
bit each; all inputs' bits together leave the row's own as the lowest (C. Lucchese et al., "QuickScorer", SIGIR
2015). Larger trees are walked level by level.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Settings = dict[str, Any]
Found = tuple[Any, NDArray[np.intp]]  # for a tree: leaf values (outputs x places), and each row's place
Evaluate = Callable[[Sequence[Any]], Iterator[Found]]

_SMALL, _MEDIUM = 8, 64  # leaves
_TABLE_BYTES = 1 << 22  # of a group's tables
_ELEMENTS = 8192  # rows x trees that are walked at once
_PLACES = np.arange(_SMALL - 1, dtype=np.uint8)[:, None]
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # its 64 shifts by 0 to 63 bits have 64 different upper 6 bits


def bind_columns(settings: Settings) -> Callable[..., Any]:
    """The operation `trees` over columns."""
    trees = _Trees(settings)
    parts = _parts(trees)
    width, outputs, start = settings["width"], settings["outputs"], settings["start"]
    dtype = trees.values.dtype

    def evaluate(*inputs: Any) -> Any:
        columns = np.broadcast_arrays(*map(np.atleast_1d, inputs))
        totals = np.zeros((width, len(columns[0])), dtype=dtype)
        if start is not None:
            totals[:] = np.asarray(start, dtype=dtype)[:, None]
        tree = 0
        for part in parts:
            for values, place in part(columns):
                if outputs is not None:
                    totals[outputs[tree]] += values[0].take(place)
                elif tree == 0 and start is None:
                    totals[:] = values[:, place]
                else:
                    for total, leaves in zip(totals, values, strict=True):
                        total += leaves.take(place)
                tree += 1
        return (totals[0] if width == 1 else totals).astype(np.float64, copy=False)

    return evaluate


def leaf_places(settings: Settings) -> Callable[[Sequence[Any]], Any]:
    """A function of columns that gives each row's leaf of each tree (trees x rows), as its row of `values`."""
    trees = _Trees(settings)
    walk = _walked(trees, list(range(len(trees.roots))), places=True)
    return lambda columns: np.array([leaf[0].take(node) for leaf, node in walk(columns)])


class _Trees:
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
        self.nodes = [self._of_tree(root) for root in self.roots.tolist()]
        self.leaves = [int((self.feature[nodes] < 0).sum()) for nodes in self.nodes]

    def _of_tree(self, root: int) -> NDArray[np.intp]:
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
        place = np.where((column > -1.0) & (column < size), column, size).astype(np.intp)
        return np.where(np.isnan(column), self.missing_left[node], members[place])


def _parts(trees: _Trees) -> list[Evaluate]:
    """Evaluators of consecutive trees, in tree order."""
    parts: list[Evaluate] = []
    group: list[int] = []

    def kind(tree: int) -> int:
        return int(np.searchsorted([_SMALL, _MEDIUM], trees.leaves[tree]))

    makers = (_small, _masked, _walked)
    for tree in range(len(trees.roots)):
        if group and (kind(group[0]) != kind(tree) or (kind(tree) == 1 and _table_bytes(trees, [*group, tree]))):
            parts.append(makers[kind(group[0])](trees, group))
            group = []
        group.append(tree)
    return [*parts, makers[kind(group[0])](trees, group)] if group else parts


def _table_bytes(trees: _Trees, group: list[int]) -> bool:
    nodes = sum(trees.leaves[tree] for tree in group)
    return 8 * nodes * len(group) > _TABLE_BYTES


def _small(trees: _Trees, group: list[int]) -> Evaluate:
    tables = [_small_table(trees, tree) for tree in group]

    def evaluate(columns: Sequence[Any]) -> Iterator[Found]:
        answers = np.empty((_SMALL - 1, len(columns[0])), dtype=np.bool_)
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
            np.left_shift(used, _PLACES[: len(inner)], out=used)
            yield values, np.bitwise_or.reduce(used, axis=0).astype(np.intp)

    return evaluate


def _small_table(trees: _Trees, tree: int) -> tuple[list[int], Any]:
    """Inner nodes, and the leaf values for every pattern of answers, bit i being the answer of node i.

    The answer is whether a row goes left, but where NaN does: there it is whether it goes right.
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


def _masked(trees: _Trees, group: list[int]) -> Evaluate:
    nodes = np.concatenate([trees.nodes[tree] for tree in group])
    inner = nodes[trees.feature[nodes] >= 0]
    numeric = inner[trees.category[inner] < 0]
    edges = {
        int(f): np.unique(trees.threshold[numeric[trees.feature[numeric] == f]])
        for f in np.unique(trees.feature[numeric])
    }
    chosen = [int(f) for f in np.unique(trees.feature[inner[trees.category[inner] >= 0]])]
    tables = [_mask_tables(trees, tree, edges) for tree in group]

    def evaluate(columns: Sequence[Any]) -> Iterator[Found]:
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
            np.bitwise_and(reach, other, out=reach)
            np.multiply(reach, _DE_BRUIJN, out=reach)
            np.right_shift(reach, np.uint64(58), out=reach)
            yield values, reach.view(np.intp)

    return evaluate


def _category_codes(column: Any, size: int) -> Any:
    inside = (column > -1.0) & (column < size)
    return np.where(inside, column, np.where(np.isnan(column), size + 1.0, float(size))).astype(np.intp)


def _mask_tables(trees: _Trees, tree: int, edges: dict[int, Any]) -> tuple[list[Any], Any]:
    """Tables by (input, whether of categories) of reachable leaves, and leaf values by the lowest bit's hash."""
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
    hashes = [((1 << place) * int(_DE_BRUIJN) & (2**64 - 1)) >> 58 for place in range(len(leaves))]
    values = np.zeros((len(trees.values), 64), dtype=trees.values.dtype)
    values[:, hashes] = trees.values[:, leaves]
    return list(tables.items()), values


def _leaf_ranges(trees: _Trees, tree: int) -> tuple[dict[int, tuple[int, int]], list[int]]:
    """Leaves from left to right: for each node the first and the one after the last below it; their value rows."""
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


def _walked(trees: _Trees, group: list[int], *, places: bool = False) -> Evaluate:
    walk = _Walk(trees, group)
    answers = walk.leaf[None, :] if places else np.ascontiguousarray(trees.values[:, walk.leaf])

    def evaluate(columns: Sequence[Any]) -> Iterator[Found]:
        numbers = walk.numbers(columns)
        at_once = max(1, _ELEMENTS // max(len(columns[0]), 1))
        for start in range(0, len(group), at_once):
            for place in walk.places(numbers, slice(start, start + at_once)):
                yield answers, place

    return evaluate


class _Walk:
    """Trees renumbered so that a left child follows its right sibling: one look-up and one comparison a level.

    The numbers of a row are its inputs, its inputs with -inf for NaN, and for each set -1 or 1. A leaf compares
    with NaN, which never holds, and is its own child.
    """

    def __init__(self, trees: _Trees, group: list[int]) -> None:
        self.trees = trees
        order = [self._levels(tree) for tree in group]
        nodes = np.concatenate([level for levels in order for level in levels])
        self.depths = np.array([len(levels) - 1 for levels in order])
        self.roots = np.cumsum([0, *(sum(map(len, levels)) for levels in order)])[:-1]
        inner, by_set = trees.feature[nodes] >= 0, trees.category[nodes] >= 0
        place = np.zeros(len(trees.feature), dtype=np.intp)
        place[nodes] = np.arange(len(nodes))
        self.child = np.where(inner, place[trees.right[nodes]], np.arange(len(nodes)))
        self.leaf = np.where(inner, -1, trees.left[nodes])
        self.threshold = np.where(inner, np.where(by_set, 0.0, trees.threshold[nodes]), np.nan)
        self.inputs = int(trees.feature[nodes].max(initial=0)) + 1
        self.set_nodes = nodes[by_set].tolist()
        self.number = np.where(inner, trees.feature[nodes] + self.inputs * trees.missing_left[nodes], 0)
        self.number[by_set] = 2 * self.inputs + np.arange(len(self.set_nodes))

    def _levels(self, tree: int) -> list[NDArray[np.intp]]:
        trees = self.trees
        levels = [trees.roots[tree : tree + 1]]
        while True:
            inner = levels[-1][trees.feature[levels[-1]] >= 0]
            if not len(inner):
                return levels
            levels.append(np.stack([trees.right[inner], trees.left[inner]], axis=1).ravel())

    def numbers(self, columns: Sequence[Any]) -> NDArray[np.float64]:
        """All numbers that nodes compare (numbers x rows)."""
        inputs = self.inputs
        numbers = np.empty((2 * inputs + len(self.set_nodes), len(columns[0])))
        for place in range(inputs):
            numbers[place] = columns[place]
            numbers[inputs + place] = np.where(np.isnan(columns[place]), -np.inf, columns[place])
        for place, node in enumerate(self.set_nodes, start=2 * inputs):
            numbers[place] = np.where(self.trees.goes_left(node, columns[self.trees.feature[node]]), -1.0, 1.0)
        return numbers

    def places(self, numbers: NDArray[np.float64], some: slice) -> NDArray[np.intp]:
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
