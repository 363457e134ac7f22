"""The estimation plot: paired differences of all challengers on one axis, each with its interval.

After Gardner & Altman (BMJ 292, 1986) and Cumming (2012): what is shown is how large the difference is and how well it
is known, not whether a test is significant. From top to bottom, each challenger has

    its name                     difference (interval)
         ___
       _/   \\_                   how probable each difference is: normal halves through both limits of the interval
     ----- o -----               difference and 95 % interval

behind them the line of no difference, and the band of differences that do not matter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.comparison.figures import difference_texts
from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.comparison.svg import (
    BAD,
    CHALLENGER,
    GOOD,
    INK,
    LINE,
    SOFT,
    WASH,
    WIDTH,
    Scale,
    dot,
    line,
    path,
    picture,
    rect,
    text,
    tick_label,
    ticks,
)
from pipeline_lib.records.metric_direction import Direction
from pipeline_lib.system.html_page import Markup
from pipeline_lib.system.number_text import number_text

_ROW, _NAME, _CURVE, _AXIS = 66.0, 17.0, 26.0, 46.0  # heights: of a challenger, its name, its curve; of the axis
_MARGIN_SHOWN = 3.0  # a margin this many times as wide as the intervals would hide them: it is cut off
_Z = 1.959963984540054
_BINS = 31
_FEW = 3  # different values that need no histogram
_LINE = 52  # characters of a name and an interval on one line


@dataclass(frozen=True)
class Plotted:
    """One challenger of a plot."""

    name: str
    difference: PairedDifference


def estimation_plot(
    challengers: Sequence[Plotted], metric: str, direction: Direction | None, *, unit: str = "", margin: float = 0.0
) -> Markup:
    """The plot of the challengers' differences in a metric; empty where no interval is finite."""
    shown = [each for each in challengers if _is_finite(each.difference)]
    if not shown:
        return Markup()
    scale = _scale([each.difference for each in shown], margin)
    height = _ROW * len(shown) + _AXIS
    bottom = height - _AXIS + 4
    parts = []
    for number in range(len(shown)):
        top, end = number * _ROW + _NAME, bottom if number == len(shown) - 1 else (number + 1) * _ROW
        if margin > 0:
            parts.append(rect(scale(-margin), top, scale(margin) - scale(-margin), end - top, WASH))
        parts.append(line(scale(0.0), top, scale(0.0), end, SOFT, dash="3 2"))
    parts += _axis(scale, bottom, metric, unit, direction)
    for number, each in enumerate(shown):
        parts += _challenger(each, scale, number * _ROW, direction)
    return picture(parts, height, _alternative(shown, metric, unit, margin))


def _is_finite(difference: PairedDifference) -> bool:
    return all(math.isfinite(each) for each in (difference.estimate, difference.low, difference.high))


def _scale(differences: Sequence[PairedDifference], margin: float) -> Scale:
    """An axis with room for every interval, for no difference, and for the margin unless it is far wider."""
    low = min(0.0, *(each.low - 0.35 * (each.high - each.low) for each in differences))
    high = max(0.0, *(each.high + 0.35 * (each.high - each.low) for each in differences))
    if margin and margin <= _MARGIN_SHOWN * max(high - low, 1e-300):
        low, high = min(low, -1.15 * margin), max(high, 1.15 * margin)
    room = 0.04 * (high - low) or 1.0
    return Scale(low - room, high + room, 4, WIDTH - 4)


def _axis(scale: Scale, bottom: float, metric: str, unit: str, direction: Direction | None) -> list[str]:
    parts = [line(scale.start, bottom, scale.end, bottom, SOFT)]
    for tick in ticks(scale.low, scale.high):
        parts.append(line(scale(tick), bottom, scale(tick), bottom + 3, SOFT))
        parts.append(text(_inside(scale(tick)), bottom + 13, tick_label(tick), anchor="middle", colour=SOFT))
    named = f"difference in {metric}{f' ({unit} a row)' if unit else ''}"
    parts.append(text(WIDTH / 2, bottom + 26, named, anchor="middle"))
    if direction is not None:
        sides = ("worse", "better") if direction == "maximize" else ("better", "worse")
        colours = {"worse": BAD, "better": GOOD}
        parts.append(text(4, bottom + 38, f"← challenger {sides[0]}", colour=colours[sides[0]]))
        parts.append(text(WIDTH - 4, bottom + 38, f"challenger {sides[1]} →", anchor="end", colour=colours[sides[1]]))
    return parts


