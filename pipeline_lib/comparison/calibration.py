"""Are the answers right on average: probabilities beside how often the event came, predictions beside true values.

Rows are put into ten groups of about equal size by what the model says, smallest first. A model is calibrated where,
in each group, what it says lies inside the interval of what came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.comparison.proportions import Estimate, known, mean, share
from pipeline_lib.comparison.scored import Scored, Side

GROUPS = 10
_ONLY, _TOP = "the true value", "the predicted label"


@dataclass(frozen=True)
class CalibrationGroup:
    """Rows for which a model says about the same: the mean of what it says, what came, and the first less the second.

    The interval of `bias` is that of the differences row by row, for probabilities that of `came`.
    """

    said: float
    came: Estimate
    bias: Estimate

    @property
    def is_off(self) -> bool:
        """Whether what the model says is too high or too low on average, beyond chance."""
        return self.bias.low > 0 or self.bias.high < 0

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"said": known(self.said), "came": self.came.to_json(), "bias": self.bias.to_json()}


@dataclass(frozen=True)
class SideCalibration:
    """One model's groups; `said` and `came` are the means of all rows, `error` is the mean distance, by rows."""

    reference: str
    groups: tuple[CalibrationGroup, ...]
    said: float
    came: Estimate
    error: float

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "reference": self.reference,
            "said": known(self.said),
            "came": self.came.to_json(),
            "error": known(self.error),
            "groups": [group.to_json() for group in self.groups],
        }


@dataclass(frozen=True)
class Calibration:
    """What is compared, in words, and each model's groups."""

    event: str
    of_shares: bool
    sides: tuple[SideCalibration, ...]

    @property
    def of(self) -> str:
        """Of which target, where there are several."""
        return "" if self.event == _ONLY else f" of {self.event}"

    @property
    def of_top(self) -> bool:
        """Whether the event is that the predicted label is right."""
        return self.event == _TOP

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"event": self.event, "sides": [side.to_json() for side in self.sides]}


def calibration_of(scored: Scored, challenger: int = 1) -> tuple[Calibration, ...]:
    """Calibration of the champion and a challenger: one, of several numeric targets one each, none for labels alone.

    Of two labels the probability of the second one is compared, of more that of the predicted label.
    """
    sides = (scored.champion, scored.sides[challenger])
    if scored.kind in ("regression", "several targets"):
        return _of_numbers(scored, sides)
    if any(side.probabilities is None for side in sides):
        return ()
    event = f"{scored.classes[1]}" if scored.kind == "binary" else _TOP
    measured = (_side(side.reference, *_chances(scored, side), of_shares=True) for side in sides)
    return (Calibration(event, True, tuple(measured)),)


def _chances(scored: Scored, side: Side) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The probability of the event, and whether it came."""
    probabilities = side.probabilities
    assert probabilities is not None  # noqa: S101  calibration_of leaves labels alone out
    if scored.kind == "binary":
        return probabilities[:, 1], np.asarray(scored.target == scored.classes[1], np.float64)
    best = probabilities.argmax(axis=1)
    labels = np.empty(len(scored.classes), object)
    labels[:] = scored.classes
    return probabilities.max(axis=1), np.asarray(labels[best] == scored.target, np.float64)


def _of_numbers(scored: Scored, sides: Sequence[Side]) -> tuple[Calibration, ...]:
    columns = [np.asarray(scored.target), *(np.asarray(side.predictions) for side in sides)]
    if any(column.dtype.kind not in "fiu" for column in columns):
        return ()
    target, *predictions = (column.reshape(len(column), -1).astype(np.float64) for column in columns)
    names = [_ONLY] if target.shape[1] == 1 else [f"target {i + 1}" for i in range(target.shape[1])]
    found = []
    for index, name in enumerate(names):
        pairs = zip(sides, predictions, strict=True)
        measured = (_side(side.reference, p[:, index], target[:, index], of_shares=False) for side, p in pairs)
        found.append(Calibration(name, False, tuple(measured)))
    return tuple(found)


def _side(
    reference: str, said: np.ndarray[Any, Any], came: np.ndarray[Any, Any], *, of_shares: bool
) -> SideCalibration:
    def estimate(values: np.ndarray[Any, Any]) -> Estimate:
        return share(int(values.sum()), len(values)) if of_shares else mean(values)

    index = quantile_groups(said, GROUPS)
    groups = []
    for number in range(int(index.max()) + 1 if index.size else 0):
        inside = index == number
        of_group, observed = float(said[inside].mean()), estimate(came[inside])
        if of_shares:
            bias = Estimate(of_group - observed.value, of_group - observed.high, of_group - observed.low, observed.rows)
        else:
            bias = mean(said[inside] - came[inside])
        groups.append(CalibrationGroup(of_group, observed, bias))
    apart = sum(abs(group.said - group.came.value) * group.came.rows for group in groups)
    rows = max(len(said), 1)
    return SideCalibration(
        reference, tuple(groups), float(said.mean()) if len(said) else 0.0, estimate(came), apart / rows
    )


def quantile_groups(values: np.ndarray[Any, Any], groups: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each value the number of its group, int64 from 0 on: groups of about equal size, equal values together.

    >>> quantile_groups(np.array([0.1, 0.9, 0.5, 0.5]), 2).tolist()
    [0, 1, 0, 0]
    """
    if not len(values):
        return np.zeros(0, np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, groups) / groups, method="inverted_cdf"))
    index = np.searchsorted(edges, values, side="left")
    return np.unique(index, return_inverse=True)[1].astype(np.int64)
