"""Do the models treat the groups of a protected column alike: rates of each group, and how far groups are apart.

Of two labels the second one is the selection: selection rate, true positive rate, false positive rate, share right.
Of more labels the share right, of numbers the mean error (prediction less true value) and the mean absolute error.
Intervals are Wilson's of shares and Student's of means; rows count as independent. Differences are to the largest
group, by Newcombe's method for shares. Groups below `SMALLEST` rows are counted, not shown: rates of few people are
noise, and tell of single ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.comparison.proportions import (
    Estimate,
    mean,
    mean_difference,
    share,
    share_difference,
)
from pipeline_lib.comparison.scored import Scored, Side
from pipeline_lib.rows.cuts import Cut, cuts_of

SMALLEST = 10
"""Rows below which a group's rates are not shown."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class GroupRate:
    """A rate of one group under both models, and how far each is from that of the largest group.

    The differences are None for the largest group itself.
    """

    group: str
    rows: int
    champion: Estimate
    challenger: Estimate
    champion_apart: Estimate | None
    challenger_apart: Estimate | None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        estimates = ("champion", "challenger", "champion_apart", "challenger_apart")
        found = {key: getattr(self, key) for key in estimates}
        shown = {key: each.to_json() if each is not None else None for key, each in found.items()}
        return {"group": self.group, "rows": self.rows, **shown}


@dataclass(frozen=True)
class ProtectedRate:
    """One rate by the groups of one protected column, the largest group first."""

    column: str
    rate: str
    is_share: bool
    groups: tuple[GroupRate, ...]
    small: int

    def gap(self, side: str) -> float:
        """The largest rate of a group less the smallest, for `champion` or `challenger`."""
        values = [getattr(group, side).value for group in self.groups if getattr(group, side).rows]
        return max(values) - min(values) if values else 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        groups = [group.to_json() for group in self.groups]
        return {"column": self.column, "rate": self.rate, "small": self.small, "groups": groups}


def protected_of(scored: Scored, challenger: int = 1) -> tuple[ProtectedRate, ...]:
    """Every rate by every protected column; empty where `Row` declares none."""
    sides = (scored.champion, scored.sides[challenger])
    cuts = [cut for cut in cuts_of(scored.rows, scored.row) if cut.protected]
    return tuple(found for cut in cuts for rate in _rates(scored, sides) if (found := _by_group(cut, *rate)).groups)


_Rate = tuple[str, bool, Callable[[int, Mask], Estimate]]


def _rates(scored: Scored, sides: tuple[Side, Side]) -> Iterator[_Rate]:
    """The rates that fit what is predicted: a name, whether it is a share, and its estimate for a side and rows."""
    predictions = [np.asarray(side.predictions) for side in sides]
    if scored.kind in ("regression", "several targets"):
        if all(each.dtype.kind in "fiu" for each in (*predictions, scored.target)):
            errors = [(each - scored.target).reshape(len(each), -1).mean(axis=1) for each in predictions]
            absolute = [np.abs(each - scored.target).reshape(len(each), -1).mean(axis=1) for each in predictions]
            yield "mean error", False, lambda side, rows: mean(errors[side][rows])
            yield "mean absolute error", False, lambda side, rows: mean(absolute[side][rows])
        return
    right = [np.asarray(each == scored.target) for each in predictions]
    if scored.kind == "binary":
        event = scored.classes[1]
        selected = [np.asarray(each == event) for each in predictions]
        came = np.asarray(scored.target == event)
        yield f"selected as {event}", True, lambda side, rows: _share(selected[side], rows)
        yield "true positive rate", True, lambda side, rows: _share(selected[side], rows & came)
        yield "false positive rate", True, lambda side, rows: _share(selected[side], rows & ~came)
    yield "share right", True, lambda side, rows: _share(right[side], rows)


def _share(event: Mask, rows: Mask) -> Estimate:
    return share(int(np.count_nonzero(event & rows)), int(np.count_nonzero(rows)))


def _by_group(cut: Cut, rate: str, is_share: bool, estimate: Callable[[int, Mask], Estimate]) -> ProtectedRate:
    sizes = cut.sizes
    order = [int(number) for number in np.argsort(-sizes, kind="stable") if sizes[number] >= SMALLEST]
    difference = share_difference if is_share else mean_difference
    groups: list[GroupRate] = []
    for number in order:
        both = [estimate(side, cut.codes == number) for side in (0, 1)]
        apart: list[Estimate | None] = [None, None]
        if groups:
            apart = [difference(both[0], groups[0].champion), difference(both[1], groups[0].challenger)]
        groups.append(GroupRate(cut.labels[number], int(sizes[number]), both[0], both[1], *apart))
    return ProtectedRate(
        cut.column, rate, is_share, tuple(groups), int(np.count_nonzero((sizes > 0) & (sizes < SMALLEST)))
    )
