"""Two or more models on the same labelled rows: what each predicted, what that is worth, how far off it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.evidence.losses import Kind
from pipeline_lib.records.record import Record
from pipeline_lib.rows.schema import RowSchema


@dataclass(frozen=True)
class Side:
    """One model on the rows: its predictions and, row by row, its losses and its value.

    `predictions` has the shape of `predict`, (rows,) or (rows, targets); `probabilities` is float64 (rows, classes) in
    the order of the rows' `classes`, None where the model gives none. `losses` are named arrays of one number a row,
    float64, less is better. `value` is the business value of each row, float64, more is better, None where the
    pipeline exports none.
    """

    reference: str
    predictions: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any] | None
    losses: Mapping[str, np.ndarray[Any, Any]]
    value: np.ndarray[Any, Any] | None = None
    record: Record | None = None


@dataclass(frozen=True)
class Scored:
    """The rows that all sides answered, with the true values.

    `rows` has every raw column of `row`. `groups` says to which entity a row belongs (int64 codes), `order` when it
    was (sortable), both None where `Row` declares none. `unit` is that of the value, empty without one. `params` are
    the challenger's parameters. `sides` begin with the champion; `baselines` are sides of models without a fit.
    """

    rows: pa.Table
    row: RowSchema
    target: np.ndarray[Any, Any]
    kind: Kind
    classes: tuple[Any, ...]
    sides: tuple[Side, ...]
    baselines: tuple[Side, ...] = ()
    groups: np.ndarray[Any, Any] | None = None
    order: np.ndarray[Any, Any] | None = None
    unit: str = ""
    params: Any = None
    notes: tuple[str, ...] = field(default=())

    @property
    def champion(self) -> Side:
        """The model in use."""
        return self.sides[0]

    @property
    def challengers(self) -> tuple[Side, ...]:
        """The models that may replace it."""
        return self.sides[1:]


def mean_of(side: Side, measure: str) -> float | None:
    """The mean of a side's value or of one of its losses; None where it has none of this name."""
    values = side.value if measure == "value" else side.losses.get(measure)
    return None if values is None else float(np.mean(values))
