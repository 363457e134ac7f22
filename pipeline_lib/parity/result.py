"""The result of a parity check: an outcome for each variation, as data, as text in a terminal, as one offline page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.divergence import OUTPUTS, RAW, Divergence
from pipeline_lib.system.html_page import Kind, Markup, bullets, element, folded, joined, summary_box, table, write_page

Verdict = Literal["exact", "different", "lossy", "absent"]
FRESH = "fresh process"
EDGES = "edge rows"
ARTIFACT = "artifact"
"""The outcome that is only there where the artifact is not the one that produced the evidence."""
SHOWN_RAW, SHOWN_CAUSES = 8, 8
"""At most so many raw values of a row, and causes of a divergence, are printed in a terminal; the page has all."""
_REFUSED = re.compile(r"refused: (.+?): found (.+?), expected (.+?)(?:; .*)?")
"""The detail of a way to write a file whose rows do not fit `Row` any more."""
_KINDS: dict[Verdict, Kind] = {"different": "bad", "exact": "good", "lossy": "warn", "absent": "quiet"}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one variation: `exact`, `different`, `lossy` (a loss that its name announces) or `absent`.

    `rows` were predicted, the outputs of `differing` of them changed. `detail` says why a variation is absent, what
    was refused or lost; `proof` holds what a process showed of its setting; `causes` may explain a difference that
    has no divergence; `what` describes the variation.
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
        """Read what `to_json` returned."""
        divergence = values["divergence"] and Divergence.from_json(values["divergence"])
        return cls(**{**values, "divergence": divergence, "causes": tuple(values.get("causes", ()))})


@dataclass(frozen=True)
class Parity:
    """The result of a parity check. `exact` is True when every output and intermediate bit was repeated.

    `outputs` and `steps` are the first differences of the fresh process; `outcomes` holds all variations, the fresh
    process included.
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
        differs = fresh.differs if fresh else {}
        return cls(reference, rows, differs.get(OUTPUTS), {name: differs.get(name) for name in steps}, tuple(outcomes))

    @property
    def exact(self) -> bool:
        """Whether outputs and all intermediate columns agree bit for bit, under every variation that ran."""
        ran = not self.outcomes or any(outcome.verdict == "exact" for outcome in self.outcomes)
        return ran and self.outputs is None and not any(self.steps.values()) and not self.of_verdict("different")

    def of_verdict(self, verdict: Verdict) -> list[Outcome]:
        """The outcomes of one verdict."""
        return [outcome for outcome in self.outcomes if outcome.verdict == verdict]

    def to_json(self) -> dict[str, Any]:
        """The content of `parity.json`."""
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
    """The check in lines: the verdict, each divergence in full, then the other variations by verdict and group."""
    lines = [_first_line(parity)]
    different = parity.of_verdict("different")
    same: dict[object, list[Outcome]] = {}
    for outcome in different:
        same.setdefault(_key(outcome), []).append(outcome)
    lines += [line for outcomes in same.values() for line in _different(*outcomes)]
    if not different:
        differences = {**parity.steps, "outputs": parity.outputs}
        lines += [f"  step {name}: {difference}" for name, difference in differences.items() if difference]
    for verdict in ("exact", "absent"):
        lines += _lossy_lines(parity.of_verdict("lossy")) if verdict == "absent" else []
        groups: dict[str, list[str]] = {}
        for outcome in parity.outcomes:
            if outcome.verdict == verdict:
                groups.setdefault(_group(outcome), []).append(_with_rows(outcome, parity.rows))
        lines += [f"  {verdict:<9}  {key}: {', '.join(names)}" for key, names in groups.items()]
    return "\n".join(lines)


def one_line(outcome: Outcome) -> str:
    """An outcome as it is printed while a check runs."""
    more = f": {outcome.detail}" if outcome.detail else ""
    if reason := _not_offered(outcome):
        return f"not offered {outcome.variation} ({outcome.seconds:.1f} s): {reason}"
    more = f": {outcome.divergence.step}" if outcome.divergence and outcome.verdict == "different" else more
    return f"{outcome.verdict:<9} {outcome.variation} ({outcome.seconds:.1f} s){more}"


def in_words(parity: Parity) -> tuple[str, str]:
    """The check for somebody who reads the report: one sentence, and what was tried."""
    ways = [outcome for outcome in parity.outcomes if outcome.verdict in ("exact", "different")]
    different = [outcome for outcome in ways if outcome.verdict == "different"]
    asked = f"{len(ways)} way{'s' * (len(ways) != 1)} of asking"
    if parity.exact:
        return (
            "Production gives the same answers.",
            f"all {parity.rows:,} rows had the same answer in production, to the last bit, in {asked}: alone, "
            "together, in another order, from files; see",
        )
    where = f" in {len(different)} of {asked}, first: {different[0].variation}" if different else ""
    return (
        "Production does NOT give the same answers.",
        f"other answers{where}; do not use the model until the cause is found; see",
    )


def as_html(parity: Parity) -> Markup:
    """The check as a fragment of HTML: the verdict, each divergence in full, the table of variations folded."""
    names = {verdict: ", ".join(outcome.variation for outcome in parity.of_verdict(verdict)) for verdict in _KINDS}
    facts = [(verdict, listed) for verdict, listed in names.items() if listed]
    box = summary_box(_first_line(parity), facts=facts, kind="good" if parity.exact else "bad")
    sections = (_section(outcome) for outcome in sorted(parity.outcomes, key=lambda one: one.verdict != "different"))
    return joined(box, *sections, _variations(parity.outcomes))


def write_parity_page(path: Path, parity: Parity) -> None:
    """Write the check as one page."""
    write_page(path, f"Does production repeat {parity.reference}?", as_html(parity))


