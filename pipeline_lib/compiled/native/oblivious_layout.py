"""Oblivious trees as trees of the core: every node of a level has the level's split.

A split that no number is above (an infinite threshold) fills up shorter trees; it is left out.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings

_MOST_NODES = 1 << 20  # of all trees


def as_trees(settings: Settings, inputs: int) -> Settings | None:
    """The settings of `trees` with the same sums; None where they would be too many nodes."""
    columns = np.asarray(settings["split_columns"], dtype=np.intp)
    thresholds = np.asarray(settings["thresholds"], dtype=np.float64)
    values = np.asarray(settings["values"], dtype=np.float64)
    splits = [np.flatnonzero(own != np.inf) for own in thresholds]
    sizes = np.array([2 ** (len(own) + 1) - 1 for own in splits], dtype=object)
    if not len(sizes) or int(sizes.sum()) > _MOST_NODES or np.isnan(thresholds).any():
        return None
    roots = np.cumsum([0, *sizes.tolist()], dtype=np.intp)
    parts = [
        _tree(columns[tree, own], thresholds[tree, own], 1 << own, int(root), int(first))
        for tree, (own, root, first) in enumerate(zip(splits, roots, settings["first"], strict=False))
    ]
    feature, threshold, left, right = (np.concatenate(part) for part in zip(*parts, strict=True))
    leaves = left[feature < 0]
    if leaves.min() < 0 or leaves.max() >= len(values):
        return None
    return {
        "feature": feature,
        "threshold": threshold,
        "left": left,
        "right": right,
        "missing_left": np.ones(len(feature), dtype=np.bool_),
        "category": np.full(len(feature), -1),
        "values": values,
        "roots": roots[:-1],
        "sets": np.zeros((0, 0), dtype=np.bool_),
        "outputs": None,
        "start": [0.0] * values.shape[1],
        "single": False,
        "width": values.shape[1],
        "inputs": inputs,
    }


def _tree(
    columns: NDArray[np.intp], thresholds: NDArray[np.float64], weights: NDArray[np.intp], root: int, first: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Feature, threshold, left and right of a complete tree, level by level; a leaf's left is its row of values."""
    depth = len(columns)
    inner, leaf = np.arange(2**depth - 1), np.arange(2**depth)
    level = np.frexp(inner + 1.0)[1] - 1
    answers = leaf[:, None] >> np.arange(depth - 1, -1, -1) & 1
    return (
        np.concatenate([columns[level], np.full(len(leaf), -1)]),
        np.concatenate([thresholds[level], np.zeros(len(leaf))]),
        np.concatenate([root + 2 * inner + 1, first + answers @ weights]),
        np.concatenate([root + 2 * inner + 2, np.full(len(leaf), -1)]),
    )
