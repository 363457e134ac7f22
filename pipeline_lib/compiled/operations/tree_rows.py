"""One row through an ensemble that is too large to be written as source.

Trees are walked as nested tuples `(threshold, input, left, right)`, very large ensembles in arrays, all trees at once.
Both add leaf after leaf in tree order.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import round32
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.tree_source import splits_left
from pipeline_lib.compiled.operations.tree_walk import walked_row


def bind_walk(settings: Settings) -> Callable[..., Any]:
    """The function of one row for ensembles that are too large to be written as source."""
    find = _walked_leaves(settings)
    width, outputs, start = settings["width"], settings["outputs"], settings["start"]
    output_of = None if outputs is None else np.asarray(outputs).tolist()
    single = settings["single"]

    def walk(*row: float) -> Any:
        leaves = find(row)
        if output_of is None and width > 1:
            totals = leaves.pop(0) if start is None else start
            for leaf in leaves:
                totals = [a + b for a, b in zip(totals, leaf, strict=True)]
                if single:
                    totals = list(map(round32, totals))
            return np.array(totals)
        totals = [leaves.pop(0)] if start is None else list(start)
        for output, leaf in zip(output_of or [0] * len(leaves), leaves, strict=True):
            total = totals[output] + leaf
            totals[output] = round32(total) if single else total
        return totals[0] if width == 1 else np.array(totals)

    return walk


def bind_array_walk(settings: Settings) -> Callable[..., Any]:
    """The function of one row for very large ensembles: all trees are walked at once."""
    find = walked_row(settings)
    dtype = np.float32 if settings["single"] else np.float64
    values = np.asarray(settings["values"], dtype=dtype)
    width, outputs = settings["width"], settings["outputs"]
    start = None if settings["start"] is None else np.asarray(settings["start"], dtype=dtype)
    trees_of = None if outputs is None else [np.flatnonzero(np.asarray(outputs) == number) for number in range(width)]

    def walk(*row: float) -> Any:
        leaves = values[find(*row)]  # trees x numbers
        if trees_of is not None and start is not None:
            totals = np.array([_last_sum(leaves[trees], start[i : i + 1])[0] for i, trees in enumerate(trees_of)])
        else:
            totals = _last_sum(leaves, start)
        totals = totals.astype(np.float64)
        return totals.item() if width == 1 else totals

    return walk


def _last_sum(leaves: Any, start: Any) -> Any:
    """The sum of leaves in tree order; `accumulate` adds one after the other."""
    terms = leaves if start is None else np.concatenate([start[None, :], leaves])
    return np.add.accumulate(terms, axis=0, dtype=leaves.dtype)[-1]


def _walked_leaves(settings: Settings) -> Callable[[tuple[float, ...]], list[Any]]:
    """The function that finds each tree's leaf for one row, in nested tuples `(threshold, input, left, right)`.

    A leaf's left is None. The row is extended: an input at which NaN goes left is repeated with -inf for NaN, and a
    node that splits by category adds -1 (left) or 1, which is compared with 0.
    """
    roots, lower, sets = _tuples(settings)

    def find(row: tuple[float, ...]) -> list[Any]:
        for index in lower:
            x = row[index]
            row += (x if x == x else -math.inf,)
        for index, test in sets:
            row += (-1.0 if test(row[index]) else 1.0,)
        leaves = []
        for value, index, left, right in roots:
            while left is not None:
                value, index, left, right = left if row[index] <= value else right
            leaves.append(value)
        return leaves

    return find


def _tuples(settings: Settings) -> tuple[list[Any], list[int], list[tuple[int, Callable[[float], bool]]]]:
    """The roots as nested tuples, the inputs that are repeated with -inf for NaN, the inputs and tests of sets."""
    feature, threshold, left, right, missing, category = (
        np.asarray(settings[name]).tolist()
        for name in ("feature", "threshold", "left", "right", "missing_left", "category")
    )
    values, wide = np.asarray(settings["values"]).tolist(), settings["outputs"] is None and settings["width"] > 1
    inputs = int(settings["inputs"])
    lower = sorted({f for f, low, c in zip(feature, missing, category, strict=True) if f >= 0 and low and c < 0})
    lowered = {index: inputs + number for number, index in enumerate(lower)}
    sets: list[tuple[int, Callable[[float], bool]]] = []
    nodes: list[Any] = [None] * len(feature)
    for node in _children_first(settings):
        if feature[node] < 0:
            row = values[left[node]]
            nodes[node] = (row if wide else row[0], 0, None, None)
            continue
        index, number = feature[node], threshold[node]
        if category[node] >= 0:
            sets.append((index, splits_left(settings, node)))
            index, number = inputs + len(lower) + len(sets) - 1, 0.0
        elif missing[node]:
            index = lowered[index]
        nodes[node] = (number, index, nodes[left[node]], nodes[right[node]])
    return [nodes[root] for root in np.asarray(settings["roots"]).tolist()], lower, sets


def _children_first(settings: Settings) -> list[int]:
    feature, left, right = (np.asarray(settings[name]).tolist() for name in ("feature", "left", "right"))
    order: list[int] = np.asarray(settings["roots"]).tolist()
    for node in order:  # the list grows while it is read: breadth first
        if feature[node] >= 0:
            order += (left[node], right[node])
    return order[::-1]