def _first_line(parity: Parity) -> str:
    ran = [outcome for outcome in parity.outcomes if outcome.verdict != "absent"]
    count = f"; {len(ran)} variations" if ran else ""
    steps = f"{len(parity.steps)} intermediate step{'s' * (len(parity.steps) != 1)}"
    verdict = "exact" if parity.exact else "DIFFERENT"
    return f"parity: {verdict} ({parity.rows:,} rows, {steps}, fresh process{count})"


def _lossy_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Ways to write a file that lose, by what they lose; those whose rows production refuses are not offered."""
    lines: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        reason = _not_offered(outcome)
        line = ("not offered", reason) if reason else ("lossy     ", f"the file itself loses: {outcome.detail}")
        lines.setdefault(line, []).append(outcome.variation)
    return [f"  {verdict}  {', '.join(names)}: {reason}" for (verdict, reason), names in lines.items()]


def _not_offered(outcome: Outcome) -> str:
    """Why rows cannot come in this form; empty where they can."""
    refused = _REFUSED.fullmatch(outcome.detail) if outcome.verdict == "lossy" else None
    if not refused:
        return ""
    column, found, expected = refused.groups()
    return f"since such a file gives {column} back as {found}, and `Row` needs {expected}"


def _with_rows(outcome: Outcome, rows: int) -> str:
    """A variation's name, with the number of its rows where these were not all."""
    part = 0 < outcome.rows < rows and outcome.verdict == "exact" and outcome.variation != EDGES
    return f"{outcome.variation} ({outcome.rows:,} of {rows:,})" if part else outcome.variation


def _group(outcome: Outcome) -> str:
    """The heading that outcomes share in a line: the detail, or of exact ones the group and the detail."""
    if outcome.verdict != "exact":
        return outcome.detail
    return f"{outcome.group} ({outcome.detail})" if outcome.detail else outcome.group


def _key(outcome: Outcome) -> object:
    """Equal for outcomes whose first difference is the same, which is printed once."""
    divergence = outcome.divergence
    return (divergence.step, divergence.row, divergence.difference) if divergence else outcome.detail


def _different(outcome: Outcome, *others: Outcome) -> Iterator[str]:
    divergence = outcome.divergence
    changed = f"{outcome.differing:,} of {outcome.rows:,} rows have other outputs" if divergence else outcome.detail
    yield f"  DIFFERENT  {outcome.variation}: {changed}"
    for line in _divergence_lines(divergence) if divergence else _cause_lines(outcome.causes):
        yield f"    {line}"
    if others:
        yield f"    the same under {', '.join(other.variation for other in others)}"


def _divergence_lines(divergence: Divergence) -> list[str]:
    """A divergence in full: location, both values, the row's raw input, likely causes."""
    lines = [_location(divergence.step, divergence.difference, divergence.row)]
    others = [name for name in divergence.differs if name != divergence.step]
    if others:
        lines.append(f"then in {len(others)} more: {', '.join(others)}")
    shown = list(divergence.raw.items())[: max(SHOWN_RAW, min(divergence.reads, 2 * SHOWN_RAW))]
    more = f" … and {len(divergence.raw) - len(shown)} more" if len(divergence.raw) > len(shown) else ""
    if shown:
        lines.append("the row: " + ", ".join(f"{name}={value}" for name, value in shown) + more)
    return [*lines, *_cause_lines(divergence.causes)]


def _cause_lines(causes: Sequence[str]) -> list[str]:
    shown = causes[:SHOWN_CAUSES]
    lines = [f"{'or' if number else 'likely cause'}: {cause}" for number, cause in enumerate(shown)]
    hidden = len(causes) - len(shown)
    return [*lines, f"… {hidden} more causes in the page"] if hidden else lines


def _location(step: str, difference: Difference, row: int | None) -> str:
    table = step if step in (RAW, OUTPUTS) else f"step {step}"
    same = row is None or row == difference.row
    return f"{table}: {difference}{'' if same else f' (row {row} of the evidence)'}"


def _first_location(outcome: Outcome) -> str:
    divergence = outcome.divergence
    return _location(divergence.step, divergence.difference, divergence.row) if divergence else ""


def _variations(outcomes: Sequence[Outcome]) -> Markup:
    """Every variation as a row of a folded table."""
    if not outcomes:
        return Markup()
    head = ("variation", "description", "verdict", "rows", "seconds", "detail")
    rows = []
    for one in outcomes:
        proof = ", ".join(f"{name}: {value}" for name, value in one.proof.items())
        detail = one.detail or _first_location(one) or proof
        rows.append((one.variation, one.what, one.verdict, f"{one.rows:,}", f"{one.seconds:.2f}", detail))
    kinds = [_KINDS[outcome.verdict] for outcome in outcomes]
    return folded(f"All {len(rows)} variations", table(head, rows, numbers=("rows", "seconds"), kinds=kinds))


def _section(outcome: Outcome) -> Markup:
    """One outcome that differs or loses: where first, why, in which steps, and the raw row; else nothing."""
    divergence = outcome.divergence
    causes = divergence.causes if divergence else outcome.causes
    if not divergence and not causes:
        return Markup()
    content = [element("p", _first_location(outcome) or outcome.detail)]
    if causes:
        content += [element("h3", "Likely causes"), bullets(causes, numbered=True)]
    if divergence:
        content.append(element("h3", "Every step that differs"))
        content.append(bullets(_location(name, each, None) for name, each in divergence.differs.items()))
        content.append(
            folded("Raw input of the row", table((), divergence.raw.items())) if divergence.raw else Markup()
        )
    title = f"{outcome.variation}: {outcome.verdict}" + (f", first at {divergence.step}" if divergence else "")
    if outcome.verdict == "different":
        return joined(element("h2", title), *content)
    return folded(title, *content)
