"""A comparison in the terminal: the sentences, what must be said of the rows, a table of metrics."""

import math
from collections.abc import Iterator

from pipeline_lib.comparison.answer import Answer, Compared, Measured
from pipeline_lib.comparison.scored import Scored, Side, mean_of
from pipeline_lib.system.number_text import number_text

_BETTER = {"maximize": "more is better", "minimize": "less is better", None: ""}


def comparison_text(comparison: Compared) -> str:
    """Lines of text."""
    lines: list[str] = []
    for answer, side in zip(comparison.answers, comparison.scored.challengers, strict=True):
        baseline = _baseline_line(comparison.scored, side, answer.differences.segments.measure)
        lines += [answer.sentence, "", *_table(answer), *baseline, ""]
    lines += [f"note: {note}" for note in comparison.scored.notes]
    if comparison.page:
        lines.append(f"page: {comparison.page}")
    return "\n".join(lines).rstrip()


def _table(answer: Answer) -> Iterator[str]:
    head = ("", "champion", "challenger", "difference", "95 % interval", "p", "")
    rows = [head, *(_row(each) for each in answer.metrics)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        first, *middle, last = row
        cells = [text.rjust(width) for text, width in zip(middle, widths[1:-1], strict=True)]
        yield "  ".join((first.ljust(widths[0]), *cells, last)).rstrip()


def _baseline_line(scored: Scored, challenger: Side, measure: str) -> list[str]:
    """How far the challenger is from the best baseline, by the value or loss of a row; nothing without a baseline."""
    own = mean_of(challenger, measure)
    means = {side.reference: mean for side in scored.baselines if (mean := mean_of(side, measure)) is not None}
    if own is None or not means:
        return []
    sign = 1.0 if measure == "value" else -1.0
    name = max(means, key=lambda each: sign * means[each])
    gain = sign * (own - means[name])
    unit = f" {scored.unit} a row" if measure == "value" else ""
    word = "better" if gain > 0 else "worse" if gain < 0 else "no better"
    return [
        f"best baseline ({name}): {measure} {number_text(means[name])}{unit}; the challenger is "
        f"{f'{number_text(abs(gain))} ' if gain else ''}{word}"
    ]


def _row(each: Measured) -> tuple[str, ...]:
    difference = each.difference
    name = f"{each.name} ({each.unit} a row)" if each.unit else each.name
    interval = ""
    if difference:
        known = math.isfinite(difference.low) and math.isfinite(difference.high)
        interval = f"{number_text(difference.low)} to {number_text(difference.high)}" if known else "not known"
    reliable = difference is None or difference.reliable
    return (
        name,
        number_text(each.champion),
        number_text(each.challenger),
        number_text(difference.estimate) if difference else "",
        interval,
        p_text(each.p),
        "; ".join(filter(None, (_BETTER[each.direction], "" if reliable else "interval not reliable"))),
    )


def p_text(p: float | None) -> str:
    """A p value as people read it.

    >>> p_text(0.00004), p_text(0.032), p_text(1.0), p_text(None)
    ('< 0.001', '0.032', '1', '')
    """
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}".rstrip("0").rstrip(".")
