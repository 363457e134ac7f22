r"""Fitted trees of any library as settings of the operation `trees`.

Every library stores trees in its own way, and compares in its own precision. An adapter converts each tree to
`TreeNodes`, whose arrays follow one rule: a number goes left where `x <= threshold` in float64. Libraries that
compare float32 numbers get thresholds for which both comparisons agree (`float32_thresholds`). `sum_of_trees` then
joins all trees of a model into one set of arrays, in which inner nodes and leaves are numbered over all trees:

    tree 0      0: x3 <= 1.5                 feature    3    -1   -1    7   ...     of all nodes
               /            \                threshold  1.5   0    0   0.2  ...
          1: leaf 0      2: leaf 1           left       1     0    1    4   ...     at a leaf: its row of `values`
                                             right      2    -1   -1    5   ...
    tree 1      3: x7 <= 0.2                 roots      0    3   ...                of all trees
               /            \                values     leaf 0, leaf 1, leaf 2, ... of all leaves
          4: leaf 2      5: ...

Features are renumbered, too: only columns that some tree compares are inputs of the operation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.checks import BEYOND_SINGLE
from pipeline_lib.compiler.adapters.inputs import column_names
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder, Value


@dataclass(frozen=True)
class TreeNodes:
    """One tree: one entry per node, the first is the root; `feature` is -1 at leaves.

    `value` (nodes x numbers) holds the leaves' values. `category` is -1, or the row of `sets` by which a node splits,
    see `operations.trees`.
    """

    feature: NDArray[Any]
    threshold: NDArray[np.float64]
    left: NDArray[Any]
    right: NDArray[Any]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    category: NDArray[Any] | None = None
    sets: NDArray[np.bool_] | None = None


Check = Callable[[Value, int], Value]  # checks a number that a tree compares, by its index among all
Arrays = dict[str, NDArray[Any]]


def sum_of_trees(
    build: Builder,
    values: Sequence[Value],
    trees: Sequence[TreeNodes],
    check: Check,
    *,
    start: Sequence[float] | None = None,
    outputs: Sequence[int] | None = None,
    float32: bool = False,
    absent: float = 0.0,
) -> list[Value]:
    """The sum of the trees' leaves in tree order, from `start` on; `outputs` is the output to which each tree adds.

    Without `start` the sum starts with the first tree's leaf. `float32`: every partial sum is rounded to float32.
    `check` is called for each number that some tree compares; other columns are not read. `absent` is what a number is
    that a sparse column does not store.
    """
    arrays, used = joined_trees(trees)
    inputs = compared_numbers(build, values, used, check, absent=absent)
    result = build.trees(
        *inputs,
        **arrays,
        outputs=None if outputs is None else np.array(outputs, dtype=np.int32),
        start=None if start is None else list(map(float, start)),
        single=float32,
        width=len(start) if start is not None else trees[0].value.shape[1],
        inputs=len(inputs),
    )
    return build.items(result) if result.dtype == "vector" else [result]


def compared_numbers(
    build: Builder, values: Sequence[Value], used: Sequence[int], check: Check, *, absent: float = 0.0
) -> list[Value]:
    """The numbers at some ascending indices among those of all columns, each checked; of sparse columns `absent`."""
    numbers: dict[int, Value] = {}
    start = 0
    for value in values:
        inside = [index for index in used if start <= index < start + value.width]
        if value.dtype == "bag" and inside:
            dense = build.sparse_numbers(value, indices=[index - start for index in inside], absent=absent)
            numbers |= dict(zip(inside, build.items(dense), strict=True))
        elif inside:
            for index in inside:
                number = build.item(value, index=index - start) if value.dtype == "vector" else build.number(value)
                stored = absent == 0.0 or not build.sparse_input  # a sparse matrix of few columns is dense in a plan
                numbers[index] = number if stored else build.where(number.equals(0.0), absent, number)
        start += value.width
    if len(numbers) < len(used):
        raise NoPlanError(f"found {start} columns, expected those of the fitted trees")
    return [check(numbers[index], index) for index in used]


def absolute_leaves(trees: Sequence[TreeNodes]) -> list[TreeNodes]:
    """The same trees with absolute values in their leaves: the scale of the rounding errors of their sum."""
    return [replace(tree, value=np.abs(tree.value)) for tree in trees]


def joined_trees(trees: Sequence[TreeNodes], also: Sequence[int] = ()) -> tuple[Arrays, list[int]]:
    """All trees' nodes in one set of arrays, and the indices of the columns that they compare, and of others."""
    counts = np.array([len(tree.feature) for tree in trees])
    roots = np.cumsum(counts) - counts
    offset = np.repeat(roots, counts)
    feature, left, right, missing, value, threshold = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("feature", "left", "right", "missing_left", "value", "threshold")
    )
    category, leaf = _categories(trees), feature < 0
    used = np.unique([*feature[~leaf].tolist(), *also]).astype(int).tolist() or [0]
    arrays = {
        "feature": np.where(leaf, -1, np.searchsorted(used, feature)).astype(np.int32),
        "threshold": np.where(leaf | (category >= 0), 0.0, threshold).astype(np.float64),
        "left": np.where(leaf, np.cumsum(leaf) - 1, left + offset).astype(np.int32),
        "right": np.where(leaf, -1, right + offset).astype(np.int32),
        "missing_left": missing.astype(np.bool_) & ~leaf,
        "category": np.where(leaf, -1, category).astype(np.int32),
        "values": np.asarray(value, dtype=np.float64)[leaf],
        "roots": roots.astype(np.int32),
        "sets": _sets(trees),
    }
    return arrays, used


