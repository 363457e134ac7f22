"""List columns: for each main row the values of its child rows, all in one column."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.text_columns import TextColumn

LIST = "[]"
"""What the dtype of a list column ends in, after the dtype of its values."""


class ListColumn:
    """Values of child rows: one column of all `values`; `starts` (int64, rows + 1) says where each row's begin.

    row      0          1     2
    values   5.0  2.0         7.0
    starts   0          2     2     3
    """

    def __init__(self, values: Any, starts: NDArray[np.int64]) -> None:
        self.values, self.starts = values, starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many values each row has."""
        return np.diff(self.starts)

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """The row that each value belongs to."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def filled(self) -> NDArray[np.bool_]:
        """Which rows have a value at all."""
        return self.counts > 0

    @property
    def single(self) -> bool:
        """Whether no row has more than one value."""
        return int(np.count_nonzero(self.filled)) == len(self.values)

    def scattered(self, values: Any, empty: Any) -> Any:
        """`values`, one for each row that has any, as a column of all rows; `empty` for the others."""
        if len(values) == len(self):
            return values
        scattered = np.full(len(self), empty, dtype=values.dtype)
        scattered[self.filled] = values
        return scattered

    @cached_property
    def chosen(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The indices of the values that are True, and where each row's indices begin; only for bools."""
        return np.flatnonzero(self.values), np.append(0, np.cumsum(self.total(self.values)))

    def keep(self, where: "ListColumn") -> "ListColumn":
        """The values for which a condition holds."""
        indices, starts = where.chosen
        return ListColumn(_at(self.values, indices), starts)

    def slice(self, start: int, stop: int) -> "ListColumn":
        """Rows `start` to `stop`."""
        starts = self.starts[start : stop + 1]
        first, last = int(starts[0]), int(starts[-1])
        return ListColumn(_at(self.values, slice(first, last)), starts - first)

    def take(self, rows: NDArray[Any]) -> "ListColumn":
        """The rows at these indices, in that order, each with a list of its own."""
        counts = self.counts[rows]
        starts = np.append(0, np.cumsum(counts))
        values = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], counts)
        return ListColumn(_at(self.values, values), starts)

    def broadcast(self, rows: int) -> "ListColumn":
        """`rows` rows: itself, or its only row repeated."""
        return self if len(self) == rows else self.take(np.zeros(rows, dtype=np.intp))

    @classmethod
    def concat(cls, parts: Sequence["ListColumn"]) -> "ListColumn":
        """The rows of several list columns, one part after the other."""
        values = [part.values for part in parts]
        counts = np.concatenate([part.counts for part in parts])
        joined = TextColumn.concat(values) if isinstance(values[0], TextColumn) else np.concatenate(values)
        return cls(joined, np.append(0, np.cumsum(counts)))

    def spread(self, column: Any) -> Any:
        """A column of main rows with each row repeated for its child rows; a constant as it is."""
        if isinstance(column, TextColumn):
            return TextColumn(np.broadcast_to(column.codes, (len(self),))[self.owners], column.words)
        return np.broadcast_to(column, (len(self),))[self.owners] if isinstance(column, np.ndarray) else column

    def total(self, numbers: Any) -> Any:
        """Each row's sum of integers, one per value; it wraps around as int64."""
        sums = np.zeros(len(numbers) + 1, dtype=np.int64)
        np.cumsum(numbers, dtype=np.int64, out=sums[1:])
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    def reduced(self, ufunc: Any, values: Any, empty: Any) -> Any:
        """Each row's `ufunc.reduce` of values in any order; `empty` for a row without one."""
        alone = values if self.single else ufunc.reduceat(values, self.starts[:-1][self.filled])
        return self.scattered(alone, empty)


class SharedListColumn:
    """Lists that several rows share: `codes` (int32, rows) index the rows of `lists`."""

    def __init__(self, codes: NDArray[np.int32], lists: ListColumn) -> None:
        self.codes, self.lists = codes, lists

    def __len__(self) -> int:
        return len(self.codes)

    def slice(self, start: int, stop: int) -> ListColumn:
        """Rows `start` to `stop`, each with a list of its own."""
        return self.lists.take(self.codes[start:stop])

    def take(self, rows: NDArray[Any]) -> ListColumn:
        """The rows at these indices, in that order, each with a list of its own."""
        return self.lists.take(self.codes[rows])

    def broadcast(self, rows: int) -> ListColumn:
        """`rows` rows, each with a list of its own: all rows, or the only one repeated."""
        return self.slice(0, len(self)).broadcast(rows)

    @classmethod
    def concat(cls, parts: Sequence["SharedListColumn"]) -> ListColumn:
        """The rows of several such columns, each with a list of its own."""
        return ListColumn.concat([part.slice(0, len(part)) for part in parts])


def _at(values: Any, indices: Any) -> Any:
    return TextColumn(values.codes[indices], values.words) if isinstance(values, TextColumn) else values[indices]


def over_lists(function: Callable[..., Any]) -> Callable[..., ListColumn]:
    """A function of columns as one of list columns; an input of main rows is repeated for each of a row's values."""

    def of_lists(*inputs: Any) -> ListColumn:
        lists = next(column for column in inputs if isinstance(column, ListColumn))
        flat = [column.values if isinstance(column, ListColumn) else lists.spread(column) for column in inputs]
        try:
            return ListColumn(function(*flat), lists.starts)
        except RefusedRowsError as refused:
            row = int(np.searchsorted(lists.starts, refused.row, side="right")) - 1
            child_row = refused.row - int(lists.starts[row])
            raise RefusedRowsError(row, f"its row {child_row} of this table: {refused}") from None

    return of_lists


def over_one_list(function: Callable[..., Any], is_list: Sequence[bool], lift: Sequence[Any]) -> Callable[..., Any]:
    """A function of columns for one main row: a list is its values' column, other values are repeated for them.

    `lift` turns such a value into a column of one row; None keeps a constant.
    """

    def of_one(*inputs: Any) -> Any:
        count = len(next(value for value, known in zip(inputs, is_list, strict=True) if known))
        lists = ListColumn(None, np.array([0, count]))
        flat = [
            value if known or to_column is None else lists.spread(to_column(value))
            for value, known, to_column in zip(inputs, is_list, lift, strict=True)
        ]
        with np.errstate(all="ignore"):
            return function(*flat)

    return of_one
