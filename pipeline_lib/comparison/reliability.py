"""When an interval of a paired difference may be believed: a rule on the shape of what the rows contribute.

An estimate is, to first order, the mean of one contribution per independent unit (a row, an entity, a block of time).
Its interval rests on the normal distribution of that mean. Two figures say how far away it is:

- `acceleration` = skewness / (6 sqrt(units)). Cochran's rule, units > 25 skewness^2 (Sampling Techniques, 1977,
  section 2.15), is acceleration < 1/30.
- `degrees` = 2 units / (kurtosis - 1), the degrees of freedom of a normal sample whose variance is known as well as
  that of these units. Few differing rows, few clusters and heavy tails all make it small.
"""

import math
from dataclasses import dataclass

import numpy as np

from pipeline_lib.comparison.checked_rows import FloatArray

MINIMUM_ROWS = 50
MINIMUM_CLUSTERS = 30
MINIMUM_DIFFERING = 20
"""Rows (or entities) on which the two models differ."""
MAXIMUM_ACCELERATION = 1 / 30
MINIMUM_DEGREES = 20.0


@dataclass(frozen=True)
class Shape:
    """How far contributions are from normal. `units` are independent; `differing` of them are not zero."""

    units: int
    differing: int
    acceleration: float
    degrees: float


@dataclass(frozen=True)
class Reliability:
    """Whether the rule holds; else why not in one sentence, and how many rows in all would do, in proportion."""

    reliable: bool
    why_not: str
    rows_for_it: int


def shape_of(contributions: FloatArray, differing: int | None = None) -> Shape:
    """The shape of contributions whose mean is 0. `differing`: how many units differ, by default all not zero."""
    units = len(contributions)
    squares = contributions**2
    total = float(squares.sum())
    if total <= 0:
        return Shape(units, units if differing is None else differing, 0.0, math.inf)
    acceleration = float((squares * contributions).sum()) / (6 * total**1.5)
    spread = float((squares**2).sum()) / total**2 - 1 / units
    degrees = 2 / spread if spread > 0 else math.inf
    count = int(np.count_nonzero(contributions)) if differing is None else differing
    return Shape(units, count, acceleration, degrees)


def judge(shape: Shape, rows: int, clusters: int | None = None, unit: str = "entities") -> Reliability:
    """The rule. `clusters`: how many independent groups the rows come from, None if each row is its own."""
    steps = (
        (MINIMUM_ROWS / rows, f"{rows} rows are fewer than {MINIMUM_ROWS}"),
        (
            MINIMUM_CLUSTERS / clusters if clusters else 0.0,
            f"the rows come from {clusters} {unit}, fewer than {MINIMUM_CLUSTERS}",
        ),
        (
            MINIMUM_DIFFERING / max(shape.differing, 0.5),
            f"the models differ on {shape.differing} of {shape.units} {unit if clusters else 'rows'}, "
            f"fewer than {MINIMUM_DIFFERING}",
        ),
        (
            (abs(shape.acceleration) / MAXIMUM_ACCELERATION) ** 2,
            "the differences are too skewed for this many rows: few of them decide the result",
        ),
        (
            MINIMUM_DEGREES / shape.degrees,
            "a few large differences decide the result: their spread is not known well enough",
        ),
    )
    why_not = next((text for ratio, text in steps if ratio > 1), "")
    factor = max(ratio for ratio, _ in steps)
    return Reliability(not why_not, why_not, math.ceil(rows * factor) if factor > 1 else rows)
