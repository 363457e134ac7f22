"""A LightGBM model as data: trees read from the text format of `Booster.model_to_string`.

LightGBM computes in float64: leaves, which include the learning rate, are added in tree order from 0 on. Source:
`Tree::NumericalDecision`, `CategoricalDecision` and `Predict` in include/LightGBM/tree.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiler.adapters.tree_nodes import Check, TreeNodes, compared_numbers, joined_trees
from pipeline_lib.compiler.builder import Builder, Value

TINY = float(np.float32(1e-35))  # kZeroThreshold of include/LightGBM/meta.h: LightGBM takes numbers up to it for 0
_NONE, ZERO = 0, 1  # of MissingType in include/LightGBM/bin.h: which values a split takes for missing
CUSTOM = "custom"  # the objective of a model whose text names none: a function of the user


@dataclass(frozen=True)
class LinearLeaves:
    """The linear functions in the leaves of all trees; `columns` are -1 where a leaf has no more."""

    constants: NDArray[np.float64]
    columns: NDArray[np.int64]
    coefficients: NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """A model: its objective with settings, how many raw scores a row has, and its trees.

    `averaged` says whether scores are divided by the count of trees, `missing` holds the pairs of column and missing
    type of all splits. `linear` is None where leaves are numbers.
    """

    objective: str
    width: int
    averaged: bool
    trees: list[TreeNodes]
    missing: set[tuple[int, int]]
    linear: LinearLeaves | None


@lru_cache(maxsize=1)  # a compile reads it once for each output
def read_model(text: str) -> Model:
    """Parse the result of `Booster.model_to_string`, which holds the trees up to the best iteration."""
    head, *blocks = text.partition("end of trees")[0].split("\nTree=")
    header, trees = _named(head), [_named(block) for block in blocks]
    nodes = [_nodes(tree) for tree in trees]
    return Model(
        header.get("objective", CUSTOM),
        int(header["num_tree_per_iteration"]),
        "average_output" in header,
        [tree for tree, _ in nodes],
        {pair for _, pairs in nodes for pair in pairs},
        _linear(trees) if any(tree.get("is_linear", "0") != "0" for tree in trees) else None,
    )


def _named(block: str) -> dict[str, str]:
    return {name: value for name, equals, value in (line.partition("=") for line in block.splitlines())}


def _linear(trees: Sequence[dict[str, str]]) -> LinearLeaves:
    constants, columns, coefficients = list[float](), list[list[int]](), list[list[float]]()
    for tree in trees:
        values = list(map(float, tree["leaf_value"].split()))
        counts = list(map(int, tree.get("num_features", "").split())) or [0] * len(values)
        constants += map(float, tree["leaf_const"].split() if "leaf_const" in tree else values)
        numbers, weights = iter(tree.get("leaf_features", "").split()), iter(tree.get("leaf_coeff", "").split())
        for count in counts:
            columns.append([int(next(numbers)) for _ in range(count)])
            coefficients.append([float(next(weights)) for _ in range(count)])
    most = max(map(len, columns), default=0) or 1
    return LinearLeaves(
        np.array(constants),
        np.array([row + [-1] * (most - len(row)) for row in columns]),
        np.array([row + [0.0] * (most - len(row)) for row in coefficients]),
    )


def sum_of_linear_trees(
    build: Builder,
    values: Sequence[Value],
    trees: Sequence[TreeNodes],
    check: Check,
    *,
    start: Sequence[float],
    outputs: Sequence[int],
    leaves: LinearLeaves,
) -> list[Value]:
    """The sum of the leaves' linear functions in tree order; parameters are those of `sum_of_trees`."""
    arrays, used = joined_trees(trees, also=np.unique(leaves.columns[leaves.columns >= 0]).tolist())
    inputs = compared_numbers(build, values, used, check)
    columns = np.where(leaves.columns < 0, -1, np.searchsorted(used, leaves.columns))
    result = build.linear_trees(
        *inputs,
        **arrays,
        outputs=np.array(outputs, dtype=np.int32),
        start=list(map(float, start)),
        single=False,
        width=len(start),
        inputs=len(inputs),
        constants=leaves.constants,
        leaf_columns=columns.astype(np.int32),
        coefficients=leaves.coefficients,
    )
    return build.items(result) if result.dtype == "vector" else [result]


def _nodes(tree: dict[str, str]) -> tuple[TreeNodes, set[tuple[int, int]]]:
    """A tree, inner nodes before leaves, and the pairs of (column index, missing type) of its splits."""
    leaves = np.array(tree["leaf_value"].split(), dtype=np.float64)
    inner = len(leaves) - 1
    feature, kind, left, right = (
        np.array(tree.get(name, "").split(), dtype=np.int64)[:inner]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    threshold = np.array(tree.get("threshold", "").split(), dtype=np.float64)[:inner]
    by_set, missing = (kind & 1).astype(np.bool_), kind >> 2 & 3
    sets = _sets(tree, threshold[by_set])
    zero_left = threshold >= 0.0  # with missing type _NONE a missing value counts as 0
    missing_left = np.where(missing == _NONE, zero_left, (kind & 2) != 0) & ~by_set
    tiny = np.where(zero_left, TINY, np.nextafter(-TINY, -np.inf))
    threshold = np.where((np.abs(threshold) <= TINY) & (missing != ZERO), tiny, threshold)
    pad = np.zeros(len(leaves))
    nodes = TreeNodes(
        feature=np.concatenate([feature, pad - 1]).astype(np.int64),
        threshold=np.concatenate([np.where(by_set, 0.0, threshold), pad]),
        left=np.concatenate([np.where(left < 0, inner - left - 1, left), pad]).astype(np.int64),
        right=np.concatenate([np.where(right < 0, inner - right - 1, right), pad]).astype(np.int64),
        missing_left=np.concatenate([missing_left, pad]).astype(np.bool_),
        value=np.concatenate([np.zeros(inner), leaves])[:, None],
        category=np.concatenate([np.where(by_set, np.cumsum(by_set) - 1, -1), pad - 1]).astype(np.int64),
        sets=sets,
    )
    return nodes, set(zip(feature[~by_set].tolist(), missing[~by_set].tolist(), strict=True))


def _sets(tree: dict[str, str], chosen: Any) -> Any:
    """For each split by category, which categories go left; others, and missing, go right."""
    bounds = np.array(tree.get("cat_boundaries", "").split(), dtype=np.int64)
    words = np.array(tree.get("cat_threshold", "").split(), dtype=np.uint32)
    size = 32 * int(np.diff(bounds).max(initial=0))
    sets = np.zeros((len(chosen), size + 1), dtype=np.bool_)
    for row, number in zip(sets, chosen.astype(np.int64).tolist(), strict=True):
        part = words[bounds[number] : bounds[number + 1]]
        bits = part[:, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
        row[: 32 * len(part)] = bits.ravel()
    return sets
