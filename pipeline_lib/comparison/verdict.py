"""One word for a paired difference: better, worse, no difference, or cannot tell."""

from typing import Literal

from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.records.metric_direction import Direction

Verdict = Literal["better", "worse", "no difference", "cannot tell"]
SIGNIFICANT = 0.05


def oriented(difference: PairedDifference, direction: Direction) -> tuple[float, float, float]:
    """Estimate and limits of the interval, turned so that positive means that the challenger is better."""
    if direction == "maximize":
        return difference.estimate, difference.low, difference.high
    return -difference.estimate, -difference.high, -difference.low


def verdict_of(
    difference: PairedDifference, *, direction: Direction, margin: float = 0.0, p: float | None = None
) -> Verdict:
    """The verdict on the challenger. `margin`: the smallest difference that matters, in the metric's unit, 0 or more.

    `p`: the p-value after a correction for several challengers; by default that of the difference. Models that never
    differ have no difference, at any number of rows. Otherwise an interval that is not reliable tells nothing.

        >>> from pipeline_lib.comparison.paired import difference_of_means
        >>> errors = [float(row % 7) for row in range(100)]
        >>> lower = [error * 0.8 for error in errors]
        >>> verdict_of(difference_of_means(errors, lower), direction="minimize")
        'better'
        >>> verdict_of(difference_of_means(errors, lower), direction="minimize", margin=2.0)
        'no difference'
        >>> verdict_of(difference_of_means(errors, errors), direction="minimize")
        'no difference'
    """
    if difference.identical:
        return "no difference"
    if not difference.reliable:
        return "cannot tell"
    _, low, high = oriented(difference, direction)
    if -margin < low and high < margin:
        return "no difference"
    significant = (difference.p if p is None else p) < SIGNIFICANT
    if significant and low > 0:
        return "better"
    if significant and high < 0:
        return "worse"
    return "cannot tell"


def is_not_worse(difference: PairedDifference, *, direction: Direction, margin: float = 0.0) -> bool:
    """Whether the challenger is shown to be worse by less than the margin, if at all."""
    if difference.identical:
        return True
    return difference.reliable and oriented(difference, direction)[1] > -margin