def _categories(trees: Sequence[TreeNodes]) -> NDArray[Any]:
    """Each node's row among the sets of all trees, -1 where it has none."""
    parts, sets = [], 0
    for tree in trees:
        own = np.full(len(tree.feature), -1) if tree.category is None else np.asarray(tree.category)
        parts.append(np.where(own < 0, -1, own + sets))
        sets += 0 if tree.sets is None else len(tree.sets)
    return np.concatenate(parts)


def _sets(trees: Sequence[TreeNodes]) -> NDArray[np.bool_]:
    """All sets, padded to the longest: the last entry of a set, which is for all other numbers, is repeated."""
    known = [tree.sets for tree in trees if tree.sets is not None and len(tree.sets)]
    width = max((part.shape[1] for part in known), default=1)
    if not known:
        return np.zeros((0, width), dtype=np.bool_)
    wide = [np.repeat(part[:, -1:], width, axis=1) for part in known]
    for part, filled in zip(known, wide, strict=True):
        filled[:, : part.shape[1] - 1] = part[:, :-1]
    return np.concatenate(wide)


def float32_thresholds(thresholds: Any) -> NDArray[np.float64]:
    """For each threshold t the largest double T for which `float32(x) <= t` equals `x <= T`, for every x.

    Let b be the largest float32 up to t, and a the next one. A double rounds to b or below up to the middle of b and
    a; the middle itself rounds to the one of the two whose last bit is 0:

        ----b----------m----------a----     b <= t < a, m = (a + b) / 2
        x <= m rounds to b or below: T = m, or the double before m where m rounds to a
    """
    wanted = np.asarray(thresholds, dtype=np.float64)
    with np.errstate(all="ignore"):
        below = wanted.astype(np.float32)
        below = np.where(below.astype(np.float64) > wanted, np.nextafter(below, np.float32(-np.inf)), below)
        above = np.nextafter(below, np.float32(np.inf)).astype(np.float64)
        low, high = (np.clip(end.astype(np.float64), -(2.0**128), 2.0**128) for end in (below, above))
        middle = low + (high - low) / 2
        bound = np.where(middle.astype(np.float32) <= below, middle, np.nextafter(middle, -np.inf))
    return np.where(np.isposinf(wanted), np.inf, bound)


def float32_range(step: Any, values: Sequence[Value], build: Builder, *, missing: bool) -> Check:
    """A check that refuses numbers beyond float32's range, as scikit-learn's trees do, and NaN unless `missing`."""
    names = column_names(step, values)

    def check(value: Value, index: int) -> Value:
        if value.abs_max < BEYOND_SINGLE:
            return value
        return build.float32_range(value, name=names[index], where=type(step).__name__, missing=missing)

    return check
