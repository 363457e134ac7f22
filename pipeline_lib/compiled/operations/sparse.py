"""Sparse vectors: few of many numbers a row, such as the counts of a vocabulary's words.

Sums run over a row's numbers at ascending indices, from 0.0 on, so they depend on nothing but the row. On disk, and as
a dtype, a sparse vector is called "bag".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.checks import LARGEST
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER, INTEGERS, TEXT, optional


class SparseColumn:
    """A sparse column: row i holds `values[indptr[i] : indptr[i + 1]]` at ascending `indices`, else 0.

    `width` is how many numbers a row has. In one row, too, it is a column of one row.
    """

    __slots__ = ("indices", "indptr", "values", "width")

    def __init__(
        self, indptr: NDArray[np.int64], indices: NDArray[np.int64], values: NDArray[np.float64], width: int
    ) -> None:
        self.indptr, self.indices, self.values, self.width = indptr, indices, values, width

    @classmethod
    def of(cls, column: Any) -> "SparseColumn":
        """A sparse column as it is; of a vector column (width, rows) or a SciPy matrix (rows, width) what is not 0."""
        if isinstance(column, SparseColumn):
            return column
        if hasattr(column, "tocoo"):
            matrix = column.tocoo()
            rows, indices, values = (np.asarray(part) for part in (matrix.row, matrix.col, matrix.data))
            count, width = matrix.shape
            order = np.lexsort((indices, rows))
            rows, indices, values = rows[order], indices[order], values[order]
        else:
            rows, indices = np.nonzero(np.asarray(column).T)
            values, (width, count) = np.asarray(column)[indices, rows], np.shape(column)
        return cls(_pointers(rows, count), indices.astype(np.int64), values.astype(np.float64), width)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def rows(self) -> NDArray[np.int64]:
        """The row of each value."""
        if len(self) == 1:
            return np.zeros(len(self.values), dtype=np.int64)
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def toarray(self) -> NDArray[np.float64]:
        """All numbers: shape (width, rows), as a vector column has it."""
        dense = np.zeros((self.width, len(self)))
        dense[self.indices, self.rows()] = self.values
        return dense

    def slice(self, start: int, stop: int) -> "SparseColumn":
        """Rows `start` to `stop`."""
        pointers = self.indptr[start : stop + 1]
        taken = slice(pointers[0], pointers[-1])
        return SparseColumn(pointers - pointers[0], self.indices[taken], self.values[taken], self.width)

    def take(self, rows: NDArray[Any]) -> "SparseColumn":
        """The rows at these indices, in that order."""
        starts, lengths = self.indptr[:-1][rows], np.diff(self.indptr)[rows]
        pointers = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(pointers[-1]) - np.repeat(pointers[:-1], lengths)
        taken = np.repeat(starts, lengths) + within
        return SparseColumn(pointers, self.indices[taken], self.values[taken], self.width)

    def broadcast(self, rows: int) -> "SparseColumn":
        """`rows` rows: a sparse column made of constants alone has one."""
        return self if len(self) == rows else self.take(np.zeros(rows, dtype=np.int64))

    def keep(self, kept: NDArray[np.bool_]) -> "SparseColumn":
        """Without the values that are not kept."""
        return SparseColumn(_pointers(self.rows()[kept], len(self)), self.indices[kept], self.values[kept], self.width)

    def holding(self, values: NDArray[np.float64]) -> "SparseColumn":
        """Other values at the same indices."""
        return SparseColumn(self.indptr, self.indices, values, self.width)

    def sums(self, terms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row's sum of `terms`, one per value, in the order of their indices."""
        # bincount adds one term after the other, from 0.0
        return np.bincount(self.rows(), weights=terms, minlength=len(self)).astype(np.float64, copy=False)

    @classmethod
    def concat(cls, parts: Sequence["SparseColumn"]) -> "SparseColumn":
        """Blocks of rows, one below the other."""
        ends = np.cumsum([0, *(part.indptr[-1] for part in parts)])
        pointers = [part.indptr[:-1] + end for part, end in zip(parts, ends[:-1], strict=True)]
        return cls(
            np.concatenate([*pointers, ends[-1:]]),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.values for part in parts]),
            parts[0].width,
        )


def _pointers(rows: NDArray[Any], count: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]).astype(np.int64)


def aligned(found: SparseColumn, bound: Any, expected: SparseColumn) -> tuple[NDArray[np.int64], Any, Any, Any]:
    """Rows, found values, their error bounds, expected values, at each index that either column holds."""
    if np.array_equal(found.indptr, expected.indptr) and np.array_equal(found.indices, expected.indices):
        return found.rows(), found.values, 0.0 if bound is None else bound, expected.values
    keys = [sparse.rows() * sparse.width + sparse.indices for sparse in (found, expected)]
    cells = np.union1d(*keys)
    numbers = np.zeros((3, len(cells)))
    numbers[0, np.searchsorted(cells, keys[0])] = found.values
    numbers[1, np.searchsorted(cells, keys[0])] = 0.0 if bound is None else bound
    numbers[2, np.searchsorted(cells, keys[1])] = expected.values
    return cells // max(found.width, 1), numbers[0], numbers[1], numbers[2]


def same_width(settings: Settings, widths: Sequence[int]) -> int:
    return widths[0]


def sparse_error_bounds(bound: Any, column: Any) -> NDArray[np.float64]:
    """One error bound per value of a sparse column; `bound` may be a vector column's, one per index and row."""
    sparse = SparseColumn.of(column)
    if np.ndim(bound) == 2:
        return np.asarray(bound)[sparse.indices, sparse.rows()]
    return np.broadcast_to(bound, sparse.values.shape)


