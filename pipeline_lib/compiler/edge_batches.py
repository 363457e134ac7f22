"""Edge rows as a step's library takes them: real rows of its input, each with one value replaced, dtypes kept.

The input is a frame, an array, a sparse matrix, or several raw tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.rows.frames import Frames
from pipeline_lib.rows.schema import RowSchema

Rows = NDArray[np.intp]
MAX_REPEATS = 3  # real rows in which one value is tried, where there is room
EVERY_COLUMN = -1  # the number of an edge that sets all columns of a sparse matrix


@dataclass(frozen=True)
class Edge:
    """One value to try in one column: the column's number in the step's input, its name, the value (None: missing).

    In an input of several tables the name says which table. `hidden` values are of sensitive columns.
    """

    index: int
    column: str
    value: Any
    hidden: bool = False

    def __str__(self) -> str:
        if self.hidden:
            return f"{self.column}=a value (hidden: sensitive)"
        return f"{self.column}={'missing' if self.value is None else repr(self.value)}"


def thinned(data: Any, edges: Sequence[Edge], rows: int) -> tuple[Any, list[Edge]]:
    """At most so many edge rows, spread evenly."""
    chosen = spread(len(edges), min(len(edges), rows))
    return take(data, chosen), [edges[row] for row in chosen]


def spread(count: int, rows: int) -> Rows:
    """As many rows out of `count`, spread evenly; each several times where there are fewer."""
    return np.linspace(0, count - 1, rows).astype(np.intp) if rows <= count else np.arange(rows) % count


def within(edges: Sequence[Sequence[Edge]], room: int, repeats: int = MAX_REPEATS) -> list[Edge]:
    """Edges of all columns, as many as there is room for: the first of each column, then the second, and so on.

    Where there is no room for more than one value of a column, each gives another rank, so that not all are missing.
    Where there is more room each is tried in several rows, up to `repeats`. Missing values come first, then column by
    column, so that values that a step refuses are neighbors.
    """
    if len(edges) >= room:
        ordered = [column[number % len(column)] for number, column in enumerate(edges) if column][:room]
    else:
        longest = max(map(len, edges), default=0)
        ordered = [column[rank] for rank in range(longest) for column in edges if rank < len(column)][:room]
    repeats = min(repeats, room // len(ordered)) if ordered else 0
    return sorted(ordered * repeats, key=lambda edge: (edge.value is not None, edge.index))


def take(data: Any, rows: Rows) -> Any:
    """Some rows of a step's input or output, in this order, numbered from 0."""
    if len(rows) == data.shape[0] and np.array_equal(rows, np.arange(len(rows))):
        return data
    if hasattr(data, "iloc"):
        part = data.iloc[rows]
        part.index = range(len(rows))
        return part
    return data[rows]


def join(parts: Sequence[Any]) -> Any:
    """The rows of several parts, one after the other; parts of one kind with the same columns."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(parts, ignore_index=True)
    if hasattr(parts[0], "tocsr"):
        from scipy.sparse import vstack  # type: ignore[import-untyped]

        return vstack(parts, format=parts[0].format)
    return np.concatenate(parts)


def same_layout(left: Any, right: Any) -> bool:
    """Whether two inputs are of one kind, with the same columns of the same dtypes."""
    if type(left) is not type(right) or left.shape[1:] != right.shape[1:]:
        return False
    if hasattr(left, "dtypes") and hasattr(left, "columns"):
        return bool(list(left.columns) == list(right.columns) and list(left.dtypes) == list(right.dtypes))
    return bool(left.dtype == right.dtype)


def integer_columns(data: Any) -> list[bool]:
    """Which columns of a frame, Series, array or sparse matrix can hold integers only."""
    dtypes = list(data.dtypes) if hasattr(data, "columns") else [data.dtype] * (data.shape[1] if data.ndim == 2 else 1)
    return [getattr(dtype, "kind", "") in ("i", "u") for dtype in dtypes]


def replace_values(data: Any, base: Rows, edges: Sequence[Edge | None]) -> Any:
    """The rows `base` of a frame, Series, array or sparse matrix, each with its edge's value; None: as it is."""
    places: dict[int, list[int]] = {}
    for place, edge in enumerate(edges):
        if edge is not None:
            places.setdefault(edge.index, []).append(place)
    if hasattr(data, "iloc") and data.ndim == 1:
        series, rows = take(data, base), places.get(0, [])
        return _replaced(series, rows, [edges[row].value for row in rows])  # type: ignore[union-attr]
    if hasattr(data, "iloc"):
        frame = take(data, base).copy(deep=False)
        if all(dtype == np.float64 for dtype in frame.dtypes):  # in one array: a column that is set is one more
            numbers = replace_values(np.array(frame, order="F"), np.arange(len(base)), edges)
            return type(frame)(numbers, index=frame.index, columns=frame.columns)
        for index, rows in places.items():
            frame.isetitem(index, _replaced(frame.iloc[:, index], rows, [edges[row].value for row in rows]))  # type: ignore[union-attr]
        return frame
    if hasattr(data, "tocsr"):
        matrix = data.tocsr()[base].tolil()
        for index, rows in places.items():
            columns = slice(None) if index == EVERY_COLUMN else index
            for row in rows:
                matrix[row, columns] = edges[row].value  # type: ignore[union-attr]
        return matrix.asformat(data.format)
    array = data[base].copy()
    for index, rows in places.items():
        for row in rows:
            value = edges[row].value  # type: ignore[union-attr]
            if _fits(value, array.dtype):
                array[(row, index)[: array.ndim]] = _missing(array.dtype) if value is None else value
    return array


