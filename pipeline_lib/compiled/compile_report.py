"""The compile report: how each step is evaluated, its distance from its library, and which columns are not read."""

from dataclasses import asdict, dataclass, field
from typing import Any

_CANCELLED = 2**32  # ULPs; more than rounding can make: large terms cancel, and leave their rounding


@dataclass(frozen=True)
class StepReport:
    """One step: columns in and out, exact or opaque (and why), its largest distance from its library's result.

    `ulps` is that distance in units in the last place, `share` the distance as a part of its error bound, `flips` the
    count of rows on a boundary in which the library chose the other side. `edge_rows` are rows with one value at the
    edge of its column that the step was asked, of which it or its plan refused `edge_refused`; in `edge_differs` its
    library gave another answer than its plan, as in `edge_example`.
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


@dataclass(frozen=True)
class CompileReport:
    """The compile report of a pipeline, over the rows that it was compiled with.

    `unread` are raw columns that reach no output; `ulps` and `difference` are the largest distances of a
    prediction from the library's own, in units in the last place and in the target's unit, `changed` how many
    predictions differ at all. `row_microseconds` and `rows_per_second` were measured once, on this machine.
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

    @property
    def exact(self) -> bool:
        """Whether no step needs its library."""
        return all(step.exact for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "CompileReport":
        """The report from the values of `to_json`."""
        steps = tuple(StepReport(**step) for step in values["steps"])
        lists = {name: tuple(values[name]) for name in ("unread", "notes")}
        return cls(**{**values, "steps": steps, **lists})

    def __str__(self) -> str:
        kind = "exact" if self.exact else "opaque in part"
        lines = [f"compiled: {kind}; {self.raw - len(self.unread)} of {self.raw} raw columns reach the output"]
        lines += [f"  {step.name}: {step.why}" for step in self.steps if not step.exact]
        lines.append(f"  not read: {', '.join(self.unread)}" if self.unread else "  every raw column is read")
        lines.append(f"  {self._distance()}")
        lines += self._edge_rows()
        lines.append(
            f"  one row {self.row_microseconds:,.0f} µs, {self.rows_per_second:,.0f} rows/s in bulk, measured here"
        )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _distance(self) -> str:
        if not self.changed:
            return f"predictions equal the libraries' own in all {self.rows:,} rows"
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
        box = summary_box(*map(str.strip, str(self).splitlines()), kind="good" if self.exact else "warn")
        return joined(box, folded(f"{len(rows)} steps", table(head, rows, numbers=("columns",))))


def _distance_of(step: StepReport) -> str:
    flips = f", {step.flips:,} rows on a boundary" if step.flips else ""
    if not step.exact:
        return "not compared"
    if step.ulps >= _CANCELLED:
        return f"terms cancel: {step.share:.0%} of the bound on their rounding{flips}"
    return (f"{step.ulps:,.1f} ULP" if step.ulps else "equal bits") + flips


def _edges_of(step: StepReport) -> str:
    if not step.edge_rows:
        return "not asked"
    more = f", {step.edge_differs:,} differ" if step.edge_differs else ""
    return f"{step.edge_rows:,}, {step.edge_refused:,} refused{more}"
