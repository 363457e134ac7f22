"""The result of a parity check: an outcome for each variation, as data, as text in a terminal, as one offline page."""

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.divergence import OUTPUTS, Divergence
from pipeline_lib.system.html_page import write_page

Verdict = Literal["exact", "different", "lossy", "absent"]
FRESH = "fresh process"
EDGES = "edge rows"
ARTIFACT = "artifact"
"""The outcome that there is only where the artifact is not the one that made the evidence."""
SHOWN_RAW, SHOWN_CAUSES = 8, 8
_COLOURS = {"exact": "#d3f0d8", "different": "#f7c5c5", "lossy": "#f8ecc2", "absent": "#e6e6e6"}
_STYLE = "td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left}"


@dataclass(frozen=True)
class Outcome:
    """What became of one variation: `exact`, `different`, `lossy` (a loss that its name announces) or `absent`.

    `rows` were predicted, the outputs of `differing` of them changed; `detail` says why a variation is absent, what
    was refused or lost; `proof` is what a process showed of its setting; `causes` explain a difference that no
    divergence tells. `what` describes the variation for people.
    """

    variation: str
    group: str
    verdict: Verdict
    rows: int = 0
    differing: int = 0
    detail: str = ""
    seconds: float = 0.0
    proof: dict[str, Any] = field(default_factory=dict)
    divergence: Divergence | None = None
    causes: tuple[str, ...] = ()
    what: str = ""

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Outcome":
        """Read what `to_json` gave."""
        divergence = values["divergence"] and Divergence.from_json(values["divergence"])
        return cls(**{**values, "divergence": divergence, "causes": tuple(values.get("causes", ()))})


@dataclass(frozen=True)
class Parity:
    """What a parity check found. `exact` is True when every output and intermediate bit was repeated.

    `outputs` and `steps` are the first differences of the fresh process; `outcomes` has all variations, that
    one too.
    """

    reference: str
    rows: int
    outputs: Difference | None
    steps: dict[str, Difference | None]
    outcomes: tuple[Outcome, ...] = ()

    @classmethod
    def of(cls, reference: str, rows: int, steps: list[str], outcomes: list[Outcome]) -> "Parity":
        """The parity of a record by the outcomes of its variations."""
        fresh = next((outcome.divergence for outcome in outcomes if outcome.variation == FRESH), None)
        found = fresh.differs if fresh else {}
        return cls(reference, rows, found.get(OUTPUTS), {name: found.get(name) for name in steps}, tuple(outcomes))

    @property
    def exact(self) -> bool:
        """Whether outputs and all intermediate columns agree bit for bit, under every variation that ran."""
        ran = not self.outcomes or any(outcome.verdict == "exact" for outcome in self.outcomes)
        return ran and self.outputs is None and not any(self.steps.values()) and not self.of_verdict("different")

    def of_verdict(self, verdict: Verdict) -> list[Outcome]:
        """The outcomes of one verdict."""
        return [outcome for outcome in self.outcomes if outcome.verdict == verdict]

    def to_json(self) -> dict[str, Any]:
        """What is kept beside the record."""
        return {
            "reference": self.reference,
            "exact": self.exact,
            "rows": self.rows,
            "text": str(self),
            "variations": [outcome.to_json() for outcome in self.outcomes],
        }

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def as_text(parity: Parity) -> str:
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


def _named(outcome: Outcome, rows: int) -> str:
    """A variation's name, and how many of the rows it took where that was not all."""
    part = 0 < outcome.rows < rows and outcome.verdict == "exact" and outcome.variation != EDGES
    return f"{outcome.variation} ({outcome.rows:,} of {rows:,})" if part else outcome.variation


def one_line(outcome: Outcome) -> str:
    """An outcome as it appears while a check runs."""
    more = f": {outcome.detail}" if outcome.detail else ""
    more = f": {outcome.divergence.step}" if outcome.divergence and outcome.verdict == "different" else more
    return f"{outcome.verdict:<9} {outcome.variation} ({outcome.seconds:.1f} s){more}"


def as_html(parity: Parity) -> str:
    """The check as a fragment of HTML: a grid of variations, then each divergence in full."""
    first = as_text(parity).partition("\n")[0]
    rows = "".join(_row(outcome) for outcome in parity.outcomes)
    head = "".join(f"<th>{title}</th>" for title in ("variation", "what it is", "verdict", "rows", "seconds", "detail"))
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    found = "".join(_section(outcome) for outcome in sorted(parity.outcomes, key=lambda o: o.verdict != "different"))
    return f"<p><strong>{html.escape(first)}</strong></p>{grid}{found}"


def write_parity_page(path: Path, parity: Parity) -> None:
    """Write the check as one page."""
    write_page(path, f"Parity of {parity.reference}", as_html(parity), _STYLE)


def _about(outcome: Outcome) -> str:
    """What outcomes that share a line have in common; an exact one may have something to tell as well."""
    if outcome.verdict != "exact":
        return outcome.detail
    return f"{outcome.group} ({outcome.detail})" if outcome.detail else outcome.group


def _key(outcome: Outcome) -> object:
    """Equal for outcomes that differ first at the same place in the same way, which need telling once."""
    divergence = outcome.divergence
    return (divergence.step, divergence.row, divergence.difference) if divergence else outcome.detail


def _different(outcome: Outcome, *others: Outcome) -> list[str]:
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


def _row(outcome: Outcome) -> str:
    divergence = outcome.divergence
    detail = outcome.detail or (_where(divergence.step, divergence.difference, divergence.row) if divergence else "")
    detail = detail or ", ".join(f"{name}: {value}" for name, value in outcome.proof.items())
    cells = (outcome.variation, outcome.what, outcome.verdict, f"{outcome.rows:,}", f"{outcome.seconds:.2f}", detail)
    filled = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr class='{outcome.verdict}' style='background:{_COLOURS[outcome.verdict]}'>{filled}</tr>"


def _section(outcome: Outcome) -> str:
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
