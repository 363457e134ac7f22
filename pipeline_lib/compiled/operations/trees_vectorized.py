"""The operation `trees` over columns: trees of different sizes are evaluated by different methods, in tree order.

Up to 8 leaves, a table of all patterns of answers; up to 64, bit masks of leaves (both in `tree_bitmasks`); larger
trees are walked level by level (`tree_walk`). All of them find the same leaf, so the method does not change a bit.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.tree_arrays import Evaluate, TreeArrays
from pipeline_lib.compiled.operations.tree_bitmasks import MEDIUM, SMALL, medium_trees, small_trees
from pipeline_lib.compiled.operations.tree_walk import walked_trees

_TABLE_BYTES = 1 << 22  # of a group's tables: four megabytes, a share of the processor's cache


class _Prepared(NamedTuple):
    settings: Settings
    evaluate: Callable[..., Any]


_last: _Prepared | None = None


def bind_columns(settings: Settings) -> Callable[..., Any]:
    """The operation `trees` over columns.

    The function of the last call is kept: a compile and the executors of a model's outputs bind the same trees.
    """
    global _last
    known = _last
    if known is None or not _equal(known.settings, settings):
        known = _last = _Prepared(dict(settings), _prepare(settings))
    return known.evaluate


def _equal(left: Settings, right: Settings) -> bool:
    """Whether all settings have the same bits."""
    return left.keys() == right.keys() and all(
        value is right[name] or _bits(value) == _bits(right[name]) for name, value in left.items()
    )


def _bits(setting: Any) -> Any:
    return (setting.dtype.str, setting.shape, setting.tobytes()) if isinstance(setting, np.ndarray) else repr(setting)


def _prepare(settings: Settings) -> Callable[..., Any]:
    trees = TreeArrays(settings)
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
            for values, index in part(columns):
                if outputs is not None:
                    totals[outputs[tree]] += values[0].take(index)
                elif tree == 0 and start is None:
                    totals[:] = values[:, index]
                else:
                    for total, leaves in zip(totals, values, strict=True):
                        total += leaves.take(index)
                tree += 1
        return (totals[0] if width == 1 else totals).astype(np.float64, copy=False)

    return evaluate


def leaf_indices(settings: Settings) -> Callable[[Sequence[Any]], Any]:
    """A function of columns that returns each row's leaf of each tree (trees x rows), as its row of `values`."""
    trees = TreeArrays(settings)
    walk = walked_trees(trees, list(range(len(trees.roots))), indices=True)
    return lambda columns: np.array([leaf[0].take(node) for leaf, node in walk(columns)])


def _parts(trees: TreeArrays) -> list[Evaluate]:
    """Evaluators of consecutive trees that are evaluated the same way, in tree order."""
    parts: list[Evaluate] = []
    group: list[int] = []

    def method(tree: int) -> int:
        return int(np.searchsorted([SMALL, MEDIUM], trees.leaves[tree]))

    methods = (small_trees, medium_trees, walked_trees)
    for tree in range(len(trees.roots)):
        full = method(tree) == 1 and _too_large(trees, [*group, tree])
        if group and (method(group[0]) != method(tree) or full):
            parts.append(methods[method(group[0])](trees, group))
            group = []
        group.append(tree)
    return [*parts, methods[method(group[0])](trees, group)] if group else parts


def _too_large(trees: TreeArrays, group: list[int]) -> bool:
    """Whether a group's tables of leaves outgrow the cache: each tree has an entry for every threshold of the group."""
    thresholds = sum(trees.leaves[tree] for tree in group)
    return bool(8 * thresholds * len(group) > _TABLE_BYTES)
