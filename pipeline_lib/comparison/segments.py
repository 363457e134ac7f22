"""Where the challenger loses although it may be better on average: the same comparison inside every segment.

A segment is a group of one column (see `cuts`), for labels also the rows of one true label. Many segments are compared
and some look worse by chance alone. So p is corrected by Holm for all of them: the chance that a segment is named
although the models are equal in every segment is at most 5 %, whatever segments have in common.

Segments overlap: where the challenger is worse in the north, it is worse among the shops with parking, too. So the one
whose loss is surest is named first, and another one only if the loss remains without the rows of those named before.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from pipeline_lib.comparison.multiplicity import holm
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means
from pipeline_lib.comparison.proportions import known
from pipeline_lib.comparison.row_measure import RowMeasure, row_measure
from pipeline_lib.comparison.scored import Scored
from pipeline_lib.rows.cuts import Cut, by_value, cuts_of

SMALLEST = 30
"""Rows below which a segment is not compared."""
LEVEL = 0.05
_MOST_LABELS = 30  # true labels up to which each is a segment

Standing = Literal["worse", "through", "better", "open"]
"""The challenger in a segment: worse or better beyond chance and margin, or neither can be said.

`through`: worse, but not shown to be worse without the rows of other segments that are.
"""


@dataclass(frozen=True)
class Segment:
    """Rows of one group of a column: both means of the measure, the paired difference, p after Holm, the standing."""

    column: str
    label: str
    rows: int
    difference: PairedDifference
    p: float
    standing: Standing
    without: str = ""
    """Of a loss `through` others: the segments without whose rows none is shown."""

    @property
    def name(self) -> str:
        """The column and its group."""
        return f"{self.column}: {self.label}"

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
            **({"without": self.without} if self.without else {}),
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
        """The segments in which the challenger loses, beyond chance and margin, and not through another one."""
        return tuple(segment for segment in self.segments if segment.standing == "worse")

    @property
    def through(self) -> tuple[Segment, ...]:
        """The segments in which it loses, but not shown so without the rows of those in `worse`."""
        return tuple(segment for segment in self.segments if segment.standing == "through")

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
            "worse": [segment.name for segment in self.worse],
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
    found = [
        Segment(cut.column, cut.labels[number], each.rows, each, p, _standing(each, p, compared, margin))
        for (cut, number), each, p in zip(large, differences, corrected, strict=True)
    ]
    segments = _with_origins(found, [cut.codes == number for cut, number in large], scored, compared)
    segments.sort(key=lambda segment: _order(segment, compared))
    sources = {cut.source for cut in cuts}
    return Segments(
        compared.name,
        compared.unit,
        compared.direction,
        margin,
        tuple(segments),
        sum(size < SMALLEST for *_, size in groups),
        tuple(c.name for c in scored.row.columns if c.name not in sources and not _is_hidden(c)),
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


def _with_origins(
    segments: list[Segment], inside: list[np.ndarray[Any, Any]], scored: Scored, measure: RowMeasure
) -> list[Segment]:
    """The segments, in which losses that only come through others are marked so.

    The loss with the largest ratio to its standard error is taken first.
    """
    losing = sorted(
        (index for index, segment in enumerate(segments) if segment.standing == "worse"),
        key=lambda index: -_ratio(segments[index].difference),
    )
    rest = np.ones(len(scored.target), bool)
    named: list[str] = []
    result = list(segments)
    for index in losing:
        remaining = inside[index] & rest
        if named and not _still_worse(scored, measure, remaining):
            result[index] = replace(segments[index], standing="through", without=", ".join(named))
            continue
        named.append(segments[index].name)
        rest &= ~inside[index]
    return result


def _ratio(difference: PairedDifference) -> float:
    return abs(difference.estimate) / difference.standard_error if difference.standard_error else math.inf


def _still_worse(scored: Scored, measure: RowMeasure, inside: np.ndarray[Any, Any]) -> bool:
    if np.count_nonzero(inside) < SMALLEST:
        return False
    difference = _difference(scored, measure, inside)
    return _standing(difference, difference.p, measure, 0.0) == "worse"


def _order(segment: Segment, measure: RowMeasure) -> tuple[int, float]:
    """Worse ones first, by what they lose over all rows; better ones last."""
    gain = segment.total if measure.direction == "maximize" else -segment.total
    return {"worse": 0, "through": 1, "open": 2, "better": 3}[segment.standing], gain
