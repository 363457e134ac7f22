"""The plot of a sweep: its metric over each parameter that it varies."""

import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline_lib.system.html_page import Markup, image

_MOST_PANELS = 4
_WIDE = 30.0  # positive values that span more than this factor are drawn on a logarithmic axis


def import_plotting() -> None:
    """Import Matplotlib, which takes longer than drawing the plot."""
    importlib.import_module("matplotlib.figure")
    importlib.import_module("matplotlib.backends.backend_agg")


def metric_by_parameters(
    metric: str, points: Sequence[tuple[Mapping[str, str], float]], best: int | None = None
) -> Markup:
    """A plot, as HTML, of a metric over each parameter: `points` are the parameters' texts and the metric.

    `best` is the index of the point that is marked.
    """
    from matplotlib.figure import Figure

    keys = list(dict.fromkeys(key for values, _ in points for key in values))[:_MOST_PANELS]
    figure = Figure(figsize=(min(4.0 * len(keys) + 1.0, 14.0), 3.6), dpi=110, layout="constrained")
    axes = figure.subplots(1, len(keys), sharey=True, squeeze=False)[0]
    for axis, key in zip(axes, keys, strict=True):
        _panel(axis, key, [(values[key], value) for values, value in points])
        if best is not None:
            position = _positions([values[key] for values, _ in points])[0][best]
            axis.plot([position], [points[best][1]], "o", color="tab:green", label="best")
    axes[0].set_ylabel(metric)
    if best is not None:
        axes[-1].legend()
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return image(stream.getvalue(), f"{metric} of {len(points)} members by {', '.join(keys)}")


def _panel(axis: Any, key: str, points: Sequence[tuple[str, float]]) -> None:
    positions, labels = _positions([text for text, _ in points])
    axis.plot(positions, [value for _, value in points], "o", alpha=0.6)
    axis.set_xlabel(key)
    axis.grid(alpha=0.3)
    if labels:
        axis.set_xticks(range(len(labels)), [label[:16] for label in labels])
    elif min(positions) > 0 and max(positions) / min(positions) > _WIDE:
        axis.set_xscale("log")
    elif all(position.is_integer() for position in positions):
        axis.locator_params(axis="x", integer=True)


def _positions(texts: Sequence[str]) -> tuple[list[float], list[str]]:
    """Positions of values on an axis, and its labels: numbers at their own value, other texts at 0, 1, 2, ..."""
    try:
        return [float(text) for text in texts], []
    except ValueError:
        labels = list(dict.fromkeys(texts))
        return [float(labels.index(text)) for text in texts], labels
