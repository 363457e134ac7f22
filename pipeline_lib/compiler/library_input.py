"""The frames, arrays and sparse matrices of a library as columns of a plan."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.library_columns import plan_column
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiler.builder import Value


class LibraryColumns(Mapping[str, PlanColumn]):
    """A library's frame, array or sparse matrix as columns of a plan, converted when they are first read.

    `before` are the columns' values in the plan, in order.
    """

    def __init__(self, data: Any, before: Mapping[str, Value]) -> None:
        self._data = data
        self._values: dict[str, tuple[int, Value]] = {}
        self._columns: dict[str, PlanColumn] = {}
        self._series: list[Any] = []  # of a frame: faster than one by one
        index = 0
        for name, value in before.items():
            self._values[name] = (index, value)
            index += value.width

    def __getitem__(self, name: str) -> PlanColumn:
        """A column of the plan."""
        if name not in self._columns:
            index, value = self._values[name]
            if value.dtype == "float64" and self._numbers is not None:
                self._columns[name] = self._numbers[index]
            elif value.dtype not in ("vector", "bag") and hasattr(self._data, "columns"):
                self._series = self._series or [column for _, column in self._data.items()]
                self._columns[name] = plan_column(self._series[index], value.dtype)
            else:
                self._columns[name] = library_column(self._data, index, value.dtype, value.width)
        return self._columns[name]

    @cached_property
    def _numbers(self) -> NDArray[np.float64] | None:
        """A frame or array of float64 alone, (columns, rows): faster than column by column. None for others."""
        dtypes = list(self._data.dtypes) if hasattr(self._data, "columns") else [getattr(self._data, "dtype", None)]
        if self._data.ndim != 2 or hasattr(self._data, "tocsr") or any(dtype != np.float64 for dtype in dtypes):
            return None
        return np.array(np.asarray(self._data).T, order="C")

    def __iter__(self) -> Iterator[str]:
        """The names of the columns, in order."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self._values)


def library_column(data: Any, index: int, dtype: str, width: int = 1) -> PlanColumn:
    """Column `index` of a library's frame, array or sparse matrix, converted to a column of a plan."""
    if dtype in ("vector", "bag"):
        part = data[:, index : index + width] if not hasattr(data, "iloc") else data.iloc[:, index : index + width]
        if dtype == "bag":
            return SparseColumn.of(part if hasattr(part, "tocoo") else np.asarray(part, dtype=float).T)
        return np.ascontiguousarray((part.toarray() if hasattr(part, "toarray") else np.asarray(part)).T, dtype=float)
    if hasattr(data, "toarray"):
        data = data[:, [index]].toarray()[:, 0]
    elif hasattr(data, "iloc"):
        data = data.iloc[:, index] if data.ndim == 2 else data
    elif data.ndim == 2:
        data = data[:, index]
    return plan_column(data, dtype)
