"""The metrics on the page of a comparison: a table with a small picture of each interval, baselines, methods."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline_lib.comparison.answer import Answer, Compared, Measured
from pipeline_lib.comparison.as_text import p_text
from pipeline_lib.comparison.figures import alike, difference_texts, named_cell, unbroken
from pipeline_lib.comparison.scored import Scored, Side
from pipeline_lib.comparison.svg import BAD, CHALLENGER, GOOD, SOFT, Scale, dot, line, picture
from pipeline_lib.comparison.verdict import oriented, verdict_of
from pipeline_lib.system.html_page import Kind, Markup, bullets, element, folded, joined, table
from pipeline_lib.system.number_text import number_text

BETTER = {"maximize": "more is better", "minimize": "less is better", None: "direction not known"}
_KINDS: dict[str, Kind] = {"better": "good", "worse": "bad"}
_WIDE, _HIGH = 96.0, 14.0  # of the small picture


def metrics_section(comparison: Compared, answer: Answer, number: int) -> Markup:
    """The table of all metrics, that of the baselines, and folded how each number was computed."""
    return joined(
        element("h2", "Every metric"),
        _metrics(answer),
        element("p", "Pictures: the line is no difference; to its right the challenger is better."),
        _baselines(comparison.scored, comparison.scored.sides[number], answer.differences.segments.measure),
    )


def _metrics(answer: Answer) -> Markup:
    head = ("metric", "champion", "challenger", "difference", "95 % interval", "", "p", "test")
    lines, kinds = [], []
    for each in answer.metrics:
        lines.append(_line(each, answer.criterion))
        kinds.append(_kind(each))
    return table(head, lines, numbers=("champion", "challenger", "difference", "95 % interval", "p"), kinds=kinds)


def _line(each: Measured, criterion: str) -> tuple[object, ...]:
    name = f"{each.name} ({each.unit} a row)" if each.unit else each.name
    decides = each.name == criterion
    below = BETTER[each.direction] + (", decides" if decides else "")
    shown = named_cell(element("b", name) if decides else name, below)
    values = tuple(map(unbroken, alike([each.champion, each.challenger])))
    difference = each.difference
    if difference is None:
        return (shown, *values, "", "", "", p_text(each.p), "")
    test = joined(difference.test, "" if difference.reliable else element("small", "interval not reliable"))
    estimate, interval = difference_texts(difference)
    return (
        shown,
        *values,
        unbroken(estimate),
        unbroken(interval),
        _small_picture(each),
        unbroken(p_text(each.p)),
        test,
    )


def _oriented(each: Measured) -> tuple[float, float, float] | None:
    """Estimate and limits, positive where the challenger is better; None where that is not known."""
    difference = each.difference
    if difference is None or each.direction is None:
        return None
    sign = 1.0 if each.direction == "maximize" else -1.0
    return sign * difference.estimate, *oriented(difference, each.direction)


def _kind(each: Measured) -> Kind:
    """Green or red where interval and test agree that there is a difference."""
    if each.difference is None or each.direction is None:
        return ""
    return _KINDS.get(verdict_of(each.difference, direction=each.direction, p=each.p), "")


def _small_picture(each: Measured) -> Markup:
    turned = _oriented(each)
    if turned is None or not all(map(math.isfinite, turned)):
        return Markup()
    estimate, low, high = turned
    reach = max(abs(low), abs(high), abs(estimate)) * 1.1
    scale = Scale(-reach, reach, 2, _WIDE - 2) if reach > 0 else Scale(-1, 1, 2, _WIDE - 2)
    colour = {"good": GOOD, "bad": BAD}.get(_kind(each), CHALLENGER)
    parts = [
        line(scale(0), 0, scale(0), _HIGH, SOFT),
        line(scale(low), _HIGH / 2, scale(high), _HIGH / 2, colour, 2),
        dot(scale(estimate), _HIGH / 2, colour),
    ]
    where = "better" if low > 0 else "worse" if high < 0 else "on both sides of no difference"
    drawn = picture(parts, _HIGH, f"{each.name}: challenger {where}", width=_WIDE, widest="6rem")
    return element("div", drawn, style="width:6rem")


def _baselines(scored: Scored, challenger: Side, measure: str) -> Markup:
    """How far both models are from models without a fit: by one measure, the others folded."""
    if not scored.baselines:
        return element("p", "No baseline: pass target=y_train to run.compile, and records keep one.")
    head = ("baseline", "measure", "its value", "champion", "challenger", "challenger is better by")
    found = [distance for baseline in scored.baselines for distance in _distances(scored, baseline, challenger)]
    one = [line for name, line in found if name == measure]
    others = [line for name, line in found if name != measure]
    return joined(
        element("h3", "Distance to the baselines"),
        table(head, one, numbers=head[2:]) if one else "",
        folded("By other measures", table(head, others, numbers=head[2:])) if others else "",
    )


def _distances(scored: Scored, baseline: Side, challenger: Side) -> Iterator[tuple[str, tuple[object, ...]]]:
    """For each measure that all three have its name and a line of the table."""
    sides = (baseline, scored.champion, challenger)
    measures = [("value", scored.unit, [side.value for side in sides])]
    measures += [(name, "", [side.losses.get(name) for side in sides]) for name in baseline.losses]
    for name, unit, values in measures:
        means = [float(np.mean(value)) for value in values if value is not None]
        if len(means) == len(sides):
            is_value = name == "value"
            better = means[2] - means[0] if is_value else means[0] - means[2]
            share = f" ({better / means[0]:+.0%})" if means[0] and not is_value else ""
            shown = f"{name} ({unit} a row)" if unit else name
            yield name, (baseline.reference, shown, *map(number_text, means), f"{alike([better], sign=True)[0]}{share}")


def methods(comparison: Compared) -> Markup:
    """Folded: how rows, intervals and tests were made."""
    seen = comparison.seen
    lines: list[object] = [
        "Both models answered the same rows. A difference is the challenger's number less the champion's.",
        f"Rows: {seen.rows:,} given, {seen.left_out:,} left out since a model had seen them or their entity.",
    ]
    if len(comparison.answers) > 1:
        lines.append(f"p is corrected by Holm for the {len(comparison.answers)} challengers, metric by metric.")
    for answer in comparison.answers:
        lines += _of_answer(answer, several=len(comparison.answers) > 1)
    lines.append(f"Compared on {comparison.created}.")
    return folded("How this was computed", bullets(lines))


def _of_answer(answer: Answer, *, several: bool) -> Sequence[str]:
    lines = []
    for each in answer.metrics:
        if each.difference is None:
            continue
        difference = each.difference
        units = f"{difference.rows:,} rows"
        units += f" of {difference.clusters:,} entities" if difference.clusters is not None else ""
        beside = "".join(f"; {name} p {p_text(p)}" for name, p in difference.beside)
        doubt = "" if difference.reliable else f"; not reliable: {difference.unreliable}"
        of = f"{answer.challenger}, " if several else ""
        lines.append(f"{of}{each.name}: {difference.method}; {difference.test} over {units}{beside}{doubt}.")
    return lines
