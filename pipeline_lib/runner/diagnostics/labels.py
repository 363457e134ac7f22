"""Classification: calibration, ROC and precision-recall curves, and the confusion table with what it is worth."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.runner.diagnostics.drawing import BLUE, INK, SOFT, Picture, axes, png_of

Array = np.ndarray[Any, Any]
_GROUPS = 10
_MOST_LABELS = 12  # labels up to which a confusion table can be read


def calibration(positive: Array, chance: Array, label: object) -> Picture:
    """Predicted probabilities of one label against how often it came, in ten groups of equal size."""
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    parts = [part for part in np.array_split(np.argsort(chance, kind="stable"), _GROUPS) if len(part)]
    said = np.array([chance[part].mean() for part in parts])
    came = np.array([positive[part].mean() for part in parts])
    intervals = [binomtest(int(positive[part].sum()), len(part)).proportion_ci(method="wilson") for part in parts]
    low, high = (np.array([getattr(each, name) for each in intervals]) for name in ("low", "high"))
    with axes() as (figure, (panel,)):
        panel.plot([0, 1], [0, 1], color=INK, linewidth=1)
        panel.errorbar(said, came, yerr=[came - low, high - came], fmt="o", markersize=4, capsize=3, color=BLUE)
        panel.set(xlabel=f"predicted probability of {label}", ylabel="share that came true", xlim=(0, 1), ylim=(0, 1))
        picture = png_of(figure)
    off = float(np.abs(said - came).mean())
    return Picture(
        "Calibration",
        "Of the rows with a predicted probability of 70 %, seven of ten should come true: points on the line. "
        f"The mean distance is {off:.1%}.",
        picture,
        f"Share that came true over predicted probability in {len(parts)} groups, with 95 % intervals; the mean "
        f"distance from the line is {off:.1%}",
    )


def roc_and_precision_recall(positive: Array, chance: Array, label: object) -> Picture:
    """How well the probabilities order the rows, at every threshold."""
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    area, precision = float(roc_auc_score(positive, chance)), float(average_precision_score(positive, chance))
    false, true, _ = roc_curve(positive, chance)
    exact, found, _ = precision_recall_curve(positive, chance)
    share = float(positive.mean())
    with axes(2) as (figure, (left, right)):
        left.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--")
        left.plot(false, true, color=BLUE)
        left.set(xlabel="false positive rate", ylabel="true positive rate", title=f"ROC, AUC {area:.3f}")
        right.axhline(share, color=SOFT, linewidth=1, linestyle="--")
        right.step(found, exact, where="post", color=BLUE)
        right.set(xlabel="recall", ylabel="precision", title=f"Precision and recall, average {precision:.3f}")
        right.set(xlim=(0, 1), ylim=(0, 1.02))
        picture = png_of(figure)
    return Picture(
        "Ranking",
        f"A row of {label} is ranked above another one in {area:.1%} of the pairs; by chance it would be 50 %. Dashed: "
        "chance.",
        picture,
        f"ROC curve with an area of {area:.3f}, and precision over recall with a mean of {precision:.3f}, where chance "
        f"has {share:.3f}",
    )


def confusion(
    actual: Array, predicted: Array, labels: Sequence[Any], value: Array | None = None, unit: str = ""
) -> Picture | str:
    """Rows by actual and predicted label; with the mean business value of each cell where the pipeline exports one."""
    if len(labels) > _MOST_LABELS:
        return f"Confusion is not drawn: a table of {len(labels)} labels cannot be read."
    counts = counts_of(actual, predicted, labels)
    side = max(3.0, 0.75 * len(labels) + 1.6)
    with axes(width=side, height=side * 0.86) as (figure, (panel,)):
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, one in enumerate(labels):
            for column, other in enumerate(labels):
                text = f"{counts[row, column]:,}"
                cell = (actual == one) & (predicted == other)
                if value is not None and cell.any():
                    text += f"\n{value[cell].mean():+,.3g}"
                colour = "white" if shares[row, column] > 0.6 else INK
                panel.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
        panel.set_xticks(range(len(labels)), [str(label)[:12] for label in labels])
        panel.set_yticks(range(len(labels)), [str(label)[:12] for label in labels])
        panel.set(xlabel="predicted", ylabel="actual")
        panel.grid(visible=False)
        picture = png_of(figure)
    right = float((actual == predicted).mean())
    worth = f" The second number of a cell is its mean value in {unit}." if value is not None else ""
    return Picture(
        "Confusion",
        f"{right:.1%} of the labels are right.{worth}",
        picture,
        f"Table of {len(actual):,} rows by actual and predicted label; {right:.1%} lie on the diagonal",
    )


def counts_of(actual: Array, predicted: Array, labels: Sequence[Any]) -> Array:
    """How many rows have each actual label (down) and predicted label (across), int64 (labels, labels)."""
    return np.array([[int(((actual == a) & (predicted == p)).sum()) for p in labels] for a in labels])
