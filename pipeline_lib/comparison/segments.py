"""Where the challenger loses although it may be better on average: the same comparison inside every segment.

A segment is a group of one column (see `cuts`), for labels also the rows of one true label. Many segments are compared
and some look worse by chance alone. So p is corrected by Holm for all of them: the chance that a segment is named
although the models are equal in every segment is at most 5 %, whatever segments have in common.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline_lib.comparison.cuts import Cut, by_value, cuts_of
from pipeline_lib.comparison.multiplicity import holm
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means
from pipeline_lib.comparison.proportions import known
from pipeline_lib.comparison.row_measure import RowMeasure, row_measure
from pipeline_lib.comparison.scored import Scored

SMALLEST = 30
"""Rows below which a segment is not compared."""
LEVEL = 0.05
_MOST_LABELS = 30  # true labels up to which each is a segment

Standing = Literal["worse", "better", "open"]
"""The challenger in a segment: worse or better beyond chance and margin, or neither can be said."""


@dataclass(frozen=True)
class Segment:
    """Rows of one group of a column: both means of the measure, the paired difference, p after Holm, the standing."""

    column: str
    label: str
    rows: int
    difference: PairedDifference
    p: float
    standing: Standing

    @property
    def total(self) -> float:
        """The difference over all rows of the segment."""
        return self.difference.estimate * self.rows

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        numbers = {key: getattr(self.difference, key) for key in ("champion", "challenger", "estimate", "low", "high")}
        numbers |= {"p": self.p, "total": self.total}
        return {
            "column": self.column,
            "label": self.label,
            "rows": self.rows,
            "standing": self.standing,
            "reliable": self.difference.reliable,
            **{key: known(value) for key, value in numbers.items()},
        }


@dataclass(frozen=True)
class Segments:
    """Every segment that was compared, those in which the challenger loses most first.

    `measure` is what was compared in the segments, and `direction` what is better. `small` counts the segments below
    `SMALLEST` rows, `uncut` are the columns that have no groups: free text, names, numbers of things.
    """

    measure: str
    unit: str
    direction: Literal["maximize", "minimize"]
    margin: float
    segments: tuple[Segment, ...]
    small: int
    uncut: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def worse(self) -> tuple[Segment, ...]:
        """The segments in which the challenger loses, beyond chance and margin."""
        return tuple(segment for segment in self.segments if segment.standing == "worse")

    @property
    def better(self) -> tuple[Segment, ...]:
        """The segments in which the challenger wins, beyond chance and margin; the largest win first."""
        return tuple(segment for segment in reversed(self.segments) if segment.standing == "better")

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "measure": self.measure,
            "unit": self.unit,
            "direction": self.direction,
            "compared": len(self.segments),
            "small": self.small,
            "uncut": list(self.uncut),
            "hidden": list(self.hidden),
            "worse": [f"{segment.column}: {segment.label}" for segment in self.worse],
            "segments": [segment.to_json() for segment in self.segments],
        }


def segments_of(scored: Scored, challenger: int = 1, *, measure: str | None = None, margin: float = 0.0) -> Segments:
    """Compare the champion and a challenger in every segment of at least `SMALLEST` rows.

    `measure` is `value` or the name of a loss, by default the value, else a loss. A difference counts as worse or
    better where its interval is reliable, p after Holm is below 0.05 and it is larger than `margin`.
    """
    compared = row_measure(scored, challenger, measure)
    cuts = [*cuts_of(scored.rows, scored.row), *_true_labels(scored)]
    groups = [(cut, number, int(size)) for cut in cuts for number, size in enumerate(cut.sizes) if size]
    large = [(cut, number) for cut, number, size in groups if SMALLEST <= size < len(scored.target)]
    differences = [_difference(scored, compared, cut.codes == number) for cut, number in large]
    corrected = holm([difference.p for difference in differences])
    segments = [
        Segment(
            cut.column, cut.labels[number], difference.rows, difference, p, _standing(difference, p, compared, margin)
        )
        for (cut, number), difference, p in zip(large, differences, corrected, strict=True)
    ]
    segments.sort(key=lambda segment: _order(segment, compared))
    cut_names = " ".join(cut.column for cut in cuts).split()
    return Segments(
        compared.name,
        compared.unit,
        compared.direction,
        margin,
        tuple(segments),
        sum(size < SMALLEST for *_, size in groups),
        tuple(c.name for c in scored.row.columns if c.name not in cut_names and not _is_hidden(c)),
        tuple(c.name for c in scored.row.columns if _is_hidden(c)),
    )


def _is_hidden(column: Any) -> bool:
    return bool(column.sensitive and not column.protected)


def _true_labels(scored: Scored) -> Iterator[Cut]:
    if scored.kind in ("binary", "multiclass") and len(scored.classes) <= _MOST_LABELS:
        yield by_value("true label", scored.target.tolist(), scored.classes)


def _difference(scored: Scored, measure: RowMeasure, inside: np.ndarray[Any, Any]) -> PairedDifference:
    groups = None if scored.groups is None else scored.groups[inside]
    order = None if scored.order is None else scored.order[inside]
    return difference_of_means(measure.champion[inside], measure.challenger[inside], groups=groups, order=order)


def _standing(difference: PairedDifference, p: float, measure: RowMeasure, margin: float) -> Standing:
    gain = difference.estimate if measure.direction == "maximize" else -difference.estimate
    excludes_zero = difference.low > 0 or difference.high < 0
    if not difference.reliable or not excludes_zero or p >= LEVEL or abs(gain) <= margin:
        return "open"
    return "better" if gain > 0 else "worse"


def _order(segment: Segment, measure: RowMeasure) -> tuple[int, float]:
    """Worse ones first, by what they lose over all rows; better ones last."""
    gain = segment.total if measure.direction == "maximize" else -segment.total
    return {"worse": 0, "open": 1, "better": 2}[segment.standing], gain
