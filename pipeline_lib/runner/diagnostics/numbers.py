"""Regression: predicted against actual values, and residuals."""

from typing import Any

import numpy as np

from pipeline_lib.runner.diagnostics.drawing import BLUE, INK, RED, Picture, axes, png_of, thousands
from pipeline_lib.system.number_text import number_text

Array = np.ndarray[Any, Any]
_MOST_POINTS = 5_000
_BINS = 40
_WIDE = 30.0  # positive values that span more than this factor are drawn on logarithmic axes


def predicted_against_actual(actual: Array, predicted: Array, name: str = "") -> Picture:
    """Points on the line are right; `name` is the target where there are several."""
    points = _drawn(len(actual))
    low, high = float(min(actual.min(), predicted.min())), float(max(actual.max(), predicted.max()))
    logarithmic = low > 0 and high / low > _WIDE
    with axes() as (figure, (panel,)):
        panel.plot([low, high], [low, high], color=INK, linewidth=1)
        panel.scatter(actual[points], predicted[points], s=9, alpha=0.5, color=BLUE, linewidths=0)
        panel.set(xlabel="actual", ylabel="predicted")
        if logarithmic:
            panel.set(xscale="log", yscale="log")
        else:
            thousands(panel.xaxis)
            thousands(panel.yaxis)
        picture = png_of(figure)
    within = float(np.median(np.abs(predicted - actual)))
    return Picture(
        f"Predicted against actual{name and f': {name}'}",
        f"Points on the line are right. Half of the predictions are within {number_text(within)} of the true value.",
        picture,
        f"Scatter plot of {len(points):,} rows: predicted over actual values from {number_text(low)} to "
        f"{number_text(high)}, with the line of equality{_correlation(actual, predicted)}",
    )


def residuals(actual: Array, predicted: Array) -> Picture:
    """Errors over predictions, with the median of ten groups: a trend is something that the model misses."""
    error, points = predicted - actual, _drawn(len(actual))
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), 10) if len(part)]
    centres = [float(np.median(predicted[part])) for part in parts]
    medians = [float(np.median(error[part])) for part in parts]
    with axes(2) as (figure, (left, right)):
        left.axhline(0, color=INK, linewidth=1)
        left.scatter(predicted[points], error[points], s=9, alpha=0.4, color=BLUE, linewidths=0)
        left.plot(centres, medians, color=RED, marker="o", markersize=3, label="median of ten groups")
        left.set(xlabel="predicted", ylabel="predicted - actual", title="Error by prediction")
        left.legend(fontsize="small")
        right.hist(error, bins=_BINS if np.ptp(error) > 1e-9 * np.abs(error).max() else 1, color=BLUE)
        right.axvline(0, color=INK, linewidth=1)
        right.set(xlabel="predicted - actual", ylabel="rows", title="Distribution of errors")
        for axis in (left.xaxis, left.yaxis, right.xaxis):
            thousands(axis)
        picture = png_of(figure)
    bias = float(np.median(error))
    typical = (
        f"{number_text(abs(bias))} too {'high' if bias > 0 else 'low'}" if bias else "neither too high nor too low"
    )
    return Picture(
        "Residuals",
        f"Errors should scatter around zero at every prediction, without a trend. The typical prediction is {typical}.",
        picture,
        f"Errors over predictions, and their histogram; the median error is {number_text(bias)}, the medians of ten "
        f"groups lie from {number_text(min(medians))} to {number_text(max(medians))}",
    )


def _drawn(count: int) -> Array:
    """Numbers of the rows that are drawn: all, or evenly spaced ones."""
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_POINTS)).astype(np.int64))


def _correlation(actual: Array, predicted: Array) -> str:
    """The correlation in words; empty where all values are equal."""
    if actual.std() == 0 or predicted.std() == 0:
        return ""
    return f"; the correlation is {float(np.corrcoef(actual, predicted)[0, 1]):.3f}"
