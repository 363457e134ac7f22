"""Which rows a step is checked on, where every row costs as much as the training rows: nearest neighbours and kernels.

All rows, if that is little work. Else at least `LEAST` of them, those first on which a plan and a library may part:

    rows that another row repeats            ties at distance 0
    the smallest and largest of each column  extremes
    rows of common values                    ties: integers, ratings, one-hot columns
    rows spread evenly                       the rest
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.plan import Plan

LEAST = 1_000
_WORK = 20_000_000  # numbers of stored points that are compared with rows: some tenths of a second
_COLUMNS = 64  # whose extremes and common values are looked for


def rows_to_check(plan: Plan, data: Any) -> NDArray[np.intp] | None:
    """The rows of a step's input to check its plan on, in order; None for all of them."""
    rows = int(data.shape[0])
    work = _sizes(plan, "points")
    work += _sizes(plan, "matrix") if work else 0  # of sums over the points
    count = max(LEAST, _WORK // work) if work else rows
    return None if count >= rows else telling_rows(data, count)


def _sizes(plan: Plan, setting: str) -> int:
    return sum(np.size(node.settings[setting]) for node in plan.nodes if setting in node.settings)


def telling_rows(data: Any, count: int) -> NDArray[np.intp]:
    """As many rows of a frame, array or sparse matrix, in order: duplicates, extremes, common values, then others."""
    numbers = _numbers(data)
    quarter = count // 4
    chosen: dict[int, None] = {}
    for rows in (_repeated(numbers), _extremes(numbers), _common(numbers)):
        for row in _spread(rows, quarter):
            chosen.setdefault(int(row))
    others = np.setdiff1d(np.arange(len(numbers)), np.array(list(chosen), dtype=np.intp))
    for row in _spread(others, count - len(chosen)):
        chosen.setdefault(int(row))
    return np.sort(np.array(list(chosen), dtype=np.intp))


def _numbers(data: Any) -> NDArray[np.float64]:
    """The numeric columns as an array; text and dates are left out, and of many columns all but some."""
    if hasattr(data, "select_dtypes"):
        data = data.select_dtypes(["number", "bool"])
    columns = _spread(np.arange(data.shape[1]), _COLUMNS)
    part = data.iloc[:, columns] if hasattr(data, "iloc") else data[:, columns]
    dense = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
    return np.ascontiguousarray(dense, dtype=np.float64)


def _spread(rows: Any, count: int) -> Any:
    """At most so many of them, evenly."""
    rows = np.asarray(rows, dtype=np.intp)
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).astype(np.intp)]


def _repeated(numbers: NDArray[np.float64]) -> Any:
    """The rows that are equal to another one in the columns that are looked at."""
    if not numbers.shape[1]:
        return np.arange(0)
    keys = numbers.view(np.dtype((np.void, numbers.itemsize * numbers.shape[1]))).ravel()
    _, group, size = np.unique(keys, return_inverse=True, return_counts=True)
    return np.flatnonzero(size[group.ravel()] > 1)


def _extremes(numbers: NDArray[np.float64]) -> Any:
    """The first row of the smallest and of the largest number of each column, and of a missing one."""
    rows: Iterable[Any] = (
        row
        for column in numbers.T
        for row in (
            np.nan_to_num(column, nan=np.inf).argmin(),
            np.nan_to_num(column, nan=-np.inf).argmax(),
            np.isnan(column).argmax(),
        )
    )
    return np.unique(np.fromiter(rows, dtype=np.intp))


def _common(numbers: NDArray[np.float64]) -> Any:
    """The rows most of whose numbers other rows have, too, the commonest first."""
    shared = np.zeros(len(numbers), dtype=np.intp)
    for column in numbers.T:
        _, group, size = np.unique(column, return_inverse=True, return_counts=True)
        shared += size[group.ravel()] > 1
    order = np.argsort(-shared, kind="stable")
    return order[: int((shared > numbers.shape[1] // 2).sum())]
