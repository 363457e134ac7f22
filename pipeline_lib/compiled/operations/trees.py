r"""Ensembles of decision trees: the sum, in tree order, of the leaves that a row falls into.

All trees are in one set of arrays with one entry per node. Two trees over the inputs a (0) and b (1):

      a <= 3.0          b <= 0.5           node        0     1     2     3     4     5
      /      \          /      \           feature     0    -1    -1     1    -1    -1     -1: a leaf
    10.0    20.0      1.0     2.0          threshold 3.0     -     -   0.5     -     -
                                           left        1     0     1     4     2     3     a leaf's row of `values`
                                           right       2     -     -     5     -     -
    values [10.0, 20.0, 1.0, 2.0]          roots [0, 3]

    a = 5.0, b = 0.0 gives 20.0 + 1.0

A number x goes to the `left` child where `x <= threshold`, else to the `right`; NaN goes left where `missing_left`.
A node with `category` c >= 0 splits by a set instead: `sets[c]` says for each integer from 0 on whether it goes left,
and its last entry says it for any other number (x is truncated, as the libraries do).

One row is evaluated by generated source, nested conditions with literals (`_Writer`); for larger ensembles by walking
nested tuples, and for very large ones, whose tuples would take long to make, by walking all trees at once in arrays.
Columns are evaluated by `trees_vectorized`. A sum in float64 depends on its order, so all of them add leaf after leaf
in tree order.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import round32
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import (
    FLAG,
    FLAG_MATRIX,
    FLAGS,
    INTEGER,
    INTEGERS,
    MATRIX,
    NUMBERS,
    or_none,
)
from pipeline_lib.compiled.operations.tree_walk import walked_row
from pipeline_lib.compiled.operations.trees_vectorized import bind_columns, leaf_indices

NODE_BUDGET = 20_000  # nodes up to which trees are written as source: larger sources compile slowly
TUPLE_BUDGET = 300_000  # nodes up to which trees are walked as tuples: more take seconds to make, and leave the cache
NESTING = 80  # levels up to which trees are written as source: Python's parser allows 100 levels of indentation


def splits_left(settings: Settings, node: int) -> Callable[[float], bool]:
    """The function that says, for one row, whether a node that splits by category sends it left."""
    members = np.asarray(settings["sets"])[settings["category"][node]].tolist()
    missing, size = bool(settings["missing_left"][node]), len(members) - 1

    def test(x: float) -> bool:
        return missing if x != x else members[int(x) if -1.0 < x < size else size]

    return test


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    if len(settings["feature"]) > TUPLE_BUDGET:
        return f"{code.bind(bind_array_walk(settings), 'walk')}({', '.join(inputs)})"
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
        """Write all trees; returns the expression of their sum."""
        code, outputs, width = self.code, self.settings["outputs"], self.settings["width"]
        totals = [code.fresh("trees") for _ in range(width)]
        start = self.settings["start"]
        if self.cell:
            code.line(f"{self.cell} = {code.bind(array, 'array')}('f', (0.0,))")
        for total, first in zip(totals, start or (), strict=False):
            code.line(f"{total} = {code.literal(float(first))}")
        wide = outputs is None and width > 1
        for tree, root in enumerate(np.asarray(self.settings["roots"]).tolist()):
            self._node(root, "", wide=wide)
            add = "" if tree == 0 and start is None else "+"
            if wide:
                for output, total in enumerate(totals):
                    self._add(total, self._sum(total, add, output))
            else:
                total = totals[0 if outputs is None else int(outputs[tree])]
                self._add(total, self._sum(total, add))
        return totals[0] if width == 1 else f"{code.bind(np.array, 'array')}(({', '.join(totals)},))"

    def _add(self, total: str, expression: str) -> None:
        if self.cell:  # an array of one float32 rounds what is stored in it
            self.code.line(f"{self.cell}[0] = {expression}; {total} = {self.cell}[0]")
        else:
            self.code.line(f"{total} = {expression}")

    def _sum(self, total: str, add: str, output: int | None = None) -> str:
        leaf = self.leaf if output is None else f"{self.leaf}[{output}]"
        return f"{total} + {leaf}" if add else leaf

    def _node(self, node: int, indent: str, *, wide: bool) -> None:
        feature = self.feature[node]
        if feature < 0:
            row = np.asarray(self.settings["values"])[self.left[node]].tolist()
            value = f"({', '.join(map(self.code.literal, row))},)" if wide else self.code.literal(row[0])
            self.code.line(f"{indent}{self.leaf} = {value}")
            return
        self.code.line(f"{indent}if {self._test(node, self.inputs[feature])}:")
        self._node(self.left[node], indent + " ", wide=wide)
        self.code.line(f"{indent}else:")
        self._node(self.right[node], indent + " ", wide=wide)

    def _test(self, node: int, name: str) -> str:
        if self.category[node] >= 0:
            return f"{self.code.bind(splits_left(self.settings, node), 'set')}({name})"
        threshold = self.code.literal(self.threshold[node])
        return f"not {name} > {threshold}" if self.missing[node] else f"{name} <= {threshold}"


def bind_walk(settings: Settings) -> Callable[..., Any]:
    """The function of one row for ensembles that are too large to be written as source."""
    find = walked_leaves(settings)
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


def walked_leaves(settings: Settings) -> Callable[[tuple[float, ...]], list[Any]]:
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


def _abs_max(settings: Settings, maxima: Sequence[float]) -> float:
    """At most the sum of every tree's largest leaf: a generous bound, finite where all leaves are."""
    start = 0.0 if settings["start"] is None else max(map(abs, settings["start"]))
    values = np.abs(np.asarray(settings["values"], dtype=np.float64))
    return float(start + len(settings["roots"]) * (values.max() if values.size else 0.0) * 1.001)


def error_bound_of_paths(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    """Infinite where a tree's leaf is another one at an end of the inputs' bounds, else 0."""
    if not any(np.any(bound) for bound in bounds):
        return np.zeros(np.shape(result))
    leaves_of, (rows,) = leaf_indices(settings), np.shape(result)[-1:]
    nominal = leaves_of([np.broadcast_to(value, (rows,)) for value in inputs])
    moved = np.zeros(rows, dtype=np.bool_)
    for sign in (-1.0, 1.0):
        ends = []
        for value, bound in zip(inputs, bounds, strict=True):
            end = np.where(np.isinf(bound), sign * np.inf, value + sign * np.where(np.isinf(bound), 0.0, bound))
            ends.append(np.broadcast_to(np.where(np.isnan(value) & np.isfinite(bound), np.nan, end), (rows,)))
        moved |= (leaves_of(ends) != nominal).any(axis=0)
    return np.broadcast_to(np.where(moved, np.inf, 0.0), np.shape(result))


operation(
    "trees",
    ("float64", "..."),
    lambda settings, dtypes: "float64" if settings["width"] == 1 else "vector",
    doc="The sum of decision trees' leaves, in tree order; a vector where trees have several outputs.",
    parameters=("columns", "..."),
    settings={
        "feature": INTEGERS,
        "threshold": NUMBERS,
        "left": INTEGERS,
        "right": INTEGERS,
        "missing_left": FLAGS,
        "category": INTEGERS,
        "values": MATRIX,
        "roots": INTEGERS,
        "sets": FLAG_MATRIX,
        "outputs": or_none(INTEGERS),
        "start": or_none(NUMBERS),
        "single": FLAG,
        "width": INTEGER,
        "inputs": INTEGER,
    },
    column=bind_columns,
    writer=_write,
    abs_max=_abs_max,
    error_bound=error_bound_of_paths,
    width=lambda settings, widths: int(settings["width"]),
)
