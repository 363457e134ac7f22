"""A parity check for people: as text in a terminal, as one offline page without scripts."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.divergence import Divergence
from pipeline_lib.parity.variations import VARIATIONS
from pipeline_lib.parity.verdicts import EDGES
from pipeline_lib.system.html_page import write_page

if TYPE_CHECKING:
    from pipeline_lib.parity.verdicts import Outcome, Parity

PAGE = "parity.html"
SHOWN_RAW, SHOWN_CAUSES = 8, 8
_COLOURS = {"exact": "#d3f0d8", "different": "#f7c5c5", "lossy": "#f8ecc2", "absent": "#e6e6e6"}
_STYLE = "td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left}"


def as_text(parity: "Parity") -> str:
    """The check in lines: the verdict, the variations of each kind, each divergence in full."""
    ran = [outcome for outcome in parity.outcomes if outcome.verdict != "absent"]
    count = f"; {len(ran)} variations" if ran else ""
    head = f"parity: {'exact' if parity.exact else 'DIFFERENT'} "
    steps = f"{len(parity.steps)} intermediate step{'s' * (len(parity.steps) != 1)}"
    lines = [f"{head}({parity.rows:,} rows, {steps}, fresh process{count})"]
    different = parity.of_verdict("different")
    same: dict[object, list[Outcome]] = {}
    for outcome in different:
        same.setdefault(_key(outcome), []).append(outcome)
    lines += [line for outcomes in same.values() for line in _different(*outcomes)]
    if not different:
        found = {**parity.steps, "outputs": parity.outputs}
        lines += [f"  step {name}: {difference}" for name, difference in found.items() if difference]
    for verdict in ("exact", "lossy", "absent"):
        groups: dict[str, list[str]] = {}
        for outcome in parity.outcomes:
            if outcome.verdict == verdict:
                groups.setdefault(_about(outcome), []).append(_named(outcome, parity.rows))
        lines += [f"  {verdict:<9}  {key}: {', '.join(names)}" for key, names in groups.items()]
    return "\n".join(lines)


def _named(outcome: "Outcome", rows: int) -> str:
    """A variation's name, and how many of the rows it took where that was not all."""
    part = 0 < outcome.rows < rows and outcome.verdict == "exact" and outcome.variation != EDGES
    return f"{outcome.variation} ({outcome.rows:,} of {rows:,})" if part else outcome.variation


def one_line(outcome: "Outcome") -> str:
    """An outcome as it appears while a check runs."""
    more = f": {outcome.detail}" if outcome.detail else ""
    more = f": {outcome.divergence.step}" if outcome.divergence and outcome.verdict == "different" else more
    return f"{outcome.verdict:<9} {outcome.variation} ({outcome.seconds:.1f} s){more}"


def as_html(parity: "Parity") -> str:
    """The check as a fragment of HTML: a grid of variations, then each divergence in full."""
    first = as_text(parity).partition("\n")[0]
    rows = "".join(_row(outcome) for outcome in parity.outcomes)
    head = "".join(f"<th>{title}</th>" for title in ("variation", "what it is", "verdict", "rows", "seconds", "detail"))
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    found = "".join(_section(outcome) for outcome in sorted(parity.outcomes, key=lambda o: o.verdict != "different"))
    return f"<p><strong>{html.escape(first)}</strong></p>{grid}{found}"


def write_parity_page(path: Path, parity: "Parity") -> None:
    """Write the check as one page."""
    write_page(path, f"Parity of {parity.reference}", as_html(parity), _STYLE)


def _about(outcome: "Outcome") -> str:
    """What outcomes that share a line have in common; an exact one may have something to tell as well."""
    if outcome.verdict != "exact":
        return outcome.detail
    return f"{outcome.group} ({outcome.detail})" if outcome.detail else outcome.group


def _key(outcome: "Outcome") -> object:
    """Equal for outcomes that differ first at the same place in the same way, which need telling once."""
    divergence = outcome.divergence
    return (divergence.step, divergence.row, divergence.difference) if divergence else outcome.detail


