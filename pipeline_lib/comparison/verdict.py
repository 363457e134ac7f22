"""One word for a paired difference: better, worse, no difference, or cannot tell."""

from typing import Literal, Protocol

from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.records.metric_direction import Direction

Verdict = Literal["better", "worse", "no difference", "cannot tell"]
SIGNIFICANT = 0.05


class Interval(Protocol):
    """What a verdict reads of a difference: its interval and its p-value."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def p(self) -> float: ...


def oriented(difference: Interval, direction: Direction) -> tuple[float, float]:
    """The limits of the interval, turned so that positive means that the challenger is better."""
    if direction == "maximize":
        return difference.low, difference.high
    return -difference.high, -difference.low


def verdict_by(difference: Interval, *, direction: Direction, margin: float = 0.0, p: float | None = None) -> Verdict:
    """The verdict by an interval that can be relied on; `margin` and `p` as for `verdict_of`."""
    low, high = oriented(difference, direction)
    if low == high == 0 or (-margin < low and high < margin):
        return "no difference"
    significant = (difference.p if p is None else p) < SIGNIFICANT
    if significant and low > 0:
        return "better"
    if significant and high < 0:
        return "worse"
    return "cannot tell"


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
    return verdict_by(difference, direction=direction, margin=margin, p=p)


def is_not_worse(
    difference: PairedDifference, *, direction: Direction, margin: float = 0.0, p: float | None = None
) -> bool:
    """Whether the challenger is shown to be worse by less than the margin, if at all; `p` as for `verdict_of`.

    Better, and no difference that matters, are not worse. Without a margin nothing else is.
    """
    verdict = verdict_of(difference, direction=direction, margin=margin, p=p)
    if verdict in ("better", "no difference"):
        return True
    return margin > 0 and difference.reliable and oriented(difference, direction)[0] > -margin
