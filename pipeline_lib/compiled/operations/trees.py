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

One row is evaluated by generated source, nested conditions with literals (`tree_source`); for larger ensembles by
walking nested tuples, and for very large ones, whose tuples would take long to make, by walking all trees at once in
arrays (both in `tree_rows`). Columns are evaluated by `trees_vectorized`. A sum in float64 depends on its order, so all
of them add leaf after leaf in tree order.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

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
from pipeline_lib.compiled.operations.tree_rows import bind_array_walk, bind_walk
from pipeline_lib.compiled.operations.tree_source import TreeWriter
from pipeline_lib.compiled.operations.trees_vectorized import bind_columns, leaf_indices

NODE_BUDGET = 20_000  # nodes up to which trees are written as source: larger sources compile slowly
TUPLE_BUDGET = 300_000  # nodes up to which trees are walked as tuples: more take seconds to make, and leave the cache
NESTING = 80  # levels up to which trees are written as source: Python's parser allows 100 levels of indentation


def _write(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    if len(settings["feature"]) > TUPLE_BUDGET:
        return f"{code.bind(bind_array_walk(settings), 'walk')}({', '.join(inputs)})"
    if len(settings["feature"]) > NODE_BUDGET or _depth(settings) >= NESTING:
        return f"{code.bind(bind_walk(settings), 'walk')}({', '.join(inputs)})"
    return TreeWriter(code, settings, inputs).write()


def _depth(settings: Settings) -> int:
    level, depth = list(map(int, settings["roots"])), 0
    feature, left, right = (np.asarray(settings[name]) for name in ("feature", "left", "right"))
    while level:
        inner = [node for node in level if feature[node] >= 0]
        level = [int(child[node]) for node in inner for child in (left, right)]
        depth += 1
    return depth


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
