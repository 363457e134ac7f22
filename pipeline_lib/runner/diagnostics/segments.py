"""Where the errors are: the mean loss in the groups of each raw column."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.diagnostics.drawing import BLUE, INK, Picture, axes, png_of, shown, thousands

Array = np.ndarray[Any, Any]
_MOST_GROUPS, _QUARTERS, _SMALLEST, _SHOWN = 12, 4, 20, 12


def errors_by_segment(rows: pa.Table, row: RowSchema, losses: Array, loss: str) -> Picture | None:
    """The segments with the largest mean loss, of at least twenty rows; None where no column has groups.

    Sensitive columns have no segments.
    """
    found = [
        (name, float(losses[mask].mean()), int(mask.sum()))
        for name, mask in _groups(rows, row)
        if _SMALLEST <= mask.sum() < len(losses)
    ]
    worst = sorted(found, key=lambda each: -each[1])[:_SHOWN]
    if not worst:
        return None
    overall = float(losses.mean())
    with axes(width=6.4, height=0.6 + 0.27 * len(worst)) as (figure, (panel,)):
        places = range(len(worst), 0, -1)
        panel.barh(places, [mean for _, mean, _ in worst], color=BLUE, height=0.6)
        panel.axvline(overall, color=INK, linewidth=1, linestyle="--")
        panel.set_yticks(places, [f"{name[:34]}  ({count:,})" for name, _, count in worst])
        panel.set(xlabel=f"mean {loss}; dashed: all rows")
        panel.grid(visible=False, axis="y")
        thousands(panel.xaxis)
        picture = png_of(figure)
    name, mean, count = worst[0]
    return Picture(
        "Errors by segment",
        f"The mean {loss} is {shown(overall)} over all rows, and largest for {name}: {shown(mean)} in {count:,} rows. "
        f"Of {len(found):,} segments some look bad by chance.",
        picture,
        f"Bars of the {len(worst)} segments with the largest mean {loss}, from {shown(worst[-1][1])} to {shown(mean)}",
    )


def _groups(rows: pa.Table, row: RowSchema) -> Iterator[tuple[str, Array]]:
    for column in row.columns:
        if column.sensitive or column.name not in rows.column_names:
            continue
        values = rows[column.name].combine_chunks()
        if column.kind in ("string", "boolean") or _is_short(values):
            yield from _by_value(column.name, values)
        elif column.kind in ("number", "integer"):
            yield from _by_quarter(column.name, values)


def _is_short(values: pa.Array) -> bool:
    return bool(pa.types.is_integer(values.type) and 1 < pc.count_distinct(values).as_py() <= _QUARTERS)


def _by_value(name: str, values: pa.Array) -> Iterator[tuple[str, Array]]:
    distinct: Sequence[Any] = pc.unique(values).to_pylist()
    if 1 < len(distinct) <= _MOST_GROUPS:
        every = np.array(values.to_pylist(), dtype=object)
        for value in distinct:
            mask = np.array([each is None for each in every]) if value is None else every == value
            yield f"{name}: {'missing' if value is None else value}", mask


def _by_quarter(name: str, values: pa.Array) -> Iterator[tuple[str, Array]]:
    numbers = np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
    known = np.isfinite(numbers)
    if known.sum() < _QUARTERS * _SMALLEST:
        return
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, _QUARTERS + 1)))
    for low, high in itertools.pairwise(edges):
        last = high == edges[-1]
        mask = known & (numbers >= low) & ((numbers <= high) if last else (numbers < high))
        yield f"{name}: {shown(low)} to {shown(high)}", mask
    if not known.all():
        yield f"{name}: missing", ~known
