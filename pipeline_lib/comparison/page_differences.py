"""Where two models differ, on the page of a comparison: segments, rows, calibration, gain, protected groups."""

from collections.abc import Iterator, Sequence

from pipeline_lib.comparison.as_text import p_text
from pipeline_lib.comparison.calibration import Calibration
from pipeline_lib.comparison.curves import calibration_plot, gain_plot
from pipeline_lib.comparison.differences import Differences
from pipeline_lib.comparison.disagreements import Disagreements
from pipeline_lib.comparison.estimation_plot import signed
from pipeline_lib.comparison.gain import Gain
from pipeline_lib.comparison.proportions import Estimate
from pipeline_lib.comparison.protected import GroupRate, ProtectedRate
from pipeline_lib.comparison.segments import SMALLEST, Segment, Segments
from pipeline_lib.comparison.sentence import number_text
from pipeline_lib.system.html_page import Kind, Markup, element, folded, joined, table

_MOST_OPEN = 8
"""Segments in the open table; all of them are in the folded one."""
_MOST_COLUMNS = 4
"""Raw columns in the open table of disagreements."""
_KINDS: dict[str, Kind] = {"worse": "bad", "better": "good", "open": ""}
NAMED = 4
"""Segments that a sentence names."""


def differences_section(differences: Differences) -> Markup:
    """Everything below the metrics of one challenger."""
    return joined(
        _segments(differences.segments),
        _disagreements(differences.disagreements),
        *(_calibration(each) for each in differences.calibration),
        *(_gain(each) for each in differences.gain),
        _protected(differences.protected),
    )


def segment_name(segment: Segment) -> str:
    """The column and its group."""
    return f"{segment.column}: {segment.label}"


def segments_sentence(segments: Segments) -> str:
    """In words where the challenger loses; at most the first few segments are named."""
    compared = f"of {len(segments.segments)} segments"
    if not segments.segments:
        return f"No segment has {SMALLEST} rows or more: none is compared."
    worse = segments.worse
    if not worse:
        return f"The challenger is worse in none {compared}, as far as these rows can tell."
    names = ", ".join(segment_name(segment) for segment in worse[:NAMED])
    more = f" and {len(worse) - NAMED} more" if len(worse) > NAMED else ""
    return f"The challenger is worse in {len(worse)} {compared}: {names}{more}."


def _segments(segments: Segments) -> Markup:
    unit = f" ({segments.unit} a row)" if segments.unit else ""
    better = "more is better" if segments.direction == "maximize" else "less is better"
    matters = f", and by more than the margin of {number_text(segments.margin)}" if segments.margin else ""
    how = (
        f"Measured by {segments.measure}{unit}; {better}. Of many segments a few look worse by chance: p is corrected "
        f"by Holm for all {len(segments.segments)} compared. A segment counts as worse where p is below 0.05{matters}: "
        "the chance of naming any one although the models are equal in all is then at most 5 %."
    )
    parts: list[object] = [element("h2", "Where the challenger loses"), element("p", segments_sentence(segments))]
    if segments.segments:
        parts += [element("p", how), _segment_table(segments, _open_segments(segments))]
        if segments.better:
            names = ", ".join(segment_name(segment) for segment in segments.better[:NAMED])
            more = f" and {len(segments.better) - NAMED} more" if len(segments.better) > NAMED else ""
            parts.append(element("p", f"It is better in {len(segments.better)}: {names}{more}."))
        every = _segment_table(segments, segments.segments)
        parts.append(folded(f"All {len(segments.segments)} segments", every))
    if left := list(_left_out(segments)):
        parts.append(element("p", " ".join(left)))
    return joined(*parts)


def _open_segments(segments: Segments) -> Sequence[Segment]:
    """The segments in which it is worse, and then those that come nearest."""
    losing = [each for each in segments.segments if each.standing != "better" and _loss(each, segments) > 0]
    return losing[: max(_MOST_OPEN, min(len(segments.worse), 2 * _MOST_OPEN))] or segments.segments[:1]


def _loss(segment: Segment, segments: Segments) -> float:
    return -segment.total if segments.direction == "maximize" else segment.total


