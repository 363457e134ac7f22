"""Oblivious trees, such as CatBoost's: all nodes of a level compare the same column with the same threshold.

So a row's answers are the bits of its leaf's number; the first split is the lowest bit:

    tree with splits  a > 3.0,  b > 0.5      leaf 0: no, no   1: yes, no   2: no, yes   3: yes, yes
    a = 5.0, b = 0.0 gives leaf 1

NaN is not above any threshold. `split_columns` and `thresholds` have a row for each tree, shorter ones filled with
column 0 and an infinite threshold. `first` is the row of `values` (leaves x numbers) of each tree's leaf 0. Leaves are
added in tree order from 0.0 on.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER_MATRIX, INTEGERS, MATRIX

_FEW = 32  # rows up to which all trees are evaluated at once


class _Trees:
    """The settings as arrays; each different split once in `columns` and `thresholds`, by number in `splits`."""

    def __init__(self, settings: Settings) -> None:
        self.all_columns = np.asarray(settings["split_columns"], dtype=np.intp)
        self.all_thresholds = np.asarray(settings["thresholds"], dtype=np.float64)
        pairs = np.stack([self.all_columns.ravel(), self.all_thresholds.ravel()], axis=1)
        unique, self.splits = np.unique(pairs, axis=0, return_inverse=True)
        self.splits = self.splits.reshape(self.all_columns.shape)
        self.columns, self.thresholds = unique[:, 0].astype(np.intp), unique[:, 1]
        self.first = np.asarray(settings["first"], dtype=np.intp)
        self.values = np.ascontiguousarray(np.asarray(settings["values"], dtype=np.float64).T)  # numbers x leaves
        self.weights = 1 << np.arange(self.all_columns.shape[1])

    def leaves(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Each row's leaf of each tree (trees x rows), as its row of `values`."""
        above = numbers[self.all_columns] > self.all_thresholds[:, :, None]  # trees x splits x rows
        leaves: NDArray[np.intp] = (above * self.weights[:, None]).sum(axis=1) + self.first[:, None]
        return leaves

    def few(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums for few rows; `accumulate` adds one tree after the other."""
        terms = self.values[:, self.leaves(numbers)]  # numbers x trees x rows
        start = np.zeros((len(terms), 1, terms.shape[2]))
        sums: NDArray[np.float64] = np.add.accumulate(np.concatenate([start, terms], axis=1), axis=1)[:, -1]
        return sums

    def many(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums for many rows, tree by tree."""
        rows = numbers.shape[1]
        answers = [numbers[c] > t for c, t in zip(self.columns.tolist(), self.thresholds.tolist(), strict=True)]
        bits = [answer.view(np.uint8).astype(np.uint16) for answer in answers]
        totals = np.zeros((len(self.values), rows))
        leaf, other = np.empty(rows, dtype=np.uint16), np.empty(rows, dtype=np.uint16)
        for splits, first in zip(self.splits.tolist(), self.first.tolist(), strict=True):
            leaf[:] = 0
            for place, split in enumerate(splits):
                np.left_shift(bits[split], np.uint16(place), out=other)
                np.bitwise_or(leaf, other, out=leaf)
            for total, values in zip(totals, self.values, strict=True):
                total += values[first:].take(leaf)
        return totals


def _bind(settings: Settings) -> Callable[..., Any]:
    trees = _Trees(settings)

    def evaluate(*inputs: Any) -> Any:
        numbers = np.array(np.broadcast_arrays(*map(np.atleast_1d, inputs)), dtype=np.float64)
        totals = trees.few(numbers) if numbers.shape[1] <= _FEW else trees.many(numbers)
        return totals[0] if len(totals) == 1 else totals

    return evaluate


def _error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> Any:
    """Infinite where a tree's leaf is another one at an end of the inputs' bounds, else 0."""
    rows = np.shape(result)[-1]
    if not any(np.any(bound) for bound in bounds):
        return np.zeros(np.shape(result))
    trees, moved = _Trees(settings), np.zeros(rows, dtype=np.bool_)
    numbers, bound = (
        np.array([np.broadcast_to(each, (rows,)) for each in columns], dtype=np.float64) for columns in (inputs, bounds)
    )
    with np.errstate(invalid="ignore"):
        for end in (numbers - bound, numbers + bound):
            moved |= (trees.leaves(end) != trees.leaves(numbers)).any(axis=0)
    return np.broadcast_to(np.where(moved | np.isinf(bound).any(axis=0), np.inf, 0.0), np.shape(result))


def _width(settings: Settings, widths: Sequence[int]) -> int:
    return int(np.shape(settings["values"])[1])


operation(
    "oblivious_trees",
    ("float64", "..."),
    lambda settings, dtypes: "float64" if _width(settings, ()) == 1 else "vector",
    doc="The sum of oblivious trees' leaves, in tree order: every node of a level has the same split.",
    parameters=("columns", "..."),
    settings={"split_columns": INTEGER_MATRIX, "thresholds": MATRIX, "first": INTEGERS, "values": MATRIX},
    column=_bind,
    error_bound=_error_bound,
    width=_width,
)
