"""How an opaque step's rows must be grouped so that one row has the bits that it has among many.

The step is asked the same rows in batches of several shapes. Where all of them give the same bits, rows need no blocks;
else they go through blocks of one fixed size; and where a row's place in such a block changes its bits, row by row.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.opaque import BLOCK_ROWS
from pipeline_lib.compiled.opaque_input import plan_results
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiler.edge_batches import take

Rows = NDArray[np.intp]
_TRIED = BLOCK_ROWS + 1  # rows
_ALONE = 16  # rows asked one by one
_SIZES = (2, 3, 5, 8, 16, 33, 64, 100, 128, 200, 255)  # where libraries pass from one kernel to another
_MOST = 8192  # rows of a batch without padding: what the column executor evaluates at once
_SHIFTS = (1, 7, 100, 255)


def block_of(call: Callable[[Any], Any], data: Any, dtypes: Sequence[str]) -> int | None:
    """How many rows a step may be given at once (see `compiled.opaque`): None means padded blocks, 1 row by row.

    `call` is the step's method, `data` its training rows, `dtypes` those of its columns in the plan.
    """
    rows = int(data.shape[0])
    tried = np.resize(np.linspace(0, rows - 1, min(rows, _TRIED)).astype(np.intp), _TRIED)

    def ask(chosen: Rows) -> list[PlanColumn]:
        return plan_results(call(take(data, chosen).copy()), dtypes, len(chosen))

    try:
        any_shape = _any_shape(ask, tried, rows)
    except Exception:  # some libraries refuse one row alone, or return it in another shape
        any_shape = False
    if any_shape:
        return max(_TRIED, min(rows, _MOST))
    return None if _any_place(ask, tried[:BLOCK_ROWS]) else 1


def _any_shape(ask: Callable[[Rows], list[PlanColumn]], tried: Rows, rows: int) -> bool:
    """Whether batches of 1, 7, 256, 257 rows, of sizes between and of all rows give the same bits."""
    whole = ask(tried)
    parts = [(0, BLOCK_ROWS), (1, _TRIED), (0, 7), (100, 107), (_TRIED - 7, _TRIED)]
    parts += [(0, size) for size in _SIZES]
    parts += [(int(row), int(row) + 1) for row in np.linspace(0, _TRIED - 1, _ALONE)]
    for start, stop in parts:
        if bits(ask(tried[start:stop])) != bits(_rows(whole, np.arange(start, stop))):
            return False
    everything = np.arange(min(rows, _MOST))
    inside = tried[tried < len(everything)]
    places = np.flatnonzero(tried < len(everything))
    return bits(_rows(ask(everything), inside)) == bits(_rows(whole, places))


def _any_place(ask: Callable[[Rows], list[PlanColumn]], block: Rows) -> bool:
    """Whether a row has the same bits at every place in a block, and in a block of its own."""
    whole = ask(block)
    order = np.arange(len(block))
    for shift in _SHIFTS:
        if bits(ask(np.roll(block, shift))) != bits(_rows(whole, np.roll(order, shift))):
            return False
    alone = np.linspace(0, len(block) - 1, _ALONE).astype(np.intp)
    first = np.zeros(1, dtype=np.intp)
    return all(
        bits(_rows(ask(np.full(len(block), block[row])), first)) == bits(_rows(whole, np.array([row]))) for row in alone
    )


def bits(columns: Sequence[PlanColumn]) -> list[Any]:
    """The bits of columns, in a form that can be compared."""
    return [_bits(column) for column in columns]


def _bits(column: PlanColumn) -> Any:
    if isinstance(column, TextColumn):
        return column.tolist()
    if isinstance(column, SparseColumn):
        return column.indptr.tolist(), column.indices.tolist(), column.values.tobytes()
    return np.ascontiguousarray(column).tobytes()


def _rows(columns: Sequence[PlanColumn], rows: Rows) -> list[PlanColumn]:
    return [column[rows] if isinstance(column, np.ndarray) else column.take(rows) for column in columns]
