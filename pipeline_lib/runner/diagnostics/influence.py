"""What moves the predictions: permutation importance and partial dependence, both through the compiled model.

Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019): how much worse the predictions become when the
values of one raw column are shuffled among the rows. Partial dependence (Friedman 2001): the mean prediction when a
column has one value in all rows. Columns that say the same share their importance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.runner.diagnostics.drawing import BLUE, SOFT, Picture, axes, png_of, thousands
from pipeline_lib.system.number_text import number_text

Array = np.ndarray[Any, Any]
Answer = Callable[[pa.Table], Array]
"""What the model says of rows: one number a row, a prediction or the probability of the last label."""
_MOST_ROWS, _MOST_REPEATS, _SHOWN, _CURVES, _GRID, _LINES = 1_000, 5, 15, 3, 21, 30
_BUDGET = 150_000
"""Predicted rows for all importances: many columns are shuffled less often, and in fewer rows."""


@dataclass(frozen=True)
class Importance:
    """How much worse the mean loss becomes when a column is shuffled: the mean and the spread over all shuffles."""

    column: str
    mean: float
    spread: float


def importances(
    model: CompiledPipeline, rows: pa.Table, losses: Callable[[pa.Table, Array], Array], *, seed: int = 0
) -> tuple[list[Importance], list[str]]:
    """The importance of each raw column that reaches an output, the largest first; and columns that were refused.

    `losses(rows, numbers)` are the losses of a table of rows whose true values are those of the row `numbers`. Columns
    of a table that belongs to the row are shuffled together, as one. A column whose shuffled values make rows that
    `Row` refuses has no importance.
    """
    shuffled = _shuffled_together(model)
    repeats = int(np.clip(_BUDGET // (_MOST_ROWS * max(len(shuffled), 1)), 1, _MOST_REPEATS))
    most = int(np.clip(_BUDGET // (repeats * max(len(shuffled), 1)), 100, _MOST_ROWS))
    draw = np.random.default_rng(seed)
    numbers = np.sort(draw.permutation(rows.num_rows)[:most])
    table = rows.take(pa.array(numbers)).combine_chunks()
    base = float(losses(table, numbers).mean())
    found, refused = [], []
    for name, columns in shuffled.items():
        changes = []
        try:
            for _ in range(repeats):
                changed = _with_shuffled(table, columns, draw.permutation(table.num_rows))
                changes.append(float(losses(changed, numbers).mean()) - base)
        except InputError:  # columns of this row do not go together with others
            refused.append(name)
            continue
        spread = float(np.std(changes, ddof=1)) if repeats > 1 else 0.0
        found.append(Importance(name, float(np.mean(changes)), spread))
    return sorted(found, key=lambda each: -each.mean), refused


def _shuffled_together(model: CompiledPipeline) -> dict[str, list[str]]:
    """Columns that are shuffled at a time, by their name: each of the main row, and each other table whole."""
    found: dict[str, list[str]] = {}
    for child in model.row.children:
        own = [f"{child.name}.{column.name}" for column in child.own]
        if set(own) & set(model.reads):
            name = f"{child.name} (with {', '.join(child.by)})" if child.by else child.name
            found[name] = [*child.by, *own]  # what is looked up goes with the columns by which it is found
    taken = {name for columns in found.values() for name in columns} | {model.row.key}
    own = [name for name in model.reads if name not in taken]
    return {name: [name] for name in own} | found


def _with_shuffled(table: pa.Table, columns: Sequence[str], order: Array) -> pa.Table:
    for name in columns:
        place = table.column_names.index(name)
        table = table.set_column(place, table.schema.field(place), table[name].take(pa.array(order)))
    return table


def importance_picture(found: Sequence[Importance], loss: str) -> Picture | str:
    """The most important columns as bars; in words where no column has any."""
    most = [each for each in found if each.mean > 0][:_SHOWN]
    if not most:
        return "Importance is not drawn: no column makes the predictions worse when it is shuffled."
    with axes(width=6.4, height=0.7 + 0.26 * len(most)) as (figure, (panel,)):
        places = range(len(most), 0, -1)
        spreads = [each.spread for each in most]
        means = [each.mean for each in most]
        panel.barh(places, means, xerr=spreads, color=BLUE, height=0.6, error_kw={"ecolor": SOFT, "capsize": 2})
        panel.set_yticks(places, [each.column[:34] for each in most])
        panel.set(xlabel=f"increase of the mean {loss} when the column is shuffled")
        panel.grid(visible=False, axis="y")
        thousands(panel.xaxis)
        picture = png_of(figure)
    return Picture(
        "Importance",
        f"Shuffling {most[0].column} makes the mean {loss} larger by {number_text(most[0].mean)}, more than any other "
        "column. Columns that say the same share their importance; a bar is no proof of a cause.",
        picture,
        f"Bars of the {len(most)} most important columns, from {most[0].column} to {most[-1].column}",
    )


def dependence_picture(rows: pa.Table, columns: Sequence[str], answer: Answer, what: str) -> Picture | str:
    """Partial dependence of the first numeric columns among `columns`, with thin lines for single rows."""
    curves: list[tuple[str, tuple[Array, Array]]] = []
    for name in (each for each in columns if each in rows.column_names):
        numeric = pa.types.is_floating(rows[name].type) or pa.types.is_integer(rows[name].type)
        if numeric and len(curves) < _CURVES and (curve := dependence(rows, name, answer)):
            curves.append((name, curve))
    if not curves:
        return "Partial dependence is not drawn: no important column is a number with three values or more."
    with axes(len(curves), width=3.4, height=3.0) as (figure, panels):
        for panel, (name, (grid, lines)) in zip(panels, curves, strict=True):
            panel.plot(grid, lines[:, :_LINES], color=SOFT, linewidth=0.5, alpha=0.4)
            panel.plot(grid, lines.mean(axis=1), color=BLUE, linewidth=2)
            panel.set(xlabel=name)
            thousands(panel.yaxis)
        panels[0].set_ylabel(what)
        picture = png_of(figure)
    names = ", ".join(name for name, _ in curves)
    return Picture(
        "Partial dependence",
        f"How the mean {what} moves when all rows get the same value of {names}. Thin lines are single rows.",
        picture,
        f"Curves of the mean {what} over {names}",
    )


def dependence(rows: pa.Table, name: str, answer: Answer) -> tuple[Array, Array] | None:
    """Values of a column, and the answers, values x rows, when all rows have each of them; None where some are refused.

    The values are those between the 5th and the 95th percentile: beyond, few rows are like it.
    """
    numbers = np.asarray(rows[name].cast(pa.float64()).to_numpy())
    known = numbers[np.isfinite(numbers)]
    if len(np.unique(known)) < 3:
        return None
    grid = np.unique(np.quantile(known, np.linspace(0.05, 0.95, _GRID), method="nearest"))
    part = rows.slice(0, _MOST_ROWS // 5).combine_chunks()
    place, field = part.column_names.index(name), part.schema.field(name)
    lines = []
    for value in grid:
        column = pa.array(np.full(part.num_rows, value)).cast(field.type)
        try:
            lines.append(answer(part.set_column(place, field, column)))
        except InputError:  # two columns of this row do not go together
            return None
    return (grid, np.array(lines)) if len(grid) > 1 else None
