"""The rows that a model is judged on, as arrays: what was true, what it said, and how far off it was."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.evidence.losses import Kind, losses_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Judged:
    """Rows with what was true, predictions and, of one target of labels, probabilities (rows x labels).

    `target` and `predictions` have the shape (rows,), or (rows, targets) with the targets' `names`. `classes` are the
    labels, empty for numbers, and `positive` is the index of the one that is looked for.
    """

    rows: pa.Table
    target: Array
    predictions: Array
    chances: Array | None
    classes: tuple[Any, ...]
    positive: int = -1
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What is predicted."""
        if self.target.ndim > 1:
            return "several targets"
        if not self.classes:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def loss(self) -> str:
        """The loss that the plots show."""
        if not self.classes:
            return "absolute error"
        return "error" if self.chances is None else "log loss"

    def losses(self, predictions: Array, chances: Array | None, numbers: Array) -> Array:
        """The loss of each of these rows."""
        target, kind = self.target[numbers], self.kind
        if not self.classes:
            target, predictions = target.astype(np.float64), np.asarray(predictions, np.float64)
        return losses_of(target, predictions.reshape(target.shape), chances, kind, self.classes)[self.loss]

    def known(self) -> Array:
        """The numbers of the rows whose true values are all there."""
        import pandas as pd

        missing = np.asarray(pd.isna(self.target))
        return np.flatnonzero(~(missing.any(axis=1) if missing.ndim > 1 else missing))

    def take(self, numbers: Array) -> "Judged":
        """These rows alone; numbers to predict as float64, predictions in the shape of the target."""
        target = self.target[numbers] if self.classes else self.target[numbers].astype(np.float64)
        predictions = self.predictions[numbers].reshape(target.shape)
        chances = None if self.chances is None else self.chances[numbers]
        rows = self.rows if len(numbers) == len(self.target) else self.rows.take(pa.array(numbers))
        return replace(self, rows=rows, target=target, predictions=predictions, chances=chances)