def _replaced(series: Any, rows: Sequence[int], values: Sequence[Any]) -> Any:
    """A Series with other values in some rows, of the same dtype; a value that the dtype cannot hold is left out."""
    if isinstance(series.dtype, np.dtype):
        items = series.to_numpy(copy=True)
        for row, value in zip(rows, values, strict=True):
            if _fits(value, items.dtype):
                items[row] = _missing(items.dtype) if value is None else value
    else:
        items, categories = series.tolist(), getattr(series.dtype, "categories", None)
        for row, value in zip(rows, values, strict=True):
            others = categories is not None and value not in categories  # which would become missing
            if value is None or not (others or _refuses(series, value)):
                items[row] = _missing_of(series) if value is None else value
    return type(series)(items, index=series.index, dtype=series.dtype, name=series.name)


def _missing_of(series: Any) -> Any:
    return getattr(series.dtype, "na_value", np.nan)


def _refuses(series: Any, value: Any) -> bool:
    """Whether an extension dtype, such as UInt8, does not take a value as it is."""
    try:
        return bool(type(series)([value], dtype=series.dtype).iloc[0] != value)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return True


def _fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether an array can hold a value as it is."""
    if dtype.kind in "iu":
        return isinstance(value, int | float) and value == value // 1 and _in_range(value, dtype)
    return dtype.kind != "b" or isinstance(value, bool)


def _in_range(value: float, dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return int(limits.min) <= value <= int(limits.max)


def _missing(dtype: np.dtype[Any]) -> Any:
    return np.array("NaT", dtype=dtype) if dtype.kind in "Mm" else np.nan


def replace_in_tables(tables: Frames, schema: RowSchema, base: Rows, edges: Sequence[Edge | None]) -> Frames:
    """The main rows `base` of several tables with their child rows; an edge of a child table is in its first row.

    `base` are different rows, so that their child rows are their own, except those that several rows look up.
    """
    main = take(tables[schema.name], base)
    result = {schema.name: replace_values(main, np.arange(len(base)), _of_table(edges, "", main))}
    for child in schema.children:
        links = list(child.links)
        frame = tables[child.name]
        owned = frame[links].merge(main[links].drop_duplicates(), how="left", indicator=True)["_merge"] == "both"
        frame = take(frame, np.flatnonzero(owned))
        first: dict[tuple[Any, ...], int] = {}
        for place, key in enumerate(frame[links].itertuples(index=False, name=None)):
            first.setdefault(key, place)
        moved: list[Edge | None] = [None] * len(frame)
        wanted = main[links].itertuples(index=False, name=None)
        for key, edge in zip(wanted, _of_table(edges, f"{child.name}.", frame), strict=True):
            if edge is not None and key in first:
                moved[first[key]] = edge
        result[child.name] = replace_values(frame, np.arange(len(frame)), moved)
    return Frames({name: result[name] for name in (schema.name, *(child.name for child in schema.children))})


def _of_table(edges: Sequence[Edge | None], prefix: str, frame: Any) -> list[Edge | None]:
    """The edges of one table, each with the number of its column there; those of a child have its name before."""
    numbers = {f"{prefix}{name}": index for index, name in enumerate(frame.columns)}
    return [
        replace(edge, index=numbers[edge.column]) if edge is not None and edge.column in numbers else None
        for edge in edges
    ]