def _segment_table(segments: Segments, shown: Sequence[Segment]) -> Markup:
    total = f"in all, {segments.unit}" if segments.unit else "in all"
    head = ("segment", "rows", "champion", "challenger", "difference", "95 % interval", total, "p after Holm")
    lines = []
    for each in shown:
        difference = each.difference
        name = segment_name(each) if difference.reliable else f"{segment_name(each)} (too few or uneven to rely on)"
        numbers = (number_text(difference.champion), number_text(difference.challenger), signed(difference.estimate))
        interval = f"{signed(difference.low)} to {signed(difference.high)}"
        lines.append((name, f"{each.rows:,}", *numbers, interval, signed(each.total), p_text(each.p)))
    return table(head, lines, numbers=head[1:], kinds=[_KINDS[each.standing] for each in shown])


def _left_out(segments: Segments) -> Iterator[str]:
    if segments.small:
        yield f"{segments.small} segments of fewer than {SMALLEST} rows are not compared."
    if segments.uncut:
        yield f"Not cut into segments: {', '.join(segments.uncut)}."
    if segments.hidden:
        yield f"Sensitive, so not used: {', '.join(segments.hidden)}."


def _disagreements(found: Disagreements) -> Markup:
    head = element("h2", "Where they disagree most")
    if not found.differ:
        return joined(head, element("p", f"They give the same answer on all {found.rows:,} rows."))
    equal = found.differ - found.champion - found.challenger
    told = (
        f"They answer differently on {found.differ:,} of {found.rows:,} rows. There the challenger is nearer to the "
        f"true value on {found.challenger:,}, the champion on {found.champion:,}"
        f"{f', neither on {equal:,}' if equal else ''}. Below are the rows that are farthest apart."
    )
    if not found.largest:
        return joined(head, element("p", told))
    names = [name for name, _ in found.largest[0].values]
    open_names = [name for name in names if name not in found.hidden][:_MOST_COLUMNS]
    columns = ("row", "champion", "challenger", "true value", "nearer", *open_names)
    lines = [
        (
            each.row,
            each.champion,
            each.challenger,
            each.target,
            each.nearer,
            *(dict(each.values)[n] for n in open_names),
        )
        for each in found.largest
    ]
    every = [(name, *(dict(each.values)[name] for each in found.largest)) for name in names]
    rows = [f"row {each.row}" for each in found.largest]
    folded_table = folded("All columns of these rows", table(("column", *rows), every)) if names else ""
    hidden = f"Sensitive columns are hidden: {', '.join(found.hidden)}." if found.hidden else ""
    numbers = ("row", "champion", "challenger", "true value")
    return joined(
        head,
        element("p", told),
        table(columns, lines, numbers=numbers),
        folded_table,
        element("p", hidden) if hidden else "",
    )


def _calibration(calibration: Calibration) -> Markup:
    sides = calibration.sides
    told = []
    for role, side in zip(("champion", "challenger"), sides, strict=True):
        off = sum(group.is_off for group in side.groups)
        said, came = (
            (f"{side.said:.1%}", f"{side.came.value:.1%}")
            if calibration.of_shares
            else (number_text(side.said), number_text(side.came.value))
        )
        told.append(f"The {role} says {said} on average, {came} came; {off} of {len(side.groups)} groups are off.")
    what = (
        f"Rows in ten groups by the predicted probability of {calibration.event}, beside how often it came"
        if calibration.of_shares
        else f"Rows in ten groups by the prediction of {calibration.event}, beside the mean that came"
    )
    how = f"{what}, with 95 % intervals. On the dashed line both agree; a group is off where its interval misses it."
    head = ("group", "champion says", "came", "rows", "challenger says", "came ", "rows ")
    lines = list(_calibration_lines(calibration))
    numbers = folded("The groups in numbers", table(head, lines, numbers=head[1:]))
    title = (
        "Are the probabilities right?"
        if calibration.of_shares
        else f"Are the predictions right on average: {calibration.event}"
    )
    return joined(
        element("h2", title), element("p", " ".join(told)), calibration_plot(calibration), element("p", how), numbers
    )


