"""The compile report: how each step is evaluated, its distance from its library, and which columns are not read."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

REASONS = {
    "rounding": "rounding",
    "ties": "ties",
    "float32": "float32 in the library",
    "cancellation": "large terms cancel in the library",
}
"""Why an output may differ from its library's own, by reason class, and how a person reads it."""

_CANCELLED = 2**32  # ULPs; more than rounding can make: large terms cancel, and leave their rounding


@dataclass(frozen=True)
class StepReport:
    """One step: columns in and out, exact or opaque (and why), its largest distance from its library's result.

    `ulps` is that distance in units in the last place, `share` the distance as a part of its error bound, `flips` the
    count of rows on a boundary in which the library chose the other side. `edge_rows` are rows with one value at the
    edge of its column that the step was asked, of which it or its plan refused `edge_refused`; in `edge_differs` its
    library gave another answer than its plan, as in `edge_example`. In `unsure` rows the library has no answer of its
    own, because of `doubt`: a batch of another size, or another machine, may change it. `checked` is how many rows the
    step was checked on where that is not all of them. With `float32` the library computes in float32 and the plan in
    float64: they agree within the rounding of float32.
    """

    name: str
    kind: str
    columns_in: int
    columns_out: int
    exact: bool
    why: str = ""
    ulps: float = 0.0
    share: float = 0.0
    flips: int = 0
    edge_rows: int = 0
    edge_refused: int = 0
    edge_differs: int = 0
    edge_example: str = ""
    unsure: int = 0
    doubt: str = ""
    checked: int = 0
    float32: bool = False


@dataclass(frozen=True)
class OutputReport:
    """One kind of output (predictions, labels, probabilities, decision values) beside its library's own.

    `changed` of `rows` rows differ in their bits. Of numbers, `difference` is the largest distance, `relative` the
    largest one relative to its value, `ulps` the largest one in units in the last place. `reason` is one of `REASONS`,
    "" where none explains the difference, and `detail` says where it comes from.
    """

    kind: str
    rows: int
    changed: int = 0
    difference: float = 0.0
    relative: float = 0.0
    ulps: float = 0.0
    reason: str = ""
    detail: str = ""

    @property
    def unexplained(self) -> bool:
        """Whether it differs and no reason is known."""
        return bool(self.changed) and not self.reason

    def __str__(self) -> str:
        if not self.changed:
            return f"{self.kind}: equal to the libraries' own in all {self.rows:,} rows"
        why = f"{self.detail or REASONS[self.reason]}" if self.reason else "the reason is not known"
        if not self.difference:
            return f"{self.kind}: {self.changed:,} of {self.rows:,} {self.kind} differ: {why}"
        ulps = f" ({self.ulps:,.0f} ULP)" if self.ulps < _CANCELLED else ""
        return (
            f"{self.kind}: {self.changed:,} of {self.rows:,} rows differ, by at most {self.difference:.3g}{ulps}: {why}"
        )


