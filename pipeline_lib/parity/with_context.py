"""Rows that need earlier rows: every part of a delivery gets the rows just before it as its context."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.evidence.evidence import Evidence
from pipeline_lib.parity.deliveries import Delivery, RowsToDeliver


@dataclass(frozen=True)
class Part:
    """The input of one call of the model: rows as production holds them, and their context, if they need one.

    `indexes` (int64) count the rows among those that are delivered, without the context.
    """

    data: Any
    indexes: NDArray[np.int64]
    context: Any = None


def context_before(evidence: Evidence, row: int) -> pa.Table | None:
    """The rows just before an evidence row, as many as it needs; None where rows need no others."""
    if evidence.context is None:
        return None
    history = pa.concat_tables([evidence.context, evidence.inputs])
    return history.slice(row, evidence.context.num_rows).combine_chunks()


def split_parts(delivery: Delivery, rows: RowsToDeliver) -> list[Part]:
    """The parts of a delivery; where the first rows are a context, each part with the rows before its own.

    A part that begins with the whole context delivers it in its own form and file; other parts get it as it was.
    """
    if not rows.context_rows:
        return [Part(data, indexes) for data, indexes in delivery.parts]
    return [part for data, indexes in delivery.parts for part in _with_context(data, indexes, rows)]


def _with_context(data: Any, indexes: NDArray[np.int64], rows: RowsToDeliver) -> Iterator[Part]:
    count = rows.context_rows
    first = max(int(indexes[0]), count)
    skipped = first - int(indexes[0])
    if skipped < len(indexes):
        context = _slice(data, 0, skipped) if skipped == count else rows.table.slice(first - count, count)
        own = _slice(data, skipped, len(indexes)) if skipped else data
        if isinstance(own, Mapping):  # the context of a mapping is a list of mappings
            context = context.to_pylist()
        yield Part(own, indexes[skipped:] - count, context)


def _slice(data: Any, start: int, stop: int) -> Any:
    """Some rows of a DataFrame, an Arrow table or a list of mappings."""
    if isinstance(data, pa.Table):
        return data.slice(start, stop - start)
    return data.iloc[start:stop] if hasattr(data, "iloc") else data[start:stop]
