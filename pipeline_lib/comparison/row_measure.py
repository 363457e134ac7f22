"""The one number of each row by which segments and single rows are compared: business value, else a loss."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline_lib.comparison.scored import Scored
from pipeline_lib.errors import InputError

_PREFERRED = ("absolute error", "Brier", "error")
"""Losses in the order in which one is chosen: in the target's unit, bounded, and of every pair of models."""


@dataclass(frozen=True)
class RowMeasure:
    """A number for each row of both sides, float64 (rows,). Its mean is what is compared."""

    name: str
    unit: str
    direction: Literal["maximize", "minimize"]
    champion: np.ndarray[Any, Any]
    challenger: np.ndarray[Any, Any]

    @property
    def gain(self) -> np.ndarray[Any, Any]:
        """How much better the challenger is on each row; negative where it is worse."""
        difference: np.ndarray[Any, Any] = self.challenger - self.champion
        return difference if self.direction == "maximize" else -difference


def row_measure(scored: Scored, challenger: int = 1, name: str | None = None) -> RowMeasure:
    """The measure by its name, `value` or a loss; without one the value, else a loss that both sides have.

    Raises InputError for a name that a side does not have.
    """
    one, other = scored.champion, scored.sides[challenger]
    if name in (None, "value") and one.value is not None and other.value is not None:
        return RowMeasure("value", scored.unit, "maximize", one.value, other.value)
    both = [loss for loss in one.losses if loss in other.losses]
    chosen = name if name is not None else next((loss for loss in (*_PREFERRED, *both) if loss in both), None)
    if chosen is None or chosen not in both:
        found = ", ".join(both) or "none"
        raise InputError(f"{name or 'measure'}: found the losses {found}, expected one that both sides have; name it")
    return RowMeasure(chosen, "", "minimize", one.losses[chosen], other.losses[chosen])
