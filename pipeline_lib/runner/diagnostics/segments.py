"""Where the errors are: the mean loss in the groups of each raw column."""

from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.rows.cuts import cuts_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.diagnostics.drawing import BLUE, INK, Picture, axes, png_of, thousands
from pipeline_lib.system.number_text import number_text

Array = np.ndarray[Any, Any]
_SMALLEST, _SHOWN = 20, 12


def errors_by_segment(rows: pa.Table, row: RowSchema, losses: Array, loss: str) -> Picture | str:
    """The segments with the largest mean loss, of at least twenty rows; in words where there are none.

    Sensitive columns have no segments.
    """
    found = [
        (f"{cut.column}: {label}", float(losses[cut.codes == number].mean()), int(size))
        for cut in cuts_of(rows, row)
        for number, (label, size) in enumerate(zip(cut.labels, cut.sizes, strict=True))
        if _SMALLEST <= size < len(losses)
    ]
    worst = sorted(found, key=lambda each: -each[1])[:_SHOWN]
    if not worst:
        return f"Errors by segment are not drawn: no column divides the rows into groups of {_SMALLEST} or more."
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
        f"The mean {loss} is {number_text(overall)} over all rows, and largest for {name}: {number_text(mean)} in "
        f"{count:,} rows. Of {len(found):,} segments some look bad by chance.",
        picture,
        f"Bars of the {len(worst)} segments with the largest mean {loss}, from {number_text(worst[-1][1])} to "
        f"{number_text(mean)}",
    )
