"""The decision threshold of a record's classifier: `threshold.json`. The artifact applies it; this file names it."""

from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import THRESHOLD
from pipeline_lib.records.record import REPAIR, Record


@dataclass(frozen=True)
class RecordedThreshold:
    """`label` is predicted where its probability, or else its decision value, is at least `threshold`."""

    threshold: float
    label: Any
    score: str = "probability"

    def to_json(self) -> dict[str, Any]:
        """JSON values, as `threshold.json` has them."""
        return {"threshold": self.threshold, "label": self.label, "score": self.score}

    def __str__(self) -> str:
        return f"predicts {self.label} where its {self.score} is at least {self.threshold:.4g}"


def recorded_threshold(record: Record) -> RecordedThreshold | None:
    """The threshold that a record names; None where its classifier has none of its own. InputError for another file."""
    content = record.read_json(THRESHOLD)
    match content:
        case None:
            return None
        case {"threshold": int() | float() as threshold, "label": label, "score": str(score)}:
            return RecordedThreshold(float(threshold), label, score)
    raise InputError(
        f"{record.folder / THRESHOLD}: found {content!r}, expected threshold, label and score; "
        f"{REPAIR.format(record.reference)}"
    )
