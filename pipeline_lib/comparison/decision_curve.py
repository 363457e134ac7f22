"""Decision curves: the net benefit of acting on a probability, over the threshold from which one acts.

Vickers & Elkin, Medical Decision Making 26 (2006). Of n rows, at the threshold probability p,

    net benefit = true positives / n - false positives / n * p / (1 - p)

in units of one true positive: p / (1 - p) is how many true positives one false positive costs to somebody who acts from
p on. Two rules need no model: to treat all, and to treat none, whose net benefit is 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline_lib.errors import InputError

FloatArray = NDArray[np.float64]
_THRESHOLDS = np.linspace(0.01, 0.99, 99)


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit by `thresholds`, shape (thresholds,), of each model by its name and of treating all; none has 0.

    `prevalence` is the share of positive rows, `rows` their number.
    """

    thresholds: FloatArray
    models: Mapping[str, FloatArray]
    treat_all: FloatArray
    prevalence: float
    rows: int

    def best_at(self, threshold: float) -> str:
        """The name of the best model at the nearest threshold; `treat all` or `treat none` where a rule is as good."""
        at = int(np.argmin(np.abs(self.thresholds - threshold)))
        rules = {"treat none": 0.0, "treat all": float(self.treat_all[at])}
        benefits = rules | {name: float(values[at]) for name, values in self.models.items()}
        return max(benefits, key=lambda name: benefits[name])

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "thresholds": self.thresholds.tolist(),
            "models": {name: values.tolist() for name, values in self.models.items()},
            "treat_all": self.treat_all.tolist(),
            "prevalence": self.prevalence,
            "rows": self.rows,
        }


def decision_curve(
    target01: ArrayLike, probabilities: Mapping[str, ArrayLike], thresholds: ArrayLike | None = None
) -> DecisionCurve:
    """The decision curve of models by name: targets 0 or 1 and each model's probability of 1, shape (rows,).

    A row is positive where its probability is at least the threshold. `thresholds` are between 0 and 1, by default
    0.01 to 0.99. Raises InputError for other shapes, targets, probabilities and thresholds.

    >>> curve = decision_curve([1, 0, 1, 0], {"model": [0.9, 0.6, 0.4, 0.1]}, [0.2, 0.5])
    >>> curve.models["model"].round(4).tolist(), curve.treat_all.round(4).tolist()
    ([0.4375, 0.0], [0.375, 0.0])
    """
    target, points = _target(target01), _thresholds(thresholds)
    odds = points / (1 - points)
    positive = target == 1
    prevalence = float(positive.mean())
    models = {}
    for name, given in probabilities.items():
        chances = _probabilities(name, given, len(target))
        caught, needless = (_share_from(chances[rows], points, len(target)) for rows in (positive, ~positive))
        models[name] = caught - needless * odds
    return DecisionCurve(points, models, prevalence - (1 - prevalence) * odds, prevalence, len(target))


def net_benefit(target01: ArrayLike, probability: ArrayLike, threshold: float) -> float:
    """The net benefit of one model at one threshold, in true positives a row.

    >>> net_benefit([1, 0, 1, 0], [0.9, 0.6, 0.4, 0.1], 0.5)
    0.0
    """
    return float(decision_curve(target01, {"model": probability}, [threshold]).models["model"][0])


def break_even(*, false_positive: float, true_positive: float) -> float:
    """The probability from which on acting pays: what a needless act costs, and what a right one gains.

    Raises InputError for amounts that are not positive.

    >>> break_even(false_positive=1.5, true_positive=4.5)  # a mailing for 1.50 that brings 6.00
    0.25
    """
    amounts = np.asarray([false_positive, true_positive], dtype=np.float64)
    if not (np.isfinite(amounts).all() and (amounts > 0).all()):
        raise InputError(
            f"break-even: found the cost {false_positive} and the gain {true_positive}, expected positive amounts; "
            "where acting costs nothing act always, where it gains nothing never"
        )
    return float(false_positive / (false_positive + true_positive))


def break_even_of_values(target01: ArrayLike, acting: ArrayLike, not_acting: ArrayLike) -> float | None:
    """The break-even that a pipeline's `value` implies: of each row's value with and without acting, shape (rows,).

    The mean gain on positive rows and the mean loss on negative ones take the place of constant amounts. None where
    acting does not gain on the positives, or does not lose on the negatives: then no threshold decides.

    >>> break_even_of_values([1, 1, 0], acting=[4.5, 4.5, -1.5], not_acting=[0, 0, 0])
    0.25
    """
    target = _target(target01)
    gain = np.asarray(acting, dtype=np.float64) - np.asarray(not_acting, dtype=np.float64)
    if gain.shape != target.shape:
        raise InputError(f"break-even: found {gain.shape} values for {target.shape} targets, expected one for each row")
    if len(set(target.tolist())) < 2:
        return None
    gained, lost = float(gain[target == 1].mean()), -float(gain[target == 0].mean())
    return break_even(false_positive=lost, true_positive=gained) if gained > 0 and lost > 0 else None


def _share_from(chances: FloatArray, thresholds: FloatArray, rows: int) -> FloatArray:
    """How many of these probabilities are at least each threshold, as a share of all rows."""
    below = np.searchsorted(np.sort(chances), thresholds, side="left")
    return np.asarray((len(chances) - below) / rows, dtype=np.float64)


def _target(target01: ArrayLike) -> FloatArray:
    target = np.asarray(target01, dtype=np.float64)
    if target.ndim != 1 or len(target) == 0 or not np.isin(target, (0, 1)).all():
        raise InputError(
            f"decision curve: found targets of shape {target.shape}, expected 0 or 1 for each row; pass "
            "(target == label).astype(int)"
        )
    return target


def _thresholds(thresholds: ArrayLike | None) -> FloatArray:
    points = np.asarray(_THRESHOLDS if thresholds is None else thresholds, dtype=np.float64)
    if points.ndim != 1 or len(points) == 0 or not ((points > 0) & (points < 1)).all():
        raise InputError(f"decision curve: found thresholds {points}, expected numbers between 0 and 1, both excluded")
    return points


def _probabilities(name: str, given: ArrayLike, rows: int) -> FloatArray:
    chances = np.asarray(given, dtype=np.float64)
    if chances.shape != (rows,) or not ((chances >= 0) & (chances <= 1)).all():
        raise InputError(
            f"decision curve: {name}: found shape {chances.shape}, expected {rows:,} probabilities, 0 to 1; pass "
            "predict_proba(rows)[:, 1]"
        )
    return chances