def _different(outcome: "Outcome", *others: "Outcome") -> list[str]:
    same = [f"    the same under {', '.join(other.variation for other in others)}"] if others else []
    if outcome.divergence is None:
        because = (f"    {line}" for line in _because(outcome.causes))
        return [f"  DIFFERENT  {outcome.variation}: {outcome.detail}", *because, *same]
    changed = f"{outcome.differing:,} of {outcome.rows:,} rows have other outputs"
    told = (f"    {line}" for line in _told(outcome.divergence))
    return [f"  DIFFERENT  {outcome.variation}: {changed}", *told, *same]


def _told(divergence: Divergence) -> list[str]:
    """A divergence in full: where, both values, the row's raw input, what may have caused it."""
    lines = [_where(divergence.step, divergence.difference, divergence.row)]
    others = [name for name in divergence.differs if name != divergence.step]
    if others:
        lines.append(f"then in {len(others)} more: {', '.join(others)}")
    shown = list(divergence.raw.items())[: max(SHOWN_RAW, min(divergence.reads, 2 * SHOWN_RAW))]
    more = f" … and {len(divergence.raw) - len(shown)} more" if len(divergence.raw) > len(shown) else ""
    if shown:
        lines.append("the row: " + ", ".join(f"{name}={value}" for name, value in shown) + more)
    return [*lines, *_because(divergence.causes)]


def _because(causes: Sequence[str]) -> list[str]:
    shown = causes[:SHOWN_CAUSES]
    lines = [f"{'likely cause' if not place else 'or'}: {cause}" for place, cause in enumerate(shown)]
    hidden = len(causes) - len(shown)
    return [*lines, f"… {hidden} more causes in the page"] if hidden else lines


def _where(step: str, difference: Difference, row: int | None) -> str:
    place = step if step in ("raw input", "outputs") else f"step {step}"
    same = row is None or row == difference.row
    return f"{place}: {difference}{'' if same else f' (row {row} of the evidence)'}"


def _row(outcome: "Outcome") -> str:
    divergence = outcome.divergence
    detail = outcome.detail or (_where(divergence.step, divergence.difference, divergence.row) if divergence else "")
    detail = detail or ", ".join(f"{name}: {value}" for name, value in outcome.proof.items())
    known = VARIATIONS.get(outcome.variation)
    what = known.what if known else ""
    cells = (outcome.variation, what, outcome.verdict, f"{outcome.rows:,}", f"{outcome.seconds:.2f}", detail)
    filled = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr class='{outcome.verdict}' style='background:{_COLOURS[outcome.verdict]}'>{filled}</tr>"


def _section(outcome: "Outcome") -> str:
    divergence = outcome.divergence
    if divergence is None:
        causes = "".join(f"<li>{html.escape(cause)}</li>" for cause in outcome.causes)
        title = html.escape(f"{outcome.variation}: {outcome.verdict}")
        return causes and f"<h2>{title}</h2><p>{html.escape(outcome.detail)}</p><h3>Likely causes</h3><ol>{causes}</ol>"
    differs = "".join(f"<li>{html.escape(_where(name, each, None))}</li>" for name, each in divergence.differs.items())
    causes = "".join(f"<li>{html.escape(cause)}</li>" for cause in divergence.causes)
    raw = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in divergence.raw.items())
    title = f"{outcome.variation}: {outcome.verdict}, first at {divergence.step}"
    where = _where(divergence.step, divergence.difference, divergence.row)
    return (
        f"<h2>{html.escape(title)}</h2><p>{html.escape(where)}</p>"
        + (f"<h3>Likely causes</h3><ol>{causes}</ol>" if causes else "")
        + f"<h3>Every step that differs</h3><ul>{differs}</ul>"
        + (f"<details><summary>Raw input of the row</summary><table>{raw}</table></details>" if raw else "")
    )
