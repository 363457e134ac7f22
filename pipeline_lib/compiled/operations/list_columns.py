"""List columns: for each main row the values of its child rows, all in one column."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.text_columns import TextColumn

LIST = "[]"  # behind the dtype of the values


class ListColumn:
    """Values of child rows: `values` is a column of all, and `starts` (int64, rows + 1) says where each row's begin."""

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
        found = np.full(len(self), empty, dtype=values.dtype)
        found[self.filled] = values
        return found

    @cached_property
    def chosen(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of truths: where they hold, and where each row's begin among these."""
        return np.flatnonzero(self.values), np.append(0, np.cumsum(self.total(self.values)))

    def keep(self, where: "ListColumn") -> "ListColumn":
        """The values where a truth holds."""
        places, starts = where.chosen
        return ListColumn(_at(self.values, places), starts)

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
        """A column of main rows, or a constant, as one of child rows."""
        if isinstance(column, TextColumn):
            return TextColumn(np.broadcast_to(column.codes, (len(self),))[self.owners], column.words)
        return np.broadcast_to(column, (len(self),))[self.owners] if isinstance(column, np.ndarray) else column

    def total(self, numbers: Any) -> Any:
        """Each row's sum of integers, one for each value; as int64 holds it."""
        sums = np.zeros(len(numbers) + 1, dtype=np.int64)
        np.cumsum(numbers, dtype=np.int64, out=sums[1:])
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    def reduced(self, ufunc: Any, values: Any, empty: Any) -> Any:
        """Each row's `ufunc.reduce` of values in any order; `empty` for a row without one."""
        alone = values if self.single else ufunc.reduceat(values, self.starts[:-1][self.filled])
        return self.scattered(alone, empty)


class SharedListColumn:
    """Lists that several rows share: `codes` (int32, rows) are places in `lists`."""

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


def _at(values: Any, places: Any) -> Any:
    return TextColumn(values.codes[places], values.words) if isinstance(values, TextColumn) else values[places]


def over_lists(function: Callable[..., Any]) -> Callable[..., ListColumn]:
    """A function of columns, for the values of lists; what is no list is the same for all of a row's values."""

    def of_lists(*inputs: Any) -> ListColumn:
        lists = next(given for given in inputs if isinstance(given, ListColumn))
        flat = [given.values if isinstance(given, ListColumn) else lists.spread(given) for given in inputs]
        try:
            return ListColumn(function(*flat), lists.starts)
        except RefusedRowsError as refused:
            row = int(np.searchsorted(lists.starts, refused.row, side="right")) - 1
            place = refused.row - int(lists.starts[row])
            raise RefusedRowsError(row, f"its row {place} of this table: {refused}") from None

    return of_lists


def over_one_list(function: Callable[..., Any], is_list: Sequence[bool], lift: Sequence[Any]) -> Callable[..., Any]:
    """The same for one main row, whose lists are columns; `lift` makes a column of another value, None keeps it."""

    def of_one(*inputs: Any) -> Any:
        count = len(next(given for given, known in zip(inputs, is_list, strict=True) if known))
        lists = ListColumn(None, np.array([0, count]))
        flat = [
            given if known or make is None else lists.spread(make(given))
            for given, known, make in zip(inputs, is_list, lift, strict=True)
        ]
        with np.errstate(all="ignore"):
            return function(*flat)

    return of_one
