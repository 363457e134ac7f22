"""Row by row, how far off predictions are: the losses whose means are the usual metrics."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

Kind = Literal["regression", "binary", "multiclass", "several targets"]
"""What is predicted: numbers, one of two labels, one of several labels, or more than one target."""
SMALLEST = 1e-15
"""Probabilities are cut to at least this before their logarithm, as log loss usually is."""

Array = np.ndarray[Any, Any]


def losses_of(
    target: Array, predictions: Array, probabilities: Array | None, kind: Kind, labels: Sequence[Any]
) -> dict[str, Array]:
    """The losses of each row by name, float64 (rows,), less is better.

    Regression: `absolute error`, `squared error`. Labels: `error` (0 or 1), with probabilities `log loss` and `Brier`
    (of two labels that of the second one; of more, the sum over all). Of several targets each row has the mean.

        >>> losses_of(np.array([1.0, 4.0]), np.array([2.0, 4.0]), None, "regression", ())
        {'absolute error': array([1., 0.]), 'squared error': array([1., 0.])}
    """
    if kind == "regression":
        error = np.abs(predictions - target)
        return {"absolute error": error, "squared error": error * error}
    if kind == "several targets":
        if np.issubdtype(target.dtype, np.floating) and np.issubdtype(predictions.dtype, np.floating):
            error = np.abs(predictions - target)
            return {"absolute error": error.mean(axis=1), "squared error": (error * error).mean(axis=1)}
        return {"error": (predictions != target).mean(axis=1)}
    losses = {"error": (predictions != target).astype(np.float64)}
    if probabilities is None:
        return losses
    truth = np.column_stack([np.asarray(target == label, dtype=np.float64) for label in labels])
    chance = (probabilities * truth).sum(axis=1)
    losses["log loss"] = -np.log(np.clip(chance, SMALLEST, 1.0))
    square = (probabilities - truth) ** 2
    losses["Brier"] = square[:, 1] if kind == "binary" else square.sum(axis=1)
    return losses