def _calibration_lines(calibration: Calibration) -> Iterator[tuple[object, ...]]:
    for number in range(max(len(side.groups) for side in calibration.sides)):
        cells: list[object] = [number + 1]
        for side in calibration.sides:
            if number < len(side.groups):
                group = side.groups[number]
                said = f"{group.said:.1%}" if calibration.of_shares else number_text(group.said)
                cells += [said, _estimate(group.came, is_share=calibration.of_shares), f"{group.came.rows:,}"]
            else:
                cells += ["", "", ""]
        yield tuple(cells)


def _estimate(estimate: Estimate, *, is_share: bool) -> str:
    """A number with its interval, empty where there is none."""
    if not estimate.rows:
        return "no rows"
    if is_share:
        return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"
    if estimate.low != estimate.low:
        return number_text(estimate.value)
    return f"{number_text(estimate.value)} ({number_text(estimate.low)} to {number_text(estimate.high)})"


def _gain(gain: Gain) -> Markup:
    title = "Value by the highest answers" if gain.is_value else f"Who finds {gain.event} first?"
    head = (
        "rows acted on",
        "champion",
        "challenger",
        *(() if gain.is_value else ("champion's lift", "challenger's lift")),
    )
    lines = []
    for tenth in range(1, 11):
        cells: list[object] = [f"{tenth * 10} %"]
        for side in gain.sides:
            step = side.steps[tenth]
            cells.append(f"{number_text(step)} {gain.unit}" if gain.is_value else f"{step:.1%}")
        cells += [] if gain.is_value else [f"{side.lift(tenth):.2f}" for side in gain.sides]
        lines.append(cells)
    one, other = gain.sides
    if gain.is_value:
        told = (
            f"Rows sorted by what each model says, highest first. The first tenth is worth {number_text(one.steps[1])} "
            f"{gain.unit} with the champion and {number_text(other.steps[1])} with the challenger, all rows "
            f"{number_text(one.steps[-1])} and {number_text(other.steps[-1])}."
        )
    else:
        told = (
            f"Acting on the tenth of the rows with the highest probability finds {one.steps[1]:.0%} of all "
            f"{gain.event} with the champion and {other.steps[1]:.0%} with the challenger. Lift is how many times as "
            "many as at random, which is the dashed line."
        )
    numbers = folded("The curve in numbers", table(head, lines, numbers=head[1:]))
    return joined(element("h2", title), element("p", told), gain_plot(gain), numbers)


def _protected(rates: Sequence[ProtectedRate]) -> Markup:
    if not rates:
        return Markup()
    parts: list[object] = [element("h2", "Protected groups")]
    parts.append(
        element(
            "p",
            "Rates by each column that Row declares protected, with 95 % intervals. Distances are to the largest "
            "group. An interval that excludes 0 says that the groups differ, not why.",
        )
    )
    for rate in rates:
        parts.append(element("h3", f"{rate.column}: {rate.rate}"))
        head = ("group", "rows", "champion", "challenger", "champion's distance", "challenger's distance")
        lines = [_protected_line(group, rate) for group in rate.groups]
        parts.append(table(head, lines, numbers=head[1:]))
        gaps = [
            f"{gap:.1%}" if rate.is_share else number_text(gap) for gap in map(rate.gap, ("champion", "challenger"))
        ]
        small = f" {rate.small} smaller groups are not shown." if rate.small else ""
        parts.append(
            element(
                "p", f"Largest less smallest group: {gaps[0]} with the champion, {gaps[1]} with the challenger.{small}"
            )
        )
    return joined(*parts)


def _protected_line(group: GroupRate, rate: ProtectedRate) -> tuple[object, ...]:
    both = [_estimate(each, is_share=rate.is_share) for each in (group.champion, group.challenger)]
    apart = [
        "" if each is None else _estimate(each, is_share=rate.is_share)
        for each in (group.champion_apart, group.challenger_apart)
    ]
    return (group.group, f"{group.rows:,}", *both, *apart)
