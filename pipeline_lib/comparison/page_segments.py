"""The segments on the page of a comparison: where the challenger loses, then all of them, folded."""

from collections.abc import Iterator, Sequence

from pipeline_lib.comparison.as_text import p_text
from pipeline_lib.comparison.figures import alike, count, difference_texts, named_cell, unbroken
from pipeline_lib.comparison.segments import SMALLEST, Segment, Segments
from pipeline_lib.system.html_page import Kind, Markup, element, folded, joined, table
from pipeline_lib.system.number_text import number_text

_NEAREST = 3
"""Segments in the open table that lose through others, and that come nearest to a loss."""
_MOST_WORSE = 10
"""Segments with a loss in the open table; all of them are in the folded one."""
_NAMED = 4
"""Segments that a sentence names."""
_KINDS: dict[str, Kind] = {"worse": "bad", "through": "warn", "better": "good", "open": ""}


def segments_section(segments: Segments) -> Markup:
    """The sentence, the segments that lose, all segments, and what was left out."""
    parts: list[object] = [element("h2", "Where the challenger loses"), element("p", segments_sentence(segments))]
    if segments.segments:
        parts += [_losing_table(segments), element("p", element("small", _how(segments)))]
        parts.append(folded(f"All {count(len(segments.segments), 'segment')}", _table(segments, segments.segments)))
    if left := list(_left_out(segments)):
        parts.append(element("p", element("small", " ".join(left))))
    return joined(*parts)


def segments_sentence(segments: Segments) -> str:
    """In words where the challenger loses and wins; the first few segments are named."""
    compared = f"{'the ' if len(segments.segments) > 1 else ''}{count(len(segments.segments), 'segment')}"
    if not segments.segments:
        return f"No column cuts the rows into segments of {SMALLEST} rows or more: none is compared."
    sentences = [f"The challenger is not shown to be worse in any of {compared}."]
    if segments.worse:
        through = segments.through
        also = f", and through {_them(segments.worse)} in {len(through)} more" if through else ""
        sentences = [f"Of {compared}, the challenger is worse in {_names(segments.worse)}{also}."]
    if segments.better:
        sentences.append(f"It is better in {_names(segments.better)}.")
    return " ".join(sentences)


def _them(segments: Sequence[Segment]) -> str:
    return "it" if len(segments) == 1 else "them"


def _names(segments: Sequence[Segment]) -> str:
    names = ", ".join(segment.name for segment in segments[:_NAMED])
    more = f" and {len(segments) - _NAMED} more" if len(segments) > _NAMED else ""
    return f"{len(segments)}: {names}{more}" if len(segments) > 1 else names


def _how(segments: Segments) -> str:
    unit = f" in {segments.unit} a row" if segments.unit else ""
    better = "more is better" if segments.direction == "maximize" else "less is better"
    beyond = f" and the loss is above the margin of {number_text(segments.margin)}" if segments.margin else ""
    return (
        f"By {segments.measure}{unit}; {better}. Among many segments a few look worse by chance. So p is corrected by "
        f"Holm for all {len(segments.segments)}: a segment is red where it is below 0.05{beyond}, and any is red in at "
        "most 5 % of comparisons of equal models. Amber: worse, but not shown so without the rows of the red ones."
    )


def _losing_table(segments: Segments) -> Markup:
    """The segments with a loss, those that lose through them, and those that come nearest."""
    losing = [*segments.worse[:_MOST_WORSE], *segments.through[:_NEAREST]]
    nearest = [each for each in segments.segments if each.standing == "open" and _loss(each, segments) > 0]
    shown = [*losing, *nearest[:_NEAREST]]
    return _table(segments, shown) if shown else Markup()


def _loss(segment: Segment, segments: Segments) -> float:
    return -segment.total if segments.direction == "maximize" else segment.total


def _table(segments: Segments, shown: Sequence[Segment]) -> Markup:
    total = f"all rows, {segments.unit}" if segments.unit else "all rows"
    head = ("segment", "rows", "champion", "challenger", "difference", "95 % interval", total, "p after Holm")
    lines = []
    for each in shown:
        difference = each.difference
        below = f"not shown without {each.without}" if each.without else ""
        below = below or ("" if difference.reliable else "too few or too uneven to tell")
        values = alike([difference.champion, difference.challenger])
        in_all = alike([each.total], sign=True)[0]
        estimate, interval = difference_texts(difference)
        name, p = named_cell(each.name, below), unbroken(p_text(each.p))
        lines.append((name, f"{each.rows:,}", *values, estimate, unbroken(interval), in_all, p))
    return table(head, lines, numbers=head[1:], kinds=[_KINDS[each.standing] for each in shown])


def _left_out(segments: Segments) -> Iterator[str]:
    if segments.small:
        yield f"Not compared: {count(segments.small, 'segment')} of fewer than {SMALLEST} rows."
    if segments.uncut:
        yield f"Not cut into segments: {', '.join(segments.uncut)}."
    if segments.hidden:
        yield f"Sensitive, so not used: {', '.join(segments.hidden)}."
