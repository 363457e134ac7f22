"""The page of a comparison: the answer first, then what it rests on, then where the models differ."""

from collections.abc import Iterator
from pathlib import Path

from pipeline_lib.comparison.answer import Answer, Compared, Measured
from pipeline_lib.comparison.estimation_plot import Plotted, estimation_plot, row_differences_plot
from pipeline_lib.comparison.figures import alike, count
from pipeline_lib.comparison.page_curves import calibration_section, gain_section, protected_section
from pipeline_lib.comparison.page_decisions import decision_section
from pipeline_lib.comparison.page_metrics import methods, metrics_section
from pipeline_lib.comparison.page_rows import disagreements_section
from pipeline_lib.comparison.page_segments import segments_section
from pipeline_lib.comparison.row_measure import row_measure
from pipeline_lib.system.html_page import Kind, Markup, element, folded, joined, summary_box, write_page
from pipeline_lib.system.number_text import number_text

_KINDS: dict[str, Kind] = {"better": "good", "worse": "bad", "cannot tell": "warn", "no difference": ""}


def write_comparison_page(path: Path, comparison: Compared) -> None:
    """Write the page."""
    names = [answer.challenger for answer in comparison.answers]
    if len(names) == 1:
        title = f"Is {names[0]} better than {comparison.champion}?"
    else:
        title = f"Is one of {len(names)} models better than {comparison.champion}?"
    write_page(path, title, comparison_html(comparison))


def comparison_html(comparison: Compared) -> Markup:
    """The comparison as a fragment of HTML, which a notebook shows and the page holds."""
    several = len(comparison.answers) > 1
    parts: list[object] = [
        *(_box(comparison, answer) for answer in comparison.answers),
        _facts(comparison),
        _plots(comparison),
    ]
    for number, answer in enumerate(comparison.answers, 1):
        section = _section(comparison, answer, number)
        parts.append(folded(f"Details of {answer.challenger}", section) if several else section)
    return joined(*parts, methods(comparison))


def _section(comparison: Compared, answer: Answer, number: int) -> Markup:
    """Everything on one challenger."""
    found = answer.differences
    return joined(
        metrics_section(comparison, answer, number),
        _row_by_row(comparison, answer, number),
        segments_section(found.segments),
        disagreements_section(found.disagreements),
        *map(calibration_section, found.calibration),
        *map(gain_section, found.gain),
        decision_section(found.decision),
        protected_section(found.protected),
    )


def _box(comparison: Compared, answer: Answer) -> Markup:
    """The sentence in the colour of its verdict; a better model that loses somewhere is a warning."""
    warned = answer.verdict == "better" and answer.differences.segments.worse
    lines = [answer.sentence]
    if answer.verdict in ("cannot tell", "worse") and comparison.margin and answer.not_worse:
        lines.append("It is not worse by more than the margin.")
    return summary_box(*lines, kind="warn" if warned else _KINDS[answer.verdict])


def _facts(comparison: Compared) -> Markup:
    pairs = list(_pairs(comparison))
    notes = [element("p", note) for note in comparison.scored.notes]
    return joined(element("dl", *(joined(element("dt", key), element("dd", value)) for key, value in pairs)), *notes)


def _pairs(comparison: Compared) -> Iterator[tuple[str, str]]:
    scored, seen = comparison.scored, comparison.seen
    yield "data", comparison.data
    yield "rows compared", f"{len(scored.target):,}"
    if seen.left_out:
        by = ", ".join(f"{name} {count:,}" for name, count in seen.by_model.items())
        yield "left out", f"{seen.left_out:,} of {seen.rows:,}, seen in training{f': {by}' if by else ''}"
    criterion = comparison.answers[0].criterion
    unit = f" {scored.unit}" if scored.unit and criterion == "value" else ""
    yield "decides", f"{criterion}{f' in{unit} a row' if unit else ''}"
    yield "margin", f"{number_text(comparison.margin)}{unit}" if comparison.margin else "0: any difference matters"
    if comparison.volume is not None:
        yield "volume", f"{number_text(comparison.volume)} rows a year"
        for answer in comparison.answers:
            money = next((each for each in answer.metrics if each.unit and each.difference), None)
            if money is not None:
                who = f", {answer.challenger}" if len(comparison.answers) > 1 else ""
                yield f"a year{who}", _yearly(money, comparison.volume)


def _yearly(money: Measured, volume: float) -> str:
    difference = money.difference
    if difference is None:
        return ""
    limits = (difference.low, difference.estimate, difference.high)
    low, middle, high = alike([each * volume for each in limits], sign=True)
    return f"{middle} {money.unit} (95 % interval {low} to {high})"


def _plots(comparison: Compared) -> Markup:
    """All challengers on one axis, by what decides."""
    deciding = [
        (answer, each) for answer in comparison.answers for each in answer.metrics if each.name == answer.criterion
    ]
    shown = [Plotted(answer.challenger, each.difference) for answer, each in deciding if each.difference is not None]
    if all(each.difference.identical for each in shown):
        return Markup()
    first = deciding[0][1]
    plot = estimation_plot(shown, first.name, first.direction, unit=first.unit, margin=comparison.margin)
    if not plot:
        return Markup()
    band = " The grey band is the margin: differences that do not matter." if comparison.margin else ""
    told = f"Dot and line: the difference and its 95 % interval. Curve: how probable each difference is.{band}"
    return joined(element("h2", "How large is the difference?"), plot, element("p", element("small", told)))


def _row_by_row(comparison: Compared, answer: Answer, number: int) -> Markup:
    """How the difference is spread over the rows."""
    measure = answer.differences.segments.measure
    gain = row_measure(comparison.scored, number, measure).gain
    if not gain.any():
        return Markup()
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    same = len(gain) - better - worse
    told = (
        f"By {measure}, the challenger is better on {count(better, 'row')} ({better / len(gain):.0%}), worse on "
        f"{worse:,} ({worse / len(gain):.0%}){f', the same on {same:,}' if same else ''}."
    )
    return joined(element("h2", "Row by row"), element("p", told), row_differences_plot(gain, measure))
