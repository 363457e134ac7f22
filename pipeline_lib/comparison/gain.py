"""Who is served first: cumulative gain, lift and value where only the rows with the highest answers are acted on.

Rows are sorted by what a model says, highest first. Rows with the same answer have no order: what they hold is spread
evenly over them, as drawing one at random would.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.comparison.proportions import known
from pipeline_lib.comparison.scored import Scored, Side

TENTHS = 10


@dataclass(frozen=True)
class SideGain:
    """One model: after each tenth of the rows the cumulative share of the event, or the cumulative value.

    `steps` has eleven numbers, from 0 of the rows to all of them.
    """

    reference: str
    steps: tuple[float, ...]

    def lift(self, tenth: int) -> float:
        """How many times as many events there are in the first tenths than by chance."""
        return self.steps[tenth] / (tenth / TENTHS)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"reference": self.reference, "steps": [known(step) for step in self.steps]}


@dataclass(frozen=True)
class Gain:
    """What accumulates, in words, with its unit (empty for a share of the event), and each model's curve."""

    event: str
    unit: str
    is_value: bool
    sides: tuple[SideGain, ...]
    is_minor: bool = False
    """Of predicted numbers the order of rows seldom decides who is served: the page folds the curve."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        sides = [side.to_json() for side in self.sides]
        return {"event": self.event, "unit": self.unit, "is_value": self.is_value, "sides": sides}


def gain_of(scored: Scored, challenger: int = 1) -> tuple[Gain, ...]:
    """Gain by probability of two labels, and value by what each model says; empty where neither can be had.

    An event that no row or every row has cannot be found early or late: no gain then.
    """
    sides = (scored.champion, scored.sides[challenger])
    scores = [_score(scored, side) for side in sides]
    if any(score is None for score in scores):
        return ()
    ordered = [(side, np.asarray(score)) for side, score in zip(sides, scores, strict=True)]
    found = []
    if scored.kind == "binary":
        event = np.asarray(scored.target == scored.classes[1], np.float64)
        if 0 < event.sum() < len(event):
            curves = (SideGain(side.reference, _steps(score, event / event.sum())) for side, score in ordered)
            found.append(Gain(str(scored.classes[1]), "", False, tuple(curves)))
    if all(side.value is not None for side in sides):
        values = (
            SideGain(side.reference, _steps(score, np.asarray(side.value, np.float64))) for side, score in ordered
        )
        found.append(Gain("value", scored.unit, True, tuple(values), is_minor=scored.kind == "regression"))
    return tuple(found)


def _score(scored: Scored, side: Side) -> np.ndarray[Any, Any] | None:
    """What rows are sorted by: the probability of the second of two labels, or the predicted number."""
    if scored.kind == "binary":
        return None if side.probabilities is None else side.probabilities[:, 1]
    return np.asarray(side.predictions, np.float64) if scored.kind == "regression" else None


def _steps(score: np.ndarray[Any, Any], weight: np.ndarray[Any, Any]) -> tuple[float, ...]:
    """The cumulative weight after each tenth of the rows, highest score first."""
    order = np.argsort(-score, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weight[order])])
    ends = np.concatenate([[0], np.flatnonzero(np.diff(score[order])) + 1, [len(score)]])  # after each distinct score
    at = np.linspace(0.0, len(score), TENTHS + 1)
    return tuple(float(step) for step in np.interp(at, ends, total[ends]))
