"""Calibration, gain and protected groups on the page of a comparison."""

import math
from collections.abc import Iterator, Sequence

from pipeline_lib.comparison.calibration import Calibration, SideCalibration
from pipeline_lib.comparison.curves import calibration_plot, gain_plot
from pipeline_lib.comparison.figures import alike, count, unbroken
from pipeline_lib.comparison.gain import Gain
from pipeline_lib.comparison.proportions import Estimate
from pipeline_lib.comparison.protected import SMALLEST, GroupRate, ProtectedRate
from pipeline_lib.system.html_page import Kind, Markup, element, folded, joined, table

_ROLES = ("champion", "challenger")


def calibration_section(calibration: Calibration) -> Markup:
    """Whether what the models say is right on average, in words, as a picture and in numbers."""
    shares = calibration.of_shares
    title = "Are the probabilities right?" if shares else f"Are the predictions{calibration.of} right on average?"
    told = " ".join(_calibrated(role, side, shares) for role, side in zip(_ROLES, calibration.sides, strict=True))
    how = (
        f"Rows in ten groups by the predicted probability of {_event(calibration)}, against how often it was so, with "
        "95 % intervals. A group is off where its interval misses the dashed line."
        if shares
        else "Rows in ten groups by the prediction, against the mean of prediction less true value, with 95 % "
        "intervals. A group is off where its interval misses the dashed line: above it predictions are too high."
    )
    head = ("group", "champion", "observed", "rows", "challenger", "observed ", "rows ")
    numbers = folded("The groups in numbers", table(head, _groups(calibration), numbers=head))
    small = element("p", element("small", how))
    return joined(element("h2", title), element("p", told), calibration_plot(calibration), small, numbers)


def _event(calibration: Calibration) -> str:
    return calibration.event if calibration.of_top else f"label {calibration.event}"


def _calibrated(role: str, side: SideCalibration, is_share: bool) -> str:
    off = sum(group.is_off for group in side.groups)
    said, came = _pair(side.said, side.came.value, is_share)
    groups = f"{off} of {count(len(side.groups), 'group')} {'is' if off == 1 else 'are'} off"
    return f"{role.capitalize()}: {said} predicted and {came} observed on average; {groups}."


def _pair(one: float, other: float, is_share: bool) -> Sequence[str]:
    return [f"{one:.1%}", f"{other:.1%}"] if is_share else alike([one, other])


def _groups(calibration: Calibration) -> Iterator[Sequence[object]]:
    for number in range(max(len(side.groups) for side in calibration.sides)):
        cells: list[object] = [number + 1]
        for side in calibration.sides:
            if number < len(side.groups):
                group = side.groups[number]
                said = _pair(group.said, group.came.value, calibration.of_shares)[0]
                cells += [said, estimate_text(group.came, is_share=calibration.of_shares), f"{group.came.rows:,}"]
            else:
                cells += ["", "", ""]
        yield cells


def estimate_text(estimate: Estimate, *, is_share: bool, sign: bool = False) -> str:
    """A number with its interval; without one where it is unknown."""
    if not estimate.rows:
        return "no rows"
    numbers = (estimate.value, estimate.low, estimate.high)
    if is_share:
        value, low, high = (f"{each:{'+' if sign else ''}.1%}" for each in numbers)
    else:
        value, low, high = alike(numbers, sign=sign)
    return value if math.isnan(estimate.low) else unbroken(f"{value} ({low} to {high})")


def gain_section(gain: Gain) -> Markup:
    """What the rows with the highest answers hold, in words, as a curve and in numbers."""
    title = "What are the highest answers worth?" if gain.is_value else f"Which model finds label {gain.event} first?"
    one, other = gain.sides
    head: tuple[str, ...] = ("rows acted on", *_ROLES)
    lines = [[f"{tenth * 10}%", *(_amount(gain, side.steps[tenth]) for side in gain.sides)] for tenth in range(1, 11)]
    if gain.is_value:
        firsts, totals = alike([one.steps[1], other.steps[1]]), alike([one.steps[-1], other.steps[-1]])
        told = (
            f"The 10 % of rows with the highest answers are worth {firsts[0]} {gain.unit} with the champion and "
            f"{firsts[1]} with the challenger, all rows together {totals[0]} and {totals[1]}. Dashed: the champion's "
            "value spread evenly."
        )
    else:
        told = (
            f"The 10 % of rows with the highest probability hold {one.steps[1]:.0%} of those with label "
            f"{gain.event} with the champion and {other.steps[1]:.0%} with the challenger; the dashed line is chance."
        )
        head += ("champion's lift", "challenger's lift")
        for tenth, cells in enumerate(lines, 1):
            cells += [f"{side.lift(tenth):.2f}" for side in gain.sides]
    numbers = folded("The curve in numbers", table(head, lines, numbers=head))
    content = joined(element("p", told), gain_plot(gain), numbers)
    return folded(title, content) if gain.is_minor else joined(element("h2", title), content)


def _amount(gain: Gain, step: float) -> str:
    return f"{alike([step])[0]} {gain.unit}" if gain.is_value else f"{step:.1%}"


def protected_section(rates: Sequence[ProtectedRate]) -> Markup:
    """The rates of each protected column's groups; empty without such a column."""
    if not rates:
        return Markup()
    how = (
        "Rates by each column that Row declares protected, with 95 % intervals; rows count as independent. The "
        "distance is that to the largest group. Amber: the challenger's distance has an interval without 0. The "
        f"intervals are not corrected for their number. Groups of fewer than {SMALLEST} rows are not shown."
    )
    return joined(element("h2", "Protected groups"), *map(_rate, rates), element("p", element("small", how)))


def _rate(rate: ProtectedRate) -> Markup:
    head = ("group", "rows", "champion", "challenger", "champion's distance", "challenger's distance")
    lines = [_group(group, rate) for group in rate.groups]
    gaps = [rate.gap(role) for role in _ROLES]
    shown = [f"{gap:.1%}" for gap in gaps] if rate.is_share else alike(gaps)
    told = f"From the smallest to the largest: {shown[0]} with the champion, {shown[1]} with the challenger."
    small = f" Not shown: {count(rate.small, 'small group')}." if rate.small else ""
    kinds: list[Kind] = ["warn" if _is_apart(group.challenger_apart) else "" for group in rate.groups]
    title = element("h3", f"{rate.column}: {rate.rate}")
    return joined(title, table(head, lines, numbers=head[1:], kinds=kinds), element("p", f"{told}{small}"))


def _is_apart(estimate: Estimate | None) -> bool:
    return estimate is not None and (estimate.low > 0 or estimate.high < 0)


def _group(group: GroupRate, rate: ProtectedRate) -> Sequence[object]:
    both = (estimate_text(each, is_share=rate.is_share) for each in (group.champion, group.challenger))
    apart = (
        "" if each is None else estimate_text(each, is_share=rate.is_share, sign=True)
        for each in (group.champion_apart, group.challenger_apart)
    )
    return (group.group, f"{group.rows:,}", *both, *apart)
