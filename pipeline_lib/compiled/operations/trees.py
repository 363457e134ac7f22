"""Ensembles of decision trees: the sum, in tree order, of the leaves that a row falls into.

All trees lie in one set of arrays, one entry a node. A node sends a number x to its `left` child where
`x <= threshold`, else to its `right`; NaN goes left where `missing_left`. With `category` c >= 0 it is a set that
decides instead: `sets[c]` says for every whole number from 0 on whether it goes left, its last entry for any other
number (x is truncated, as the libraries do). A leaf has `feature` -1, and its `left` is a row of `values`.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import round32
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.trees_vectorized import bind_columns, leaf_places

NODE_BUDGET = 20_000  # nodes that are written as code; larger ensembles walk tuples
NESTING = 80  # Python's parser allows 100 levels


def splits_left(settings: Settings, node: int) -> Callable[[float], bool]:
    """The test of a node that splits by category, for one row."""
    members = np.asarray(settings["sets"])[settings["category"][node]].tolist()
    missing, size = bool(settings["missing_left"][node]), len(members) - 1

    def test(x: float) -> bool:
        return missing if x != x else members[int(x) if -1.0 < x < size else size]

    return test


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    if len(settings["feature"]) > NODE_BUDGET or _depth(settings) >= NESTING:
        return f"{code.bind(bind_walk(settings), 'walk')}({', '.join(inputs)})"
    return _Writer(code, settings, inputs).write()


def _depth(settings: Settings) -> int:
    level, depth = list(map(int, settings["roots"])), 0
    feature, left, right = (np.asarray(settings[name]) for name in ("feature", "left", "right"))
    while level:
        inner = [node for node in level if feature[node] >= 0]
        level = [int(child[node]) for node in inner for child in (left, right)]
        depth += 1
    return depth


class _Writer:
    """Writes each tree as nested conditions, whose leaves are literals."""

    def __init__(self, code: Code, settings: Settings, inputs: Sequence[str]) -> None:
        self.code, self.settings, self.inputs = code, settings, inputs
        names = ("feature", "threshold", "left", "right", "missing_left", "category")
        self.feature, self.threshold, self.left, self.right, self.missing, self.category = (
            np.asarray(settings[name]).tolist() for name in names
        )
        self.leaf = code.fresh("leaf")
        self.cell = code.fresh("single") if settings["single"] else ""

    def write(self) -> str:
        """All trees; the name of what they sum to."""
        code, outputs, width = self.code, self.settings["outputs"], self.settings["width"]
        totals = [code.fresh("trees") for _ in range(width)]
        start = self.settings["start"]
        if self.cell:
            code.line(f"{self.cell} = {code.bind(array, 'array')}('f', (0.0,))")
        for total, first in zip(totals, start or (), strict=False):
            code.line(f"{total} = {self._literal(float(first))}")
        wide = outputs is None and width > 1
        for tree, root in enumerate(np.asarray(self.settings["roots"]).tolist()):
            self._node(root, "", wide=wide)
            add = "" if tree == 0 and start is None else "+"
            if wide:
                code.line(f"{', '.join(totals)} = {', '.join(self._sum(t, add, i) for i, t in enumerate(totals))}")
                continue
            total = totals[0 if outputs is None else int(outputs[tree])]
            if self.cell:
                code.line(f"{self.cell}[0] = {self._sum(total, add)}; {total} = {self.cell}[0]")
            else:
                code.line(f"{total} = {self._sum(total, add)}")
        return totals[0] if width == 1 else f"{code.bind(np.array, 'array')}(({', '.join(totals)},))"

    def _sum(self, total: str, add: str, place: int | None = None) -> str:
        leaf = self.leaf if place is None else f"{self.leaf}[{place}]"
        return f"{total} + {leaf}" if add else leaf

    def _node(self, node: int, indent: str, *, wide: bool) -> None:
        feature = self.feature[node]
        if feature < 0:
            row = np.asarray(self.settings["values"])[self.left[node]].tolist()
            value = f"({', '.join(map(self._literal, row))},)" if wide else self._literal(row[0])
            self.code.line(f"{indent}{self.leaf} = {value}")
            return
        self.code.line(f"{indent}if {self._test(node, self.inputs[feature])}:")
        self._node(self.left[node], indent + " ", wide=wide)
        self.code.line(f"{indent}else:")
        self._node(self.right[node], indent + " ", wide=wide)

    def _test(self, node: int, name: str) -> str:
        if self.category[node] >= 0:
            return f"{self.code.bind(splits_left(self.settings, node), 'set')}({name})"
        threshold = self._literal(self.threshold[node])
        return f"not {name} > {threshold}" if self.missing[node] else f"{name} <= {threshold}"

    def _literal(self, number: float) -> str:
        return repr(number) if math.isfinite(number) else self.code.bind(number, "number")


def bind_walk(settings: Settings) -> Callable[..., Any]:
    """The same for one row, for ensembles that are too large to be written as code."""
    find = walked_leaves(settings)
    width, outputs, start = settings["width"], settings["outputs"], settings["start"]
    places = None if outputs is None else np.asarray(outputs).tolist()
    single = settings["single"]

    def walk(*row: float) -> Any:
        leaves = find(row)
        if places is None and width > 1:
            totals = leaves.pop(0) if start is None else start
            for leaf in leaves:
                totals = [a + b for a, b in zip(totals, leaf, strict=True)]
            return np.array(totals)
        totals = [leaves.pop(0)] if start is None else list(start)
        for place, leaf in zip(places or [0] * len(leaves), leaves, strict=True):
            total = totals[place] + leaf
            totals[place] = round32(total) if single else total
        return totals[0] if width == 1 else np.array(totals)

    return walk


def walked_leaves(settings: Settings) -> Callable[[tuple[float, ...]], list[Any]]:
    """Each tree's leaf for one row, found in nested tuples `(threshold, place, left, right)`; a leaf's left is None.

    Where NaN goes left, and for each set, the row gets further places: with -inf for NaN, with -1 or 1 for a set.
    """
    roots, lower, sets = _tuples(settings)

    def find(row: tuple[float, ...]) -> list[Any]:
        for place in lower:
            x = row[place]
            row += (x if x == x else -math.inf,)
        for place, test in sets:
            row += (-1.0 if test(row[place]) else 1.0,)
        leaves = []
        for value, place, left, right in roots:
            while left is not None:
                value, place, left, right = left if row[place] <= value else right
            leaves.append(value)
        return leaves

    return find


def _tuples(settings: Settings) -> tuple[list[Any], list[int], list[tuple[int, Callable[[float], bool]]]]:
    """Nested tuples of all trees, inputs that are needed with -inf for NaN, inputs and tests of sets."""
    feature, threshold, left, right, missing, category = (
        np.asarray(settings[name]).tolist()
        for name in ("feature", "threshold", "left", "right", "missing_left", "category")
    )
    values, wide = np.asarray(settings["values"]).tolist(), settings["outputs"] is None and settings["width"] > 1
    inputs = int(settings["inputs"])
    lower = sorted({f for f, low, c in zip(feature, missing, category, strict=True) if f >= 0 and low and c < 0})
    lowered = {place: inputs + number for number, place in enumerate(lower)}
    sets: list[tuple[int, Callable[[float], bool]]] = []
    made: list[Any] = [None] * len(feature)
    for node in _children_first(settings):
        if feature[node] < 0:
            row = values[left[node]]
            made[node] = (row if wide else row[0], 0, None, None)
            continue
        place, number = feature[node], threshold[node]
        if category[node] >= 0:
            sets.append((place, splits_left(settings, node)))
            place, number = inputs + len(lower) + len(sets) - 1, 0.0
        elif missing[node]:
            place = lowered[place]
        made[node] = (number, place, made[left[node]], made[right[node]])
    return [made[root] for root in np.asarray(settings["roots"]).tolist()], lower, sets


def _children_first(settings: Settings) -> list[int]:
    feature, left, right = (np.asarray(settings[name]).tolist() for name in ("feature", "left", "right"))
    order: list[int] = np.asarray(settings["roots"]).tolist()
    for node in order:  # it grows meanwhile
        if feature[node] >= 0:
            order += (left[node], right[node])
    return order[::-1]


def _abs_max(settings: Settings, maxima: Sequence[float]) -> float:
    """At most the sum of every tree's largest leaf: a generous bound, finite where all leaves are."""
    start = 0.0 if settings["start"] is None else max(map(abs, settings["start"]))
    values = np.abs(np.asarray(settings["values"], dtype=np.float64))
    return float(start + len(settings["roots"]) * (values.max() if values.size else 0.0) * 1.001)


def _error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    """Infinite where a tree's leaf is another one at an end of the inputs' bounds, else 0."""
    if not any(np.any(bound) for bound in bounds):
        return np.zeros(np.shape(result))
    places, (rows,) = leaf_places(settings), np.shape(result)[-1:]
    nominal = places([np.broadcast_to(value, (rows,)) for value in inputs])
    moved = np.zeros(rows, dtype=np.bool_)
    for sign in (-1.0, 1.0):
        ends = []
        for value, bound in zip(inputs, bounds, strict=True):
            end = np.where(np.isinf(bound), sign * np.inf, value + sign * np.where(np.isinf(bound), 0.0, bound))
            ends.append(np.broadcast_to(np.where(np.isnan(value) & np.isfinite(bound), np.nan, end), (rows,)))
        moved |= (places(ends) != nominal).any(axis=0)
    return np.broadcast_to(np.where(moved, np.inf, 0.0), np.shape(result))


operation(
    "trees",
    ("float64", "..."),
    lambda settings, dtypes: "float64" if settings["width"] == 1 else "vector",
    column=bind_columns,
    writer=_write,
    abs_max=_abs_max,
    error_bound=_error_bound,
    width=lambda settings, widths: int(settings["width"]),
)
