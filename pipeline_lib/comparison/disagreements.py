"""The rows on which two models disagree most: what each says, what is true, and who is nearer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from pipeline_lib.comparison.scored import Scored, Side
from pipeline_lib.rows.cuts import cuts_of, label

Nearer = Literal["champion", "challenger", "equal"]
SHOWN = 10
"""Rows of largest disagreement."""
HIDDEN = "hidden"
"""Stands for a value of a sensitive column."""
_NEARER: tuple[Nearer, ...] = ("equal", "champion", "challenger")
_LABELS = ("binary", "multiclass")
_AS_NEAR = 1e-12  # errors that differ by less, relative to the larger, are equal: the models differ in rounding alone


@dataclass(frozen=True)
class Disagreement:
    """One row: its number in the compared rows, both answers, the true value, who is nearer, and its raw values.

    `gap` is how far the answers are apart: in the target's unit for numbers, in probability for labels. `values` has
    every raw column of the main table as text; a sensitive one is hidden.
    """

    row: int
    gap: float
    champion: str
    challenger: str
    target: str
    nearer: Nearer
    values: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        keys = ("row", "gap", "champion", "challenger", "target", "nearer")
        return {**{key: getattr(self, key) for key in keys}, "values": dict(self.values)}


@dataclass(frozen=True)
class Disagreements:
    """How often two models differ, who is nearer then, and the rows of largest disagreement, largest first.

    `telling` are the columns that sort rows into groups: others name rows, or are free text.
    `differ` counts rows with different answers (of labels: different labels), `champion` and `challenger` those of
    them where that model is nearer (of labels: right).
    """

    rows: int
    differ: int
    champion: int
    challenger: int
    hidden: tuple[str, ...]
    telling: tuple[str, ...]
    largest: tuple[Disagreement, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        counts = {key: getattr(self, key) for key in ("rows", "differ", "champion", "challenger")}
        return {**counts, "hidden": list(self.hidden), "largest": [row.to_json() for row in self.largest]}


def disagreements_of(scored: Scored, challenger: int = 1, *, shown: int = SHOWN) -> Disagreements:
    """The `shown` rows of largest disagreement between the champion and a challenger.

    By probabilities where both have them, else by labels; by predicted numbers, of several targets by the mean over
    them, each in units of its standard deviation. Rows with the same gap come in their order.
    """
    one, other = scored.champion, scored.sides[challenger]
    gap, nearer = _gap(scored, one, other), _nearer(scored, one, other)
    order = [int(index) for index in np.argsort(-gap, kind="stable")[:shown] if gap[index] > 0]
    largest = tuple(
        Disagreement(
            index,
            float(gap[index]),
            _answer(scored, one, index),
            _answer(scored, other, index),
            _shown(scored.target[index]),
            _NEARER[nearer[index]],
            _values(scored, index),
        )
        for index in order
    )
    differ, right = _different(scored, one, other, gap), nearer
    if scored.kind in _LABELS:
        right = np.where(one.predictions == scored.target, 1, np.where(other.predictions == scored.target, 2, 0))
    counts = [int(np.count_nonzero(differ & (right == number))) for number in (1, 2)]
    hidden = tuple(column.name for column in scored.row.columns if column.sensitive)
    telling = tuple(dict.fromkeys(cut.source for cut in cuts_of(scored.rows, scored.row) if cut.source not in hidden))
    return Disagreements(len(gap), int(differ.sum()), counts[0], counts[1], hidden, telling, largest)


def _different(scored: Scored, one: Side, other: Side, gap: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Rows with different answers: of labels the label counts, not its probability."""
    return np.asarray(one.predictions != other.predictions) if scored.kind in _LABELS else gap > 0


def _nearer(scored: Scored, one: Side, other: Side) -> np.ndarray[Any, Any]:
    """For each row the index in `_NEARER` of who is nearer to the true value."""
    errors = _distance(scored, one, paired=other), _distance(scored, other, paired=one)
    same = np.abs(errors[0] - errors[1]) <= _AS_NEAR * np.maximum(errors[0], errors[1])
    return np.where(same, 0, np.where(errors[0] < errors[1], 1, 2))


def _gap(scored: Scored, one: Side, other: Side) -> np.ndarray[Any, Any]:
    """How far two answers are apart, float64 (rows,)."""
    if scored.kind in _LABELS:
        if one.probabilities is None or other.probabilities is None:
            return np.asarray(one.predictions != other.predictions, np.float64)
        return np.asarray(np.abs(one.probabilities - other.probabilities).sum(axis=1) / 2)
    return _apart(scored, one.predictions, other.predictions)


def _distance(scored: Scored, side: Side, *, paired: Side) -> np.ndarray[Any, Any]:
    """How far an answer is from the true value, float64 (rows,)."""
    if scored.kind not in _LABELS:
        return _apart(scored, side.predictions, scored.target)
    if side.probabilities is None or paired.probabilities is None:
        return np.asarray(side.predictions != scored.target, np.float64)
    truth = np.column_stack([np.asarray(scored.target == label, np.float64) for label in scored.classes])
    return np.asarray(1.0 - (side.probabilities * truth).sum(axis=1))


def _apart(scored: Scored, one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if one.dtype.kind not in "fiu" or other.dtype.kind not in "fiu":
        unequal = np.asarray(one != other, np.float64)
        return unequal if unequal.ndim == 1 else np.asarray(unequal.mean(axis=1))
    apart: np.ndarray[Any, Any] = np.abs(one.astype(np.float64) - other.astype(np.float64))
    if apart.ndim == 1:
        return apart
    scale = np.std(np.asarray(scored.target, np.float64), axis=0)
    return np.asarray((apart / np.where(scale > 0, scale, 1.0)).mean(axis=1))


def _answer(scored: Scored, side: Side, index: int) -> str:
    """A prediction as text, with its probability where there is one."""
    text = _shown(side.predictions[index])
    if side.probabilities is None:
        return text
    if scored.kind == "binary":
        return f"{text} ({side.probabilities[index, 1]:.1%} for {label(scored.classes[1])})"
    return f"{text} ({side.probabilities[index].max():.1%})"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return ", ".join(map(_shown, value))
    return f"{value:,.6g}" if isinstance(value, float | np.floating) else label(value)


def _values(scored: Scored, index: int) -> tuple[tuple[str, str], ...]:
    """The raw values of a row, those of other tables as a count."""
    values = []
    for column in scored.row.columns:
        if column.name not in scored.rows.column_names:
            continue
        values.append((column.name, HIDDEN if column.sensitive else _raw(scored.rows[column.name][index].as_py())))
    for child in scored.row.children:
        name = next((n for c in child.own if (n := f"{child.name}.{c.name}") in scored.rows.column_names), None)
        if name is not None:
            values.append((f"rows of {child.name}", str(len(scored.rows[name][index].as_py()))))
    return tuple(values)


def _raw(value: Any) -> str:
    if value is None or value != value:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return f"{value:,.6g}" if isinstance(value, float) else label(value)
