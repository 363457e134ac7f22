"""Rows that are answered with earlier rows: every part of a hand-over gets those just before it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.evidence.evidence import Evidence
from pipeline_lib.parity.deliveries import Delivery, Given


@dataclass(frozen=True)
class Part:
    """What one call of the model gets: rows as production holds them, and their context, if they need one.

    `places` are the rows' places among those that are handed over.
    """

    data: Any
    places: NDArray[np.int64]
    context: Any = None


def rows_before(evidence: Evidence, place: int) -> pa.Table | None:
    """The rows just before an evidence row, as many as it needs; None where rows stand alone."""
    if evidence.context is None:
        return None
    history = pa.concat_tables([evidence.context, evidence.inputs])
    return history.slice(place, evidence.context.num_rows).combine_chunks()


def parts_of(delivery: Delivery, given: Given) -> list[Part]:
    """The parts of a delivery; where the first given rows are a context, each part with the rows before its own.

    A delivery that begins with the context hands it over in its own form and file; other parts get it as it was.
    """
    if not given.earlier:
        return [Part(data, places) for data, places in delivery.parts]
    return [part for data, places in delivery.parts for part in _behind(data, places, given)]


def _behind(data: Any, places: NDArray[np.int64], given: Given) -> Iterator[Part]:
    first = max(int(places[0]), given.earlier)
    skipped = first - int(places[0])
    if skipped < len(places):
        whole = skipped == given.earlier
        context = _cut(data, 0, skipped) if whole else given.table.slice(first - given.earlier, given.earlier)
        rows = _cut(data, skipped, len(places)) if skipped else data
        if isinstance(rows, Mapping):  # one row as a mapping comes behind others
            context = context.to_pylist()
        yield Part(rows, places[skipped:] - given.earlier, context)


def _cut(data: Any, start: int, stop: int) -> Any:
    """Some rows of a DataFrame, an Arrow table or a list of mappings."""
    if isinstance(data, pa.Table):
        return data.slice(start, stop - start)
    return data.iloc[start:stop] if hasattr(data, "iloc") else data[start:stop]
