"""The decision curve on the page of a comparison: from which probability on is which model of use?"""

from pipeline_lib.comparison.curves import decision_plot
from pipeline_lib.comparison.decisions import ROLES, Decision
from pipeline_lib.system.html_page import Markup, element, folded, joined, table
from pipeline_lib.system.number_text import number_text

_SHOWN = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def decision_section(decision: Decision | None) -> Markup:
    """The curve with the break-even, in words and in numbers; empty without one."""
    if decision is None:
        return Markup()
    champion, challenger, everybody = decision.benefits()
    even = decision.break_even
    pays = (
        f"By the value, acting on label {decision.event} pays from a probability of {even:.1%} on. "
        if even is not None
        else ""
    )
    told = (
        f"{pays}At {decision.threshold:.0%} the net benefit on 100 rows is that of {number_text(100 * champion)} rows "
        f"rightly acted on with the champion, {number_text(100 * challenger)} with the challenger and "
        f"{number_text(100 * everybody)} where all rows are acted on."
    )
    dotted = "; dotted: the break-even" if even is not None else ""
    how = (
        "Net benefit: rows rightly acted on less rows wrongly acted on, those weighted by the odds of the threshold. "
        f"Across: the probability from which on somebody acts. Thin: acting on all rows{dotted}; 0 is acting on none."
    )
    head = ("threshold", *ROLES, "all rows")
    numbers = folded("The curve in numbers", table(head, _lines(decision), numbers=head))
    content = joined(element("p", told), decision_plot(decision), element("p", element("small", how)), numbers)
    return folded(f"From which probability of {decision.event} on is which model of use?", content)


def _lines(decision: Decision) -> list[tuple[str, ...]]:
    curve = decision.curve
    lines = []
    for number, threshold in enumerate(curve.thresholds):
        if any(abs(threshold - shown) < 1e-9 for shown in _SHOWN):
            values = (*(curve.models[role][number] for role in ROLES), curve.treat_all[number])
            lines.append((f"{threshold:.0%}", *(f"{100 * value:.2f}" for value in values)))
    return lines
