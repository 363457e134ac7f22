"""From which probability on each model is of use: the decision curves of two models, and the break-even by value."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.comparison.decision_curve import DecisionCurve, break_even_of_values, decision_curve
from pipeline_lib.comparison.proportions import known
from pipeline_lib.comparison.scored import Scored

ROLES = ("champion", "challenger")


@dataclass(frozen=True, eq=False)
class Decision:
    """The decision curve of acting on the label `event`, with the models `champion` and `challenger`.

    `break_even` is the probability from which on acting pays by the pipeline's value; None where that does not say so.
    """

    event: str
    curve: DecisionCurve
    break_even: float | None

    @property
    def threshold(self) -> float:
        """The threshold of the curve at which models are named: the nearest to the break-even, else to 0.5."""
        points = self.curve.thresholds
        return float(points[np.argmin(np.abs(points - (0.5 if self.break_even is None else self.break_even)))])

    def benefits(self) -> tuple[float, float, float]:
        """Net benefit at that threshold: of champion, of challenger, and of acting on all rows."""
        at = int(np.flatnonzero(self.curve.thresholds == self.threshold)[0])
        champion, challenger = (float(self.curve.models[role][at]) for role in ROLES)
        return champion, challenger, float(self.curve.treat_all[at])

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        even = None if self.break_even is None else known(self.break_even)
        return {"event": self.event, "break_even": even, **self.curve.to_json()}


def decision_of(scored: Scored, challenger: int = 1) -> Decision | None:
    """The decision curves of champion and challenger; None but for two labels with probabilities of both models."""
    sides = (scored.champion, scored.sides[challenger])
    chances = [side.probabilities for side in sides]
    if scored.kind != "binary" or len(scored.classes) != 2:
        return None
    positive = np.asarray(scored.target == scored.classes[1]).astype(int)
    models = {role: each[:, 1] for role, each in zip(ROLES, chances, strict=True) if each is not None}
    if len(models) < 2 or len(set(positive.tolist())) < 2:
        return None
    return Decision(str(scored.classes[1]), decision_curve(positive, models), _break_even(scored, positive))


def _break_even(scored: Scored, positive: np.ndarray[Any, Any]) -> float | None:
    """By the value of the baselines that predict one label everywhere."""
    values: dict[bool, np.ndarray[Any, Any]] = {}
    for side in scored.baselines:
        label = side.predictions[0]
        if side.value is not None and side.reference in ("majority", "minority"):
            values[bool(label == scored.classes[1])] = side.value
    return break_even_of_values(positive, values[True], values[False]) if len(values) == 2 else None