def _inside(x: float) -> float:
    return min(max(x, 14.0), WIDTH - 14.0)


def _challenger(each: Plotted, scale: Scale, top: float, direction: Direction | None) -> list[str]:
    difference = each.difference
    baseline = top + 22 + _CURVE
    colour = _colour(difference, direction)
    interval = "{} ({})".format(*difference_texts(difference))
    longest = _LINE - len(interval)
    name = each.name if len(each.name) <= longest else f"…{each.name[-longest + 1 :]}"
    return [
        text(4, top + 12, name, bold=True),
        text(WIDTH - 4, top + 12, interval, anchor="end"),
        path(_curve(difference, scale, baseline), colour, filled=True),
        line(scale(difference.low), baseline + 6, scale(difference.high), baseline + 6, colour, 2.5),
        dot(scale(difference.estimate), baseline + 6, colour, 4),
    ]


def _colour(difference: PairedDifference, direction: Direction | None) -> str:
    """Green or red where the interval lies on one side of no difference."""
    if direction is None or difference.low <= 0 <= difference.high or not difference.reliable:
        return CHALLENGER
    return GOOD if (difference.low > 0) == (direction == "maximize") else BAD


def _curve(difference: PairedDifference, scale: Scale, baseline: float) -> list[tuple[float, float]]:
    """Normal halves through the limits, which may lie at different distances; a point without a spread."""
    spreads = (difference.estimate - difference.low) / _Z, (difference.high - difference.estimate) / _Z
    if max(spreads) <= 0:
        return []
    points = []
    for step in np.linspace(-3.0, 3.0, 61):
        spread = max(spreads[int(step > 0)], 0.0)
        points.append((scale(difference.estimate + step * spread), baseline - _CURVE * math.exp(-step * step / 2)))
    return [(points[0][0], baseline), *points, (points[-1][0], baseline)]


def _alternative(shown: Sequence[Plotted], metric: str, unit: str, margin: float) -> str:
    each = "; ".join("{} {}, 95 % interval {}".format(one.name, *difference_texts(one.difference)) for one in shown)
    band = f"; differences within {number_text(margin)} do not matter" if margin else ""
    return f"Difference in {metric}{f' in {unit} a row' if unit else ''}, challenger less champion: {each}{band}"


def row_differences_plot(gain: np.ndarray[Any, Any], metric: str) -> Markup:
    """A histogram of how much better the challenger is on each row; the outermost bars hold the last 1 % on each end.

    Empty where all rows are alike, and for right and wrong, which three numbers say.
    """
    if len(np.unique(gain)) <= _FEW:
        return Markup()
    low, high = (float(limit) for limit in np.quantile(gain, [0.01, 0.99])) if gain.size else (0.0, 0.0)
    reach = max(abs(low), abs(high))
    if not reach > 0:
        return Markup()
    counts, edges = np.histogram(np.clip(gain, -reach, reach), bins=_BINS, range=(-reach, reach))
    height, tallest = 90.0, max(int(counts.max()), 1)
    scale = Scale(-reach, reach, 4, WIDTH - 4)
    parts = [line(4, height, WIDTH - 4, height, LINE)]
    for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
        colour = SOFT if left < 0 < right else GOOD if left >= 0 else BAD
        bar = (height - 6) * int(count) / tallest
        parts.append(rect(scale(left) + 0.5, height - bar, scale(right) - scale(left) - 1, bar, colour))
    for tick in ticks(-reach, reach):
        parts.append(text(_inside(scale(tick)), height + 12, tick_label(tick), anchor="middle", colour=SOFT))
    parts.append(
        text(WIDTH / 2, height + 25, f"how much better the challenger is on a row, by {metric}", anchor="middle")
    )
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    told = f"Of {gain.size:,} rows the challenger is better on {better:,} and worse on {worse:,}, by {metric}"
    parts.append(line(scale(0.0), 0, scale(0.0), height, INK, dash="3 2"))
    return picture(parts, height + 30, told)
