"""What follows from the counts: for each column how far live rows are from training, and whether that matters.

    drifted    population stability index from 0.25 on, and chance alone would hardly do it
    shifted    index from 0.1 on, or 1 % of the values new (unseen or out of range), and chance would hardly do it
    stable     neither
    too few    fewer than 30 values, now or in training
    dates      dates move on by nature: they are shown and have no verdict

"Chance would hardly": a p-value of the two-sample test below 0.01 after Holm's correction for all columns. With
millions of rows the test finds any difference, and with dozens the index is large without one; so both are asked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.bins import DATE, Counts, labels
from pipeline_lib.watching.divergence import corrected, population_stability_index, two_sample_test
from pipeline_lib.watching.statistics import Known

DRIFTED_FROM, SHIFTED_FROM, NEW_FROM, LEVEL, FEWEST = 0.25, 0.1, 0.01, 0.01, 30
DRIFTED, SHIFTED, STABLE, TOO_FEW, DATES = "drifted", "shifted", "stable", "too few", "dates"
_ORDER = (DRIFTED, SHIFTED, TOO_FEW, STABLE, DATES)
_MOST_LINES = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ColumnDrift:
    """One column, or one output, now and in training. Shares are of all its values, and from 0 to 1."""

    name: str
    kind: str
    values: int
    missing: float
    unseen: float
    out_of_range: float
    invalid: float
    missing_in_training: float
    psi: float
    p: float | None
    verdict: str
    new_names: dict[str, int]
    bins: tuple[str, ...]
    training: tuple[float, ...]
    now: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**vars(self), "bins": list(self.bins), "training": list(self.training), "now": list(self.now)}

    @property
    def reason(self) -> str:
        """What is other than in training, in a few words."""
        parts = [
            _share(self.unseen, "unseen" + (f" ({', '.join(map(repr, self.new_names))})" if self.new_names else "")),
            _share(self.out_of_range, "out of range"),
            _share(self.invalid, "of another type"),
        ]
        if abs(self.missing - self.missing_in_training) >= NEW_FROM:
            parts.append(f"missing {_percent(self.missing_in_training)} → {_percent(self.missing)}")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Drift:
    """Live rows compared with training: each column and output, the most drifted first."""

    reference: str
    rows: int
    counted: int
    refused: int
    training_rows: int
    columns: tuple[ColumnDrift, ...]

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """Those that have drifted."""
        return tuple(each for each in self.columns if each.verdict == DRIFTED)

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        judged = [each for each in self.columns if each.verdict in (DRIFTED, SHIFTED, STABLE)]
        some = f"{self.counted:,} of " if self.counted < self.rows else ""
        rows = f"{some}{self.rows:,} row{'s' * (self.rows != 1)}"
        if not judged:
            return f"{rows} of {self.reference}: too few to compare with training"
        names = [each.name for each in self.drifted]
        shifted = sum(each.verdict == SHIFTED for each in self.columns)
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            found = f"{', '.join(names[:3])}{more} drifted from training"
        else:
            found = "nothing drifted from training"
        also = f", {shifted} shifted a little" if shifted else ""
        return f"{rows} of {self.reference}: {found}{also} ({len(judged)} columns and outputs compared)"

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        facts: dict[str, Any] = {"reference": self.reference, "headline": self.headline}
        facts |= {"rows": self.rows, "counted": self.counted, "refused": self.refused}
        columns = [each.to_json() for each in self.columns]
        return {**facts, "training_rows": self.training_rows, "columns": columns}

    def __str__(self) -> str:
        width = max([6, *(len(each.name) for each in self.columns[:_MOST_LINES])])
        lines = [self.headline]
        if self.columns:
            lines.append(f"{'column':<{width}}  verdict  {'psi':>6}  {'p':>7}")
        for each in self.columns[:_MOST_LINES]:
            line = f"{each.name:<{width}}  {each.verdict:<7}  {each.psi:6.3f}  {p_text(each.p):>7}  {each.reason}"
            lines.append(line.rstrip())
        more = len(self.columns) - _MOST_LINES
        if more > 0:
            lines.append(f"and {more} more, which --json and --html list")
        if self.refused:
            lines.append(f"{self.refused:,} of the rows are refused: they are counted, and have no prediction")
        return "\n".join(lines)


def drift_of(accumulator: Accumulator, reference: str, rows: int | None = None) -> Drift:
    """Compare what was counted with training; `reference` names the record, `rows` says of how many rows it is."""
    statistics = accumulator.statistics
    pairs = [(name, known, accumulator.columns[name]) for name, known in statistics.columns.items()]
    pairs += [(name, known, accumulator.outputs[name]) for name, known in statistics.outputs.items()]
    tests = [two_sample_test(_all_bins(known.counts), _all_bins(counts)) for _, known, counts in pairs]
    adjusted = corrected([test and test[2] for test in tests])
    columns = [_column(*pair, p) for pair, p in zip(pairs, adjusted, strict=True)]
    columns.sort(key=lambda each: (_ORDER.index(each.verdict), -each.psi, each.name))
    counted = accumulator.rows
    return Drift(reference, rows or counted, counted, accumulator.refused, statistics.rows, tuple(columns))


def _column(name: str, known: Known, counts: Counts, p: float | None) -> ColumnDrift:
    bins, rows = known.bins, max(counts.rows, 1)
    psi = population_stability_index(_all_bins(known.counts), _all_bins(counts))
    unseen, outside = bins.new(counts) / rows, bins.outside(counts) / rows
    names = [*labels(bins, _date_text if bins.kind == DATE else _number_text), "missing", "invalid"]
    training, now = (_all_bins(each) / max(each.rows, 1) for each in (known.counts, counts))
    shown = (training + now) > 0
    return ColumnDrift(
        name,
        bins.kind,
        counts.rows,
        counts.missing / rows,
        unseen,
        outside,
        counts.invalid / rows,
        known.counts.missing / max(known.counts.rows, 1),
        psi,
        p,
        _verdict(bins.kind, min(counts.rows, known.counts.rows), psi, p, unseen + outside + counts.invalid / rows),
        dict(counts.unseen),
        tuple(label for label, each in zip(names, shown, strict=True) if each),
        tuple(training[shown].tolist()),
        tuple(now[shown].tolist()),
    )


def _verdict(kind: str, rows: int, psi: float, p: float | None, new: float) -> str:
    if kind == DATE:
        return DATES
    if rows < FEWEST:
        return TOO_FEW
    if p is None or p >= LEVEL:  # without a test all values but a few are in one bin, now and in training
        return STABLE
    if psi >= DRIFTED_FROM:
        return DRIFTED
    return SHIFTED if psi >= SHIFTED_FROM or new >= NEW_FROM else STABLE


def _all_bins(counts: Counts) -> Any:
    """What is compared: a missing value and an invalid one are values too."""
    return np.array([*counts.bins.tolist(), counts.missing, counts.invalid])


def _share(share: float, what: str) -> str:
    return f"{_percent(share)} {what}" if share else ""


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 or not share else "<0.1%"


def p_text(p: float | None) -> str:
    """A p-value for people."""
    if p is None:
        return "-"
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def _number_text(value: float) -> str:
    if value == int(value) and abs(value) < 10_000:  # a year has no comma
        return f"{value:.0f}"
    return f"{value:,.6g}" if abs(value) < 1e6 or value != int(value) else f"{value:,.0f}"


def _date_text(value: float) -> str:
    try:
        moment = _EPOCH + timedelta(microseconds=value)
    except (OverflowError, ValueError):
        return f"{value:g} µs"
    return moment.strftime("%Y-%m-%d") if value % 86_400_000_000 == 0 else moment.strftime("%Y-%m-%d %H:%M")
