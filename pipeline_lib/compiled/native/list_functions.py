"""Aggregations of child rows by the core: functions of list columns with the bits of operations/aggregations.py.

They take the place of NumPy's functions, one by one, in the executor that evaluates what the core's plans do not carry:
`list_sum` adds exactly without Python's loop, `list_distinct` counts by hashes without sorting.
"""

import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.operations.aggregations import text_numbers
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn

ListFunction = Callable[..., Any]
_KINDS = {"float64": "d", "int64": "i", "bool": "b"}
_DTYPES: dict[str, Any] = {"d": np.float64, "i": np.int64}
_MOST_PLACES = 1 << 20


def core_list_function(name: str, settings: dict[str, Any], numpy_function: ListFunction) -> ListFunction:
    """The core's function of an operation; NumPy's where the core has none, and for columns that it does not take."""
    places = int(settings["places"]) if name == "list_sums_by" else 1
    dates = settings.get("dates")  # only of extremes
    if name not in _operations() or not 1 <= places <= _MOST_PLACES:
        return numpy_function

    def reduce(*lists: Any) -> Any:
        columns = [_cells(name, each.values) for each in lists]
        number, dtype = _operation(name, columns)
        if number < 0 or (dates is not None and dates != (dtype == np.int64)):
            return numpy_function(*lists)
        starts = np.ascontiguousarray(lists[0].starts, dtype=np.int64)
        rows = len(starts) - 1
        result = np.empty((places, rows) if name == "list_sums_by" else rows, dtype=dtype)
        keys = columns[1] if len(columns) > 1 else None
        module = built()
        assert module is not None  # noqa: S101 (it named the operations)
        module.reduce_lists(number, columns[0], keys, starts, result, places, secrets.randbits(64))
        return result

    return reduce


@cache
def _operations() -> dict[str, dict[str, tuple[int, Any]]]:
    """The core's operations by name and by kinds of the inputs: their number and the result's dtype."""
    module, known = built(), dict[str, dict[str, tuple[int, Any]]]()
    for number, (name, kinds) in enumerate(module.list_operations() if module else ()):
        taken, gives = kinds.split(":")
        known.setdefault(name, {})[taken] = number, _DTYPES[gives]
    return known


def _operation(name: str, columns: list[NDArray[Any] | None]) -> tuple[int, Any]:
    """The operation for columns of these dtypes; -1 where there is none."""
    kinds = ["?" if column is None else _KINDS.get(column.dtype.name, "?") for column in columns]
    return _operations()[name].get("".join(kinds), (-1, None))


def _cells(name: str, values: Any) -> NDArray[Any] | None:
    """Values as numbers that the core reads; None for others."""
    if name == "list_distinct":
        if isinstance(values, TextColumn):
            return np.where(values.missing(), np.int64(NAT), text_numbers(values))
        if isinstance(values, np.ndarray) and values.dtype == np.bool_:
            values = values.astype(np.int64)
    return np.ascontiguousarray(values) if isinstance(values, np.ndarray) and values.ndim == 1 else None
