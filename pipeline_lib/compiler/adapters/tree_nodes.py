"""Fitted trees of any library as settings of the operation `trees`."""

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
    """One tree: an entry a node, the first being the root; `feature` is -1 at leaves.

    `value` (nodes x numbers) is what leaves give. `category` is -1, or the row of `sets` that a node splits by,
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


Check = Callable[[Value, int], Value]  # a number that a tree compares, and its place among all


def sum_of_trees(
    build: Builder,
    values: Sequence[Value],
    trees: Sequence[TreeNodes],
    check: Check,
    *,
    start: Sequence[float] | None = None,
    outputs: Sequence[int] | None = None,
    single: bool = False,
) -> list[Value]:
    """The sum of the trees' leaves in tree order, from `start` on; `outputs` says to which number each tree adds.

    Without `start` the first tree's leaf is what the others are added to. `single`: every sum is rounded to float32.
    `check` is asked for what a tree does compare; other columns are not read.
    """
    splits = [tree.feature[tree.feature >= 0] for tree in trees]
    used = np.unique(np.concatenate(splits)).astype(int).tolist() or [0]
    inputs = [check(_number(build, values, place), place) for place in used]
    numbers = np.full(max(used) + 1, -1)
    numbers[used] = np.arange(len(used))
    result = build.apply(
        "trees",
        *inputs,
        **_arrays(trees, numbers),
        outputs=None if outputs is None else np.array(outputs, dtype=np.int32),
        start=None if start is None else list(map(float, start)),
        single=single,
        width=len(start) if start is not None else trees[0].value.shape[1],
        inputs=len(inputs),
    )
    return build.items(result) if result.dtype == "vector" else [result]


def absolute_leaves(trees: Sequence[TreeNodes]) -> list[TreeNodes]:
    """The same trees with the sizes of what their leaves give: by their sum a reference may round otherwise."""
    return [replace(tree, value=np.abs(tree.value)) for tree in trees]


def _number(build: Builder, values: Sequence[Value], place: int) -> Value:
    """The number at a place of all columns, of which vectors and bags hold several."""
    for value in values:
        if place < value.width:
            taken = {"bag": "bag_item", "vector": "item"}.get(value.dtype)
            return build.number(value) if taken is None else build.apply(taken, value, place=place)
        place -= value.width
    raise NoPlanError(f"found {sum(value.width for value in values)} columns, expected those of the fitted trees")


def _arrays(trees: Sequence[TreeNodes], numbers: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """All trees' nodes in one set of arrays; `numbers` are the inputs' new numbers."""
    parts: dict[str, list[Any]] = {}
    nodes = leaves = sets = 0
    for tree in trees:
        leaf = tree.feature < 0
        category = np.full(len(leaf), -1) if tree.category is None else np.asarray(tree.category)
        arrays = {
            "feature": np.where(leaf, -1, numbers[np.where(leaf, 0, tree.feature)]).astype(np.int32),
            "threshold": np.where(leaf, 0.0, tree.threshold).astype(np.float64),
            "left": np.where(leaf, np.cumsum(leaf) - 1 + leaves, tree.left + nodes).astype(np.int32),
            "right": np.where(leaf, -1, tree.right + nodes).astype(np.int32),
            "missing_left": tree.missing_left & ~leaf,
            "category": np.where((category < 0) | leaf, -1, category + sets).astype(np.int32),
            "values": np.asarray(tree.value, dtype=np.float64)[leaf],
            "roots": np.array([nodes], dtype=np.int32),
        }
        for name, array in arrays.items():
            parts.setdefault(name, []).append(array)
        nodes, leaves = nodes + len(leaf), leaves + int(leaf.sum())
        sets += 0 if tree.sets is None else len(tree.sets)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()} | {"sets": _sets(trees)}


def _sets(trees: Sequence[TreeNodes]) -> NDArray[np.bool_]:
    """All sets, each as long as the longest: a number beyond a shorter one is any other number to it."""
    known = [tree.sets for tree in trees if tree.sets is not None and len(tree.sets)]
    width = max((part.shape[1] for part in known), default=1)
    if not known:
        return np.zeros((0, width), dtype=np.bool_)
    wide = [np.repeat(part[:, -1:], width, axis=1) for part in known]
    for part, filled in zip(known, wide, strict=True):
        filled[:, : part.shape[1] - 1] = part[:, :-1]
    return np.concatenate(wide)


def float32_thresholds(thresholds: Any) -> NDArray[np.float64]:
    """For each threshold t the largest double T for which `float32(x) <= t` is `x <= T`, for every x.

    The largest float32 that is not above t decides, and a double rounds to it, or below, up to the middle between
    it and the next one; the middle itself rounds to the even one of the two.
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
    """Demands numbers of float32's range, as scikit-learn's trees do; NaN is welcome with `missing`."""
    names = column_names(step, values)

    def check(value: Value, place: int) -> Value:
        if value.abs_max < BEYOND_SINGLE:
            return value
        return build.apply("single_range", value, name=names[place], where=type(step).__name__, missing=missing)

    return check
