"""The curves of a comparison: calibration, and cumulative gain or value, champion and challenger in one picture."""

from collections.abc import Iterator, Sequence

from pipeline_lib.comparison.calibration import Calibration
from pipeline_lib.comparison.gain import TENTHS, Gain
from pipeline_lib.comparison.sentence import number_text
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

_COLOURS = (CHAMPION, CHALLENGER)
_ROLES = ("champion", "challenger")
_LEFT, _TOP, _HEIGHT, _BELOW = 48.0, 20.0, 220.0, 34.0


def calibration_plot(calibration: Calibration) -> Markup:
    """What a model says across, what came upwards with its interval; on the diagonal both are the same."""
    groups = [group for side in calibration.sides for group in side.groups]
    if not groups:
        return Markup()
    ends = [group.said for group in groups] + [
        end for group in groups for end in (group.came.low, group.came.high) if end == end
    ]
    low, high = (0.0, 1.0) if calibration.of_shares else (min(ends), max(ends))
    if not high > low:
        return Markup()
    across, up = _frame(low, high, low, high)
    parts = [*_axes(across, up, percent=calibration.of_shares)]
    parts.append(line(across(low), up(low), across(high), up(high), SOFT, dash="3 2"))
    for number, (side, colour) in enumerate(zip(calibration.sides, _COLOURS, strict=True)):
        points = [(across(group.said) + 1.5 * number, up(group.came.value)) for group in side.groups]
        parts += [
            line(x, up(group.came.low), x, up(group.came.high), colour, 1.2)
            for (x, _), group in zip(points, side.groups, strict=True)
            if group.came.low == group.came.low
        ]
        parts.append(path(points, colour, width=1))
        parts += [dot(x, y, colour, 2.6) for x, y in points]
    said, came = ("predicted probability", "share that came") if calibration.of_shares else ("predicted", "true")
    parts += _names(said, came)
    told = "; ".join(
        f"{role}: said {number_text(side.said)} on average, came {number_text(side.came.value)}, mean distance in "
        f"groups {number_text(side.error)}"
        for role, side in zip(_ROLES, calibration.sides, strict=True)
    )
    return picture(parts, _TOP + _HEIGHT + _BELOW, f"Calibration for {calibration.event}. {told}", widest="27rem")


def gain_plot(gain: Gain) -> Markup:
    """The share of rows that is acted on across, highest answers first; what has accumulated upwards."""
    steps = [step for side in gain.sides for step in side.steps]
    low, high = (min(0.0, *steps), max(0.0, *steps)) if gain.is_value else (0.0, 1.0)
    if not high > low:
        return Markup()
    across, up = _frame(0.0, 1.0, low, high)
    parts = [*_axes(across, up, percent=not gain.is_value)]
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
    return picture(parts, _TOP + _HEIGHT + _BELOW, f"Cumulative {gain.event}. {told}", widest="27rem")


def _amount(gain: Gain, step: float) -> str:
    return f"{number_text(step)} {gain.unit}" if gain.is_value else f"{step:.0%}"


def _frame(left: float, right: float, low: float, high: float) -> tuple[Scale, Scale]:
    return Scale(left, right, _LEFT, WIDTH - 12), Scale(low, high, _TOP + _HEIGHT, _TOP)


def _axes(across: Scale, up: Scale, *, percent: bool) -> Iterator[str]:
    """Grid, ticks, and the legend above."""
    across_percent = percent or (across.low, across.high) == (0.0, 1.0)
    for tick in ticks(up.low, up.high):
        yield line(across.start, up(tick), across.end, up(tick), LINE)
        yield text(across.start - 4, up(tick) + 3.5, _tick(tick, percent=percent), anchor="end", colour=SOFT)
    for tick in ticks(across.low, across.high):
        yield text(across(tick), up.start + 13, _tick(tick, percent=across_percent), anchor="middle", colour=SOFT)
    yield line(across.start, up.start, across.end, up.start, SOFT)
    for number, (role, colour) in enumerate(zip(_ROLES, _COLOURS, strict=True)):
        x = across.end - 140 + 70 * number
        yield line(x, 8, x + 12, 8, colour, 2.5)
        yield text(x + 16, 11.5, role)


def _tick(value: float, *, percent: bool) -> str:
    return f"{value:.0%}" if percent else tick_label(value)


def _names(across: str, up: str) -> Sequence[str]:
    return text((_LEFT + WIDTH) / 2, _TOP + _HEIGHT + 28, across, anchor="middle"), text(4, 11.5, up)
