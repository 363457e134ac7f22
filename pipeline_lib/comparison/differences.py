"""Where two models differ: segments, single rows, calibration, gain, protected groups."""

from dataclasses import dataclass
from typing import Any

from pipeline_lib.comparison.calibration import Calibration, calibration_of
from pipeline_lib.comparison.decisions import Decision, decision_of
from pipeline_lib.comparison.disagreements import Disagreements, disagreements_of
from pipeline_lib.comparison.gain import Gain, gain_of
from pipeline_lib.comparison.protected import ProtectedRate, protected_of
from pipeline_lib.comparison.scored import Scored
from pipeline_lib.comparison.segments import Segments, segments_of


@dataclass(frozen=True)
class Differences:
    """A challenger beside the champion: everything that an average hides.

    `calibration`, `gain` and `protected` are empty where the models' answers or `Row` give none, `decision` is None
    but for two labels with probabilities.
    """

    challenger: str
    segments: Segments
    disagreements: Disagreements
    calibration: tuple[Calibration, ...]
    gain: tuple[Gain, ...]
    protected: tuple[ProtectedRate, ...]
    decision: Decision | None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "challenger": self.challenger,
            "segments": self.segments.to_json(),
            "disagreements": self.disagreements.to_json(),
            "calibration": [each.to_json() for each in self.calibration],
            "gain": [each.to_json() for each in self.gain],
            "protected": [each.to_json() for each in self.protected],
            "decision": self.decision.to_json() if self.decision else None,
        }


def differences_of(
    scored: Scored, challenger: int = 1, *, measure: str | None = None, margin: float = 0.0
) -> Differences:
    """Where the side `challenger` of a comparison differs from the champion.

    `measure` is what segments are compared by, `value` or the name of a loss; by default the value, else a loss.
    `margin` is a difference of this measure that does not matter in practice.
    """
    return Differences(
        scored.sides[challenger].reference,
        segments_of(scored, challenger, measure=measure, margin=margin),
        disagreements_of(scored, challenger),
        calibration_of(scored, challenger),
        gain_of(scored, challenger),
        protected_of(scored, challenger),
        decision_of(scored, challenger),
    )


def differences_by(scored: Scored, challenger: int, criterion: str, margin: float) -> Differences:
    """As `differences_of`, in segments by the criterion of a comparison, where it is one number a row.

    Others, such as AUC, need many rows: then a loss takes their place, for which `margin` has no meaning.
    """
    sides = (scored.champion, scored.sides[challenger])
    by_row = criterion in sides[0].losses and criterion in sides[1].losses
    if by_row or (criterion == "value" and all(side.value is not None for side in sides)):
        return differences_of(scored, challenger, measure=criterion, margin=margin)
    return differences_of(scored, challenger)