def _select(settings: Settings) -> Any:
    kept = np.asarray(settings["places"], dtype=np.int64)  # ascending

    def select(column: Any) -> SparseColumn:
        sparse = SparseColumn.of(column)
        inside = sparse.keep(np.isin(sparse.indices, kept))
        return SparseColumn(inside.indptr, np.searchsorted(kept, inside.indices), inside.values, len(kept))

    return select


operation(
    "bag_select",
    ("bag",),
    "bag",
    doc="A sparse vector's numbers at some indices, ascending, as a narrower sparse vector.",
    parameters=("vector",),
    settings={"places": INTEGERS},
    column=_select,
    error_bound=lambda settings, inputs, bounds, result: sparse_error_bounds(bounds[0], inputs[0])[
        np.isin(SparseColumn.of(inputs[0]).indices, settings["places"])
    ],
    abs_max=lambda settings, maxima: maxima[0],
    width=lambda settings, widths: len(settings["places"]),
)


def _side_by_side(columns: Sequence[Any]) -> SparseColumn:
    rows = max(
        len(column) if isinstance(column, SparseColumn) else (np.shape(column)[-1:] or (1,))[0] for column in columns
    )
    dense, dense_indices, parts, start = [], [], [], 0
    for column in columns:
        if isinstance(column, SparseColumn) or np.ndim(column) == 2:
            sparse = SparseColumn.of(column).broadcast(rows)
            parts.append((sparse.rows(), sparse.indices + start, sparse.values))
            start += sparse.width
        else:
            dense.append(np.broadcast_to(np.asarray(column, dtype=np.float64), (rows,)))
            dense_indices.append(start)
            start += 1
    if dense:
        numbers = np.array(dense).T
        row, which = np.nonzero(numbers)
        parts.append((row, np.array(dense_indices, dtype=np.int64)[which], numbers[row, which]))
    row, indices, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((indices, row))
    return SparseColumn(_pointers(row, rows), indices[order], values[order], start)


def _joined_error_bound(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: SparseColumn) -> Any:
    """Each value's error bound, from the input that the value comes from."""
    rows, whole, start = result.rows(), np.zeros(len(result.values)), 0
    for column, bound in zip(inputs, bounds, strict=True):
        if isinstance(column, SparseColumn) or np.ndim(column) == 2:
            sparse = SparseColumn.of(column).broadcast(len(result))
            inside = (result.indices >= start) & (result.indices < start + sparse.width)
            whole[inside] = sparse_error_bounds(bound, sparse)
            start += sparse.width
        else:
            inside = result.indices == start
            whole[inside] = np.broadcast_to(bound, (len(result),))[rows[inside]]
            start += 1
    return whole


operation(
    "bag_join",
    ("float64|vector|bag", "..."),
    "bag",
    doc="Numbers, vectors and sparse vectors side by side, as one sparse vector.",
    column=lambda settings: lambda *columns: _side_by_side(columns),
    error_bound=_joined_error_bound,
    abs_max=lambda settings, maxima: max(maxima),
    width=lambda settings, widths: sum(widths),
)
operation(
    "bag_vector",
    ("bag",),
    "vector",
    doc="A sparse vector as a dense one.",
    parameters=("vector",),
    column=lambda settings: lambda column: column.toarray() if isinstance(column, SparseColumn) else column,
    error_bound=lambda settings, inputs, bounds, result: (
        SparseColumn.of(inputs[0]).holding(sparse_error_bounds(bounds[0], inputs[0])).toarray()
        if np.ndim(bounds[0]) < 2
        else bounds[0]
    ),
    abs_max=lambda settings, maxima: maxima[0],
    width=same_width,
)
operation(
    "bag_item",
    ("bag",),
    "float64",
    doc="The number at one index of a sparse vector.",
    parameters=("vector",),
    settings={"place": INTEGER},
    column=lambda settings: (
        lambda column: (sparse := SparseColumn.of(column)).sums(
            np.where(sparse.indices == settings["place"], sparse.values, 0.0)
        )
    ),
    error_bound=lambda settings, inputs, bounds, result: (sparse := SparseColumn.of(inputs[0])).sums(
        np.where(sparse.indices == settings["place"], sparse_error_bounds(bounds[0], inputs[0]), 0.0)
    ),
    abs_max=lambda settings, maxima: maxima[0],
)


def _finite(settings: Settings) -> Any:
    def finite(column: Any) -> SparseColumn:
        sparse = SparseColumn.of(column)
        bad = np.isinf(sparse.values) if settings.get("missing") else ~np.isfinite(sparse.values)
        if bad.any():
            first = int(np.argmax(bad))
            value, index = sparse.values[first].item(), int(sparse.indices[first])
            raise RefusedRowsError(
                int(sparse.rows()[first]),
                f"{settings['where']}: found {value!r} in column {index}, expected a finite number; correct the row, "
                "or impute and cap before this step",
            )
        return sparse

    return finite


operation(
    "bag_finite",
    ("bag",),
    "bag",
    doc="A sparse vector of finite numbers; infinite ones are refused, and so is NaN unless `missing`.",
    parameters=("vector",),
    settings={"where": TEXT, "name": optional(TEXT), "missing": optional(FLAG)},
    column=_finite,
    error_bound=lambda settings, inputs, bounds, result: sparse_error_bounds(bounds[0], inputs[0]),
    abs_max=lambda settings, maxima: np.inf if settings.get("missing") else LARGEST,
    width=same_width,
)
