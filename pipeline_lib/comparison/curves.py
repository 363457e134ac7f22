"""The curves of a comparison: calibration, gain or value, net benefit; champion and challenger in one picture."""

import math
from collections.abc import Iterator, Sequence

from pipeline_lib.comparison.calibration import Calibration, CalibrationGroup
from pipeline_lib.comparison.decisions import Decision
from pipeline_lib.comparison.gain import TENTHS, Gain
from pipeline_lib.comparison.svg import (
    CHALLENGER,
    CHAMPION,
    LINE,
    SOFT,
    WIDTH,
    Scale,
    dot,
    line,
    path,
    picture,
    text,
    tick_label,
    ticks,
)
from pipeline_lib.system.html_page import Markup
from pipeline_lib.system.number_text import number_text

_COLOURS = (CHAMPION, CHALLENGER)
_ROLES = ("champion", "challenger")
_BY_ROLE = tuple(zip(_ROLES, _COLOURS, strict=True))
_WIDEST = "30rem"
_LEFT, _TOP, _HEIGHT, _BELOW = 48.0, 20.0, 220.0, 34.0


def calibration_plot(calibration: Calibration) -> Markup:
    """What a model says across; upwards how often it was so, of numbers how far off they are, with intervals.

    On the dashed line what a model says is right.
    """
    shares = calibration.of_shares
    drawn = [[_point(group, shares) for group in side.groups] for side in calibration.sides]
    points = [point for side in drawn for point in side]
    if not points:
        return Markup()
    left, right = (0.0, 1.0) if shares else (min(point[0] for point in points), max(point[0] for point in points))
    low, high = (0.0, 1.0) if shares else _spread(points)
    across, up = _frame(left, right if right > left else left + 1.0, low, high)
    parts = [*_axes(across, up, percent=shares, across_percent=shares)]
    parts.append(line(across(left), up(0.0), across.end, up(1.0 if shares else 0.0), SOFT, dash="3 2"))
    for number, (side, colour) in enumerate(zip(drawn, _COLOURS, strict=True)):
        placed = [(across(x) + 3.0 * number - 1.5, y, down, top) for x, y, down, top in side]
        parts += [line(x, up(down), x, up(top), colour, 1.2) for x, _, down, top in placed if down == down]
        parts.append(path([(x, up(y)) for x, y, *_ in placed], colour, width=1))
        parts += [dot(x, up(y), colour, 2.6) for x, y, *_ in placed]
    parts += _names(
        *(("predicted probability", "observed share") if shares else ("prediction", "prediction less true"))
    )
    told = "; ".join(
        f"{role}: predicted {number_text(side.said)} on average, observed {number_text(side.came.value)}, "
        f"mean distance in groups {number_text(side.error)}"
        for role, side in zip(_ROLES, calibration.sides, strict=True)
    )
    return picture(parts, _TOP + _HEIGHT + _BELOW, f"Calibration for {calibration.event}. {told}", widest=_WIDEST)


def _point(group: CalibrationGroup, is_share: bool) -> tuple[float, float, float, float]:
    shown = group.came if is_share else group.bias
    return group.said, shown.value, shown.low, shown.high


def _spread(points: Sequence[tuple[float, float, float, float]]) -> tuple[float, float]:
    """The range of all points with their intervals, and 0."""
    ends = [0.0, *(end for point in points for end in point[1:] if math.isfinite(end))]
    room = 0.08 * (max(ends) - min(ends)) or 1.0
    return min(ends) - room, max(ends) + room


