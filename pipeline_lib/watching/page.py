"""The page of a comparison: a table of all columns, and of each the share of every bin, in training and now."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from pipeline_lib.system.html_page import Kind, Markup, element, folded, summary_box, table, write_page
from pipeline_lib.watching.drift import (
    DRIFTED,
    DRIFTED_FROM,
    FEWEST,
    LEVEL,
    NEW_FROM,
    SHIFTED,
    SHIFTED_FROM,
    ColumnDrift,
    Drift,
    p_text,
)

_KINDS: dict[str, Kind] = {DRIFTED: "bad", SHIFTED: "warn"}
_TRAINING, _NOW = "#a9b2bd", "#0b57a4"
_WIDTH, _LABELS, _VALUES, _ROW, _BAR = 366, 130, 40, 19, 7  # of the plot, in its own units
_LONGEST_LABEL = 21
_STYLE = Markup(
    "<style>.bars { width: 100%; max-width: 36rem; } section, details { break-inside: avoid; }"
    "@media print { .bars { max-width: 20rem; } }</style>"
)
_HEAD = ("column", "verdict", "index", "p", "missing", "unseen", "out of range", "other type")
_MEANING = (
    "Stability index: sum of (now - training) * log(now / training) over the bins. If chance is no explanation, "
    f"a column has shifted from {SHIFTED_FROM} on, and drifted from {DRIFTED_FROM} on.",
    "p: chi-square test of both samples, after Holm's correction for all columns. Below "
    f"{LEVEL} chance alone is no explanation.",
    f"A column in which {NEW_FROM:.0%} of the values are unseen, out of range or of another type has shifted at least.",
    f"Below {FEWEST} values nothing is judged. Dates move on by nature and are not judged either.",
    "Predictions are compared with those for the evidence, rows that the fit did not see.",
    "A column that has drifted says that the rows are others. Only true values tell whether the predictions are right.",
)


def write_drift_page(path: Path, drift: Drift) -> None:
    """Write the page of a comparison."""
    judged = "bad" if drift.drifted else "warn" if any(each.verdict == SHIFTED for each in drift.columns) else "good"
    facts = [("rows now", f"{drift.rows:,}"), ("rows in training", f"{drift.training_rows:,}")]
    if drift.counted < drift.rows:
        facts.append(("of them counted", f"{drift.counted:,}, evenly spaced; `pipeline-lib drift` counts all"))
    if drift.refused:
        facts.append(("refused now", f"{drift.refused:,}, counted without a prediction"))
    kind: Kind = judged  # type: ignore[assignment]
    box = summary_box(drift.headline, facts=facts, kind=kind)
    lines = [_line(each) for each in drift.columns]
    overview = table(_HEAD, lines, numbers=_HEAD[2:], kinds=[_KINDS.get(each.verdict, "") for each in drift.columns])
    meaning = folded("What the numbers mean", *(element("p", line) for line in _MEANING))
    write_page(path, f"Drift of {drift.reference}", _STYLE, box, overview, _legend(), *_sections(drift), meaning)


def _line(column: ColumnDrift) -> tuple[object, ...]:
    shares = (column.missing, column.unseen, column.out_of_range, column.invalid)
    return (column.name, column.verdict, f"{column.psi:.3f}", p_text(column.p), *(_share(each) for each in shares))


def _share(share: float) -> str:
    return f"{share:.1%}" if share else ""


def _legend() -> Markup:
    squares = ((_TRAINING, "training"), (_NOW, "now"))
    parts = (
        Markup(
            f'<svg width="12" height="12" role="img" aria-label="{name}"><rect width="12" height="12" fill="{colour}"/>'
            f"</svg> {name} &nbsp; "
        )
        for colour, name in squares
    )
    return element("p", "Share of the values in each bin: ", *parts)


def _sections(drift: Drift) -> Iterator[Markup]:
    """Each column: those that are other than in training are open."""
    for column in drift.columns:
        told = [element("p", column.reason)] if column.reason else []
        if column.verdict in (DRIFTED, SHIFTED):
            yield element("section", element("h2", f"{column.name}: {column.verdict}"), *told, plot(column))
        else:
            yield folded(f"{column.name}: {column.verdict}", *told, plot(column))


def plot(column: ColumnDrift) -> Markup:
    """A picture of a column: for each bin two bars, training above and now below, with their shares."""
    room = _WIDTH - _LABELS - 2 * _VALUES
    longest = max([*column.training, *column.now, 1e-9])
    parts = []
    for number, (label, training, now) in enumerate(zip(column.bins, column.training, column.now, strict=True)):
        top = number * _ROW
        shown = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
        parts.append(f'<text x="{_LABELS - 6}" y="{top + 12}" text-anchor="end">{escape(shown)}</text>')
        for share, colour, y in ((training, _TRAINING, top + 1), (now, _NOW, top + 1 + _BAR)):
            width = max(share / longest * room, 0.6 if share else 0)
            parts.append(f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
        numbers = ((training, _WIDTH - _VALUES - 2, "#5b6472"), (now, _WIDTH, "#1d2129"))
        for share, x, colour in numbers:
            parts.append(f'<text x="{x}" y="{top + 12}" text-anchor="end" fill="{colour}">{share:.1%}</text>')
    height = len(column.bins) * _ROW
    title = escape(f"{column.name}: share of each bin in training and now")
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}" font-size="10" '
        f'class="bars" font-family="inherit">{"".join(parts)}</svg>'
    )
