"""When an interval of a paired difference may be believed: a rule on the shape of what the rows contribute.

An estimate is, to first order, the mean of one contribution per independent unit (a row, an entity, a block of time).
Its interval rests on the normal distribution of that mean. Two figures say how far away it is:

- `acceleration` = skewness / (6 sqrt(units)). Cochran's rule, units > 25 skewness^2 (Sampling Techniques, 1977,
  section 2.15), is acceleration < 1/30.
- `degrees` = 2 units / (kurtosis - 1), the degrees of freedom of a normal sample whose variance is known as well as
  that of these units: at least 20. Few rows that differ, few clusters and heavy tails all make it small.

Each asks for a number of rows. A small sample of a skewed or heavy-tailed distribution often has none of its tail, and
looks harmless. So below `LARGE_SAMPLE` rows the rule is stricter: the skewness is at most rows / 200, and the degrees
are at least 20 x 500 / rows. Rows of one entity, or of one moment, do not show more of the tail than one of them does:
there the sample is as large as the number of entities or moments, and 40 customers with 50 rows each are a small one.
The simulations in docs/comparison-statistics.md show what the rule achieves.
"""

import math
from dataclasses import dataclass

import numpy as np

from pipeline_lib.comparison.checked_rows import FloatArray

MINIMUM_ROWS = 100
MINIMUM_CLUSTERS = MINIMUM_ROWS
"""Entities: of fewer, a loss that one of them has in 50 is too often in none."""
MINIMUM_EFFECTIVE_CLUSTERS = 20
"""As many entities of one size would tell as much, where a few have most of the rows."""
MINIMUM_BLOCKS = 40
"""Of time: a shorter series does not show well enough for how long its rows resemble each other."""
MINIMUM_DIFFERING = 20
"""Rows (or entities) on which the two models differ."""
LARGE_SAMPLE = 500
MAXIMUM_ACCELERATION = 1 / 30
ROWS_PER_SKEWNESS = 200
"""Of a sample that is not large: its skewness is at most rows / 200."""
MINIMUM_DEGREES = 20.0
MINIMUM_DEGREES_OF_METRICS = 40.0
"""Of metrics that are not means: F1 of ten positive rows is believed too often by the rule for means."""


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
    count = int(np.count_nonzero(contributions)) if differing is None else differing
    if total <= 0:
        return Shape(units, count, 0.0, math.inf)
    acceleration = float((squares * contributions).sum()) / (6 * total**1.5)
    spread = float((squares**2).sum()) / total**2 - 1 / units
    return Shape(units, count, acceleration, 2 / spread if spread > 1e-12 else math.inf)


def effective_clusters(sizes: FloatArray) -> float:
    """How many clusters of one size tell as much as these, if the rows of a cluster are all alike.

    >>> effective_clusters(np.array([10.0, 1.0, 1.0]))
    1.411764705882353
    """
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def judge(
    shape: Shape,
    rows: int,
    clusters: int | None = None,
    *,
    effective: float = math.inf,
    moments: int | None = None,
    degrees: float = MINIMUM_DEGREES,
) -> Reliability:
    """The rule. `clusters`: how many entities or, of rows in time, blocks they come from, None if each row is its own.

    `effective`: the `effective_clusters` of entities. `moments`: of rows in time, how many different times they have.
    `degrees`: those of a large sample that are needed.

    >>> judge(Shape(units=400, differing=12, acceleration=0.001, degrees=24.0), rows=400)
    Reliability(reliable=False, why_not='the models differ on 12 of 400 rows, fewer than 20', rows_for_it=667)
    """
    unit, minimum = ("blocks of time", MINIMUM_BLOCKS) if moments else ("entities", MINIMUM_CLUSTERS)
    sample = moments or clusters or rows
    what = "moments" if moments else "entities" if clusters else "rows"
    asked = (
        (float(MINIMUM_ROWS), f"{rows:,} rows are fewer than {MINIMUM_ROWS}"),
        (
            rows * minimum / clusters if clusters else 0.0,
            f"the rows come from {clusters} {unit}, fewer than {minimum}",
        ),
        (
            rows * MINIMUM_EFFECTIVE_CLUSTERS / effective,
            f"a few of the {clusters} entities have most of the rows: they count as {effective:.0f} of one size, "
            f"fewer than {MINIMUM_EFFECTIVE_CLUSTERS}",
        ),
        (
            rows * MINIMUM_DIFFERING / max(shape.differing, 0.5),
            f"the models differ on {shape.differing:,} of {shape.units:,} {unit if clusters else 'rows'}, "
            f"fewer than {MINIMUM_DIFFERING}",
        ),
        (
            _sample_for_skewness(shape, sample) * rows / sample,
            f"the differences are too skewed for {sample:,} {what}: a few of them decide the result",
        ),
        (
            _sample_for_degrees(shape, sample, degrees) * rows / sample,
            f"for {sample:,} {what}, too much of the spread comes from a few large differences",
        ),
    )
    why_not = next((text for needed, text in asked if needed > rows), "")
    return Reliability(not why_not, why_not, math.ceil(max(rows, *(needed for needed, _ in asked))))


def _sample_for_skewness(shape: Shape, sample: int) -> float:
    skewness = 6 * math.sqrt(shape.units) * abs(shape.acceleration)
    of_large = sample * (shape.acceleration / MAXIMUM_ACCELERATION) ** 2
    return max(of_large, min(LARGE_SAMPLE, ROWS_PER_SKEWNESS * skewness))


def _sample_for_degrees(shape: Shape, sample: int, degrees: float) -> float:
    of_large = sample * degrees / shape.degrees
    return of_large if of_large >= LARGE_SAMPLE else math.sqrt(LARGE_SAMPLE * of_large)