def gain_plot(gain: Gain) -> Markup:
    """The share of rows that is acted on across, highest answers first; what has accumulated upwards."""
    steps = [step for side in gain.sides for step in side.steps]
    low, high = (min(0.0, *steps), max(0.0, *steps)) if gain.is_value else (0.0, 1.0)
    if not high > low:
        return Markup()
    across, up = _frame(0.0, 1.0, low, high)
    parts = [*_axes(across, up, percent=not gain.is_value, across_percent=True)]
    end = gain.sides[0].steps[-1] if gain.is_value else 1.0
    parts.append(line(across(0), up(0), across(1), up(end), SOFT, dash="3 2"))
    for side, colour in zip(gain.sides, _COLOURS, strict=True):
        points = [(across(tenth / TENTHS), up(step)) for tenth, step in enumerate(side.steps)]
        parts.append(path(points, colour, width=2))
    parts += _names(
        "share of rows, highest answers first", f"cumulative value ({gain.unit})" if gain.is_value else "share found"
    )
    told = "; ".join(
        f"{role}: after 10 % {_amount(gain, side.steps[1])}, after 50 % {_amount(gain, side.steps[5])}"
        for role, side in zip(_ROLES, gain.sides, strict=True)
    )
    return picture(parts, _TOP + _HEIGHT + _BELOW, f"Cumulative {gain.event}. {told}", widest=_WIDEST)


def decision_plot(decision: Decision) -> Markup:
    """The threshold across, the net benefit on 100 rows upwards; a line at the break-even."""
    curve = decision.curve
    high = 100 * max(curve.prevalence, *(float(values.max()) for values in curve.models.values()))
    low = -high / 4
    across, up = _frame(0.0, 1.0, low, high)
    parts = [*_axes(across, up, percent=False, across_percent=True), line(across(0), up(0), across(1), up(0), SOFT)]
    if decision.break_even is not None:
        parts.append(line(across(decision.break_even), up.start, across(decision.break_even), up.end, SOFT, dash="1 3"))
    drawn = [(curve.treat_all, SOFT, 1.0), *((curve.models[role], colour, 2.0) for role, colour in _BY_ROLE)]
    for values, colour, width in drawn:
        benefits = 100 * values
        last = int(next((number for number, each in enumerate(benefits) if each < low), len(benefits)))
        points = [(across(x), up(y)) for x, y in zip(curve.thresholds[:last], benefits[:last], strict=True)]
        parts.append(path(points, colour, width=width))
    parts += _names("threshold probability", "net benefit, 100 rows")
    champion, challenger, everybody = (number_text(100 * each) for each in decision.benefits())
    told = f"at {decision.threshold:.0%}: champion {champion}, challenger {challenger}, all rows {everybody}"
    return picture(parts, _TOP + _HEIGHT + _BELOW, f"Decision curve for {decision.event}. {told}", widest=_WIDEST)


def _amount(gain: Gain, step: float) -> str:
    return f"{number_text(step)} {gain.unit}" if gain.is_value else f"{step:.0%}"


def _frame(left: float, right: float, low: float, high: float) -> tuple[Scale, Scale]:
    return Scale(left, right, _LEFT, WIDTH - 18), Scale(low, high, _TOP + _HEIGHT, _TOP)


def _axes(across: Scale, up: Scale, *, percent: bool, across_percent: bool) -> Iterator[str]:
    """Grid, ticks, and the legend above."""
    for tick in ticks(up.low, up.high):
        yield line(across.start, up(tick), across.end, up(tick), LINE)
        yield text(across.start - 4, up(tick) + 3.5, _tick(tick, percent=percent), anchor="end", colour=SOFT)
    for tick in ticks(across.low, across.high):
        yield text(across(tick), up.start + 13, _tick(tick, percent=across_percent), anchor="middle", colour=SOFT)
    yield line(across.start, up.start, across.end, up.start, SOFT)
    for number, (role, colour) in enumerate(zip(_ROLES, _COLOURS, strict=True)):
        x = WIDTH - 146 + 72 * number
        yield line(x, 8, x + 12, 8, colour, 2.5)
        yield text(x + 16, 11.5, role)


def _tick(value: float, *, percent: bool) -> str:
    return f"{value:.0%}" if percent else tick_label(value)


def _names(across: str, up: str) -> Sequence[str]:
    return text((_LEFT + WIDTH - 18) / 2, _TOP + _HEIGHT + 28, across, anchor="middle"), text(4, 11.5, up)
