"""The kinds of columns that a plan evaluates, behind one protocol: slice, take, broadcast, concat.

Text, sparse and list columns are classes with these methods; `operations.registry` says which dtype is which class.
Numbers, truths, datetimes and vectors are NumPy arrays, constants Python scalars: the functions here treat them alike.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.list_columns import ListColumn, SharedListColumn
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn

PlanColumn = Any  # a NumPy array, a class of KINDS, or a Python scalar for a constant


class RowsProtocol(Protocol):
    """What each class of columns does with its rows."""

    def __len__(self) -> int:
        """How many rows it has."""
        ...

    def slice(self, start: int, stop: int) -> "RowsProtocol":
        """Rows `start` to `stop`, without a copy where the kind allows it."""
        ...

    def take(self, rows: NDArray[Any]) -> "RowsProtocol":
        """The rows at these indices, from 0 on, in that order."""
        ...

    def broadcast(self, rows: int) -> "RowsProtocol":
        """`rows` rows: the column itself if it has as many, else its only row repeated."""
        ...

    @classmethod
    def concat(cls, parts: Sequence[Any]) -> "RowsProtocol":
        """The rows of several columns of this kind, one part after the other."""
        ...


KINDS: tuple[type[RowsProtocol], ...] = (TextColumn, SparseColumn, ListColumn, SharedListColumn)


def slice_rows(column: PlanColumn, start: int, stop: int) -> PlanColumn:
    """Rows `start` to `stop` of a column."""
    return column[..., start:stop] if isinstance(column, np.ndarray) else column.slice(start, stop)


def take_rows(column: PlanColumn, rows: NDArray[np.intp]) -> PlanColumn:
    """The rows at these indices of a column, in that order; NumPy does not check that they are in range."""
    return column.take(rows, axis=-1, mode="clip") if isinstance(column, np.ndarray) else column.take(rows)


def broadcast_rows(column: PlanColumn, dtype: str, rows: int) -> PlanColumn:
    """A column of `rows` rows: what depends on constants alone has one row or none, which is repeated."""
    if dtype == "str" and not isinstance(column, TextColumn):
        column = TextColumn.of([column])
    if isinstance(column, KINDS):
        return column.broadcast(rows)
    array = np.asarray(column)
    shape = (*array.shape[:-1], rows) if array.ndim else (rows,)
    return np.broadcast_to(array, shape) if array.shape != shape else array


def concat_rows(parts: Sequence[PlanColumn]) -> PlanColumn:
    """The rows of several columns of one kind, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return type(first).concat(parts) if isinstance(first, KINDS) else np.concatenate(parts, axis=-1)