@dataclass(frozen=True)
class CompileReport:
    """The compile report of a pipeline, over the rows that it was compiled with.

    `unread` are raw columns that reach no output; `ulps` and `difference` are the largest distances of a
    prediction from the library's own, in units in the last place and in the target's unit, `changed` how many
    predictions differ at all; `outputs` say so of every kind of output, and why. Reports of earlier releases have none.
    `row_microseconds` and `rows_per_second` were measured once, on this machine.
    """

    rows: int
    raw: int
    steps: tuple[StepReport, ...]
    unread: tuple[str, ...]
    ulps: float = 0.0
    difference: float = 0.0
    changed: int = 0
    row_microseconds: float = 0.0
    rows_per_second: float = 0.0
    notes: tuple[str, ...] = field(default_factory=tuple)
    outputs: tuple[OutputReport, ...] = ()

    @property
    def unexplained(self) -> list[OutputReport]:
        """The outputs that differ for no known reason."""
        return [output for output in self.outputs if output.unexplained]

    @property
    def exact(self) -> bool:
        """Whether no step needs its library."""
        return all(step.exact for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "CompileReport":
        """The report from the values of `to_json`, also of a release that had fewer of them."""
        known = {each.name for each in fields(cls)}
        parts = {
            "steps": tuple(StepReport(**step) for step in values["steps"]),
            "outputs": tuple(OutputReport(**output) for output in values.get("outputs", ())),
            **{name: tuple(values.get(name, ())) for name in ("unread", "notes")},
        }
        return cls(**{**{name: value for name, value in values.items() if name in known}, **parts})

    def __str__(self) -> str:
        lines = [f"compiled: {self._kind()}; {self.raw - len(self.unread)} of {self.raw} raw columns reach the output"]
        lines += [f"  {step.name}: {step.why}" for step in self.steps if not step.exact]
        lines.append(f"  not read: {', '.join(self.unread)}" if self.unread else "  every raw column is read")
        lines += [f"  {output}" for output in self.outputs] or [f"  {self._distance()}"]
        lines += [f"  {step.name}: {step.unsure:,} rows have {step.doubt}" for step in self.steps if step.unsure]
        lines += [
            f"  {step.name}: checked on {step.checked:,} rows, with duplicates, ties and extremes"
            for step in self.steps
            if step.checked
        ]
        lines += self._edge_rows()
        lines.append(
            f"  one row {self.row_microseconds:,.0f} µs, {self.rows_per_second:,.0f} rows/s in bulk, measured here"
        )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _kind(self) -> str:
        kind = "exact" if self.exact else "opaque in part"
        differ = ", ".join(f"{output.changed:,} of {output.rows:,} {output.kind}" for output in self.unexplained)
        return f"{kind}, but {differ} differ from the libraries' own for no known reason" if differ else kind

    def _distance(self) -> str:
        """The distance of the predictions in a report without outputs."""
        if not self.changed:
            return f"predictions equal the libraries' own in all {self.rows:,} rows"
        if not self.difference:
            return f"{self.changed:,} of {self.rows:,} predictions differ from the libraries' own"
        return (
            f"predictions are at most {self.difference:.3g} ({self.ulps:,.0f} ULP) from the libraries' own; "
            f"{self.changed:,} of {self.rows:,} rows differ in their bits"
        )

    def _edge_rows(self) -> list[str]:
        asked, refused = (sum(getattr(step, name) for step in self.steps) for name in ("edge_rows", "edge_refused"))
        if not asked:  # a report from before there were edge rows
            return []
        differing = [step for step in self.steps if step.edge_differs]
        found = f"{sum(step.edge_differs for step in differing):,} differ" if differing else "the others agree"
        lines = [f"  edge rows: {asked:,} asked of the steps, {refused:,} refused, {found}"]
        return lines + [f"  {step.name}: {step.edge_example}" for step in differing]

    def _repr_html_(self) -> str:
        from pipeline_lib.system.html_page import folded, joined, summary_box, table

        rows = [
            (
                step.name,
                step.kind.rpartition(".")[2],
                f"{step.columns_in} → {step.columns_out}",
                "exact" if step.exact else f"opaque: {step.why}",
                _distance_of(step),
                _edges_of(step),
            )
            for step in self.steps
        ]
        head = ("step", "class", "columns", "evaluated", "largest distance", "edge rows")
        box = summary_box(
            *map(str.strip, str(self).splitlines()), kind="good" if self.exact and not self.unexplained else "warn"
        )
        return joined(box, folded(f"{len(rows)} steps", table(head, rows, numbers=("columns",))))


def _distance_of(step: StepReport) -> str:
    flips = f", {step.flips:,} rows on a boundary" if step.flips else ""
    if not step.exact:
        return "not compared"
    if step.float32:
        return f"float32 in the library: {step.share:.0%} of the bound on its rounding{flips}"
    if step.ulps >= _CANCELLED:
        return f"terms cancel: {step.share:.0%} of the bound on their rounding{flips}"
    return (f"{step.ulps:,.1f} ULP" if step.ulps else "equal bits") + flips


def _edges_of(step: StepReport) -> str:
    if not step.edge_rows:
        return "not asked"
    more = f", {step.edge_differs:,} differ" if step.edge_differs else ""
    return f"{step.edge_rows:,}, {step.edge_refused:,} refused{more}"
